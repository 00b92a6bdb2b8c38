"""Near-duplicates: files that hold the same picture, resized, recompressed, cropped a little, or bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.desk.matching import SAME, may_be_same, mirrored, sketches, unlikeness
from convviz_gui.engine.latent.neighbours import nearest, nearest_to
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray, IntArray, Points, frozen
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import Score

_CANDIDATES = 8
"""How many pictures that look most alike are compared with each."""
_MOST_SEARCHED = 200_000
"""Pictures up to which all are searched for what looks alike; of more, only neighbours in the network's space are."""
_AT_ONCE = 1024
_NOTE = "looking for near-duplicates"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`pairs` i64 [M, 2] of rows, the lower first, the likest pair first, and their unlikeness `distances` f32 [M].

    Pictures that are all the same form a group: there is a pair of its first row with each of the others, not of each
    with each. Where one is too unlike the first, its pair is with the one of the group that it is likest to; and a file
    of exactly the same pixels as an earlier one has its pair with that.
    """

    pairs: IntArray = field(repr=False)
    distances: FloatArray = field(repr=False)


def find_duplicates(prints: ByteArray, neighbours: IntArray, mirror: bool = False) -> Steps[Duplicates]:
    """Find files that hold the same picture, from fingerprints u8 [N, length] and feature neighbours i64 [N, k].

    Equal fingerprints are found by sorting. Candidates for the rest are each picture's `neighbours` in the network's
    space, and those that look most alike at 8 × 8; they count where `matching.unlikeness` is at most `SAME`. With
    `mirror` pictures that are each other mirrored left to right count, too.

    Memory: 2.5 KB a picture besides the arguments, and 16 (k + 8) bytes for its candidates. Yields after each block.
    """
    first, inverse = _representatives(prints)
    few = prints[first]
    tables = [(inverse[neighbours[first]], False)]
    if mirror:
        tables.append((tables[0][0], True))
    looks, turned = _looks(few), _looks(few, mirrored) if mirror else None
    if 1 < len(few) <= _MOST_SEARCHED:
        tables.append(((yield from stage(nearest(looks, _CANDIDATES), (0, 400))).indices, False))
        if turned is not None:
            tables.append(((yield from stage(nearest_to(turned, looks, _CANDIDATES), (400, 700))).indices, True))
    wanted = [(_pairs([table for table, across in tables if across == turn], len(few)), turn) for turn in (False, True)]
    pairs, distances, done = np.zeros((0, 2), np.int64), np.zeros(0, np.float32), 0
    for candidates, turn in wanted:
        theirs = turned if turn and turned is not None else looks
        for part in _parts(candidates):
            done += len(part)
            likely = part[may_be_same(looks[part[:, 0]], theirs[part[:, 1]])]
            measured = _measure(few, likely, turn)
            pairs = np.concatenate([pairs, likely[measured <= SAME]])
            distances = np.concatenate([distances, measured[measured <= SAME]])
            yield Update(700 + 300 * done // sum(len(every) for every, _ in wanted), TOTAL, _NOTE)
    links, lengths = _spanning(few, pairs, distances, mirror)
    return _spread(links, lengths, first, inverse)


def _looks(prints: ByteArray, turn: Callable[[ByteArray], ByteArray] = lambda same: same) -> FloatArray:
    parts = [prints[start : start + _AT_ONCE] for start in range(0, max(len(prints), 1), _AT_ONCE)]
    return np.concatenate([sketches(turn(part)) for part in parts])


def _representatives(prints: ByteArray) -> tuple[IntArray, IntArray]:
    """The first row of each fingerprint, ascending, and for each row which of them is its own."""
    whole = np.ascontiguousarray(prints).view(np.dtype((np.void, prints.shape[1])))[:, 0]
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(first), np.int64)
    place[order] = np.arange(len(first))
    return first[order], place[inverse.reshape(-1)]


def _pairs(tables: Sequence[IntArray], n: int) -> IntArray:
    """Each pair [P, 2] of a row and one in its line of a table once, the lower first."""
    keys = [np.zeros(0, np.int64)]
    for table in tables:
        rows = np.arange(n)[:, None]
        low, high = np.minimum(rows, table), np.maximum(rows, table)
        keys.append((low * n + high)[low < high])
    both = np.unique(np.concatenate(keys))
    return np.stack(np.divmod(both, max(n, 1)), axis=1)


def _parts(pairs: IntArray) -> Iterator[IntArray]:
    for start in range(0, len(pairs), _AT_ONCE):
        yield pairs[start : start + _AT_ONCE]


def _measure(prints: ByteArray, pairs: IntArray, turn: bool) -> FloatArray:
    theirs = prints[pairs[:, 1]]
    return unlikeness(prints[pairs[:, 0]], mirrored(theirs) if turn else theirs)


def _spanning(prints: ByteArray, pairs: IntArray, distances: FloatArray, mirror: bool) -> tuple[IntArray, FloatArray]:
    """For each row of a group but its first, one pair: with the first, or else with the row that it is likest to."""
    roots = _groups(pairs, len(prints))
    members = np.flatnonzero(roots != np.arange(len(prints)))
    links = np.stack([roots[members], members], axis=1)
    lengths = [np.zeros(0, np.float32)]
    for part in _parts(links):
        measured = _measure(prints, part, False)
        lengths.append(np.minimum(measured, _measure(prints, part, True)) if mirror else measured)
    made = np.concatenate(lengths)
    # Every member has a pair that was found; the shortest comes last and stays.
    order, likest = np.argsort(-distances, kind="stable"), np.full(len(prints), -1)
    likest[pairs[order].ravel()] = np.repeat(order, 2)
    far = np.flatnonzero(made > SAME)
    links[far] = pairs[likest[members[far]]]
    made[far] = distances[likest[members[far]]]
    return links, made


def _groups(pairs: IntArray, n: int) -> IntArray:
    """The lowest row that each row is connected with."""
    roots = np.arange(n)
    while True:
        lowest = np.minimum(roots[pairs[:, 0]], roots[pairs[:, 1]])
        before = roots.copy()
        np.minimum.at(roots, pairs[:, 0], lowest)
        np.minimum.at(roots, pairs[:, 1], lowest)
        roots = roots[roots]
        if np.array_equal(before, roots):
            return roots


def _spread(links: IntArray, lengths: FloatArray, first: IntArray, inverse: IntArray) -> Duplicates:
    """From pairs of representatives to pairs of rows; a copy is linked to its representative, at distance 0."""
    rows = np.arange(len(inverse))
    copies = rows[first[inverse] != rows]
    same = np.stack([first[inverse[copies]], copies], axis=1)
    pairs = np.concatenate([same, np.sort(first[links], axis=1)])
    distances = np.concatenate([np.zeros(len(same), np.float32), lengths])
    pairs, index = np.unique(pairs, axis=0, return_index=True)
    distances = distances[index]
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distances))
    return Duplicates(frozen(pairs[order]), frozen(distances[order].astype(np.float32)))


def leaks(points: Points) -> BoolArray:
    """Which of the pairs `duplicates` are in two different splits, bool [M]."""
    if not len(points.splits):
        return frozen(np.zeros(len(points.duplicates), bool))
    return frozen(np.array([points.splits[a] != points.splits[b] for a, b in points.duplicates.tolist()], bool))


def duplicate_score(points: Points) -> Score:
    """How many pairs there are, and how many of them leak from one split into another."""
    pairs, across = len(points.duplicates), int(leaks(points).sum())
    text = f"{pairs} pair{'' if pairs == 1 else 's'}"
    if len(points.splits):
        text += f", {across} across splits"
    return Score(
        "Near-duplicates",
        pairs,
        text,
        "Files that hold the same picture, perhaps resized, recompressed or cropped a little. Across splits they make "
        "a test easier than it should be.",
    )
