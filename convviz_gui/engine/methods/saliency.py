"""Saliency: which pixels the score is most sensitive to."""

from __future__ import annotations

from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import CLASSES, no_gradient, pixel_scores
from convviz_gui.engine.method import Category, Method, Steps, Update, register
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@register
class Saliency(Method[NoParams]):
    """Which pixels change the class's score most if they change a little."""

    name = "saliency"
    title = "Saliency (gradient)"
    category = Category.PIXEL_MAPS
    needs = CLASSES
    live = True
    params = NoParams
    payload = PixelMap
    when_to_use = (
        "Take it as the plainest answer, which nothing is added to: other pixel maps are to be held against it. "
        "For a calmer picture take SmoothGrad, for parts that add up to the score Integrated Gradients."
    )
    how_to_read = (
        "The gradient of the class's score with respect to each pixel. Bright pixels are those whose smallest change "
        "moves the score most, up or down: drawn is the largest absolute value over the colours."
    )
    how_it_misleads = (
        "It tells what would change the score, not what made it: a pixel that the score rests on may have no gradient, "
        "because more of it changes nothing. Gradients of ReLU networks jump from pixel to pixel, and strides leave a "
        "grid in them, so that much of the grain is noise."
    )
    reference = "Simonyan, Vedaldi, Zisserman, Deep Inside Convolutional Networks, ICLR workshop 2014"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs class scores that depend differentiably on the picture."""
        return no_gradient(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[PixelMap]:
        """One forward and one backward pass."""
        yield Update(0, 1, "forward and backward pass")
        found = input_gradient(session, request)
        return found.pixel_map(found.gradient, signed=False)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """The score explained."""
        return pixel_scores(payload)
