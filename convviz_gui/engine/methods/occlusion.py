"""Occlusion: how far a class's score falls when a patch of the photo is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.attribution.score import ClassScore, score_for
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.occluding.bench import FOLLOWED_AT_ONCE, MODES, Bench, bench_for, default_batch
from convviz_gui.engine.occluding.fills import FILLS, filling
from convviz_gui.engine.occluding.windows import Window, Windows, windows_for
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import FloatArray, frozen
from convviz_gui.engine.payloads import Occlusion as OcclusionMap
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import Run, Score


@dataclass(frozen=True)
class OcclusionParams(Params):
    """The window, what it shows, and how the scores behind it are computed."""

    patch: int = param(
        0,
        "Patch",
        "Side of the window that covers the photo: 0 takes a seventh of the input's shorter side, at most 32. A small "
        "one shows detail but may hide too little of a large thing; a large one blurs the map.",
        lo=0,
        hi=4096,
        unit="px",
    )
    stride: int = param(
        0,
        "Stride",
        "How far the window moves: 0 takes half a patch, which covers every pixel four times. Half the stride takes "
        "four times as long.",
        lo=0,
        hi=4096,
        unit="px",
    )
    fill: str = param(
        "mean",
        "Fill",
        "What the window shows. Mean is the average colour that the network was prepared with; grey and black are "
        "plain; blur keeps the colours and makes no new edges.",
        choices=FILLS,
    )
    mode: str = param(
        "auto",
        "Way",
        "Reach recomputes only what the patch can reach of each layer, with the same numbers; whole takes the network "
        "through once for each window. Auto takes reach where the network allows it and it spares something.",
        choices=MODES,
        advanced=True,
    )
    batch: int = param(
        0,
        "Batch",
        "Windows that are computed at once: 0 takes up to 8 on a processor and 64 on a graphics card, fewer of large "
        "inputs, and four times as many where only what they reach is recomputed. Where memory is too small, fewer are "
        "taken.",
        lo=0,
        hi=1024,
        advanced=True,
    )


@register
class Occlusion(Method[OcclusionParams]):
    """Where the score falls when a patch of the photo is covered."""

    name = "occlusion"
    title = "Occlusion"
    category = Category.PIXEL_MAPS
    needs = frozenset({Need.IMAGE, Need.CLASS, Need.AGAINST})
    params = OcclusionParams
    payload = OcclusionMap
    when_to_use = (
        "Take it to measure instead of deriving: it needs no gradients, so it works on every network and cannot be "
        "fooled by how gradients are made. It takes hundreds of passes; for a first look, or a layer's own view, "
        "class maps are quicker."
    )
    how_to_read = (
        "A window slides over the photo and the class is scored anew behind each place. Red: covering it lowers the "
        "score, so what is there speaks for the class. Blue: covering it raises the score. Each cell of the grid is "
        "one window; on the photo every pixel has the mean of the windows that cover it. No gradient is used: these "
        "are the network's own answers."
    )
    how_it_misleads = (
        "The patch itself is something to see: its edges and its colour can speak for a class, so try another fill. "
        "What is shown twice, two eyes or two dogs, can look unimportant, since one is left when the other is covered. "
        "The map is as fine as the patch: a thing smaller than it, or larger, is smeared or missed; try other sizes. "
        "Covered photos are not what the network was trained on."
    )
    reference = (
        "Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014; computed as in Nakandala, "
        "Kumar & Papakonstantinou, Incremental and Approximate Inference for Faster Occlusion-based Deep CNN "
        "Explanations, SIGMOD 2019 (the exact part)"
    )
    check_stages = 3

    def run(self, session: Session, request: Run, params: OcclusionParams) -> Steps[OcclusionMap]:
        """Score the photo behind every window, a batch at a time; stopping keeps what is there."""
        if request.image is None:
            raise EngineError("Occlusion needs a picture", "Open one (command line: --image FILE)")
        x, box = session.input(request.image)
        windows = windows_for((x.shape[2], x.shape[3]), params.patch, params.stride)
        gh, gw = windows.grid
        yield Update(0, gh * gw, "forward pass")
        with torch.no_grad():
            logits = logits_of(forward(session.model, x))
        score = score_for(logits, request.target)
        work = _Work(windows, params, score, float(_finite(score.of(logits))[0]), logits, box)
        size = params.batch or default_batch(session.device, windows.size)
        while work.left:
            try:
                yield from _through(session, request, params, work, size)
            except Exception as error:
                fault = fault_of(error)
                if fault is None or fault.kind is not FaultKind.MEMORY or size == 1:
                    raise
                forget(error)
            else:
                continue
            size = work.reduced_to = max(1, size // 2)
            session.free_memory()
            yield Update(work.n_done, gh * gw, f"too little memory: {size} windows at once from here", work.payload)
        return work.payload()

    def scores(self, payload: OcclusionMap) -> tuple[Score, ...]:
        """The score itself, how far it falls, and how it was computed."""
        fall, rise = float(payload.drop.max(initial=0.0)), float(payload.drop.min(initial=0.0))
        n_done, n = int(payload.done.sum()), payload.done.size
        scores = [
            Score("Score", payload.score, f"{payload.score:.3g}", "Of the photo uncovered, before softmax"),
            Score("Largest drop", fall, f"{fall:.3g}", "How far the score falls behind the window that matters most"),
            Score("Largest rise", -rise, f"{-rise:.3g}", "How far the score rises behind the window that helps most"),
            Score("Windows", n_done, f"{n_done} of {n}", f"Computed how: {payload.how}" if payload.how else ""),
        ]
        if payload.reduced_to:
            text = "Memory was too small for more at once; the map is the same but for rounding"
            scores.append(Score("Batch", payload.reduced_to, f"reduced to {payload.reduced_to}", text))
        return tuple(scores)


def _finite(scores: Tensor) -> Tensor:
    if not bool(torch.isfinite(scores).all()):
        raise EngineError(
            "The class's score is not a finite number for this photo", "Check the network's weights and preprocessing"
        )
    return scores


def _through(session: Session, request: Run, params: OcclusionParams, work: _Work, size: int) -> Steps[None]:
    """All windows that are left, or those until the network moves to another device."""
    assert request.image is not None
    device, total = session.device, work.drop.size
    x, _ = session.input(request.image)
    fill = filling(params.fill, x, session.info.preprocess)
    # What the user chose, or memory dictates, is not to be exceeded.
    followed = size if params.batch or work.reduced_to else FOLLOWED_AT_ONCE * size
    preparing = bench_for(session.model, x, fill, work.windows, params.mode, size, followed)
    bench = yield from _counted(preparing, work)
    work.how = bench.how
    for number, some in bench.batches(work.left):
        work.note(some, work.score.of(bench.logits_behind(number, some)))
        yield Update(work.n_done, total, f"windows: {work.n_done} of {total}", work.payload)
        if session.device != device:
            return


def _counted(steps: Steps[Bench], work: _Work) -> Steps[Bench]:
    """The same steps, as progress of the windows."""
    try:
        while True:
            note = next(steps).note
            yield Update(work.n_done, work.drop.size, note, work.payload if work.n_done else None)
    except StopIteration as stop:
        bench: Bench = stop.value
        return bench
    finally:
        steps.close()


class _Work:
    """The map as it grows."""

    def __init__(
        self,
        windows: Windows,
        params: OcclusionParams,
        score: ClassScore,
        unoccluded: float,
        logits: Tensor,
        box: FloatArray,
    ) -> None:
        self.windows, self.score = windows, score
        self.how, self.reduced_to = "", 0
        self.drop: FloatArray = np.zeros(windows.grid, np.float32)
        self._done = np.zeros(windows.grid, np.bool_)
        self._params, self._unoccluded, self._box = params, unoccluded, box
        self._logits = read_only(logits[0])

    @property
    def left(self) -> set[Window]:
        """Windows still to do."""
        return {(int(row), int(col)) for row, col in zip(*np.nonzero(~self._done), strict=True)}

    @property
    def n_done(self) -> int:
        """Number of windows done."""
        return int(self._done.sum())

    def note(self, some: Sequence[Window], scores: Tensor) -> None:
        """Note the scores [n] behind some windows."""
        # Subtracted in double precision: the drop may be small beside the score.
        values = self._unoccluded - _finite(scores).double().cpu().numpy()
        for (row, col), value in zip(some, values, strict=True):
            self.drop[row, col], self._done[row, col] = value, True

    def payload(self) -> OcclusionMap:
        """A frozen copy of what is there."""
        return OcclusionMap(
            drop=frozen(self.drop.copy()),
            heat=frozen(self.windows.heat(self.drop, self._done)),
            done=frozen(self._done.copy()),
            box=self._box,
            logits=self._logits,
            score=self._unoccluded,
            class_index=self.score.index,
            patch=self._params.patch,
            stride=self._params.stride,
            fill=self._params.fill,
            how=self.how,
            against=self.score.against,
            reduced_to=self.reduced_to,
        )
