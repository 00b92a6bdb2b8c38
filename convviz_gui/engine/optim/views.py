"""How the network looks at a picture that is being made: moved, scaled and turned, or crop by crop, at random.

What is drawn depends on the seed and the step alone, so that it is the same for every picture, in any company.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

View = Callable[[Tensor], Tensor]
"""From pictures f32 [P, C, S, S] in 0…1 to what is shown of them, [P, C, h, w]; differentiable."""

GREY = 0.5
"""What is beyond a picture's edge."""

PAD, JITTER, LAST_JITTER = 12, 8, 4
SCALES = tuple(1 + (i - 5) / 50 for i in range(11))
ANGLES = (*range(-10, 11), *(0,) * 5)
"""Degrees; upright six times as likely as any other, as in Lucid."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The picture as it is. `fit` is the only size (h, w) that the network takes, or None."""

    fit: tuple[int, int] | None = None

    def views(self, _step: int) -> Sequence[View]:
        """One view."""
        return (lambda pictures: _fitted(pictures, self.fit),)


@dataclass(frozen=True, slots=True)
class Moved:
    """Lucid's transforms: pad by 12, shift by up to 8, scale by 0.9…1.1, turn by −10…10°, shift by up to 4.

    Shifts cut off, so what is shown of S×S pixels has from `sides`[0] to `sides`[1] pixels a side. With `fit`, the only
    size (h, w) that the network takes, it is scaled to that at last. Places beyond the edge are grey.
    Reference: Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017.
    """

    seed: int
    fit: tuple[int, int] | None = None

    @staticmethod
    def sides(size: int) -> tuple[int, int]:
        """The least and the largest side that is shown of pictures of `size` pixels a side."""
        inside = size + 2 * PAD - JITTER
        return round(inside * SCALES[0]) - LAST_JITTER, round(inside * SCALES[-1]) - LAST_JITTER

    def views(self, step: int) -> Sequence[View]:
        """One view."""
        rng = _rng(self.seed, step)
        y, x = rng.integers(0, JITTER + 1, 2).tolist()
        scale, angle = float(rng.choice(SCALES)), int(rng.choice(ANGLES))
        later = rng.integers(0, LAST_JITTER + 1, 2).tolist()

        def view(pictures: Tensor) -> Tensor:
            shown = F.pad(pictures, (PAD,) * 4, value=GREY)
            inside = shown.shape[2] - JITTER
            shown = shown[:, :, y : y + inside, x : x + inside]
            side = round(inside * scale)
            shown = F.interpolate(shown, (side, side), mode="bilinear", align_corners=False)
            shown = turned(shown, angle) if angle else shown
            side -= LAST_JITTER
            return _fitted(shown[:, :, later[0] : later[0] + side, later[1] : later[1] + side], self.fit)

        return (view,)


@dataclass(frozen=True, slots=True)
class Crops:
    """MACO's crops: `n` squares a step with centre N(0.5, 0.15), whose side goes from 0.5 to 0.05 of the picture's.

    Each is scaled to the network's input `size` (h, w), and noise N(0, 0.08) + U(±0.04) is added. Places beyond the
    edge are grey. Reference: Fel et al., NeurIPS 2023.

    Args:
        steps: how many steps the side takes to its end.
    """

    seed: int
    n: int
    size: tuple[int, int]
    steps: int
    side: tuple[float, float] = (0.5, 0.05)
    spread: float = 0.15
    noise: float = 0.08

    def views(self, step: int) -> Sequence[View]:
        """`n` views."""
        part = step / max(self.steps - 1, 1)
        side = self.side[0] + (self.side[1] - self.side[0]) * part
        centres = _rng(self.seed, step).normal(0.5, self.spread, (self.n, 2))
        return tuple(self._view(step, number, centre, side) for number, centre in enumerate(centres.tolist()))

    def _view(self, step: int, number: int, centre: list[float], side: float) -> View:
        def view(pictures: Tensor) -> Tensor:
            middle = [2 * place - 1 for place in centre]
            square = [[side, 0.0, middle[1]], [0.0, side, middle[0]]]
            shown = _sampled(pictures, square, self.size)
            if not self.noise:
                return shown
            rng = _rng(self.seed, step, number + 1)
            shape = tuple(shown.shape[1:])
            grain = self.noise * (rng.standard_normal(shape, np.float32) + rng.random(shape, np.float32) - 0.5)
            return shown + torch.from_numpy(grain).to(shown.device)

        return view


def turned(pictures: Tensor, degrees: float) -> Tensor:
    """Pictures f32 [P, C, S, S] turned around their middle, anticlockwise; same size, grey corners."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return _sampled(pictures, [[cos, -sin, 0.0], [sin, cos, 0.0]], (pictures.shape[2], pictures.shape[3]))


def _sampled(pictures: Tensor, where: list[list[float]], size: tuple[int, int]) -> Tensor:
    """Bilinear samples [P, C, h, w] at the places that `where` [2, 3] maps the square −1…1 to."""
    theta = torch.tensor([where], device=pictures.device)
    grid = F.affine_grid(theta, [1, 1, *size], align_corners=False).expand(len(pictures), -1, -1, -1)
    return F.grid_sample(pictures - GREY, grid, mode="bilinear", align_corners=False) + GREY


def _fitted(pictures: Tensor, fit: tuple[int, int] | None) -> Tensor:
    if fit is None or tuple(pictures.shape[2:]) == fit:
        return pictures
    return F.interpolate(pictures, fit, mode="bilinear", align_corners=False)


def _rng(*numbers: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([number % 2**64 for number in numbers]))
