"""From logits to classes in numpy, where torch is not at hand; the rules are those of `classes.py`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray, IntArray


def class_scores(logits: FloatArray) -> NDArray[np.float64]:
    """Scores f64 [N, K] before softmax of logits f32 [N, K]. A single logit z is class 1 = +z, class 0 = −z."""
    scores = logits.astype(np.float64)
    return np.concatenate([-scores, scores], axis=1) if scores.shape[1] == 1 else scores


def probabilities(logits: FloatArray) -> NDArray[np.float64]:
    """Probabilities f64 [N, K] in 0…1: softmax, or the sigmoid of a single logit."""
    # The sigmoid of z is the softmax of (−z/2, z/2).
    scores = class_scores(logits) * (0.5 if logits.shape[1] == 1 else 1.0)
    odds: NDArray[np.float64] = np.exp(scores - scores.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def top_classes(logits: FloatArray) -> IntArray:
    """Index i64 [N] of the most probable class of each row; −1 where a logit is NaN or there is none."""
    if not logits.shape[1]:
        return np.full(len(logits), -1, np.int64)
    return np.where(np.isnan(logits).any(axis=1), -1, class_scores(logits).argmax(axis=1)).astype(np.int64)
