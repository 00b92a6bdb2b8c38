"""Guided backpropagation: the parts of the photo that excite, traced back through excited units alone."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.attribution.backward_rules import Rule
from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import SOURCES, no_gradient, no_relu, pixel_scores
from convviz_gui.engine.method import Category, Method, Steps, Update, register
from convviz_gui.engine.params import Params
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@dataclass(frozen=True)
class GuidedBackpropParams(Params):
    """Nothing to set: what is traced back says it all."""


@register
class GuidedBackprop(Method[GuidedBackpropParams]):
    """The edges and textures that excite a class, a channel or one unit of it."""

    name = "guided-backprop"
    title = "Guided backprop"
    category = Category.PIXEL_MAPS
    needs = SOURCES
    live = True
    params = GuidedBackpropParams
    payload = PixelMap
    when_to_use = (
        "Take it to see in fine detail what in this photo one channel or unit responds to. "
        "Do not take it as evidence for a class: look at Grad-CAM, Integrated Gradients or occlusion for that."
    )
    how_to_read = (
        "The gradient goes back to the pixels, but at every ReLU only where the unit was on and the gradient positive. "
        "What is left are structures that excite. Drawn as colours around grey, it is the classic picture."
    )
    how_it_misleads = (
        "It looks sharp and convincing and says little of the class: put random weights into the network and the "
        "picture barely changes (Adebayo et al. 2018). It mostly restores edges of the photo, which it would do for "
        "any class. Activation functions other than ReLU have no rule; the coverage says how many there are."
    )
    reference = "Springenberg et al., Striving for Simplicity: The All Convolutional Net, ICLR workshop 2015"
    known_to_fail_randomisation = (
        "Guided backprop is known to change little when the weights of the upper layers are random: it partly restores "
        "the photo, whatever was learned (Adebayo et al. 2018; Nie et al. 2018)"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs ReLUs, and class scores that depend differentiably on the picture."""
        return no_gradient(info) or no_relu(info)

    def run(self, session: Session, request: Run, params: GuidedBackpropParams) -> Steps[PixelMap]:
        """One forward and one backward pass."""
        yield Update(0, 1, "forward and backward pass")
        found = input_gradient(session, request, Rule.GUIDED)
        return found.pixel_map(found.gradient, signed=False)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """What was traced back, and how many activation functions the rule covered."""
        return pixel_scores(payload)
