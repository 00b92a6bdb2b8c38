"""Write the index that recognises weights files: every architecture of torchvision and timm, built without memory.

``python tools/make_signatures.py`` takes some minutes and writes ``resources/signatures.npz``. Run it again when
torchvision's or timm's version in constraints.txt changes.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from pathlib import Path

import timm

from convviz_gui.engine.opening.comparison import outline
from convviz_gui.engine.opening.signatures import INDEX, Signature, hashed, marks_of, write_index
from convviz_gui.engine.zoo import torchvision_zoo
from convviz_gui.engine.zoo.catalogue import DEMO, find

_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build every network on the meta device and write what its tensors are called and how they are shaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_ROOT / "resources" / INDEX)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    began = time.monotonic()
    sources = [DEMO, *(torchvision_zoo.PREFIX + name for name in torchvision_zoo.names())]
    sources += [f"timm:{name}" for name in sorted(timm.list_models(), key=lambda name: (len(name), name))]
    networks: dict[str, Signature] = {}
    for source in sources:
        try:
            networks[source] = signature(source)
        except Exception as error:  # noqa: BLE001 - one network that cannot be built must not cost the others
            print(f"left out {source}: {type(error).__name__}: {error}", flush=True)
    write_index(options.out, networks)
    size = options.out.stat().st_size / 1e6
    print(f"{len(networks)} networks, {size:.2f} MB, {time.monotonic() - began:.0f} s: {options.out}")


def signature(source: str) -> Signature:
    """The hashes of a network's tensors and of its modules' paths."""
    architecture = find(source)
    state = outline(architecture).state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    return Signature(hashed(shapes), marks_of(getattr(state, "_metadata", {})), architecture.n_classes)


if __name__ == "__main__":
    main()
