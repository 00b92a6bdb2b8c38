"""Filters by gradient ascent: the picture that each channel of a layer answers to most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.optim.ascent import PRECISIONS, Batch, unit_globally, unit_per_pixel
from convviz_gui.engine.optim.growing import Growing, batch_score, with_fitting_batch
from convviz_gui.engine.optim.objectives import ChannelMean
from convviz_gui.engine.optim.questions import asked_channels, asked_layer
from convviz_gui.engine.optim.workbench import default_batch, workbench
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import NO_GRADIENT_TO_LAYERS, LayerNode, ModelInfo, Run, Score

DEFAULT_CHANNELS = 64
NORMALISE = {"global": unit_globally, "per pixel": unit_per_pixel}


@dataclass(frozen=True)
class FiltersParams(Params):
    """Defaults are the chapter's."""

    steps: int = param(30, "Steps", "How often each picture is improved", lo=1, hi=4096, log=True)
    learning_rate: float = param(
        10.0,
        "Learning rate",
        "Length of a step: the gradient is normalised and multiplied by this. Smaller is finer but needs more steps",
        lo=0.001,
        hi=1000.0,
        log=True,
    )
    size: int = param(200, "Size", "Side of the picture that is optimised, before the crop", lo=8, hi=1024, unit="px")
    normalize: str = param(
        "global",
        "Normalise gradient",
        "global: one length for the whole picture (2nd edition of the chapter). "
        "per pixel: over the colours of each pixel alone (3rd edition), which fills the picture evenly",
        choices=tuple(NORMALISE),
    )
    border: int = param(
        2,
        "Border",
        "Positions of the map left out on every side, where padding makes a filter respond. "
        "Maps that are too small for it keep at least their centre; units of a vector have no border",
        lo=0,
        hi=64,
        advanced=True,
    )
    crop: int = param(
        25, "Crop", "Cut off each side of the finished picture, where it fades", lo=0, hi=500, unit="px", advanced=True
    )
    precision: str = param(
        "float32",
        "Precision",
        "bfloat16 computes the network with 3 significant digits: about twice as fast where the processor supports it, "
        "slower where it does not; pictures differ in detail",
        choices=PRECISIONS,
        advanced=True,
    )
    batch: int = param(
        0,
        "Batch",
        "Filters improved together: 0 takes 2 on a processor, 16 on a graphics card, and fewer where memory is too "
        "small. Changes rounding and speed only",
        lo=0,
        hi=512,
        advanced=True,
    )


@register
class Filters(Method[FiltersParams]):
    """The picture that makes each channel respond most, grown from grey noise."""

    name = "filters"
    title = "Filters by gradient ascent"
    category = Category.FILTERS
    needs = frozenset({Need.LAYER, Need.CHANNELS})
    by_chance = True
    params = FiltersParams
    payload = Gallery
    when_to_use = (
        "Take it to see what a channel looks for when no photo is given, and how that changes from layer to layer. "
        "Whether a channel's picture has to do with your photos, the patches that excite it most tell you."
    )
    how_to_read = (
        "Each tile starts as grey noise and is changed, step by step, into what raises the mean of one channel of the "
        "layer fastest. Early layers show edges and colours, later ones textures, then parts of things. Colours and "
        "contrast are stretched for every tile alone, so they cannot be compared between tiles; the curve of the "
        "channel's mean over the steps can. A filter called dead answered to none of four noises, nor after 16 steps "
        "in which ReLUs that were shut let the gradient through."
    )
    how_it_misleads = (
        "A tile is one of many pictures that a channel answers to, and no photo looks like it: it says what drives the "
        "channel, not what the channel is for, nor that it does nothing else. High frequencies are exaggerated, the "
        "size and the number of steps shape what appears, and in deep layers 30 steps often leave mostly texture. "
        "Soft blobs of colour are left over from the start that a filter deaf to fine noise needed. Dead means silent "
        "for noise: a photo may still wake the channel. Random weights give pretty tiles too."
    )
    reference = (
        "Chollet, Deep Learning with Python, chapter on interpreting what ConvNets learn (Manning, 2nd ed. 2021, "
        "3rd ed. 2025); Erhan, Bengio, Courville & Vincent, Visualizing Higher-Layer Features of a Deep Network, 2009; "
        "Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, arXiv:1312.6034, 2013"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs layers that depend differentiably on a grey or colour picture."""
        if info.preprocess.channels == 2:
            return "This network takes 2 input channels, which cannot be shown as a colour picture"
        if info.has(NO_GRADIENT_TO_LAYERS):
            return "No layer of this network depends differentiably on the picture"
        return super().applies(info)

    def run(self, session: Session, request: Run, params: FiltersParams) -> Steps[Gallery]:
        """Ascend one batch of channels after the other; stopping keeps what is there.

        A channel's start depends on the seed and the channel alone, and every pass has the same number of pictures:
        what comes out is the same whichever other channels are asked for. Another batch size, device or layout rounds
        differently; the ascent amplifies that, hardly in early layers, to different details in deep ones. So where
        memory is too small for the batch that suits the device, all begin again with half of it, and the result says
        so; a batch that was asked for is never changed. The loop is
        the chapter's except where that would be stuck for good: a filter silent on the first noise is given other
        starts (`Batch.wake`), and a step that silences a filter is halved.
        """
        side = params.size - 2 * params.crop
        if side < 1:
            raise EngineError(
                f"A crop of {params.crop} pixels a side leaves nothing of a picture of {params.size} pixels",
                f"Set the crop to {(params.size - 1) // 2} or less, or enlarge the picture",
            )
        node = asked_layer(session, request.target.layer)
        channels = asked_channels(node, request.target.channels, DEFAULT_CHANNELS)
        grow = partial(self._grown, session, request.seed, params, node, channels)
        return (yield from with_fitting_batch(session, params.batch, default_batch(session.device), params.size, grow))

    def _grown(
        self, session: Session, seed: int, params: FiltersParams, node: LayerNode, channels: Sequence[int], at_once: int
    ) -> Steps[Gallery]:
        total = len(channels) * params.steps
        yield Update(0, total, "preparing the network")
        preprocess = session.info.preprocess
        bench = workbench(session.model, node.id, preprocess, session.device, params.size, params.precision, at_once)
        objective = partial(ChannelMean, border=params.border, view=partial(channels_first, node=node))
        work = Growing(node.id, channels, params.steps, params.size - 2 * params.crop)
        for first in range(0, len(channels), bench.batch):
            rows = range(first, min(first + bench.batch, len(channels)))
            batch = Batch(bench, [channels[row] for row in rows], objective, seed)
            note = f"filters {rows.start + 1}–{rows.stop} of {len(channels)}"
            for _ in batch.wake():
                yield Update(first * params.steps, total, note, work.gallery)
            for place, loss in batch.dead.items():
                work.bury(rows[place], loss)
            alive = [rows[place] for place in batch.alive]
            climb = batch.climb(params.steps, params.learning_rate, NORMALISE[params.normalize])
            for step, losses in enumerate(climb):
                work.record(alive, step, losses.cpu().numpy())
                done = first * params.steps + len(rows) * (step + 1)
                yield Update(done, total, note, partial(_drawn, work, alive, batch, params.crop))
            if alive:
                work.draw(alive, batch.canvas.pictures(params.crop))
        return work.gallery()

    def scores(self, payload: Gallery) -> tuple[Score, ...]:
        """How many filters could not be made to respond."""
        dead, n = int(payload.dead.sum()), len(payload.dead)
        silent = "Channels that nothing could make answer: four noises, and 16 steps with ReLUs unblocked"
        return (Score("Dead filters", dead, f"{dead} of {n}", silent), *batch_score(payload))


def _drawn(work: Growing, alive: Sequence[int], batch: Batch, crop: int) -> Gallery:
    """The gallery with a batch's pictures as they are now."""
    if alive:
        work.draw(alive, batch.canvas.pictures(crop))
    return work.gallery()
