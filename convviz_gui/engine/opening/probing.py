"""Trying out which inputs a network takes."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward

_MOST_TRIED = 3
"""Numbers of channels that are tried: a network's own first convolution nearly always tells the right one."""

_NOT_OF_SIZE = (NameError, AttributeError, ImportError, NotImplementedError)


class Probe:
    """A network in eval mode that is given noise of several sizes.

    Attributes:
        n_logits: of the last input it took, 0 if there was none.
        smallest_map: side of the smallest map above one position that a convolution made for that input.
        hopeless: True once it failed of something that no other size would mend.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.n_logits = 0
        self.smallest_map = 1
        self.hopeless = False
        self._too_large = math.inf
        self._too_small = 0.0

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """While inside, gradients are off, and what the network says of inputs it does not take is not shown."""
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            if sys.stderr is not None:
                nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
                stack.enter_context(redirect_stderr(nowhere))
            yield

    def takes(self, channels: int, size: tuple[int, int]) -> bool:
        """Whether the network gives one row of class scores for an input of that size. Raises what memory lacks."""
        try:
            self.n_logits = logits_of(self._run(channels, size)).shape[1]
        except EngineError:
            return False
        except Exception as error:
            if fault_of(error) is not None:
                raise
            self.hopeless = isinstance(error, _NOT_OF_SIZE)
            return False
        return True

    def answer(self, channels: int, size: tuple[int, int]) -> Tensor | None:
        """The class scores for noise that is the same every time, or None."""
        try:
            return logits_of(self._run(channels, size))
        except Exception as error:
            if fault_of(error) is not None:
                raise
            return None

    def _run(self, channels: int, size: tuple[int, int]) -> Any:
        noise = torch.rand((1, channels, *size), generator=torch.Generator().manual_seed(0))
        maps: list[int] = []
        handles = []

        def after(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                maps.append(min(output.shape[2:]))

        def before(module: nn.Module, inputs: Any) -> None:
            if isinstance(module, nn.Linear) and inputs and isinstance(inputs[0], Tensor) and inputs[0].ndim == 2:
                self._compare(size[0], inputs[0].shape[1], module.in_features)

        try:
            for module in self.module.modules():
                if isinstance(module, nn.Conv2d):
                    handles.append(module.register_forward_hook(after))
                elif isinstance(module, nn.Linear):
                    handles.append(module.register_forward_pre_hook(before))
            output = forward(self.module, noise)
        finally:
            for handle in handles:
                handle.remove()
        self.smallest_map = min(maps, default=1)
        if logits_of(output).shape[0] != 1:  # x.view(-1, 400) takes many inputs for several rows
            raise EngineError("One picture gives several rows")
        return output

    def _compare(self, side: int, n: int, wanted: int) -> None:
        if n > wanted:
            self._too_large = min(self._too_large, side)
        elif n < wanted:
            self._too_small = max(self._too_small, side)

    def excludes(self, side: int) -> bool:
        """Whether inputs larger or smaller than this have been seen to be too small or too large."""
        return side >= self._too_large or side <= self._too_small

    def channels(self) -> list[int]:
        """Numbers of input channels worth trying: of the first convolutions, or those that make a flat input square."""
        convolutions = [module.in_channels for module in self.module.modules() if isinstance(module, nn.Conv2d)]
        flat = [n for n in (1, 3, 4) if self.side_of_flat_input(n) is not None]
        return list(dict.fromkeys([*convolutions[:1], *flat, *(n for n in convolutions if n <= 4), 3, 1]))[:_MOST_TRIED]

    def side_of_flat_input(self, channels: int) -> int | None:
        """The side that gives the first linear layer its inputs, for networks that have no convolution before it."""
        first = next((m for m in self.module.modules() if isinstance(m, (nn.Conv2d, nn.Linear))), None)
        if not isinstance(first, nn.Linear) or first.in_features % channels:
            return None
        side = math.isqrt(first.in_features // channels)
        return side if side > 1 and side * side * channels == first.in_features else None

    def starts_gently(self) -> bool:
        """Whether the first convolution is small and moves by one pixel, as in networks for tiny pictures."""
        first = next((module for module in self.module.modules() if isinstance(module, nn.Conv2d)), None)
        return first is not None and max(first.kernel_size) <= 5 and max(first.stride) == 1
