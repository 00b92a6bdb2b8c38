"""Gradient × input: how much each pixel contributes, if the network were linear."""

from __future__ import annotations

from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import CLASSES, no_gradient, pixel_scores
from convviz_gui.engine.method import Category, Method, Steps, Update, register
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@register
class GradXInput(Method[NoParams]):
    """What each pixel adds to the class's score, were the network as linear as it is right here."""

    name = "grad-x-input"
    title = "Gradient × input"
    category = Category.PIXEL_MAPS
    needs = CLASSES
    live = True
    params = NoParams
    payload = PixelMap
    when_to_use = (
        "Take it for a quick signed map: what speaks for the class and what against it, from one backward pass. "
        "Integrated Gradients answers the same question with parts that add up to the score."
    )
    how_to_read = (
        "The gradient times the pixel's own value after preprocessing, summed over the colours. Red pixels raise the "
        "score, blue ones lower it, both measured from the mean colour, which is 0 in the network's input."
    )
    how_it_misleads = (
        "A pixel of the mean colour gets nothing, however much it matters: black and white stand out, grey vanishes. "
        "Multiplying by the picture draws the picture's own edges into the map, whatever the network does. "
        "The parts add up to the score only in a network that is linear and has no bias."
    )
    reference = "Shrikumar et al., Not Just a Black Box: Learning Important Features, 2016"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs class scores that depend differentiably on the picture."""
        return no_gradient(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[PixelMap]:
        """One forward and one backward pass."""
        yield Update(0, 1, "forward and backward pass")
        found = input_gradient(session, request)
        return found.pixel_map(found.gradient * found.x, signed=True)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """The score explained."""
        return pixel_scores(payload)
