"""A review in files: a table of everything, lists of files, and a cleaned table that opens as a dataset.

A picture in an archive is named by the archive's path and its own in it ("/data/a.zip/cat/1.jpg"), as everywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from convviz_gui.engine.atomic import writing
from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.engine.payloads import FloatArray, Points

COLUMNS = (
    "path", "label", "new_label", "decision", "note", "split", "outlier", "suspect", "suggested", "ambiguity",
    "duplicate_of", "prediction", "probability", "digest",
)  # fmt: skip
"""Of the table of everything, in order; what is not known is empty."""

_BLOCK = 4096
_NONE = Decision()

Decisions = Mapping[int, Decision]
"""Row → what was decided about it; rows about which nothing was are left out."""

Named = Callable[[int], str]
"""The name of a class by its index."""


class FileList(StrEnum):
    """Which files a list is of."""

    REMAINING = "remaining"
    KEPT = "kept"
    EXCLUDED = "excluded"
    RELABELLED = "relabelled"
    UNDECIDED = "undecided"


def write_review(path: Path, points: Points, decisions: Decisions, named: Named | None = None) -> int:
    """Write the table of all pictures as CSV (`COLUMNS`), in the dataset's order; returns the number of rows.

    Raises `OSError` if it cannot be written; the old file, if any, is then as it was.
    """
    return _write(path, _table([COLUMNS], _rows(points, decisions, named))) - 1


def write_cleaned(path: Path, points: Points, decisions: Decisions) -> int:
    """Write a table path,label,split of all pictures but the excluded ones, with their new labels.

    It opens as a dataset: the decisions are applied, and no file is moved. Returns the number of pictures.
    """
    has_splits = len(points.splits) == len(points.paths)
    header = ("path", "label", "split") if has_splits else ("path", "label")

    def rows() -> Iterator[tuple[str, ...]]:
        for row, file in enumerate(points.paths):
            decision = decisions.get(row, _NONE)
            if decision.verdict is not Verdict.EXCLUDE:
                label = decision.label or _at(points.labels, row)
                yield (file, label, points.splits[row]) if has_splits else (file, label)

    return _write(path, _table([header], rows())) - 1


def write_files(path: Path, points: Points, decisions: Decisions, which: FileList) -> int:
    """Write a list of files, one a line (relabelled: the new label after a tab); returns their number.

    Raises `EngineError` if a file's name has a line break in it, and `OSError` if the list cannot be written.
    """

    def lines() -> Iterator[str]:
        for row, file in enumerate(points.paths):
            decision = decisions.get(row, _NONE)
            if not _belongs(decision.verdict, which):
                continue
            label = decision.label if which is FileList.RELABELLED else ""
            for name in (file, label):
                if len(name.splitlines()) > 1:
                    hint = "Export the table as CSV, where such names are quoted"
                    raise EngineError(f"The name {name!r} has a line break and cannot stand in a list of files", hint)
            yield f"{file}\t{decision.label}\n" if which is FileList.RELABELLED else f"{file}\n"

    return _write(path, lines())


def duplicate_of(points: Points) -> dict[int, int]:
    """For each later one of two pictures that are the same, the earlier one that is most like it: row → row."""
    found: dict[int, int] = {}
    for pair in points.duplicates.tolist():
        first, second = sorted(pair)
        found.setdefault(second, first)
    return found


def _belongs(verdict: Verdict, which: FileList) -> bool:
    match which:
        case FileList.REMAINING:
            return verdict is not Verdict.EXCLUDE
        case FileList.KEPT:
            return verdict is Verdict.KEEP
        case FileList.EXCLUDED:
            return verdict is Verdict.EXCLUDE
        case FileList.RELABELLED:
            return verdict is Verdict.RELABEL
        case FileList.UNDECIDED:
            return verdict is Verdict.UNDECIDED


def _rows(points: Points, decisions: Decisions, named: Named | None) -> Iterator[tuple[str, ...]]:
    copies = duplicate_of(points)
    for begin in range(0, len(points.paths), _BLOCK):
        end = min(begin + _BLOCK, len(points.paths))
        classes = _predictions(points, begin, end, named)
        for row in range(begin, end):
            decision = decisions.get(row, _NONE)
            verdict = "" if decision.verdict is Verdict.UNDECIDED else decision.verdict.value
            copy = copies.get(row)
            yield (
                points.paths[row],
                _at(points.labels, row),
                decision.label,
                verdict,
                decision.note,
                _at(points.splits, row),
                _number(points.outlier, row),
                _number(points.suspects, row),
                _at(points.suggested, row),
                _number(points.ambiguity, row),
                points.paths[copy] if copy is not None else "",
                *classes[row - begin],
                _at(points.digests, row),
            )


def _predictions(points: Points, begin: int, end: int, named: Named | None) -> list[tuple[str, str]]:
    logits = points.logits
    if logits.ndim != 2 or len(logits) != len(points.paths) or not logits.shape[1]:
        return [("", "")] * (end - begin)
    top = top_classes(logits[begin:end])
    odds = probabilities(logits[begin:end])[np.arange(len(top)), top]
    return [
        (named(index) if named is not None else str(index), f"{part:.6g}") if index >= 0 else ("", "")
        for index, part in zip(top.tolist(), odds.tolist(), strict=True)
    ]


def _at(texts: Sequence[str], row: int) -> str:
    return str(texts[row]) if row < len(texts) else ""


def _number(values: FloatArray, row: int) -> str:
    return f"{float(values[row]):.6g}" if row < len(values) and not np.isnan(values[row]) else ""


def _table(header: Iterable[tuple[str, ...]], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for part in (header, rows):
        for row in part:
            writer.writerow(row)
            yield line.getvalue()
            line.seek(0)
            line.truncate()


def _write(path: Path, lines: Iterable[str]) -> int:
    count = 0
    with writing(path) as file:
        for line in lines:
            file.write(line.encode("utf-8"))
            count += 1
    return count
