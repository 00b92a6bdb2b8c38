"""What is written must not become part of the dataset that it is about."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from convviz_gui.engine.embedded.manifest import is_embedded
from convviz_gui.engine.errors import EngineError


def check_apart(sources: Sequence[str], out: str, *, pictures: bool = True) -> None:
    """Raise `EngineError` if `out` is one of the `sources`, or if what is written there would be read as its photos.

    That is so for a folder inside a folder of photos, by links or not, unless it is hidden: those are not looked
    through. Of archives, tables and directories of features nothing is read but what they name.

    Args:
        sources: folders, archives or tables of photos, or directories of features.
        out: the folder to write to; need not be there.
        pictures: whether pictures are written; else only `out` itself is looked at.
    """
    for source in sources:
        if not Path(source).is_dir():
            continue
        inside = [place.relative_to(top) for top, place in product(_names(source), _names(out)) if _is_in(place, top)]
        if any(not place.parts for place in inside):
            raise EngineError(f"{out} is the dataset itself", "Choose another folder (command line: --out DIR)")
        seen = any(not any(part.startswith(".") for part in place.parts) for place in inside)
        if pictures and seen and not is_embedded(source):
            raise EngineError(
                f"{out} is inside the dataset {source}, and pictures written there would be taken for its own",
                "Choose a folder outside it, or a hidden one (command line: --out DIR)",
            )


def _names(path: str) -> set[Path]:
    """As it is written, for a link inside a dataset is followed, and as it is."""
    return {Path(os.path.normpath(Path(path).absolute())), Path(os.path.realpath(path))}


def _is_in(place: Path, top: Path) -> bool:
    return place == top or top in place.parents
