"""From logits to class scores and probabilities, networks with a single logit included."""

from __future__ import annotations

import torch
from torch import Tensor

from convviz_gui.engine.errors import EngineError


def n_classes(n_logits: int) -> int:
    """Number of classes K that many logits tell apart: one logit decides between two."""
    return max(n_logits, 2)


def class_scores(logits: Tensor) -> Tensor:
    """Scores [B, K] before softmax. A single logit z is class 1 = +z, class 0 = −z."""
    return torch.cat([-logits, logits], dim=1) if logits.shape[1] == 1 else logits


def probabilities(logits: Tensor) -> Tensor:
    """Probabilities [B, K] in 0…1: softmax, or the sigmoid of a single logit."""
    if logits.shape[1] == 1:
        positive = torch.sigmoid(logits)
        return torch.cat([1 - positive, positive], dim=1)
    return torch.softmax(logits, dim=1)


def chosen_class(logits: Tensor, class_index: int | None) -> int:
    """`class_index` if given, else the top class of the only row in `logits` [1, K].

    Raises `EngineError` for an index out of range, or logits that are NaN or infinite, where no class is the top one.
    """
    scores = class_scores(logits)[0]
    if class_index is None:
        check_scores(logits)
        return int(scores.argmax())
    if not 0 <= class_index < len(scores):
        raise EngineError(f"There is no class {class_index}", f"Classes go from 0 to {len(scores) - 1}")
    return class_index


def check_scores(logits: Tensor, class_index: int | None = None, when: str = "for this photo") -> None:
    """Raise `EngineError` where the logits [B, K] of a row, or the score of the class, make no finite answer.

    `when` ends the sentence "The network's output is NaN …".
    """
    scores = class_scores(logits)
    # Minus infinity is how networks leave classes out, but not all of them.
    if bool((torch.isnan(scores) | (scores == torch.inf)).any() | (scores == -torch.inf).all(dim=1).any()):
        what = "NaN" if bool(torch.isnan(scores).any()) else "infinite"
        raise EngineError(
            f"The network's output is {what} {when}", "Check its weights and its preprocessing (mean, std)"
        )
    if class_index is not None and bool((scores[:, class_index] == -torch.inf).any()):
        raise EngineError(
            f"The network leaves class {class_index} out {when}: its score is minus infinity", "Choose another class"
        )
