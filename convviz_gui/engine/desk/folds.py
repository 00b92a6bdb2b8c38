"""Labels as numbers, and pictures dealt into folds so that nothing judged has been learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.payloads import FloatArray, IntArray, frozen

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Classes:
    """K `names` in order of their first picture, and the number of each picture's label, `codes` i64 [N], −1 for ""."""

    names: tuple[str, ...]
    codes: IntArray = field(repr=False, compare=False)

    @property
    def counts(self) -> IntArray:
        """Pictures of each class, i64 [K]."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


def classes_in(labels: Sequence[str]) -> Classes:
    """Number the labels; "" is none."""
    numbers: dict[str, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(label, len(numbers)) if label else -1 for label in labels), np.int64, len(labels)
    )
    return Classes(tuple(numbers), frozen(codes))


def groups_of(digests: Sequence[str], n: int) -> IntArray:
    """The same number for rows with the same digest, i64 [N]; rows without one stand alone."""
    known: dict[str, int] = {}
    alone = n
    groups = np.empty(n, np.int64)
    for row in range(n):
        digest = digests[row] if row < len(digests) else ""
        groups[row] = known.setdefault(digest, row) if digest else alone + row
    return groups


def deal(codes: IntArray, groups: IntArray, seed: int, folds: int = FOLDS) -> IntArray:
    """Deal N pictures into `folds` folds: which fold each is in, i64 [N] 0…folds − 1, −1 for those without a label.

    Stratified: the sizes of a label's parts differ by one at most, but for groups (the same picture several times),
    which are kept together wherever their labels say they belong, so that no fold is judged by what was seen in
    another. The same seed deals the same.
    """
    rng = np.random.default_rng(seed)
    dealt = np.full(len(codes), -1, np.int64)
    labelled = np.flatnonzero(codes >= 0)
    if not len(labelled):
        return dealt
    shuffled = labelled[rng.permutation(len(labelled))]
    # A group is dealt once, as its first picture.
    _, first, member = np.unique(groups[shuffled], return_index=True, return_inverse=True)
    heads = shuffled[np.sort(first)]
    order = heads[np.argsort(codes[heads], kind="stable")]
    # Going on where the last label ended keeps the folds alike in size, however small the labels.
    fold_of_head = np.full(len(codes), -1, np.int64)
    fold_of_head[order] = np.arange(len(order)) % folds
    dealt[shuffled] = fold_of_head[shuffled[first]][member]
    return dealt


def same_rows(features: FloatArray) -> IntArray:
    """The same number for rows of `features` [N, D] that are equal in every bit, i64 [N]."""
    rows = np.ascontiguousarray(features)
    return groups_of([hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows], len(rows))
