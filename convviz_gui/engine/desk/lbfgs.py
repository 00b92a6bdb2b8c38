"""L-BFGS for smooth convex functions, one evaluation a step (Liu & Nocedal, 1989)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from convviz_gui.engine.method import Steps

MEMORY = 8
"""Steps whose slopes are remembered: it keeps 2 · 8 + 4 vectors like the one that is sought."""
_SHORTEST = 2.0**-20


def minimise(
    function: Callable[[Tensor], Steps[tuple[float, Tensor]]], start: Tensor, tolerance: float, most: int
) -> Steps[Tensor]:
    """Where `function` (value, gradient) is least, from `start` [n] on.

    Ends when the square of the gradient is at most `tolerance`, when rounding allows no further step, or after `most`
    evaluations. Yields what `function` yields. Deterministic.
    """
    x = start
    value, slope = yield from function(x)
    known: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=MEMORY)
    left = most - 1
    while left > 0 and float(slope @ slope) > tolerance:
        way = _direction(slope, known)
        rise = float(way @ slope)
        length = 1.0 if known else min(1.0, 1.0 / float(slope.norm()))
        while left > 0:
            there = x + length * way
            new_value, new_slope = yield from function(there)
            left -= 1
            if new_value <= value + 1e-4 * length * rise:
                break
            length /= 2
            if length < _SHORTEST:
                return x
        else:
            return x
        moved, turned = there - x, new_slope - slope
        if float(moved @ turned) > 1e-10 * float(turned @ turned):
            known.append((moved, turned, float(moved @ turned)))
        x, value, slope = there, new_value, new_slope
    return x


def _direction(slope: Tensor, known: deque[tuple[Tensor, Tensor, float]]) -> Tensor:
    way = -slope
    parts = []
    for moved, turned, product in reversed(known):
        part = float(moved @ way) / product
        way = way - part * turned
        parts.append(part)
    if known:
        _, turned, product = known[-1]
        way = way * (product / float(turned @ turned))
    for (moved, turned, product), part in zip(known, reversed(parts), strict=True):
        way = way + moved * (part - float(turned @ way) / product)
    return torch.as_tensor(way)
