"""What `convviz models` prints for people: a network a line, its source first."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convviz_gui.engine.zoo.index import ModelEntry

if TYPE_CHECKING:
    from convviz_gui.engine.types import Candidate

_HEAD = ("network", "parameters", "input", "download", "classes", "licence")


def model_lines(entries: Sequence[ModelEntry], here: frozenset[str]) -> Iterator[str]:
    """The sources alone for a program that reads them, a table for a person at a terminal."""
    if not sys.stdout.isatty():
        yield from (entry.source for entry in entries)
        return
    rows = [_HEAD, *(_row(entry, entry.source in here) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        source, *numbers, licence = row
        right = (f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=False))
        yield "  ".join((f"{source:<{widths[0]}}", *right, licence)).rstrip()


def _row(entry: ModelEntry, here: bool) -> tuple[str, ...]:
    return (
        entry.source,
        _count(entry.params),
        f"{entry.input_size} px",
        "here" if here else _size(entry),
        str(entry.n_classes) if entry.n_classes else "–",
        entry.licence,
    )


def _count(number: int) -> str:
    for size, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f} {suffix}"
    return str(number)


def _size(entry: ModelEntry) -> str:
    if not entry.download:
        return "–"
    about = "~" if entry.estimated else ""
    return f"{about}{entry.download / 1e6:,.1f} MB"


def candidate_lines(candidates: Sequence[Candidate]) -> Iterator[str]:
    """Each candidate with how much of it fits, and what does not in words."""
    width = max(len(candidate.model) for candidate in candidates)
    for candidate in candidates:
        # Rounded down: what does not fit completely is never said to.
        percent = f"{math.floor(1000 * candidate.score) / 10:g} %"
        yield f"{candidate.model:<{width}}  {percent:>6}  {_fit(candidate)}"


def _fit(candidate: Candidate) -> str:
    if candidate.fits:
        return "fits completely"
    faults = []
    if candidate.missing:
        are = "tensor is" if len(candidate.missing) == 1 else "tensors are"
        faults.append(f"{len(candidate.missing)} {are} missing, such as {candidate.missing[0]!r}")
    if candidate.unexpected:
        are = "is" if len(candidate.unexpected) == 1 else "are"
        faults.append(f"{len(candidate.unexpected)} {are} unknown to it, such as {candidate.unexpected[0]!r}")
    if candidate.mismatched:
        name, expected, found = candidate.mismatched[0]
        shapes = f"{name!r} is {_shape(found)} instead of {_shape(expected)}"
        have = "has" if len(candidate.mismatched) == 1 else "have"
        faults.append(f"{len(candidate.mismatched)} {have} another shape, such as {shapes}")
    return "; ".join(faults)


def _shape(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes)) or "a single number"
