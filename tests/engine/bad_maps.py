"""Maps that explain nothing, as methods: what a check has to find out. Not offered to users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from convviz_gui.engine import method as registry
from convviz_gui.engine.method import Category, Method, Need, Steps, Update
from convviz_gui.engine.network.classes import chosen_class
from convviz_gui.engine.network.hooks import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.params import Params
from convviz_gui.engine.payloads import Heat, PixelMap, frozen
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.trust.order import enlarged
from convviz_gui.engine.types import Run

CELLS = 14


@dataclass(frozen=True)
class NothingToSet(Params):
    """No parameters."""


class _Bad(Method[NothingToSet]):
    params = NothingToSet
    needs = frozenset({Need.IMAGE, Need.CLASS, Need.AGAINST})
    how_to_read = how_it_misleads = reference = "for tests"

    @staticmethod
    def answer(session: Session, request: Run) -> tuple[Any, Any, Any, int]:
        """Input [1, C, H, W], box, logits [K], class."""
        assert request.image is not None
        x, box = session.input(request.image)
        with torch.no_grad():
            logits = logits_of(forward(session.model, x))
        return x, box, logits[0], chosen_class(logits, request.target.class_index)


class RandomMap(_Bad):
    """Random numbers."""

    name, title, category, payload = "random-map", "Random map", Category.CLASS_MAPS, Heat

    def run(self, session: Session, request: Run, params: NothingToSet) -> Steps[Heat]:
        """Numbers drawn with the run's seed."""
        yield Update(0, 1)
        x, box, logits, index = self.answer(session, request)
        raw = np.random.default_rng(1000 + request.seed).standard_normal((CELLS, CELLS)).astype(np.float32)
        heat = enlarged(np.maximum(raw, 0), (x.shape[2], x.shape[3]))
        heat = frozen(heat / heat.max())
        against = request.target.against
        return Heat("none", index, True, frozen(raw), heat, box, read_only(logits), against)


class EdgeDetector(_Bad):
    """The photo's edges (Sobel)."""

    name, title, category, payload = "edge-detector", "Edge detector", Category.PIXEL_MAPS, PixelMap

    def run(self, session: Session, request: Run, params: NothingToSet) -> Steps[PixelMap]:
        """Looks at the photo only."""
        yield Update(0, 1)
        x, box, logits, index = self.answer(session, request)
        grey = torch.nn.functional.pad(x.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        kernels = torch.stack([across, across.T])[:, None].to(x.device)
        edges = torch.nn.functional.conv2d(grey, kernels).norm(dim=1)
        attribution = read_only(edges.expand(x.shape[1], -1, -1))
        heat = read_only(edges[0])
        against = request.target.against
        return PixelMap(attribution, heat, box, read_only(logits), 0.0, False, index, against)


BAD = (RandomMap, EdgeDetector)


@contextmanager
def bad_maps() -> Iterator[None]:
    """While inside, the session knows them."""
    names = {kind.name: kind for kind in BAD}
    registry.methods()
    registry._registry.update(names)
    try:
        yield
    finally:
        for name in names:
            del registry._registry[name]
