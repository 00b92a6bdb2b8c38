"""Guided Grad-CAM: guided backpropagation, kept where Grad-CAM found evidence."""

from __future__ import annotations

import dataclasses

from convviz_gui.engine.attribution.backward_rules import Rule
from convviz_gui.engine.attribution.grad_cam_map import grad_cam
from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import CLASSES, no_gradient, no_relu, pixel_scores
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@register
class GuidedGradCam(Method[NoParams]):
    """The fine structure of guided backprop, only where Grad-CAM found evidence for the class."""

    name = "guided-grad-cam"
    title = "Guided Grad-CAM"
    category = Category.PIXEL_MAPS
    needs = CLASSES | {Need.LAYER}
    live = True
    params = NoParams
    payload = PixelMap
    when_to_use = (
        "Take it to show fine structure in the place that speaks for a class, as a figure wants it. "
        "What it says of the class is what Grad-CAM says: look there first, and trust that."
    )
    how_to_read = (
        "Guided backprop of the class times Grad-CAM, which is enlarged to the input (bilinear) and goes from 0 to 1. "
        "The layer is Grad-CAM's, by default the last one with places."
    )
    how_it_misleads = (
        "Only the coarse part is about the class. The fine lines are guided backprop's, which barely reacts to random "
        "weights (Adebayo et al. 2018): sharp edges in the right place look like an explanation and are mostly the "
        "photo's own. Activation functions other than ReLU have no rule; the coverage says how many there are."
    )
    reference = "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017"
    known_to_fail_randomisation = (
        "The fine lines are guided backprop's, which is known to change little when the weights of the upper layers "
        "are random; only the place is about the class (Adebayo et al. 2018)"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, ReLUs, and class scores that depend differentiably on the picture."""
        if info.default_map_layer is None:
            return "This network has no layer with maps"
        return no_gradient(info) or no_relu(info) or super().applies(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[PixelMap]:
        """One forward and one backward pass for each of the two."""
        yield Update(0, 2, "Grad-CAM")
        assert request.image is not None  # the session does not run it without
        x, _ = session.input(request.image)
        evidence = grad_cam(session, x, request.target.layer, request.target)
        heat, _ = evidence.shown((x.shape[2], x.shape[3]))
        heat = heat.cpu()
        yield Update(1, 2, "guided backprop")
        of_class = dataclasses.replace(request.target, layer=None)
        found = input_gradient(session, dataclasses.replace(request, target=of_class), Rule.GUIDED)
        made = found.pixel_map(found.gradient.cpu() * heat, signed=False)
        return dataclasses.replace(made, layer=evidence.layer)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """The score explained, and how many activation functions the rule covered."""
        return pixel_scores(payload)
