"""The gradient of what is explained with respect to the input."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from convviz_gui.engine.attribution.backward_rules import Rule, Ruled
from convviz_gui.engine.attribution.pixel_maps import pixel_map
from convviz_gui.engine.attribution.source import ChannelSource, Traced, channel_source, traced
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import depends_on, gradient_of
from convviz_gui.engine.payloads import Coverage, FloatArray, PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Run


@dataclass(frozen=True, slots=True)
class InputGradient:
    """`gradient` f32 [1, C, H, W] of what was `traced`, with respect to the input `x`; `box` is the crop's."""

    x: Tensor
    box: FloatArray
    gradient: Tensor
    traced: Traced
    coverage: Coverage | None = None

    def pixel_map(self, attribution: Tensor, *, signed: bool) -> PixelMap:
        """The payload for an attribution [1, C, H, W] that was made of the gradient."""
        return pixel_map(attribution, self.box, self.traced, signed=signed, coverage=self.coverage)


def input_gradient(session: Session, request: Run, rule: Rule | None = None) -> InputGradient:
    """One forward and one backward pass, by `rule` at every ReLU if there is one.

    Raises `EngineError` if what is explained does not depend differentiably on the input, or has no finite gradient.
    """
    assert request.image is not None  # a method that needs a picture is not run without
    channel = channel_source(session, request.target)
    x, box = session.input(request.image)
    leaf = x.detach().clone().requires_grad_(True)
    ruled = Ruled(rule) if rule is not None else None
    with torch.enable_grad(), ruled or nullcontext():
        found = traced(session.model, leaf, request.target, channel)
        check_depends(found.value, leaf, channel)
        coverage = ruled.cover(found.value) if ruled is not None else None
        gradient = gradient_of(found.value, leaf)
    check_finite(gradient)
    return InputGradient(x, box, gradient, found.detached(), coverage)


def check_depends(value: Tensor, leaf: Tensor, channel: ChannelSource | None = None) -> None:
    """Raises `EngineError` unless `value` depends differentiably on the input `leaf`."""
    if value.requires_grad and depends_on(value, leaf):
        return
    if channel is None:
        raise EngineError(
            "The class scores do not depend differentiably on the picture",
            "A part of this network that runs without gradients cannot be looked through; try occlusion instead",
        )
    raise EngineError(
        f"Layer {channel.node.id!r} does not depend differentiably on the picture",
        "Choose another layer; a part of this network that runs without gradients cannot be looked through",
    )


def check_finite(gradient: Tensor) -> None:
    """Raises `EngineError` for a gradient with NaN or infinite values, which no picture could show."""
    if not bool(torch.isfinite(gradient).all()):
        raise EngineError(
            "The gradient has NaN or infinite values", "Check the network's weights and its preprocessing (mean, std)"
        )
