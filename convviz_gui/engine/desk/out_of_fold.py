"""What a linear probe says of pictures it has not learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from convviz_gui.engine.desk.probe import STRENGTHS, Probe, fit, fit_path
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.engine.stages import TOTAL, stage

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
    """How the probes were made: the penalty's weight, and whether the loss was minimised (else the closed form)."""

    strength: float
    exact: bool


def splits_of(folds: IntArray) -> list[Split]:
    """Each fold asked about once, all others learned from; rows in no fold (−1) are neither."""
    numbers = sorted(set(folds[folds >= 0].tolist()))
    return [Split(np.flatnonzero((folds >= 0) & (folds != one)), np.flatnonzero(folds == one)) for one in numbers]


def probabilities(
    features: FloatArray, codes: IntArray, n_classes: int, splits: list[Split], tuned: Split, take: Take
) -> Steps[Fitted]:
    """Fit a probe for each split and give what it says of the rows asked about to `take`, a block at a time.

    The penalty is the one of `STRENGTHS` with which `tuned` is told best (mean log loss), from the strongest on until
    one is no better than the one before; classes are those of `codes` i64 [N], −1 for none. Memory is that of a
    standardised copy of the features, at most 200 MB, and of a few arrays [D, K] and [D, D]. Deterministic.
    """
    x, numbers = torch.from_numpy(features), torch.from_numpy(codes)
    span = TOTAL // (len(splits) + 1)
    best = yield from stage(_tuned(x, numbers, n_classes, tuned), (0, span))
    exact = True
    for place, split in enumerate(splits, 1):
        rows = torch.from_numpy(split.learned)
        if not len(rows) or not len(split.asked):
            continue
        probe = yield from stage(fit(x, rows, numbers, n_classes, best), (place * span, (place + 1) * span))
        exact = exact and probe.exact
        for part in probe.blocks(torch.from_numpy(split.asked)):
            take(part.numpy(), probe.scores(x[part]).softmax(1).numpy())
            yield Update((place + 1) * span, TOTAL, "asking the linear probe")
    return Fitted(best, exact)


def _tuned(x: torch.Tensor, codes: torch.Tensor, n_classes: int, split: Split) -> Steps[float]:
    seen = np.isin(codes.numpy()[split.asked], codes.numpy()[split.learned])
    asked, rows = torch.from_numpy(split.asked[seen]), torch.from_numpy(split.learned)
    if not len(asked) or not len(rows):
        yield Update(0, 1, "nothing to choose a penalty by")
        return STRENGTHS[0]

    def surprise(probe: Probe) -> float:
        total = 0.0
        for part in probe.blocks(asked):
            given = probe.scores(x[part]).softmax(1).gather(1, codes[part, None])
            total -= float(given.double().clamp(min=_SURPRISE).log().sum())
        return total / len(asked)

    return (yield from fit_path(x, rows, codes, n_classes, STRENGTHS, surprise)).strength
