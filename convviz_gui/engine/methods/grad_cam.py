"""Grad-CAM: where the evidence for a class comes from."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.attribution.score import score_for
from convviz_gui.engine.attribution.shown import ROUNDING, shown_map
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.hooks import gradient_of, logits_and_leaf
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.params import Params
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import NO_GRADIENT_TO_MAPS, ModelInfo, Run, Score


@dataclass(frozen=True)
class GradCamParams(Params):
    """Nothing to set: layer and class say it all."""


@register
class GradCam(Method[GradCamParams]):
    """Where in the photo the network found evidence for a class."""

    name = "grad-cam"
    title = "Grad-CAM"
    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.LAYER, Need.CLASS, Need.AGAINST})
    live = True
    params = GradCamParams
    payload = Heat
    when_to_use = (
        "Take it to see in one look which part of the photo speaks for a class: cheap, works on nearly every network,"
        " and passes the randomisation test. For sharp edges look at a pixel map, for earlier layers at LayerCAM."
    )
    how_to_read = (
        "Each channel of the layer is weighted by how much the class's score grows with it, then all are added: "
        "warm places speak for the class. The default layer is the last one that still has places."
    )
    how_it_misleads = (
        "The map is as coarse as the layer, so edges mean nothing. It shows evidence for the class, not the thing "
        "itself, and only the positive part. In layers far from the end the weights average away what matters."
    )
    reference = "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, and class scores that depend differentiably on them."""
        if info.default_map_layer is None:
            return "This network has no layer with maps"
        if info.has(NO_GRADIENT_TO_MAPS):
            return f"The class scores do not depend differentiably on the maps of {info.default_map_layer!r}"
        return super().applies(info)

    def run(self, session: Session, request: Run, params: GradCamParams) -> Steps[Heat]:
        """One forward pass and a backward pass that ends at the layer."""
        yield Update(0, 1, "forward and backward pass")
        if request.image is None:
            raise EngineError("Grad-CAM needs a picture", "Open one (command line: --image FILE)")
        layer = request.target.layer or session.info.default_map_layer
        if layer is None:
            raise EngineError("This network has no layer with maps", "Grad-CAM needs a convolutional network")
        node = session.layer(layer)
        layer = node.id
        x, box = session.input(request.image)
        logits, leaf = logits_and_leaf(session.model, x, layer)
        if not node.is_map:
            raise EngineError(
                f"Layer {layer!r} has no maps (its output has shape {tuple(leaf.shape[1:])})",
                f"Choose a layer with maps, such as {session.info.default_map_layer or 'a convolution'}",
            )
        score = score_for(logits, request.target)
        gradient = gradient_of(score.of(logits)[0], leaf)
        gradient, maps = (channels_first(tensor, node) for tensor in (gradient, leaf.detach()))
        parts = gradient.mean(dim=(2, 3), keepdim=True) * maps
        raw = parts.sum(dim=1, keepdim=True)
        # Relative, since logits of untrained networks are tiny and their maps as good as any.
        noise = ROUNDING * float(parts.abs().sum(dim=1).max())
        heat, positive = shown_map(raw, (x.shape[2], x.shape[3]), noise)
        return Heat(
            layer=layer,
            class_index=score.index,
            positive=positive,
            raw=read_only(raw[0, 0]),
            heat=read_only(heat[0, 0]),
            box=box,
            logits=read_only(logits[0]),
            against=score.against,
        )

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How strong the evidence is, in the layer's own units."""
        top = float(payload.raw.max())
        return (
            Score("Strongest evidence", top, f"{top:.3g}", "The raw map's maximum, in logits per unit of the layer"),
        )
