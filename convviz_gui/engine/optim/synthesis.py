"""Pictures improved together on a canvas, as the network sees them in random views."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.network import hooks
from convviz_gui.engine.optim.adam import Optimiser
from convviz_gui.engine.optim.ascent import UNBLOCKED_STEPS, flat, not_finite, silent
from convviz_gui.engine.optim.objectives import Objective, likeness
from convviz_gui.engine.optim.probe import Probe
from convviz_gui.engine.optim.unblocking import Unblocked
from convviz_gui.engine.optim.views import View
from convviz_gui.engine.payloads import ByteArray, FloatArray

_NUDGE = 0.05
_SMALL = 1e-3
PATIENCE = 2 * UNBLOCKED_STEPS
"""Steps after which pictures that have brought about nothing so far are given up."""


class Canvas(Protocol):
    """What is varied, `leaf` [P, ...], and the pictures f32 [P, C, S, S] in 0…1 that it stands for."""

    leaf: Tensor

    def pixels(self, leaf: Tensor) -> Tensor:
        """Pictures for a leaf; differentiable."""


class Looking(Protocol):
    """How the network looks at pictures."""

    def views(self, step: int) -> Sequence[View]:
        """The views of a step, all of one size."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What pictures are to bring about.

    Args:
        objective: for P pictures; the same for every view of them.
        sign: −1 to lower it.
        group: how many pictures in a row share a target and are to differ, by `weight`: being all alike costs so many
            times the size of the loss.
    """

    objective: Objective
    sign: float = 1.0
    group: int = 1
    weight: float = 0.0


class Synthesis:
    """P pictures, improved step by step; each depends on its own start, its group and the views alone.

    Args:
        shown: pictures in one pass of the network. Fewer are filled up, so that a picture's rounding, which an ascent
            amplifies, does not depend on how many others there are.
        together: views of each in one pass.

    Attributes:
        canvas: the pictures.
        answered: bool [P], whether a picture's loss has depended on it at any step.
        transparency: f32 [P, S, S], Σ over steps and colours of |∂loss/∂pixel|.
    """

    def __init__(
        self,
        canvas: Canvas,
        looking: Looking,
        probe: Probe,
        aim: Aim,
        optimiser: Optimiser,
        shown: int,
        together: int = 1,
    ) -> None:
        self.canvas = canvas
        self._looking = looking
        self._probe = probe
        self._aim = aim
        self._optimiser = optimiser
        self._n = n = len(canvas.leaf)
        self._shown = shown
        self._together = together
        self.answered = torch.zeros(n, dtype=torch.bool, device=canvas.leaf.device)
        self.transparency = torch.zeros(())
        self._size = torch.zeros((), device=canvas.leaf.device)

    def pictures(self) -> ByteArray:
        """The pictures u8 [P, S, S, 3]; grey as grey, a third colour that the network does not take as 0."""
        with torch.no_grad():
            pixels = self.canvas.pixels(self.canvas.leaf)
        colours = (pixels * 255).round_().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        if colours.shape[3] == 2:
            return np.concatenate([colours, np.zeros_like(colours[..., :1])], axis=3)
        return np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:3], 3)))

    def opacities(self) -> FloatArray:
        """`transparency` on the host."""
        return self.transparency.cpu().numpy()

    def wake(self, starts: Sequence[Callable[[], Canvas]]) -> Iterator[None]:
        """Look for a start that each picture's target answers to.

        One after the other; then, from the last one, by `UNBLOCKED_STEPS` steps on which shut ReLUs let the gradient
        through and that change a pixel by `_NUDGE` on average.
        """
        for start in (*starts, None):
            _, gradient = yield from self._slope(0)
            asleep = silent(gradient)
            if not asleep.any():
                return
            yield None
            if start is not None:
                self.canvas.leaf[asleep] = start().leaf[asleep]
        for _ in range(UNBLOCKED_STEPS):
            _, opened = yield from self._slope(0, unblocked=True)
            yield None
            self.canvas.leaf[asleep] = self._nudged(opened)[asleep]
            _, gradient = yield from self._slope(0)
            asleep &= silent(gradient)
            if not asleep.any():
                return
            yield None

    def _nudged(self, gradient: Tensor) -> Tensor:
        """The leaf, moved along a gradient with respect to the pixels by a length that changes these by `_NUDGE`."""
        leaf, along = self.canvas.leaf, self._along(gradient)
        largest = along.flatten(1).abs().amax(1).view(-1, *(1,) * (along.ndim - 1))
        small = _SMALL * along / torch.where(largest > 0, largest, 1.0)
        with torch.no_grad():
            moved = (self.canvas.pixels(leaf + small) - self.canvas.pixels(leaf)).square().mean((1, 2, 3)).sqrt()
        times = torch.where(moved > 0, _NUDGE / torch.where(moved > 0, moved, 1.0), 0.0)
        return leaf + small * times.view_as(largest)

    def climb(self, steps: int) -> Iterator[Tensor | None]:
        """Take steps. Gives None in between the passes of a step, and after each step its losses f32 [P].

        The losses are the objective's, averaged over the views, whatever its sign and without what likeness costs.
        Where a target does not depend on its picture at all, ReLUs that are shut let the gradient through in the
        first `UNBLOCKED_STEPS` steps. It ends early if nothing has depended on any picture for `PATIENCE` steps.

        Raises `EngineError` if the objective cannot be differentiated, or is not a number.
        """
        for step in range(steps):
            losses, gradient = yield from self._slope(step)
            asleep = silent(gradient)
            self.answered |= ~asleep
            self.transparency = self.transparency.to(gradient) + gradient.abs().sum(1)
            if step < UNBLOCKED_STEPS and self._aim.sign > 0 and bool(asleep.any()):
                yield None
                _, opened = yield from self._slope(step, unblocked=True)
                gradient[asleep] = opened[asleep]
            self._improve(gradient)
            yield losses
            if step + 1 == PATIENCE and not self.answered.any():
                return

    def _slope(self, step: int, *, unblocked: bool = False) -> Generator[None, None, tuple[Tensor, Tensor]]:
        """Losses f32 [P] and the gradient of what is climbed with respect to the pixels [P, C, S, S]."""
        views = self._looking.views(step)
        with torch.no_grad():
            pixels = self.canvas.pixels(self._filled(self.canvas.leaf))
        total, losses = torch.zeros_like(pixels), pixels.new_zeros(self._n)
        for first in range(0, len(views), self._together):
            if first:
                yield None
            found, gradient = self._pass(pixels, views[first : first + self._together], unblocked=unblocked)
            losses += found.sum(0) / len(views)
            total += gradient / len(views)
        return losses, total[: self._n]

    def _pass(self, pixels: Tensor, views: Sequence[View], *, unblocked: bool) -> tuple[Tensor, Tensor]:
        """Losses f32 [views, P], and the gradient of their sum with respect to the pixels."""
        leaf = pixels.detach().requires_grad_(True)
        with torch.enable_grad(), Unblocked() if unblocked else nullcontext():
            output, features = self._probe(torch.cat([view(leaf) for view in views]))
            rows = output.reshape(len(views), -1, *output.shape[1:])[:, : self._n]
            losses = torch.stack([self._aim.objective(row) for row in rows])
            if losses.grad_fn is None:
                raise flat(self._probe.name)
            climbed = self._aim.sign * losses
            if self._aim.group > 1:
                kept = features.reshape(len(views), -1, *features.shape[1:])[:, : self._n]
                alike = torch.stack([likeness(row, self._aim.group) for row in kept])
                climbed = climbed - self._aim.weight * losses.detach().abs() * alike
            gradient = hooks.gradient_of(climbed.sum(), leaf)
        losses = losses.detach()
        if not (losses.isfinite().all() and gradient.isfinite().all()):
            raise not_finite(self._probe.name)
        return losses, gradient

    def _improve(self, gradient: Tensor) -> None:
        """Take a step along a gradient with respect to the pixels."""
        along = self._along(gradient)
        # Adam does not care for a constant factor, as long as numbers stay far from its ε: deep layers' are tiny.
        largest = along.flatten(1).abs().amax(1)
        if self._size.ndim == 0:
            self._size = torch.zeros_like(largest)
        self._size = torch.where(self._size > 0, self._size, largest)
        unit = torch.where(self._size > 0, self._size, 1.0).view(-1, *(1,) * (along.ndim - 1))
        self.canvas.leaf += self._optimiser.change(along / unit)

    def _along(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to the leaf, for one with respect to the pixels."""
        leaf = self._filled(self.canvas.leaf).detach().requires_grad_(True)
        with torch.enable_grad():
            return torch.autograd.grad(self.canvas.pixels(leaf), leaf, self._filled(gradient))[0][: self._n]

    def _filled(self, tensor: Tensor) -> Tensor:
        n_missing = self._shown - len(tensor)
        if n_missing <= 0:
            return tensor
        return torch.cat([tensor, tensor[:1].expand(n_missing, *tensor.shape[1:])])
