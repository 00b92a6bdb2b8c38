"""Filters in Fourier space: pictures of channels, units, classes and layers that hold under small movements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from convviz_gui.engine.method import Category, Method, Steps, register
from convviz_gui.engine.optim.adam import Adam
from convviz_gui.engine.optim.canvas import Entrance
from convviz_gui.engine.optim.growing import batch_score
from convviz_gui.engine.optim.painting import Brush, painted
from convviz_gui.engine.optim.questions import NEEDS, AskingParams, question
from convviz_gui.engine.optim.spectral import SPREADS, FourierCanvas
from convviz_gui.engine.optim.views import Moved, Plain
from convviz_gui.engine.params import param
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import NO_GRADIENT_TO_LAYERS, ModelInfo, Run, Score

DEFAULT_COUNT = 64
_BATCH = {"cpu": 4}
_BATCH_ELSEWHERE = 32


@dataclass(frozen=True)
class FourierParams(AskingParams):
    """Defaults are Lucid's."""

    steps: int = param(512, "Steps", "How often each picture is improved", lo=1, hi=8192, log=True)
    learning_rate: float = param(
        0.05,
        "Learning rate",
        "Length of Adam's steps. Smaller is calmer but needs more steps",
        lo=1e-4,
        hi=1.0,
        log=True,
    )
    size: int = param(128, "Size", "Side of the picture", lo=16, hi=1024, unit="px")
    moved: bool = param(
        True,
        "Random transforms",
        "Shift, scale and turn the picture a little at every step, so that only what survives that is drawn. Without "
        "it, high frequencies come back",
    )


@register
class Fourier(Method[FourierParams]):
    """A picture for each target that still works when it is shifted, scaled and turned a little."""

    name = "filters-fourier"
    title = "Filters in Fourier space"
    category = Category.FILTERS
    needs = NEEDS["channel"]
    needs_by = ("objective", NEEDS)
    by_chance = True
    params = FourierParams
    payload = Gallery
    how_to_read = (
        "Each tile begins as faint grey waves. At every step the picture is shifted, scaled and turned at random, and "
        "its Fourier coefficients, not its pixels, are changed so that the target rises: a channel, one unit of it, a "
        "direction of several channels, a class's score, or the whole layer. So smooth forms and natural colours come "
        "easily and pixel noise does not survive. Variants of one target show what else it answers to. Colours are "
        "those the network got: tiles can be compared. A target called dead answered to nothing, not even in 16 steps "
        "in which ReLUs that were shut let the gradient through."
    )
    how_it_misleads = (
        "It is cleaner than gradient ascent on pixels because we forbid what is not clean: the smoothness, the colours "
        "and the upright, tiled look come from the parametrisation and the transforms, not from the network. It shows "
        "an extreme that no photo reaches; what moderate activations mean may differ. A class's picture repeats the "
        "parts that raise its score, often many times, and says nothing of what else the class needs. Random weights "
        "give pretty tiles too."
    )
    when_to_use = (
        "To see what channels, units or classes look for, in most layers. Take Filters by gradient ascent for the "
        "chapter's own pictures, MACO for large, photo-like pictures of deep layers and classes."
    )
    reference = (
        "Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017, and its library Lucid; Mordvintsev, Olah & "
        "Tyka, Inceptionism (DeepDream), 2015; Carter et al., Activation Atlas, Distill 2019 (direction)"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs layers that depend differentiably on the picture."""
        if info.has(NO_GRADIENT_TO_LAYERS):
            return "No layer of this network depends differentiably on the picture"
        return super().applies(info)

    def run(self, session: Session, request: Run, params: FourierParams) -> Steps[Gallery]:
        """Improve some pictures after the other; stopping keeps what is there."""
        asked = question(session, request, params, DEFAULT_COUNT)
        n_colours = Entrance(session.info.preprocess, session.device).n_colours
        size = params.size
        sides = Moved.sides(size) if params.moved else (size, size)

        def start(which: Sequence[tuple[int, int]], spread: float) -> FourierCanvas:
            return FourierCanvas.start(request.seed, which, n_colours, size, spread).to(session.device)

        brush = Brush(
            size=size,
            steps=params.steps,
            canvases=[partial(start, spread=spread) for spread in SPREADS],
            looking=lambda probe: Moved(request.seed, probe.fit) if params.moved else Plain(probe.fit),
            optimiser=lambda: Adam(params.learning_rate),
            sizes=[(side, side) for side in sides],
        )
        batch = _BATCH.get(session.device.type, _BATCH_ELSEWHERE)
        return (yield from painted(session, params, asked, brush, batch))

    def scores(self, payload: Gallery) -> tuple[Score, ...]:
        """How many targets could not be made to respond."""
        dead, n = int(payload.dead.sum()), len(payload.dead)
        silent = "Targets that depended on their picture at no step, not even where shut ReLUs let the gradient through"
        return (Score("Dead", dead, f"{dead} of {n}", silent), *batch_score(payload))
