"""Getting a network ready for many forward and backward passes to one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.hooks import run_to, tensor_of
from convviz_gui.engine.layers import watching
from convviz_gui.engine.optim.ascent import Slope
from convviz_gui.engine.optim.canvas import PixelCanvas, noise
from convviz_gui.engine.optim.folding import folded
from convviz_gui.engine.types import Preprocess

_CPU_BUDGET = 30 * 2**20
_CPU_BATCH = 8
_GPU_BUDGET = 2**28
_GPU_BATCH = 64


@dataclass(frozen=True, slots=True)
class Workbench:
    """A network ready to climb at one layer. `batch` is how many pictures at a time run fastest."""

    slope: Slope
    batch: int
    size: int
    preprocess: Preprocess
    device: torch.device

    def canvas(self, seed: int, channels: Sequence[int], start: int) -> PixelCanvas:
        """Noise for some channels; a channel's noise depends on the seed, the channel and `start` alone."""
        return PixelCanvas(_noise(seed, channels, start, self.size, self.preprocess, self.device), self.preprocess)


def workbench(
    model: nn.Module, layer: str, preprocess: Preprocess, device: torch.device, size: int, precision: str
) -> Workbench:
    """Try the network on pictures of `size`×`size` pixels and prepare it; `model` itself is left as it is.

    Raises `EngineError` if the network cannot take pictures of that size or colour, or if the layer has no channels.
    """
    if preprocess.channels not in (1, 3):
        raise EngineError(
            f"This network takes {preprocess.channels} input channels, which cannot be shown as a colour picture",
            "Open a network that takes grey or RGB pictures",
        )
    x = PixelCanvas(_noise(0, [0], 2, size, preprocess, device), preprocess)
    probe = x.model_input(x.leaf)
    output, largest = _try(model, layer, probe, preprocess)
    if output.ndim not in (2, 4):
        raise EngineError(
            f"Layer {layer!r} has no channels (its output has shape {tuple(output.shape[1:])})",
            "Choose a layer with maps or a vector",
        )
    slope = Slope(folded(model, layer, probe), layer, precision)
    return Workbench(slope, batch_size(largest, precision, device), size, preprocess, device)


def batch_size(largest: int, precision: str, device: torch.device) -> int:
    """How many pictures to take at a time when the largest tensor of one has `largest` values.

    On a CPU, tensors of 32 MiB and more are the C library's cue to ask the kernel for fresh pages at every step, which
    costs more than the work done in them; a GPU wants to be filled.
    """
    n_bytes = largest * (2 if precision == "bfloat16" else 4)
    budget, most = (_CPU_BUDGET, _CPU_BATCH) if device.type == "cpu" else (_GPU_BUDGET, _GPU_BATCH)
    return min(max(budget // n_bytes, 1), most)


def _noise(
    seed: int, channels: Sequence[int], start: int, size: int, preprocess: Preprocess, device: torch.device
) -> Tensor:
    starts = [torch.from_numpy(noise(seed, channel, start, preprocess.channels, size)) for channel in channels]
    return torch.stack(starts).to(device)


def _try(model: nn.Module, layer: str, probe: Tensor, preprocess: Preprocess) -> tuple[Tensor, int]:
    """The layer's output for the probe, and the number of values of the largest tensor made on the way."""
    largest = probe.numel()

    def watch(_path: str, _number: int, _module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal largest
        tensor = tensor_of(output)
        largest = max(largest, tensor.numel() if tensor is not None else 0)

    with torch.no_grad():
        try:
            with watching(model, watch):
                return run_to(model, probe, layer), largest
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, AssertionError) as error:
            # Only if the network runs at its own size is the size to blame.
            run_to(model, probe.new_zeros((1, preprocess.channels, *preprocess.size)), layer)
            raise EngineError(
                f"Layer {layer!r} cannot be computed for pictures of {probe.shape[2]}×{probe.shape[3]} pixels",
                f"Set the size to {max(preprocess.size)}, the network's own",
            ) from error
