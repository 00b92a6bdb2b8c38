"""A network made ready to be asked many times by pictures that are being made: at one layer, or for its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network import hooks
from convviz_gui.engine.network.folding import folded
from convviz_gui.engine.optim.canvas import Entrance
from convviz_gui.engine.types import Preprocess


@dataclass(frozen=True, slots=True)
class Probe:
    """What pictures bring about in a network. No hook is left between calls.

    Args:
        model: a network in eval mode whose parameters require no gradient.
        enter: how pictures enter it.
        layer: id of the layer that is asked, behind which nothing is computed; None for the class scores.
        beside: id of a layer whose maps tell pictures apart, where `layer` gives none itself.
        half: compute the network in bfloat16.
        fit: the only size (h, w) of pictures that the network takes, or None.
    """

    model: nn.Module
    enter: Entrance
    layer: str | None
    beside: str | None = None
    half: bool = False
    fit: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What is asked, in words at the beginning of a sentence."""
        return "The class scores" if self.layer is None else f"Layer {self.layer!r}"

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Output of the layer, or logits, for pictures f32 [B, C, h, w] in 0…1, and what tells the pictures apart."""
        x = self.enter(pictures)
        caught: list[Tensor] = []
        beside = {} if self.beside is None else {self.beside: lambda output: caught.append(output.clone())}
        with (
            torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=self.half),
            hooks.visiting(self.model, beside),
        ):
            output = hooks.reach(self.model, x, self.layer)
        return output, caught[0] if caught else output


def probe(
    model: nn.Module,
    layer: str | None,
    beside: str | None,
    preprocess: Preprocess,
    device: torch.device,
    sizes: Sequence[tuple[int, int]],
    half: bool,
) -> Probe:
    """Try a network on pictures of these sizes (h, w), at least one, and fold it; it may take its own size only.

    Raises whatever the network raises on pictures of its own size.
    """
    enter = Entrance(preprocess, device)
    fit = None if all(_takes(model, layer, enter, size, device) for size in sizes) else preprocess.size
    size = fit or sizes[-1]
    noise = torch.rand(1, enter.n_colours, *size, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        x = enter(noise)
        hooks.reach(model, x, layer)
    return Probe(folded(model, layer, x), enter, layer, beside, half, fit)


def _takes(model: nn.Module, layer: str | None, enter: Entrance, size: tuple[int, int], device: torch.device) -> bool:
    with torch.no_grad():
        try:
            hooks.reach(model, enter(torch.full((1, enter.n_colours, *size), 0.5, device=device)), layer)
        except EngineError:
            raise
        except Exception as error:  # a user's network may raise anything
            if fault_of(error) is not None:
                raise
            return False
    return True
