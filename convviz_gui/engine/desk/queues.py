"""What deserves a look first: rankings of a dataset's pictures, of which only the head is ever put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from convviz_gui.engine.payloads import FloatArray, IntArray, Points

TRAINING = frozenset({"train", "training"})
"""Splits that a picture is better taken from than from the one it is tested with."""

_SAMPLE = 20_000
_SPREADS = 3.0
_HALF = 0.5


class QueueKind(StrEnum):
    """The rankings there are."""

    OUTLIERS = "outliers"
    SUSPECTS = "suspects"
    DUPLICATES = "duplicates"
    LEAKS = "leaks"
    AMBIGUOUS = "ambiguous"
    ALL = "all"
    REVIEWED = "reviewed"
    SELECTED = "selected"


@dataclass(frozen=True, slots=True)
class Queue:
    """The head of a ranking.

    `rows` i64 [n], likeliest first; `partners` i64 [n], the picture that each is a duplicate of, or empty; `scores` f32
    [n], higher = likelier (of duplicates the distance, 0 for the same pixels; empty where there are none). `total` is
    how long the ranking is, and `remarkable` how many of it stand out; `why` says why it is empty, "" if it is not.
    """

    kind: QueueKind
    rows: IntArray = field(repr=False)
    partners: IntArray = field(repr=False)
    scores: FloatArray = field(repr=False)
    total: int
    remarkable: int
    why: str = ""


def queue(points: Points, kind: QueueKind, most: int, given: IntArray | None = None) -> Queue:
    """The first `most` pictures of a ranking; `given` are the rows i64 of those that are reviewed or selected."""
    match kind:
        case QueueKind.OUTLIERS:
            return _scored(points, kind, points.outlier, most)
        case QueueKind.SUSPECTS:
            return _scored(points, kind, points.suspects, most)
        case QueueKind.AMBIGUOUS:
            return _scored(points, kind, points.ambiguity, most)
        case QueueKind.DUPLICATES | QueueKind.LEAKS:
            return _pairs(points, kind, most)
        case QueueKind.ALL:
            count = len(points.paths)
            return _plain(kind, np.arange(min(most, count), dtype=np.int64), count)
        case QueueKind.REVIEWED | QueueKind.SELECTED:
            rows = given if given is not None else np.zeros(0, np.int64)
            return _plain(kind, rows[:most], len(rows), "" if len(rows) else _NONE_GIVEN[kind])


def ranked(scores: FloatArray, most: int) -> IntArray:
    """Rows i64 of the `most` highest scores, highest first and equal ones by row; NaN is in no ranking."""
    valid = np.flatnonzero(~np.isnan(scores))
    most = min(most, len(valid))
    if not most:
        return np.zeros(0, np.int64)
    found = scores[valid]
    if most < len(valid):
        # Everything above the last score that has a place, and of those equal to it the first.
        least = np.partition(found, len(found) - most)[len(found) - most]
        above, equal = valid[found > least], valid[found == least]
        valid = np.sort(np.concatenate([above, equal[: most - len(above)]]))
    return valid[np.argsort(-scores[valid], kind="stable")].astype(np.int64)


def standing_out(scores: FloatArray, kind: QueueKind) -> int:
    """How many scores stand out: outliers beyond three robust standard deviations, others from one half on."""
    if kind is not QueueKind.OUTLIERS:
        return int(np.count_nonzero(scores >= _HALF))
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return 0
    # The spread is well enough known from a part.
    sample = finite[:: max(len(finite) // _SAMPLE, 1)]
    middle = float(np.median(sample))
    spread = 1.4826 * float(np.median(np.abs(sample - middle)))
    return int(np.count_nonzero(finite > middle + _SPREADS * spread)) if spread else 0


def _scored(points: Points, kind: QueueKind, scores: FloatArray, most: int) -> Queue:
    if len(scores) != len(points.paths) or not len(scores):
        return _plain(kind, np.zeros(0, np.int64), 0, _unknown(points, kind))
    rows = ranked(scores, most)
    total = int(np.count_nonzero(~np.isnan(scores)))
    why = "" if total else _unknown(points, kind)
    return Queue(kind, rows, np.zeros(0, np.int64), scores[rows], total, standing_out(scores, kind), why)


def _pairs(points: Points, kind: QueueKind, most: int) -> Queue:
    pairs, distances, splits = points.duplicates, points.duplicate_distance, points.splits
    has_splits = len(splits) == len(points.paths)
    if kind is QueueKind.LEAKS:
        if not has_splits or all(split == splits[0] for split in splits):
            return _plain(kind, np.zeros(0, np.int64), 0, _NO_SPLITS)
        apart = np.array([splits[int(a)] != splits[int(b)] for a, b in pairs], bool).reshape(-1)
        pairs, distances = pairs[apart], distances[apart] if len(distances) == len(apart) else distances
    if not len(pairs):
        why = "No picture is in two splits" if kind is QueueKind.LEAKS else "No two pictures are alike enough"
        return _plain(kind, np.zeros(0, np.int64), 0, why if points.final else _WAITING)
    shown = pairs[:most].astype(np.int64)
    first, second = shown[:, 0].copy(), shown[:, 1].copy()
    if has_splits:
        # What stands in the training split is the one to let go, whichever comes first.
        swap = _trains(splits, first) & ~_trains(splits, second)
        first[swap], second[swap] = shown[swap, 1], shown[swap, 0]
    total = len(pairs)
    return Queue(kind, second, first, distances[:most], total, total)


def _trains(splits: Sequence[str], rows: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([splits[row].casefold() in TRAINING for row in rows.tolist()], bool).reshape(-1)


def _plain(kind: QueueKind, rows: IntArray, total: int, why: str = "") -> Queue:
    return Queue(kind, rows, np.zeros(0, np.int64), np.zeros(0, np.float32), total, total, why)


_NO_SPLITS = "No splits: open several folders together, or a table with a column named split, to find leaks"
_NONE_GIVEN = {
    QueueKind.REVIEWED: "Nothing is decided yet: choose another list and press K, R or X",
    QueueKind.SELECTED: "Nothing is selected: draw a rectangle or a lasso around points on the map",
}
_WAITING = "Not known yet: it is worked out while the map is made"


def _unknown(points: Points, kind: QueueKind) -> str:
    if not points.final:
        return _WAITING
    if kind is QueueKind.OUTLIERS:
        return "Not known: there are too few pictures to have neighbours"
    if not any(points.labels):
        return "No labels: put the pictures into a folder for each label, or open a table with a column named label"
    return "Not known: it takes at least two labels, with several pictures each"
