"""What class maps made of one layer's maps and gradient have in common, so that each is its formula and its texts."""

from __future__ import annotations

from abc import abstractmethod

from convviz_gui.engine.attribution.class_map import (
    ClassMap,
    Evidence,
    evidence_at,
    heat_of,
    layer_with_maps,
    no_gradient_map,
    picture_of,
)
from convviz_gui.engine.method import Category, Method, Need, Steps, Update
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


class GradientMap(Method[NoParams]):
    """A class map that needs one forward pass, and one backward pass that ends at the layer."""

    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.LAYER, Need.CLASS, Need.AGAINST})
    live = True
    params = NoParams
    payload = Heat

    @abstractmethod
    def map_of(self, found: Evidence) -> ClassMap:
        """The class map of a layer's maps and the score's gradient."""

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, and class scores that depend differentiably on them."""
        return no_gradient_map(info) or super().applies(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Heat]:
        """One forward pass and a backward pass that ends at the layer."""
        yield Update(0, 1, "forward and backward pass")
        x, box = session.input(picture_of(request.image, self.title))
        node = layer_with_maps(session, request.target.layer, self.title)
        found = self.map_of(evidence_at(session, x, node, request.target))
        return heat_of(found, (x.shape[2], x.shape[3]), box)

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How strong the evidence is."""
        return (strongest(payload, "The raw map's maximum"),)


def strongest(heat: Heat, meaning: str, label: str = "Strongest evidence") -> Score:
    """A raw map's maximum as a number beside the result; `meaning` says in what unit it is."""
    top = float(heat.raw.max())
    return Score(label, top, f"{top:.3g}", meaning)
