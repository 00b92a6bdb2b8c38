"""Deletion and insertion (Petsiuk et al., RISE, 2018): what the network says while places go away or come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.attribution import baselines
from convviz_gui.engine.attribution.many_gradients import takes_batches
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.trust.explained import Explained

STEPS = 12
"""Each step takes as many pixels; all of a curve but its ends is a forward pass."""

BLUR = 0.05
"""σ of the Gaussian blur that insertion begins with, as a part of the picture's shorter side."""

_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64


def fractions(n_pixels: int) -> FloatArray:
    """The part of the pixels that is gone after each step, f32 [STEPS + 1], 0 and 1 included: whole pixels."""
    return (counts(n_pixels) / n_pixels).astype(np.float32)


def counts(n_pixels: int) -> IntArray:
    """How many pixels are gone after each step, i64 [STEPS + 1]; fewer steps for pictures of fewer pixels."""
    return np.unique(np.round(np.linspace(0, n_pixels, STEPS + 1)).astype(np.int64))


def area(values: FloatArray, at: FloatArray) -> FloatArray:
    """Area under curves f32 [..., S] over the fractions `at` [S], by trapezoids; f32 [...]."""
    widths = np.diff(at.astype(np.float64))
    heights = (values[..., 1:].astype(np.float64) + values[..., :-1]) / 2
    return np.asarray(heights @ widths, np.float32)


def blurred(x: Tensor) -> Tensor:
    """The picture [1, C, H, W] out of focus: a Gaussian with σ `BLUR` of the shorter side, edges repeated."""
    return baselines.blurred(x, BLUR * min(x.shape[2], x.shape[3]))


def curves(
    session: Session, explained: Explained, x: Tensor, orders: Sequence[IntArray], done: int, total: int
) -> Steps[tuple[FloatArray, FloatArray]]:
    """Deletion and insertion f32 [N, S] of the picture `x` [1, C, H, W] for N orders i64 [H, W] of its pixels.

    Deletion sets pixels to 0, the mean after normalising; insertion puts them into the blurred picture. `done` and
    `total` are where this stands in something longer; each forward pass counts for one.
    """
    gone = counts(x.shape[2] * x.shape[3])
    ranks = torch.from_numpy(np.stack(orders))
    # What none and what all of the pixels give is the same for every order.
    jobs = [(insertion, order, step) for insertion in (False, True) for order in range(len(orders))
            for step in range(1, len(gone) - 1)]  # fmt: skip
    ends = [(False, 0, 0), (False, 0, len(gone) - 1), (True, 0, 0)]
    queue = ends + jobs
    values = np.full((2, len(orders), len(gone)), np.nan, np.float32)
    size = _BATCH.get(session.device.type, _BATCH_ELSEWHERE)
    yield Update(done, total, "deletion and insertion")
    # A reshape to a batch of one gives one answer for eight pictures, and a branch may be taken by all of them or none.
    if not takes_batches(session, x, torch.zeros_like(x)):
        size = 1
    at = 0
    while at < len(queue):
        yield Update(done + at, total, "deletion and insertion")
        now = queue[at : at + size]
        try:
            got = read_only(explained.of(session.model, _pictures(session, x, ranks, gone, now)))
        except Exception as error:
            fault = fault_of(error)
            if len(now) == 1 or (fault is not None and fault.kind is not FaultKind.MEMORY):
                raise
            # Without a fault of the machine's, the network may take one picture at a time only.
            size = 1 if fault is None else len(now) // 2
            forget(error)
            continue
        for (insertion, order, step), value in zip(now, got.tolist(), strict=True):
            values[int(insertion), order, step] = value
        at += len(now)
    values[0, :, 0], values[0, :, -1], values[1, :, 0] = values[0, 0, 0], values[0, 0, -1], values[1, 0, 0]
    values[1, :, -1] = values[0, 0, 0]
    return values[0], values[1]


def n_passes(n_orders: int, n_pixels: int) -> int:
    """How many forward passes `curves` takes."""
    return 3 + 2 * n_orders * (len(counts(n_pixels)) - 2)


def _pictures(
    session: Session, x: Tensor, ranks: Tensor, gone: IntArray, wanted: Sequence[tuple[bool, int, int]]
) -> Tensor:
    x = x.to(session.device)
    soft = blurred(x) if any(insertion for insertion, _, _ in wanted) else x
    nothing = torch.zeros_like(x)
    made = []
    for insertion, order, step in wanted:
        taken = (ranks[order] < int(gone[step])).to(x.device)
        made.append(torch.where(taken, x, soft) if insertion else torch.where(taken, nothing, x))
    return session.to_device(torch.cat(made))
