"""Grad-CAM: where the evidence for a class comes from."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.attribution.class_map import heat_of, no_gradient_map, picture_of
from convviz_gui.engine.attribution.grad_cam_map import grad_cam
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


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
        return no_gradient_map(info) or super().applies(info)

    def run(self, session: Session, request: Run, params: GradCamParams) -> Steps[Heat]:
        """One forward pass and a backward pass that ends at the layer."""
        yield Update(0, 1, "forward and backward pass")
        x, box = session.input(picture_of(request.image, self.title))
        found = grad_cam(session, x, request.target.layer, request.target)
        return heat_of(found, (x.shape[2], x.shape[3]), box)

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How strong the evidence is, in the layer's own units."""
        top = float(payload.raw.max())
        return (
            Score("Strongest evidence", top, f"{top:.3g}", "The raw map's maximum, in logits per unit of the layer"),
        )
