"""Ablation: a folder's predictions without one channel after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine import preprocess
from convviz_gui.engine.ablations import Tally
from convviz_gui.engine.datasets import finding
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.labels import classes_of
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.classes import check_scores
from convviz_gui.engine.network.intervening import caveats, channel_axis, logits_with
from convviz_gui.engine.network.variants import Variants
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Ablation as AblationPayload
from convviz_gui.engine.payloads import ByteArray, Skipped
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode, Run, Score

DEFAULT_CHANNELS = 64


@dataclass(frozen=True)
class AblationParams(Params):
    """What is done to a channel, and how many pictures are looked at."""

    factor: float = param(0.0, "Factor", "What the channel is multiplied by: 0 switches it off", lo=-2.0, hi=4.0)
    pictures: int = param(
        0,
        "Pictures",
        "How many pictures of the folder are looked at, evenly spread over it; 0 takes all of them",
        lo=0,
    )
    batch: int = param(
        0,
        "Batch",
        "Channels that are switched off in one pass: 0 takes 8 to 64 on a processor, the more the less of the network "
        "follows the layer, and eight times as many on a graphics card. Where memory is too small, fewer are taken",
        lo=0,
        hi=1024,
        advanced=True,
    )


@register
class Ablation(Method[AblationParams]):
    """How much the network's answers to a folder of pictures need each channel of a layer."""

    name = "ablation"
    title = "Ablation table"
    category = Category.SWITCH_OFF
    needs = frozenset({Need.FOLDER, Need.LAYER, Need.CHANNELS, Need.CLASS})
    lower_precision = True
    params = AblationParams
    payload = AblationPayload
    when_to_use = (
        "Take it with a folder that is like what the network is used for, to find the channels that a class hangs on, "
        "and those that could go. Its time grows with the pictures times the channels: begin with few of both."
    )
    how_to_read = (
        "Each row is the network without one channel. Accuracy is over the pictures whose sub-folder is named like a "
        "class, or by its number; where there is none, it is how often the top class stays. The changes are means over "
        "the pictures, of each picture's own top class or of the class that was chosen. Hurt most is the class whose "
        "pictures lose most of its probability: often what the channel is for."
    )
    how_it_misleads = (
        "Channels are switched off one at a time: where two do the same work, neither seems to be needed. 0 is no "
        "neutral value where a normalisation follows. A small folder makes small differences chance: one flip in 60 "
        "pictures is 1.7 %. And a class that the folder lacks cannot be hurt."
    )
    reference = (
        "Morcos, Barrett, Rabinowitz & Botvinick, On the Importance of Single Directions for Generalization, "
        "ICLR 2018; Zhou, Bau, Sun & Torralba, arXiv:1806.02891, 2018"
    )

    def run(self, session: Session, request: Run, params: AblationParams) -> Steps[AblationPayload]:
        """Picture by picture: one plain pass, then the channels in batches; stopping keeps the pictures seen so far."""
        node = _layer(session, request.target.layer)
        channels = _channels(node, request.target.channels)
        assert request.folder is not None
        listing = yield from finding(request)
        rows = _spread(len(listing.paths), params.pictures)
        truth = classes_of([listing.labels[row] for row in rows], session.info)
        tally = Tally(
            AblationPayload(
                layer=node.id,
                folder=request.folder,
                factor=params.factor,
                channels=np.array(channels, np.int64),
                **Tally.empty(len(channels)),
                total=len(rows),
                class_index=request.target.class_index,
                notes=caveats(session.info, node),
                skipped=listing.skipped,
            )
        )
        work = _Work(session, Variants(node, params.factor), channels, params.batch)
        yield Update(0, len(rows) * len(channels), f"{len(rows)} pictures")
        for number, row in enumerate(rows):
            path, done = listing.paths[row], number * len(channels)
            try:
                crop = preprocess.prepare_picture(open_rgb(path)[0], session.info.preprocess)[0]
            except EngineError as error:
                tally.skip(Skipped(path, error.title))
                continue
            before = work.plain(crop)
            check_scores(before, request.target.class_index, f"for {Path(path).name}")
            for at, note in work.changed(crop):
                said = note or f"picture {number + 1} of {len(rows)}"
                yield Update(done + at, len(rows) * len(channels), said, tally.payload)
            check_scores(work.logits, None, f"for {Path(path).name} once a channel is changed")
            tally.add(before, work.logits, int(truth[number]), work.variants.how)
        if not tally.seen:
            what = f"None of the {len(rows)} pictures could be read"
            raise EngineError(what, "Choose a folder with JPEG or PNG pictures")
        return replace(tally.payload(), reduced_to=work.reduced_to)

    def scores(self, payload: AblationPayload) -> tuple[Score, ...]:
        """The accuracy before, and how the figures came about."""
        seen = Score("Pictures", payload.pictures, str(payload.pictures), f"Computed by {payload.how}.")
        if payload.labelled:
            text = f"{payload.accuracy_before:.1%}".replace("%", " %")
            named = f"Of the {payload.labelled} pictures whose sub-folder names a class"
            return seen, Score("Accuracy before", payload.accuracy_before, text, named)
        return (seen,)


def _layer(session: Session, layer: str | None) -> LayerNode:
    layer = layer if layer is not None else session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    channel_axis(node)
    return node


def _channels(node: LayerNode, asked: tuple[int, ...] | None) -> list[int]:
    if asked is None:
        return list(range(min(node.channels or 0, DEFAULT_CHANNELS)))
    if not asked:
        raise EngineError("No channel is chosen", f"Choose some of the {node.channels} channels of layer {node.id!r}")
    return list(asked)


def _spread(n: int, wanted: int) -> list[int]:
    """`wanted` places of n, evenly spread; all of them for 0."""
    if not wanted or wanted >= n:
        return list(range(n))
    return [i * n // wanted for i in range(wanted)]


class _Work:
    """The passes for one picture after another.

    Attributes:
        logits: of the last picture, [n, K] on the host, a row for each channel.
        reduced_to: how many channels at once memory allows for, or 0 where it has been enough.
    """

    def __init__(self, session: Session, variants: Variants, channels: list[int], batch: int) -> None:
        self._session = session
        self.variants = variants
        self._channels = channels
        self._size = batch
        self.logits = torch.zeros(0)
        self.reduced_to = 0

    def plain(self, crop: ByteArray) -> Tensor:
        """Logits [1, K] of the unchanged network for a crop u8 [H, W, C]. Raises `EngineError` if they are NaN."""
        x = self._input(crop)
        with self._session.computing():
            logits = logits_with(self._session.model, x, {}).float().cpu()
            check_scores(logits)
            self.variants.try_sharing(self._session.model, x)
        self._size = self._size or self.variants.suiting(self._session.info, self._session.device)
        return logits

    def changed(self, crop: ByteArray) -> Iterator[tuple[int, str]]:
        """Compute `logits`; after each pass gives how many channels are done, and a note if memory was too small."""
        found: list[Tensor] = []
        done = 0
        while done < len(self._channels):
            now = self._channels[done : done + self._size]
            logits = self._attempt(crop, now, last=len(now) == 1)
            if logits is None:
                self._size = self.reduced_to = max(1, len(now) // 2)
                self._session.free_memory()
                yield done, f"too little memory for {len(now)} channels at once: {self._size} from here"
                continue
            found.append(logits)
            done += len(now)
            yield done, ""
        self.logits = torch.cat(found)

    def _attempt(self, crop: ByteArray, channels: list[int], *, last: bool) -> Tensor | None:
        try:
            with self._session.computing():
                return self.variants.logits(self._session.model, self._input(crop), channels).float().cpu()
        except Exception as error:
            fault = fault_of(error)
            if last or fault is None or fault.kind is not FaultKind.MEMORY:
                raise
            forget(error)
        return None

    def _input(self, crop: ByteArray) -> Tensor:
        x = torch.from_numpy(preprocess.normalise(crop[None], self._session.info.preprocess))
        return self._session.to_device(x)
