"""Label suspects: pictures whose neighbours, and a probe that has not seen them, speak for another label.

Neighbours' votes: Wilson, Asymptotic properties of nearest neighbor rules using edited data, 1972; out-of-fold
confidence, margins and thresholds of each class: Northcutt, Jiang & Chuang, Confident learning, JAIR 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.desk.folds import Classes, classes_in, deal, groups_of, same_rows
from convviz_gui.engine.desk.label_scores import why_not
from convviz_gui.engine.desk.out_of_fold import probabilities, splits_of
from convviz_gui.engine.desk.votes import ambiguity, shares, voters
from convviz_gui.engine.method import Steps
from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray, frozen

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class LabelNews:
    """What was found of N pictures' labels; all empty where `why_not` says that nothing can be.

    `suspects` f32 [N] 0…1, `suggested` [N] and `ambiguity` f32 [N] 0…1 as in `Points`.
    """

    suspects: FloatArray = field(repr=False)
    suggested: tuple[str, ...] = field(repr=False)
    ambiguity: FloatArray = field(repr=False)


def label_news(
    features: FloatArray, neighbours: IntArray, labels: Sequence[str], digests: Sequence[str] = (), seed: int = 0
) -> Steps[LabelNews]:
    """Judge the labels of N pictures by their `features` f32 [N, D] and nearest `neighbours` i64 [N, k].

    For each label two voices are averaged: the part of the neighbours that have it, and its probability by a linear
    probe that was fitted on other folds. A suspect's score is (1 + the likeliest other label − its own) / 2: above 0.5
    another label is likelier. That label is suggested if both voices together give it at least half, and as much as it
    has, on average, from the pictures that bear it (the threshold of confident learning).

    Copies of a picture (the same digest; where digests are not known, exactly the same features) lie in one fold and
    have no vote on each other. Not judged, and NaN: pictures without a label, with a label that no other picture
    shares, or with features that are not finite. Memory beyond the features' is that of blocks and of a few arrays
    [D, K], [D, D] and [N, k]; time grows with N · D · K up to a bound on each fit (`probe.WORK`).
    """
    if why_not(labels):
        return LabelNews(frozen(np.zeros(0, np.float32)), (), frozen(np.zeros(0, np.float32)))
    classes = classes_in(labels)
    groups = groups_of(digests, len(labels)) if any(digests) else same_rows(features)
    codes = np.where(np.isfinite(features).all(1), classes.codes, -1)
    votes = voters(neighbours, codes, groups)
    tally = _Tally(classes, codes, neighbours, votes)
    splits = splits_of(deal(codes, groups, seed))
    yield from probabilities(features, codes, len(classes.names), splits, splits[:1], tally.take)
    # A label that the probe of a picture's fold never saw cannot win there.
    for split in splits:
        tally.forget(split.asked[~np.isin(codes[split.asked], codes[split.learned])])
    scores, suggested = tally.result()
    return LabelNews(scores, suggested, frozen(ambiguity(neighbours, votes, codes)))


class _Tally:
    """Both voices together, row by row."""

    def __init__(self, classes: Classes, codes: IntArray, neighbours: IntArray, votes: BoolArray) -> None:
        n = len(codes)
        self._classes, self._codes, self._neighbours, self._votes = classes, codes, neighbours, votes
        self._own: FloatArray = np.zeros(n, np.float32)
        self._other: FloatArray = np.zeros(n, np.float32)
        self._winner: IntArray = np.full(n, -1, np.int64)
        self._judged = np.zeros(n, np.bool_)

    def take(self, rows: IntArray, probabilities: FloatArray) -> None:
        """Take what the probe says of some rows, f32 [n, K]."""
        said = shares(rows, self._neighbours, self._votes, self._codes, len(self._classes.names))
        heard = self._votes[rows].any(axis=1, keepdims=True)
        both = np.where(heard, (said + probabilities) / 2, probabilities)
        place, own = np.arange(len(rows)), self._codes[rows]
        self._own[rows] = both[place, own]
        both[place, own] = -1.0
        self._winner[rows] = both.argmax(1)
        self._other[rows] = both.max(1)
        self._judged[rows] = True

    def forget(self, rows: IntArray) -> None:
        """Leave some rows unjudged after all."""
        self._judged[rows] = False

    def result(self) -> tuple[FloatArray, tuple[str, ...]]:
        """Scores f32 [N], NaN where not judged, and the label suggested for each row."""
        judged, k = self._judged, len(self._classes.names)
        sums = np.bincount(self._codes[judged], self._own[judged], k)
        usual = sums / np.maximum(np.bincount(self._codes[judged], minlength=k), 1)
        scores = np.where(judged, np.clip((1 + self._other - self._own) / 2, 0, 1), np.nan).astype(np.float32)
        # Where a layer cannot tell labels apart thresholds are low, and half is asked for all the same.
        believed = judged & (self._other > self._own) & (self._other >= np.maximum(usual[self._winner], _HALF))
        suggested = tuple(
            self._classes.names[winner] if said else ""
            for winner, said in zip(self._winner.tolist(), believed.tolist(), strict=True)
        )
        return frozen(scores), suggested
