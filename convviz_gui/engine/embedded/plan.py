"""Which rows stand in which part, so that a run that ended early and one that did not write the same."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from convviz_gui.engine import files
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.embedded.manifest import Description

_TABLES = frozenset({".csv", ".tsv", ".txt"})
LEAST_ROWS, MOST_ROWS, PARTS = 256, 16_384, 64


@dataclass(frozen=True, slots=True)
class Slice:
    """The pictures of one part, before any is opened. `key` changes with whatever their rows depend on."""

    number: int
    key: str
    ids: tuple[str, ...]
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A dataset cut into parts of `rows_per_part` pictures, in the listing's order."""

    folder: Path
    description: Description
    sources: tuple[str, ...]
    listing: Listing = field(repr=False)
    rows_per_part: int
    command: str = ""

    @property
    def n_parts(self) -> int:
        """How many parts there are."""
        return -(-len(self.listing.paths) // self.rows_per_part)

    def slice(self, number: int) -> Slice:
        """The pictures of a part; looks at the files' sizes and times."""
        start = number * self.rows_per_part
        span = slice(start, start + self.rows_per_part)
        paths, labels = self.listing.paths[span], self.listing.labels[span]
        splits = self.listing.splits[span] or ("",) * len(paths)
        top = _top(self.sources)
        ids = tuple(_id(path, top) for path in paths)
        rows = [list(row) for row in zip(ids, paths, labels, splits, map(_signature, paths), strict=True)]
        key = hashlib.sha256(json.dumps([self.description.key, number, rows]).encode()).hexdigest()
        return Slice(number, key, ids, paths, labels, splits)


def rows_per_part(n: int) -> int:
    """How many pictures a part has if nobody says: a lost part costs little, and a large dataset has few files."""
    return max(LEAST_ROWS, min(MOST_ROWS, -(-n // PARTS)))


@lru_cache(maxsize=8)
def _top(sources: tuple[str, ...]) -> str:
    places = [os.path.normpath(Path(source).absolute()) for source in sources]
    if len(places) == 1:
        # A table's pictures lie around it.
        return (
            places[0]
            if Path(places[0]).is_dir() or Path(places[0]).suffix.lower() == ".zip"
            else str(Path(places[0]).parent)
        )
    return os.path.commonpath(places)


def _id(path: str, top: str) -> str:
    """The path from what all sources have in common, with "/": the same wherever the dataset is moved to."""
    inside = path.startswith(top.rstrip(os.sep) + os.sep)
    return (path[len(top.rstrip(os.sep)) + 1 :] if inside else path).replace(os.sep, "/")


def _signature(path: str) -> list[int] | None:
    try:
        return list(files.signature(path))
    except OSError:
        return None
