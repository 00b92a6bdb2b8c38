"""Gradient ascent: one step at a time, so that whoever drives it can show, stop or interleave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network import hooks
from convviz_gui.engine.optim.canvas import N_STARTS
from convviz_gui.engine.optim.objectives import Objective
from convviz_gui.engine.optim.unblocking import Unblocked
from convviz_gui.engine.payloads import ByteArray

UNBLOCKED_STEPS = 16
"""How many steps a silent filter is given to find its voice with ReLUs unblocked."""
_NUDGE = 0.05
PRECISIONS = ("float32", "bfloat16")


class Canvas(Protocol):
    """What an ascent varies: `leaf` [B, ...], and how it becomes pictures for the network and for the eye."""

    leaf: Tensor

    def model_input(self, leaf: Tensor) -> Tensor:
        """The network's input [B, C, H, W] for a leaf [B, ...]; differentiable."""

    def pictures(self, crop: int) -> ByteArray:
        """The pictures u8 [B, H, W, 3], `crop` pixels cut off each side."""


class Easel(Protocol):
    """Where canvases come from and how they are improved."""

    @property
    def slope(self) -> Slope:
        """Value and gradient at the layer looked at."""

    def canvas(self, seed: int, channels: Sequence[int], start: int) -> Canvas:
        """A fresh canvas for some channels; `start` in 0…`N_STARTS` − 1."""


class Slope:
    """Value and gradient of objectives at one layer of a network. No hook is left between calls.

    Args:
        model: a network in eval mode whose parameters require no gradient.
        layer: id of the layer whose output the objectives read; nothing behind it is computed.
        batch: pictures per pass. Fewer are filled up, so that a picture's rounding, which an ascent amplifies, does not
            depend on how many others there are.
        precision: "float32", or "bfloat16" for the network's arithmetic; canvas, loss and gradient stay float32.
    """

    def __init__(self, model: nn.Module, layer: str, batch: int = 1, precision: str = "float32") -> None:
        self._model = model
        self._layer = layer
        self._batch = batch
        self._half = precision == "bfloat16"

    def output(self, x: Tensor) -> Tensor:
        """The layer's output for a network input [B, C, H, W]."""
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=self._half):
            return hooks.run_to(self._model, x, self._layer)

    def at(self, canvas: Canvas, objective: Objective, *, unblocked: bool = False) -> tuple[Tensor, Tensor]:
        """Losses f32 [B] of a canvas, and each one's gradient with respect to its part of the leaf [B, ...].

        With `unblocked`, ReLUs that are shut let a gradient through that would open them; losses are the same.

        Raises `EngineError` if the output does not depend differentiably on the input, or is not a number.
        """
        leaf = canvas.leaf.detach().requires_grad_(True)
        with torch.enable_grad(), Unblocked() if unblocked else nullcontext():
            losses = objective(self.output(canvas.model_input(self._filled(leaf)))[: len(leaf)])
            if losses.grad_fn is None:
                raise flat(f"Layer {self._layer!r}")
            gradient = hooks.gradient_of(losses.sum(), leaf)
        losses = losses.detach()
        if not (losses.isfinite().all() and gradient.isfinite().all()):
            raise not_finite(f"The activation of layer {self._layer!r}")
        return losses, gradient

    def _filled(self, leaf: Tensor) -> Tensor:
        n_missing = self._batch - len(leaf)
        if n_missing <= 0:
            return leaf
        return torch.cat([leaf, leaf[:1].detach().expand(n_missing, *leaf.shape[1:])])


def flat(what: str) -> EngineError:
    """What to say of an output that cannot be climbed."""
    return EngineError(
        f"{what} does not depend differentiably on the picture",
        "Choose another layer; a part of this network that runs without gradients cannot be climbed",
    )


def not_finite(what: str) -> EngineError:
    """What to say of a loss or a gradient that is NaN or infinite."""
    return EngineError(
        f"{what} is not a finite number",
        "Lower the learning rate or choose float32; if that does not help, the weights themselves are damaged",
    )


Normalise = Callable[[Tensor], Tensor]
"""From gradients [B, C, H, W] to directions of the same shape; a zero gradient stays zero."""


def unit_globally(gradient: Tensor) -> Tensor:
    """Each picture's gradient [C, H, W] divided by its L2 norm (2nd edition of the chapter)."""
    return _unit(gradient, (1, 2, 3))


def unit_per_pixel(gradient: Tensor) -> Tensor:
    """Each pixel's gradient [C] divided by its L2 norm (3rd edition of the chapter)."""
    return _unit(gradient, (1,))


def _unit(gradient: Tensor, dims: tuple[int, ...]) -> Tensor:
    # Scaled first: the squares of the small gradients of deep layers would underflow.
    largest = gradient.abs().amax(dims, keepdim=True)
    scaled = gradient / torch.where(largest > 0, largest, 1.0)
    norm = torch.linalg.vector_norm(scaled, dim=dims, keepdim=True)
    return scaled / torch.where(norm > 0, norm, 1.0)


def silent(gradient: Tensor) -> Tensor:
    """bool [B]: pictures whose gradient [B, ...] is exactly zero, from where no ascent can leave."""
    return gradient.flatten(1).eq(0).all(1)


class Batch:
    """Channels of one layer whose pictures are improved together, each with its own start and its own length of step.

    Attributes:
        canvas: pictures of the channels that are alive.
        alive: places in `channels` of those that can be improved, in the order of the canvas. All, before `wake`.
        dead: place and loss of those that nothing could wake.
    """

    def __init__(
        self, easel: Easel, channels: Sequence[int], objective: Callable[[Sequence[int]], Objective], seed: int
    ) -> None:
        self._easel = easel
        self._channels = channels
        self._objective = objective
        self._seed = seed
        self.canvas = easel.canvas(seed, channels, 0)
        self.alive = list(range(len(channels)))
        self.dead: dict[int, float] = {}

    def wake(self) -> Iterator[None]:
        """Look for a start that each channel responds to, a step of work at a time.

        First the other noises; then, for channels silent on all of them, an ascent from the first noise on which shut
        ReLUs let the gradient through. The steps of that ascent have the length that changes a pixel by `_NUDGE` on
        average.
        """
        self._first = self._slope(self.canvas, self.alive)
        yield
        yield from self._try_noises()
        yield from self._try_unblocked()
        losses, gradient = self._first
        dead = silent(gradient)
        self.dead = {place: float(losses[place]) for place in dead.nonzero().flatten().tolist()}
        self.alive = (~dead).nonzero().flatten().tolist()
        self.canvas.leaf = self.canvas.leaf[~dead]
        self._first = losses[~dead], gradient[~dead]

    def _try_noises(self) -> Iterator[None]:
        for start in range(1, N_STARTS):
            asleep = self._asleep()
            if not asleep:
                return
            self._start_from(asleep, self._fresh(asleep, start))
            yield

    def _try_unblocked(self) -> Iterator[None]:
        asleep = self._asleep()
        if not asleep:
            return
        canvas = self._fresh(asleep, 0)
        for _ in range(UNBLOCKED_STEPS):
            direction = unit_globally(self._slope(canvas, asleep, unblocked=True)[1])
            canvas.leaf += _NUDGE * direction[0].numel() ** 0.5 * direction
            self._start_from(asleep, canvas)
            yield
            asleep = self._asleep()
            if not asleep:
                return
            canvas.leaf = self.canvas.leaf[asleep]

    def _asleep(self) -> list[int]:
        places: list[int] = silent(self._first[1]).nonzero().flatten().tolist()
        return places

    def _start_from(self, places: list[int], canvas: Canvas) -> None:
        """Take the pictures of `canvas` as the starts of some channels."""
        losses, gradient = self._first
        self.canvas.leaf[places] = canvas.leaf
        losses[places], gradient[places] = self._slope(canvas, places)

    def _fresh(self, places: Sequence[int], start: int) -> Canvas:
        return self._easel.canvas(self._seed, [self._channels[place] for place in places], start)

    def climb(self, steps: int, rate: float, direction: Normalise) -> Iterator[Tensor]:
        """Take the steps of the channels that are alive; gives the losses f32 [B] from before each step.

        A channel that a step has silenced would be stuck there: it goes back to its best picture so far and takes
        steps of half the length from then on. All others take steps of the same `rate` to the end.
        """
        if not self.alive:
            return
        losses, gradient = self._first
        best = [self.canvas.leaf.clone(), losses.clone(), gradient.clone()]
        rates = torch.full_like(gradient[:, :1, :1, :1], rate)
        for step in range(steps):
            if step:
                losses, gradient = self._slope(self.canvas, self.alive)
                better, stuck = losses > best[1], silent(gradient)
                for kept, now in zip(best, (self.canvas.leaf, losses, gradient), strict=True):
                    kept[better] = now[better]
                self.canvas.leaf[stuck], gradient[stuck] = best[0][stuck], best[2][stuck]
                rates[stuck] /= 2
            self.canvas.leaf += rates * direction(gradient)
            yield losses

    def _slope(self, canvas: Canvas, places: Sequence[int], *, unblocked: bool = False) -> tuple[Tensor, Tensor]:
        objective = self._objective([self._channels[place] for place in places])
        return self._easel.slope.at(canvas, objective, unblocked=unblocked)
