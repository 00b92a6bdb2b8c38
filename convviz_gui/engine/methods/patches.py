"""Max-activating patches: what of a folder's pictures each channel of a layer answers to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from convviz_gui.engine.datasets import Listing, finding
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import FloatArray, IntArray, Patches, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import LayerNode, Run, Score
from convviz_gui.engine.units.gathering import gather, patch_side
from convviz_gui.engine.units.glimpses import Glimpses
from convviz_gui.engine.units.places import Frames, Sees, field_boxes
from convviz_gui.engine.units.scan import Accumulator, Batch, scan
from convviz_gui.engine.units.top_k import Ranking, TopK, Which

# Spans of the run's progress, roughly by the time that each stage takes.
_SCAN, _CUT = (0, 900), (900, TOTAL)

MOST_KEPT = 512 * 2**20
"""Bytes that the values of all pictures, which a median needs, may take."""


@dataclass(frozen=True)
class PatchesParams(Params):
    """Which pictures, and how many."""

    which: str = param(
        Which.TOP.value,
        "Pictures",
        "Each picture counts with its largest value of the channel. Top: the largest of these; lowest: the smallest, "
        "pictures that leave the channel cold; median: those in the middle, what the channel usually sees.",
        choices=tuple(which.value for which in Which),
    )
    top: int = param(9, "For each channel", "Pictures shown for each channel.", lo=1, hi=100)
    batch: int = batch_param()


@register
class PatchesMethod(Method[PatchesParams]):
    """The pieces of real pictures that each channel answers to most, as large as the channel sees."""

    name = "patches"
    title = "Max-activating patches"
    category = Category.UNITS
    needs = frozenset({Need.FOLDER, Need.LAYER, Need.CHANNELS})
    lower_precision = True
    params = PatchesParams
    payload = Patches
    when_to_use = (
        "Take it to see real pictures that a channel answers to, for every channel of a layer at once. What a channel "
        "would like best, whether or not it exists, its synthetic picture tells you."
    )
    how_to_read = (
        "Every picture of the folder goes through the network once. For each channel the pictures with the largest "
        "values are kept, each picture once, and of each the part that the position of the maximum can see at all: its "
        "receptive field. What the patches of a channel have in common is a guess at what it looks for. The number is "
        "the raw value. Compare with the median: only what sets the top apart from it tells."
    )
    how_it_misleads = (
        "A patch is all that the unit may see, not what it answers to: the middle counts most, the rim hardly. Only "
        "what the folder contains can turn up; a channel that looks for boats shows something else where there are "
        "none. Nine patches that look alike hide that the channel may answer to other things nearly as much. Deep "
        "layers see most of the picture, so their patches are nearly whole pictures."
    )
    reference = (
        "Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014; Zhou et al., Object "
        "Detectors Emerge in Deep Scene CNNs, ICLR 2015; Araujo, Norris & Sim, Computing Receptive Fields, Distill 2019"
    )

    def run(self, session: Session, request: Run, params: PatchesParams) -> Steps[Patches]:
        """One pass that ends at the layer, then each photo that is needed once more, to be cut from."""
        node = _node(session, request)
        if request.folder is None:
            raise EngineError("Patches need a folder of pictures", "Open one (command line: --folder DIR)")
        listing = yield from finding(request)
        channels = request.target.channels or tuple(range(node.channels or 0))
        side = patch_side(len(channels), params.top)
        which = Which(params.which)
        if which is Which.MEDIAN:
            _check_median(len(listing.paths), len(channels))
        yield Update(0, TOTAL, f"{len(listing.paths)} pictures")

        top = TopK(node.id, params.top, which, channels, session.info.precision)
        frames = _Frames(len(listing.paths))
        glimpses = Glimpses(top, node, session.info.preprocess)
        blank = Patches(
            layer=node.id,
            folder=request.folder,
            which=which.value,
            channels=frozen(np.array(channels, np.int64)),
            **_empty(),
            paths=listing.paths,
            labels=listing.labels,
            sees=Sees.of(node).value,
            field_size=node.receptive_field.size if node.receptive_field is not None else (0, 0),
            gated=node.receptive_field is not None and node.receptive_field.gated,
            skipped=listing.skipped,
            final=False,
        )

        def preview() -> Patches:
            ranking, images = glimpses.show()
            few = replace(blank, channels=blank.channels[: len(images)], images=frozen(images))
            return _ranked(few, ranking, _boxes(node, ranking, frames, session))

        accumulators = {node.id: [top, frames, glimpses]}
        passed = yield from stage(scan(session, listing, accumulators, params.batch, preview), _SCAN)
        ranking = top.ranking()
        boxes = _boxes(node, ranking, frames, session)
        cutting = gather(listing.paths, ranking.pictures, boxes, side)
        images, gone = yield from stage(cutting, _CUT, preview)
        found = replace(blank, images=frozen(images), skipped=(*passed.skipped, *gone), reduced_to=passed.reduced_to)
        return _only(replace(_ranked(found, ranking, boxes), final=True), listing, passed.kept)

    def scores(self, payload: Patches) -> tuple[Score, ...]:
        """How large the patches are, and of how many pictures they were chosen."""
        n, left_out = len(payload.paths), len(payload.skipped)
        scores = [_field_score(payload), Score("Pictures", n, str(n), "Pictures read, each counted once.")]
        if left_out:
            scores.append(Score("Left out", left_out, str(left_out), "Files that could not be read."))
        if payload.reduced_to:
            text = "Memory was too small for the batch asked for; the patches are the same."
            scores.append(Score("Batch", payload.reduced_to, f"reduced to {payload.reduced_to}", text))
        return tuple(scores)


def _node(session: Session, request: Run) -> LayerNode:
    layer = request.target.layer or session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    if node.channels is None:
        raise EngineError(
            f"Layer {node.id!r} gives neither maps nor a vector", "Choose a convolution, a pooling or a linear layer"
        )
    return node


def _check_median(pictures: int, channels: int) -> None:
    size = 8 * pictures * channels
    if size > MOST_KEPT:
        raise EngineError(
            f"The median of {channels} channels over {pictures} pictures needs {size // 2**20} MB of values",
            f"Choose up to {MOST_KEPT // (8 * pictures)} channels (--channels), or top or lowest instead",
        )


class _Frames(Accumulator):
    """Where each picture's crop lies in it."""

    def __init__(self, total: int) -> None:
        self.boxes = np.zeros((total, 4), np.float32)
        self.sizes = np.zeros((total, 2), np.float32)

    def reduce(self, maps: Tensor) -> None:
        """Nothing of the layer."""

    def add(self, batch: Batch, reduced: Any) -> None:
        for picture in batch.pictures:
            self.boxes[picture.index] = picture.box
            self.sizes[picture.index] = picture.size


def _boxes(node: LayerNode, ranking: Ranking, frames: _Frames, session: Session) -> FloatArray:
    """f32 [C, k, 4]; 0 where there is no picture."""
    pictures = ranking.pictures.reshape(-1)
    chosen = Frames(frames.boxes[pictures], frames.sizes[pictures])
    boxes = field_boxes(node, ranking.positions.reshape(-1, 2), chosen, session.info.preprocess.size)
    boxes[pictures < 0] = 0
    return boxes.reshape(*ranking.pictures.shape, 4)


def _empty() -> dict[str, Any]:
    whole, floats = frozen(np.zeros((0, 0), np.int64)), frozen(np.zeros((0, 0), np.float32))
    return {
        "images": frozen(np.zeros((0, 0, 1, 1, 3), np.uint8)),
        "values": floats,
        "positions": whole,
        "pictures": whole,
        "boxes": floats,
    }


def _ranked(patches: Patches, ranking: Ranking, boxes: FloatArray) -> Patches:
    return replace(
        patches,
        values=frozen(ranking.values),
        positions=frozen(ranking.positions),
        pictures=frozen(ranking.pictures),
        boxes=frozen(boxes),
    )


def _only(patches: Patches, listing: Listing, kept: tuple[int, ...]) -> Patches:
    """The same without pictures that could not be read."""
    row: IntArray = np.full(len(listing.paths) + 1, -1, np.int64)
    row[list(kept)] = np.arange(len(kept))
    return replace(
        patches,
        pictures=frozen(row[patches.pictures]),
        paths=tuple(listing.paths[index] for index in kept),
        labels=tuple(listing.labels[index] for index in kept),
    )


def _field_score(patches: Patches) -> Score:
    rows, columns = patches.field_size
    if patches.sees == Sees.WHOLE.value:
        help_text = "Every position of this layer sees the whole crop, so that is what is shown."
        return Score("Sees", float(rows), "the whole picture", help_text)
    if patches.sees == Sees.UNKNOWN.value:
        help_text = "It cannot be told what a position of this layer sees, so the whole crop is shown."
        return Score("Sees", float("nan"), "unknown: the crop is shown", help_text)
    help_text = "The receptive field: outside of these pixels of the input nothing changes the value"
    gated = ", but for factors that the whole picture gives to whole channels" if patches.gated else ""
    return Score("Sees", float(rows), f"{rows}×{columns} pixels", f"{help_text}{gated}.")
