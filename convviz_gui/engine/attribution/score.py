"""What is explained: a class's score before softmax, or how far it is above another's."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from convviz_gui.engine.network.classes import chosen_class, class_scores
from convviz_gui.engine.types import Target


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The score of class `index`, minus that of class `against` if there is one.

    A single logit z is the score +z of class 1 and −z of class 0.
    """

    index: int
    against: int | None = None

    def of(self, logits: Tensor) -> Tensor:
        """Scores [B] of logits [B, K]; differentiable."""
        scores = class_scores(logits)
        if self.against is None:
            return scores[:, self.index]
        return scores[:, self.index] - scores[:, self.against]


def score_for(logits: Tensor, target: Target) -> ClassScore:
    """What a run explains, whose picture has the logits [1, K]: the class asked for, or else the top one.

    Raises `EngineError` for a class that is not there, and where NaN leaves no top class.
    """
    index = chosen_class(logits.detach(), target.class_index)
    return ClassScore(index, None if target.against == index else target.against)
