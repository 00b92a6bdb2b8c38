"""Several datasets as one: each is a split, named after its folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convviz_gui.engine.datasets.columns import text_array
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.names import RealPaths
from convviz_gui.engine.payloads import Column, frozen
from convviz_gui.engine.sources import split_names


def together(sources: Sequence[str], listings: Sequence[Listing]) -> Listing:
    """The photos of all `listings`, one of each source, in the sources' order.

    A source's own splits follow its name ("A/train"). A photo that several sources hold, for they lie in each other or
    links lead to it, is taken once, from the source whose folder is the innermost, else from the first.
    """
    names = split_names(sources)
    kept = _each_once(sources, listings)
    splits: list[str] = []
    for name, listing, rows in zip(names, listings, kept, strict=True):
        own = {split: f"{name}/{split}" if split else name for split in set(listing.splits)}
        splits += [own[listing.splits[row]] if listing.splits else name for row in rows]
    pairs = list(zip(listings, kept, strict=True))
    return Listing(
        tuple(listing.paths[row] for listing, rows in pairs for row in rows),
        tuple(listing.labels[row] for listing, rows in pairs for row in rows),
        tuple(dict.fromkeys(left for listing in listings for left in listing.skipped)),
        tuple(splits),
        _columns(listings, kept),
    )


def _each_once(sources: Sequence[str], listings: Sequence[Listing]) -> list[list[int]]:
    """The rows of each listing that are kept."""
    real = RealPaths()
    kept: list[list[int]] = [[] for _ in listings]
    seen: set[str] = set()
    for place in sorted(range(len(sources)), key=lambda at: -len(Path(os.path.realpath(sources[at])).parts)):
        for row, path in enumerate(listings[place].paths):
            known = real(path)
            if known not in seen:
                seen.add(known)
                kept[place].append(row)
    return kept


def _columns(listings: Sequence[Listing], kept: Sequence[list[int]]) -> tuple[Column, ...]:
    """All tables' columns; where a table lacks one, NaN or "". Numbers become text beside a table's text."""
    names = dict.fromkeys(column.name for listing in listings for column in listing.columns)
    return tuple(_column(name, listings, kept) for name in names)


def _column(name: str, listings: Sequence[Listing], kept: Sequence[list[int]]) -> Column:
    parts = [next((column for column in listing.columns if column.name == name), None) for listing in listings]
    if all(part is None or part.is_number for part in parts):
        numbers = [
            np.full(len(rows), np.nan) if part is None else part.values[rows].astype(np.float64)
            for part, rows in zip(parts, kept, strict=True)
        ]
        return Column(name, frozen(np.concatenate(numbers)))
    texts = (
        itertools.repeat("", len(rows)) if part is None else map(_text, part.values[rows])
        for part, rows in zip(parts, kept, strict=True)
    )
    return Column(name, text_array(itertools.chain.from_iterable(texts)))


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.15g}"
    return str(value)
