"""A weighted sum of gradients at many inputs, such as noisy copies of a photo: in batches, shown as it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from convviz_gui.engine.attribution.input_gradient import check_depends, check_finite
from convviz_gui.engine.attribution.score import ClassScore
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.hooks import gradient_of, logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session

_PIXELS = {"cpu": 2 * 224 * 224}
_PIXELS_ELSEWHERE = 32 * 224 * 224
"""Pixels that are taken at a time. On a CPU two usual pictures are as fast per picture as more, and steps stay short;
a GPU wants to be filled."""
_MOST = {"cpu": 16}
_MOST_ELSEWHERE = 64
_SAME = 1e-3
"""How far, as a part of the largest score, a score in a batch may be off the one alone: far more than rounding."""

Make = Callable[[int], Tensor]
"""From an input's number to the input f32 [1, C, H, W] on the host."""


def default_batch(device: torch.device, size: tuple[int, int]) -> int:
    """How many inputs of H×W pixels are taken at a time."""
    pixels, most = _PIXELS.get(device.type, _PIXELS_ELSEWHERE), _MOST.get(device.type, _MOST_ELSEWHERE)
    return min(max(1, pixels // (size[0] * size[1])), most)


def summed_gradients(
    session: Session,
    score: ClassScore,
    make: Make,
    weights: Sequence[float],
    order: Sequence[int],
    picture: Callable[[Tensor, float], PixelMap],
    batch: int = 0,
) -> Steps[Tensor]:
    """Σ weight · gradient over all inputs, f64 [1, C, H, W] on the host, taken in `order`.

    Yields after each batch of `batch` inputs, 0 for as many as suit device and size, with the picture so far: `picture`
    of the sum and of the sum of the weights until then. Where memory is too small, or where the network's answers
    depend on what else is in a batch, smaller batches go on; the result is the same but for rounding.

    Raises `EngineError` if the score does not depend differentiably on the input, or has no finite gradient.
    """
    first = make(order[0])
    size = min(batch or default_batch(session.device, (first.shape[2], first.shape[3])), len(order))
    if size > 1 and not takes_batches(session, first, make(order[-1])):
        size = 1
    yield Update(0, len(order), "first gradients")
    total, weight, done = torch.zeros(first.shape, dtype=torch.float64), 0.0, 0
    while done < len(order):
        now = order[done : done + size]
        part = _attempt(session, score, [make(i) for i in now], [weights[i] for i in now])
        if part is None:
            size = max(1, len(now) // 2)
            session.free_memory()
            yield Update(done, len(order), f"too little memory for {len(now)} inputs at once: {size} from here")
            continue
        total, weight, done = total + part, weight + sum(weights[i] for i in now), done + len(now)
        yield Update(done, len(order), f"{done} of {len(order)} gradients", _preview(picture, total, weight))
    return total


def _preview(picture: Callable[[Tensor, float], PixelMap], total: Tensor, weight: float) -> Callable[[], PixelMap]:
    return lambda: picture(total, weight)


def takes_batches(session: Session, first: Tensor, other: Tensor) -> bool:
    """Whether the network gives two inputs in a batch the scores that it gives them alone."""

    def scores(x: Tensor) -> Tensor:
        return logits_of(forward(session.model, session.to_device(x))).float()

    with torch.no_grad():
        alone = torch.cat([scores(first), scores(other)])
        try:
            together = scores(torch.cat([first, other]))
        except Exception as error:  # such as a reshape to a batch of one, or too little memory for two
            fault = fault_of(error)
            if fault is not None and fault.kind is not FaultKind.MEMORY:
                raise
            forget(error)
            return False
    if together.shape != alone.shape:
        return False
    # NaN is judged by the gradients.
    return not bool(((together - alone).abs() > _SAME * alone.abs().max()).any())


def _attempt(session: Session, score: ClassScore, inputs: list[Tensor], weights: list[float]) -> Tensor | None:
    """The weighted sum for some inputs, or None if memory is too small for more than one."""
    try:
        return _summed(session, score, inputs, weights)
    except Exception as error:
        fault = fault_of(error)
        if len(inputs) == 1 or fault is None or fault.kind is not FaultKind.MEMORY:
            raise
        forget(error)
    return None


def _summed(session: Session, score: ClassScore, inputs: list[Tensor], weights: list[float]) -> Tensor:
    leaf = session.to_device(torch.cat(inputs)).requires_grad_(True)
    with torch.enable_grad():
        value = score.of(logits_of(forward(session.model, leaf.clone()))).sum()
        check_depends(value, leaf)
        gradient = gradient_of(value, leaf)
    check_finite(gradient)
    # MPS has no float64; the host's is where sums are kept anyway.
    return torch.einsum("n,nchw->chw", torch.tensor(weights, dtype=torch.float64), gradient.cpu().double()).unsqueeze(0)
