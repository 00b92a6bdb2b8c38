"""What both networks said, side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.compare.facts import class_words
from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.logits import probabilities

TOP_CLASSES = 5


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class and how probable it is, 0…1."""

    index: int
    name: str
    probability: float


def predictions(side: Side) -> tuple[Prediction, ...]:
    """The most probable classes of a side, best first; none where it has no logits or they are not finite."""
    if side.logits is None or not side.logits.size or not np.isfinite(side.logits).all():
        return ()
    odds = probabilities(side.logits[None])[0]
    order = np.argsort(-odds, kind="stable")[:TOP_CLASSES]
    return tuple(Prediction(int(i), class_words(int(i), side.names), float(odds[i])) for i in order)
