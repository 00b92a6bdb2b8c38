"""How torch's threads share the processor with the window and with those that decode pictures.

Nothing here imports torch: it has to be told before it is loaded.
"""

from __future__ import annotations

import os

_SPINS = "2000"


def wait_asleep() -> None:
    """Let torch's threads sleep while they wait for each other, instead of keeping a core busy; the user's word wins.

    GNU's OpenMP, which torch comes with on Linux, spins for some milliseconds by default: on two cores a tenth of all
    processor time while a dataset is embedded, taken from the decoders and from the window. 2,000 rounds are some ten
    microseconds, about what waking up costs.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
