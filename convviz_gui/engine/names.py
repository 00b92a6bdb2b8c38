"""Help for a name that does not exist: the ones that look like it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names closest to `name`, best first, at most three."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)


def did_you_mean(names: Iterable[str], remedy: str) -> str:
    """A hint that offers `names`, or `remedy` if there are none."""
    offered = " or ".join(names)
    return f"Did you mean {offered}?" if offered else remedy
