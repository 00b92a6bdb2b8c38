"""The unit page: everything about one channel in one place."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.datasets import finding
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.method import Category, Method, Need, Steps, T, Update, register
from convviz_gui.engine.network.intervening import channel_axis
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import UnitPage
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import LayerNode, Run, Score
from convviz_gui.engine.unit_page.own import Filters, feeds_of, filters_of, synthetic_of, weights_of
from convviz_gui.engine.unit_page.page import GrowingPage
from convviz_gui.engine.unit_page.pictures import alike_of, project, read_folder

# Spans of the run's progress, roughly by the time that each stage takes with a folder, and without.
_GROW, _READ, _PROJECT = (20, 220), (220, 880), (880, TOTAL)
_GROW_ALONE = (20, TOTAL)
_NEVER_VARIES = "It never varies over these pictures, so no channel answers like it"


@dataclass(frozen=True)
class UnitParams(Params):
    """How much of each section there is."""

    steps: int = param(
        24, "Steps", "Steps of the gradient ascent that makes the synthetic picture", lo=1, hi=4096, log=True
    )
    size: int = param(
        0,
        "Size",
        "Side of the synthetic picture before its fading edges are cut off; 0 takes the network's own",
        lo=0,
        hi=1024,
        unit="px",
        advanced=True,
    )
    top: int = param(9, "Patches", "How many of the strongest pictures are shown and traced back", lo=1, hi=36)
    batch: int = batch_param()


@register
class Unit(Method[UnitParams]):
    """Everything about one channel: what makes it, what it answers to, how often, and which others are like it."""

    name = "unit"
    title = "Unit page"
    category = Category.UNITS
    needs = frozenset({Need.LAYER, Need.CHANNEL, Need.OPTIONAL_FOLDER})
    lower_precision = True
    by_chance = True
    params = UnitParams
    payload = UnitPage
    when_to_use = (
        "Take it once a channel has caught your eye, in the activations, the filters or a list. To find one, look at a "
        "layer's patches or at the census; whether the prediction needs it, switching it off tells."
    )
    how_to_read = (
        "Read the sections against each other. The weights say what an early channel computes; the synthetic picture "
        "what drives it furthest; the patches what of your pictures comes nearest, and the traced pictures below them "
        "which part of each patch did it. The histogram and the rates say how often it answers, and to which label. "
        "Where synthetic picture, patches and rates agree, the channel may well stand for what they have in common."
    )
    how_it_misleads = (
        "A name for a channel is a guess. Patches show the top of the list only: look at the rates to see what else it "
        "answers to. Traced pictures hardly depend on the weights above the layer, and barely react to random ones. "
        "Correlation is over one average for each picture, so channels that answer at different places may look alike. "
        "A folder without the thing a channel looks for cannot show it."
    )
    reference = (
        "Zeiler & Fergus, ECCV 2014; Erhan et al. 2009; Zhou et al., Object Detectors Emerge in Deep Scene CNNs, ICLR "
        "2015; Olah et al., Zoom In: An Introduction to Circuits, Distill, 2020"
    )

    def run(self, session: Session, request: Run, params: UnitParams) -> Steps[UnitPage]:
        """Weights first, then the synthetic picture, then one pass over the folder; the page can be seen growing."""
        node = _layer(session, request.target.layer)
        channel = _channel(node, request.target.channels)
        # A folder that is not there is told before the work starts.
        listing = (yield from finding(request)) if request.folder is not None else None
        growing = GrowingPage(UnitPage(node.id, channel, node.channels or 0, node.kind, request.folder))
        yield Update(0, TOTAL, "reading weights")
        filters = self._weights(session, node, channel, growing)
        growing.put("alike", alike=alike_of(filters, None, channel, 0))
        yield Update(_GROW[0], TOTAL, "growing a picture", growing.page)
        size = params.size or max(session.info.preprocess.size)
        grown = synthetic_of(session, node, channel, params.steps, size, request.seed, growing.so_far)
        made = yield from _or_lack(
            stage(grown, _GROW_ALONE if listing is None else _GROW, growing.page), "synthetic", growing
        )
        if made is not None:
            growing.put("synthetic", synthetic=made)
        if listing is None:
            return growing.page()
        read = read_folder(session, listing, node, channel, params.top, params.batch, growing)
        correlation = yield from stage(read, _READ, growing.page)
        pictures = len(growing.page().record.paths)
        growing.set(alike=alike_of(filters, correlation, channel, pictures))
        if correlation is None and pictures >= 10:
            growing.lack("alike", _NEVER_VARIES)
        yield from stage(project(session, node, channel, growing), _PROJECT, growing.page)
        return growing.page()

    @staticmethod
    def _weights(session: Session, node: LayerNode, channel: int, growing: GrowingPage) -> Filters | None:
        try:
            filters = filters_of(session, node)
            growing.put("feeds", feeds=feeds_of(session, node, channel))
        except EngineError as error:
            growing.lack("weights", error)
            return None
        if filters is None:
            growing.lack("weights", "No layer with weights makes this channel by itself")
            return None
        growing.put("weights", kernel=weights_of(session, filters, channel))
        return filters

    def scores(self, payload: UnitPage) -> tuple[Score, ...]:
        """What the page says at first sight."""
        scores = []
        record = payload.record
        if record.paths:
            n = len(record.paths)
            text = "never" if payload.dead else f"in {int(record.fired.sum())} of {n}"
            scores.append(Score("Fires", record.firing, text, "Pictures in which it answers anywhere"))
        if payload.alike.duplicate >= 0:
            help_text = "Its answers to the pictures correlate with that channel's at 0.99 or more"
            scores.append(
                Score("Duplicate of", payload.alike.duplicate, f"channel {payload.alike.duplicate}", help_text)
            )
        if payload.skipped:
            left = len(payload.skipped)
            scores.append(Score("Left out", left, str(left), "Files that could not be read."))
        return tuple(scores)


def _or_lack(steps: Steps[T], section: str, growing: GrowingPage) -> Steps[T | None]:
    """The steps' result, or None with a note on the page where they cannot be gone to the end."""
    try:
        return (yield from steps)
    except EngineError as error:
        growing.lack(section, error)
        return None


def _layer(session: Session, layer: str | None) -> LayerNode:
    layer = layer if layer is not None else session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    channel_axis(node)
    return node


def _channel(node: LayerNode, channels: tuple[int, ...] | None) -> int:
    if channels is None:
        return 0
    if any(not 0 <= channel < (node.channels or 0) for channel in channels):
        raise EngineError(
            f"Layer {node.id!r} has no such channel", f"Its channels go from 0 to {(node.channels or 1) - 1}"
        )
    if len(channels) != 1:
        raise EngineError(f"A page is about one channel, not {len(channels)}", "Name a single one: --channel 3")
    return channels[0]
