"""What a map explains, as a number that the network gives for any picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.attribution.score import ClassScore
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.classes import probabilities
from convviz_gui.engine.network.hooks import NeverRanError, activations, logits_of
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.payloads import AttributionMap, PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode

PROBABILITY, SCORE = "probability", "score"

HARDLY = 0.05
"""A class of which the network sees less than this in the photo is measured by its score: its probability is next to
nothing whatever one takes away."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The number that deletion and insertion follow.

    A class's probability after softmax; against another class its share of the two, the sigmoid of the difference of
    the scores. With `measure` "score" the same before the softmax or the sigmoid. Of a channel the mean of its map,
    of a unit its activation.
    """

    measure: str
    score: ClassScore | None = None
    node: LayerNode | None = None
    channel: int = 0
    unit: tuple[int, int] | None = None

    def of(self, model: nn.Module, pictures: Tensor) -> Tensor:
        """Numbers f32 [B] for preprocessed pictures [B, C, H, W].

        Raises `EngineError` where the layer does not run for one of them.
        """
        with torch.no_grad():
            if self.node is not None:
                return self._activation(_output(model, pictures, self.node.id))
            assert self.score is not None
            logits = logits_of(forward(model, pictures))
            if self.measure == SCORE:
                return self.score.of(logits)
            if self.score.against is None:
                return probabilities(logits)[:, self.score.index]
            return torch.sigmoid(self.score.of(logits))

    def _activation(self, output: Tensor) -> Tensor:
        assert self.node is not None
        values = channels_first(output, self.node)[:, self.channel]
        if values.ndim == 1:
            return values
        return values.mean(dim=(1, 2)) if self.unit is None else values[:, self.unit[0], self.unit[1]]


def _output(model: nn.Module, pictures: Tensor, layer: str) -> Tensor:
    try:
        return activations(model, pictures, [layer])[layer]
    except NeverRanError:
        raise EngineError(
            f"Layer {layer!r} does not run for every picture: not once parts of this photo are gone, so that its map "
            "cannot be checked",
            "Check a map of a class instead, or of a layer that always runs",
        ) from None


def explained_by(found: AttributionMap, session: Session) -> Explained:
    """What the map is about."""
    if isinstance(found, PixelMap) and found.class_index is None:
        if found.layer is None or found.channel is None:
            raise EngineError("This map does not say what it explains", "Run the method anew for a class or a channel")
        return Explained(SCORE, None, session.layer(found.layer), found.channel, found.unit)
    assert found.class_index is not None
    score = ClassScore(found.class_index, found.against)
    logits = torch.from_numpy(found.logits.copy())[None]
    share = probabilities(logits)[0, score.index] if score.against is None else torch.sigmoid(score.of(logits))[0]
    return Explained(PROBABILITY if float(share) >= HARDLY else SCORE, score)
