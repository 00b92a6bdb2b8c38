"""What guided backprop and DeconvNet share: everything but the rule at a ReLU and their texts."""

from __future__ import annotations

from typing import ClassVar

from convviz_gui.engine.attribution.backward_rules import Rule
from convviz_gui.engine.attribution.input_gradient import input_gradient
from convviz_gui.engine.attribution.pixel_maps import SOURCES, no_gradient, no_relu, pixel_scores
from convviz_gui.engine.method import Category, Method, Steps, Update
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


class RuledMap(Method[NoParams]):
    """A pixel map of one forward pass and one backward pass that goes by a rule at every ReLU."""

    rule: ClassVar[Rule]
    category = Category.PIXEL_MAPS
    needs = SOURCES
    live = True
    params = NoParams
    payload = PixelMap

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs ReLUs, and class scores that depend differentiably on the picture."""
        return no_gradient(info) or no_relu(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[PixelMap]:
        """One forward and one backward pass; `attribution` f32 [C, H, W] is the ruled gradient."""
        yield Update(0, 1, "forward and backward pass")
        found = input_gradient(session, request, self.rule)
        return found.pixel_map(found.gradient, signed=False)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """What was traced back, and how many activation functions the rule covered."""
        return pixel_scores(payload)
