"""What class maps share: the layer they look at, its maps with the score's gradient, and how they become a `Heat`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from convviz_gui.engine.attribution.score import ClassScore, score_for
from convviz_gui.engine.attribution.shown import ROUNDING, shown_map
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import gradient_of, logits_and_leaf
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import FloatArray, Heat
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import NO_GRADIENT_TO_MAPS, ImageInput, LayerNode, ModelInfo, Target

NO_MAPS = "This network has no layer with maps"


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class map on the model's device. `raw` [1, 1, h, w] is signed; `noise` is the size of its rounding errors.

    `logits` [1, K] are the picture's; `score` is what is explained.
    """

    layer: str
    raw: Tensor
    noise: float
    logits: Tensor
    score: ClassScore

    def shown(self, size: tuple[int, int]) -> tuple[Tensor, bool]:
        """What is drawn of it, [1, 1, H, W] in 0…1, and whether there is any; raises `EngineError` for NaN."""
        return shown_map(self.raw, size, self.noise)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One layer's maps [1, C, h, w] and the gradient, of the same shape, of a score with respect to them."""

    layer: str
    maps: Tensor
    gradient: Tensor
    logits: Tensor
    score: ClassScore

    def summed(self, parts: Tensor) -> ClassMap:
        """The class map that is the sum over channels of `parts` [1, C, h, w]."""
        return ClassMap(self.layer, parts.sum(dim=1, keepdim=True), noise_of(parts), self.logits, self.score)


def noise_of(parts: Tensor) -> float:
    """The size of the rounding errors of a sum over channels of `parts` [1, C, h, w]."""
    # Relative, since logits of untrained networks are tiny and their maps as good as any.
    return ROUNDING * float(parts.abs().sum(dim=1).max())


def layer_with_maps(session: Session, layer: str | None, title: str) -> LayerNode:
    """The layer that a class map is made at: the one asked for, or else the last with places.

    Raises `EngineError` if there is none of that name, or what it gives is no maps. `title` is the method's.
    """
    layer = layer or session.info.default_map_layer
    if layer is None:
        raise EngineError(NO_MAPS, f"{title} needs a convolutional network")
    node = session.layer(layer)
    # One without a shape never ran, or gave nothing: the forward pass says which.
    if node.shape is not None and not node.is_map:
        raise EngineError(
            f"Layer {node.id!r} has no maps (its output has shape {node.shape})",
            f"Choose a layer with maps, such as {session.info.default_map_layer or 'a convolution'}",
        )
    return node


def evidence_at(session: Session, x: Tensor, node: LayerNode, target: Target) -> Evidence:
    """The maps of a layer and the score's gradient there, by a forward pass and a backward pass that ends there.

    `x` [1, C, H, W] is the preprocessed picture. Raises `EngineError` if the score does not depend differentiably on
    the layer, the class is not there, or the logits are NaN.
    """
    logits, leaf = logits_and_leaf(session.model, x, node.id)
    score = score_for(logits, target)
    gradient = gradient_of(score.of(logits)[0], leaf)
    maps, gradient = (channels_first(tensor, node) for tensor in (leaf.detach(), gradient))
    return Evidence(node.id, maps, gradient, logits.detach(), score)


def check_finite(maps: Tensor, layer: str) -> None:
    """Raise `EngineError` if a layer's maps are not finite."""
    if not bool(torch.isfinite(maps).all()):
        raise EngineError(
            f"Layer {layer!r} gives NaN or infinite values for this photo",
            "Choose an earlier layer, or check the weights and the preprocessing",
        )


def heat_of(found: ClassMap, size: tuple[int, int], box: FloatArray, *, of_class: bool = True) -> Heat:
    """A class map as it is returned and shown, drawn at `size`; `box` is the crop's in the photo.

    `of_class` is False for a map that is the same whatever the class.
    """
    heat, positive = found.shown(size)
    return Heat(
        layer=found.layer,
        class_index=found.score.index,
        positive=positive,
        raw=read_only(found.raw[0, 0]),
        heat=read_only(heat[0, 0]),
        box=box,
        logits=read_only(found.logits[0]),
        against=found.score.against,
        of_class=of_class,
    )


def picture_of(image: ImageInput | None, title: str) -> ImageInput:
    """The picture of a run; raises `EngineError` if there is none."""
    if image is None:
        raise EngineError(f"{title} needs a picture", "Open one (command line: --image FILE)")
    return image


def no_gradient_map(info: ModelInfo) -> str:
    """Why maps made of gradients cannot work on a network, or ""."""
    if info.default_map_layer is None:
        return NO_MAPS
    if info.has(NO_GRADIENT_TO_MAPS):
        return f"The class scores do not depend differentiably on the maps of {info.default_map_layer!r}"
    return ""
