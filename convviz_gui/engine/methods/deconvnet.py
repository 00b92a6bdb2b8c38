"""DeconvNet: a class, a channel or a unit projected back to the pixels."""

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
class DeconvNetParams(Params):
    """Nothing to set: what is traced back says it all."""


@register
class DeconvNet(Method[DeconvNetParams]):
    """The pattern that a class, a channel or one unit of it stands for, projected back to the pixels."""

    name = "deconvnet"
    title = "DeconvNet"
    category = Category.PIXEL_MAPS
    needs = SOURCES
    live = True
    params = DeconvNetParams
    payload = PixelMap
    when_to_use = (
        "Take it for one unit of an early or middle layer of a network with max-pooling, as its authors did: "
        "what structure in the photo made that unit fire? Guided backprop gives cleaner pictures of the same."
    )
    how_to_read = (
        "The network is run backwards: filters turned round, max-pooling undone through the places where the maxima "
        "were, and at every ReLU only what is positive goes on, whether the unit was on or not. A channel's whole map "
        "starts with 1 at every position, a unit with 1 at its own."
    )
    how_it_misleads = (
        "Apart from the pooling's switches it hardly depends on the photo, and it barely reacts to random weights "
        "(Nie et al. 2018): as evidence for a class it is worth little. Without max-pooling it has no switches and "
        "turns to noise. Activation functions other than ReLU have no rule; the coverage says how many there are."
    )
    reference = "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014"
    known_to_fail_randomisation = (
        "DeconvNet is known to depend little on what was learned in the upper layers: it partly restores the photo "
        "(Nie et al. 2018)"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs ReLUs, and class scores that depend differentiably on the picture."""
        return no_gradient(info) or no_relu(info)

    def run(self, session: Session, request: Run, params: DeconvNetParams) -> Steps[PixelMap]:
        """One forward and one backward pass."""
        yield Update(0, 1, "forward and backward pass")
        found = input_gradient(session, request, Rule.DECONVNET)
        return found.pixel_map(found.gradient, signed=False)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """What was traced back, and how many activation functions the rule covered."""
        return pixel_scores(payload)
