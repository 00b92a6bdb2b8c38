"""Getting a network ready for many forward and backward passes to one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.folding import folded
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.optim.ascent import Slope
from convviz_gui.engine.optim.canvas import PixelCanvas, noise
from convviz_gui.engine.types import Preprocess

_BATCH = {"cpu": 2}
_BATCH_ELSEWHERE = 16
"""On a CPU two pictures are as fast per picture as more (measured on 2 cores: from four on, tensors outgrow the cache
and single steps take so long that Stop and other jobs wait); a GPU wants to be filled."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """A network ready to climb at one layer. `batch` is how many pictures are taken at a time."""

    slope: Slope
    batch: int
    size: int
    preprocess: Preprocess
    device: torch.device

    def canvas(self, seed: int, channels: Sequence[int], start: int) -> PixelCanvas:
        """Noise for some channels; a channel's noise depends on the seed, the channel and `start` alone."""
        return PixelCanvas(_noise(seed, channels, start, self.size, self.preprocess, self.device), self.preprocess)


def default_batch(device: torch.device) -> int:
    """How many pictures at a time suit the device."""
    return _BATCH.get(device.type, _BATCH_ELSEWHERE)


def workbench(
    model: nn.Module, layer: str, preprocess: Preprocess, device: torch.device, size: int, precision: str, batch: int
) -> Workbench:
    """Try the network on pictures of `size`×`size` pixels and prepare it; `model` itself is left as it is.

    Pictures are taken `batch` at a time.

    Raises `EngineError` if the network cannot take pictures of that size or colour, or if the layer has no channels.
    """
    if preprocess.channels == 2:
        raise EngineError(
            f"This network takes {preprocess.channels} input channels, which cannot be shown as a colour picture",
            "Open a network that takes grey or colour pictures",
        )
    x = PixelCanvas(_noise(0, [0], 2, size, preprocess, device), preprocess)
    probe = x.model_input(x.leaf)
    output = _try(model, layer, probe, preprocess)
    if output.ndim not in (2, 3, 4):
        raise EngineError(
            f"Layer {layer!r} has no channels (its output has shape {tuple(output.shape[1:])})",
            "Choose a layer with maps or a vector",
        )
    return Workbench(Slope(folded(model, layer, probe), layer, batch, precision), batch, size, preprocess, device)


def _noise(
    seed: int, channels: Sequence[int], start: int, size: int, preprocess: Preprocess, device: torch.device
) -> Tensor:
    n_colours = 1 if preprocess.channels == 1 else 3
    starts = [torch.from_numpy(noise(seed, channel, start, n_colours, size)) for channel in channels]
    return torch.stack(starts).to(device)


def _try(model: nn.Module, layer: str, probe: Tensor, preprocess: Preprocess) -> Tensor:
    """The layer's output for the probe."""
    with torch.no_grad():
        try:
            return run_to(model, probe, layer)
        except EngineError:
            raise
        except Exception as error:  # a user's network may raise anything
            if fault_of(error) is not None:
                raise
            # Only if the network runs at its own size is the size to blame.
            run_to(model, probe.new_zeros((1, preprocess.channels, *preprocess.size)), layer)
            raise EngineError(
                f"Layer {layer!r} cannot be computed for pictures of {probe.shape[2]}×{probe.shape[3]} pixels",
                f"Set the size to {max(preprocess.size)}, the network's own",
            ) from error
