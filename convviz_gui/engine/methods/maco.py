"""MACO: synthetic pictures with the spectrum of natural ones, of which only the phases are made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.datasets import finding
from convviz_gui.engine.method import Category, Method, Need, Steps, register
from convviz_gui.engine.optim.adam import NAdam
from convviz_gui.engine.optim.canvas import Entrance
from convviz_gui.engine.optim.colours import MACO as MACO_COLOURS
from convviz_gui.engine.optim.colours import mixing
from convviz_gui.engine.optim.growing import batch_score
from convviz_gui.engine.optim.painting import Brush, painted
from convviz_gui.engine.optim.questions import NEEDS, AskingParams, question
from convviz_gui.engine.optim.spectral import PhaseCanvas
from convviz_gui.engine.optim.views import Crops
from convviz_gui.engine.params import param
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.spectrum import Spectrum, built_in, folder_spectrum, signature
from convviz_gui.engine.types import NO_GRADIENT_TO_LAYERS, ModelInfo, Run, Score

DEFAULT_COUNT = 16
_BATCH = {"cpu": 4}
_BATCH_ELSEWHERE = 32
_NEEDS = {objective: needs | {Need.OPTIONAL_FOLDER} for objective, needs in NEEDS.items()}


@dataclass(frozen=True)
class MacoParams(AskingParams):
    """Defaults are the paper's, but for the number of crops (it takes more)."""

    steps: int = param(256, "Steps", "How often each picture is improved", lo=1, hi=4096, log=True)
    learning_rate: float = param(
        1.0, "Learning rate", "Length of NAdam's steps, in radians of phase", lo=1e-3, hi=10.0, log=True
    )
    size: int = param(512, "Size", "Side of the picture", lo=16, hi=2048, unit="px")
    crops: int = param(
        16,
        "Crops",
        "Random crops that the network sees at every step. More are steadier and take longer; the paper takes 32",
        lo=1,
        hi=256,
    )
    noise: float = param(
        0.08, "Noise", "Standard deviation of the noise on each crop, in 0…1", lo=0.0, hi=1.0, advanced=True
    )


@register
class Maco(Method[MacoParams]):
    """A picture with the spectrum of your own photos: only where its waves stand is made up."""

    name = "filters-maco"
    title = "MACO: filters with a natural spectrum"
    category = Category.FILTERS
    needs = _NEEDS["channel"]
    needs_by = ("objective", _NEEDS)
    by_chance = True
    params = MacoParams
    payload = Gallery
    how_to_read = (
        "Every picture has the same strength of coarse and fine structure: the mean of your folder's photos, or "
        "a built-in 1/f without one. Only the phases, where the waves stand, are changed, so that random crops of the "
        "picture raise the target. That keeps pictures of deep layers and classes photo-like where other methods end "
        "in texture. The transparency tells how much each place mattered on the way: with it on, what did not matter "
        "fades into the ground."
    )
    how_it_misleads = (
        "The photo-like look is put in by the spectrum, not found in the network. Where nothing mattered the picture "
        "still shows something, because its strength has to go somewhere: look at it with the transparency. A folder "
        "of other photos gives other pictures. The target appears wherever crops fall, mostly around the middle, and "
        "in several sizes. Random weights give photo-like pictures too."
    )
    when_to_use = (
        "For classes and deep layers, where Fourier space gives only texture, and for large pictures. It is the "
        "slowest: try a few channels first."
    )
    reference = (
        "Fel, Boissin, Boutin, Picard, Novello, Colin, Linsley, Rousseau, Cadène, Goetschalckx, Gardes & Serre, "
        "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization, NeurIPS 2023"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs layers that depend differentiably on the picture."""
        if info.has(NO_GRADIENT_TO_LAYERS):
            return "No layer of this network depends differentiably on the picture"
        return super().applies(info)

    def run(self, session: Session, request: Run, params: MacoParams) -> Steps[Gallery]:
        """Take the spectrum, then make one picture (with its variants) after the other."""
        asked = question(session, request, params, DEFAULT_COUNT)
        preprocess = session.info.preprocess
        n_colours = Entrance(preprocess, session.device).n_colours
        spectrum = yield from _spectrum(session, request, params.size, n_colours)
        brush = Brush(
            size=params.size,
            steps=params.steps,
            canvases=[lambda which: PhaseCanvas.start(request.seed, which, spectrum.magnitude).to(session.device)],
            looking=lambda _probe: Crops(request.seed, params.crops, preprocess.size, params.steps, noise=params.noise),
            optimiser=lambda: NAdam(params.learning_rate),
            sizes=[preprocess.size],
            views=params.crops,
            transparent=True,
            facts={
                "spectrum": spectrum.magnitude,
                "spectrum_of": spectrum.words,
                "spectrum_pictures": spectrum.n_pictures,
                "skipped": spectrum.skipped,
            },
        )
        batch = _BATCH.get(session.device.type, _BATCH_ELSEWHERE)
        return (yield from painted(session, params, asked, brush, batch))

    def scores(self, payload: Gallery) -> tuple[Score, ...]:
        """How many targets could not be made to respond, and where the spectrum is from."""
        dead, n = int(payload.dead.sum()), len(payload.dead)
        silent = "Targets that depended on their picture at no step, not even where shut ReLUs let the gradient through"
        from_where = "Where the strength of coarse and fine structure is from, which all pictures share"
        return (
            Score("Dead", dead, f"{dead} of {n}", silent),
            Score("Pictures of the spectrum", payload.spectrum_pictures, payload.spectrum_of, from_where),
            *batch_score(payload),
        )


def _spectrum(session: Session, request: Run, size: int, n_colours: int) -> Steps[Spectrum]:
    """The folder's spectrum, from the session if it is known there, or the built-in one."""
    if request.folder is None:
        return built_in(size, n_colours)
    listing = yield from finding(request)
    key = (size, n_colours, signature(listing))
    known = session.spectra.get(key)
    if known is None:
        # The picture's colours are its components @ mixing.
        to_components = np.linalg.inv(mixing(MACO_COLOURS, n_colours)).astype(np.float32)
        known = yield from folder_spectrum(listing, size, to_components)
        session.spectra.put(key, known)
    return known
