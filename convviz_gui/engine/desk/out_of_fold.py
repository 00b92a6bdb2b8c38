"""What a linear probe says of pictures it has not learned from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.desk.probe import STRENGTHS, Probe, fit, fit_path
from convviz_gui.engine.desk.probe_problem import NOTE
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.engine.stages import as_one

_SURPRISE = 1e-7
"""The least probability that a logarithm is taken of: one picture must not decide alone."""

Take = Callable[[IntArray, FloatArray], None]
"""Takes rows i64 [n] and the probabilities f32 [n, K] that the probe gives them."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows i64 that a probe is fitted on, and rows that it is then asked about; none is both."""

    learned: IntArray = field(repr=False)
    asked: IntArray = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fitted:
    """How the probes were made: the penalty's weight for each split, and whether losses were minimised.

    Else, closed forms took their place.
    """

    strengths: tuple[float, ...]
    exact: bool


def splits_of(folds: IntArray) -> list[Split]:
    """Each fold asked about once, all others learned from; rows in no fold (−1) are neither."""
    numbers = sorted(set(folds[folds >= 0].tolist()))
    return [Split(np.flatnonzero((folds >= 0) & (folds != one)), np.flatnonzero(folds == one)) for one in numbers]


def probabilities(
    features: FloatArray, codes: IntArray, n_classes: int, splits: list[Split], tuned: Sequence[Split], take: Take
) -> Steps[Fitted]:
    """Fit a probe for each split and give what it says of the rows asked about to `take`, a block at a time.

    The penalty of each is the one of `STRENGTHS` with which its split in `tuned` is told best (mean log loss), from the
    strongest on until one is no better than the one before; with a single one in `tuned` all have the same. Classes are
    those of `codes` i64 [N], −1 for none. Memory is that of a
    standardised copy of the features, at most 200 MB, and of a few arrays [D, K] and [D, D]. Deterministic.
    """
    total = len(splits) + len(tuned)
    done, best, exact, strengths = 0, math.nan, True, []
    for place, split in enumerate(splits):
        if place < len(tuned):
            best = yield from as_one(_tuned(features, codes, n_classes, tuned[place]), done, total)
            done += 1
        strengths.append(best)
        if len(split.learned) and len(split.asked):
            probe = yield from as_one(fit(features, split.learned, codes, n_classes, best), done, total)
            exact = exact and probe.exact
            for rows, said in probe.probabilities(features, split.asked):
                take(rows, said)
                yield Update(done, total, NOTE)
        done += 1
    return Fitted(tuple(strengths), exact)


def _tuned(features: FloatArray, codes: IntArray, n_classes: int, split: Split) -> Steps[float]:
    asked = split.asked[np.isin(codes[split.asked], codes[split.learned])]
    if not len(asked) or not len(split.learned):
        yield Update(0, 1, "nothing to choose a penalty by")
        return STRENGTHS[0]

    def surprise(probe: Probe) -> float:
        given = [said[np.arange(len(rows)), codes[rows]] for rows, said in probe.probabilities(features, asked)]
        return -float(np.log(np.maximum(np.concatenate(given), _SURPRISE), dtype=np.float64).mean())

    return (yield from fit_path(features, split.learned, codes, n_classes, STRENGTHS, surprise)).strength
