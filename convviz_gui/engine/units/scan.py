"""One pass of a folder through the network for any number of layers, each read by accumulators that keep little."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import Decoded, Passed, network_input, pass_over
from convviz_gui.engine.method import Steps
from convviz_gui.engine.network.hooks import readings
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.session import Session


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures that went through the network together: as they were decoded, their `paths` and `labels`."""

    pictures: Sequence[Decoded]
    paths: tuple[str, ...]
    labels: tuple[str, ...]


class Accumulator(ABC):
    """Keeps of a layer's outputs what is asked for, batch by batch, in the folder's order."""

    @abstractmethod
    def reduce(self, maps: Tensor) -> Any:
        """What is needed of maps f32 [B, C, h, w] (vectors are [B, C, 1, 1]) on their device, without views on them.

        Called inside the forward pass; keeps nothing, since a lack of memory may make it begin again.
        """

    @abstractmethod
    def add(self, batch: Batch, reduced: Any) -> None:
        """Take in what `reduce` returned. Raises `EngineError` for values that cannot be counted."""


def scan(
    session: Session,
    listing: Listing,
    accumulators: Mapping[str, Sequence[Accumulator]],
    batch: int = 0,
    preview: Callable[[], Payload] | None = None,
) -> Steps[Passed]:
    """Take every picture of a folder through the network up to the deepest of some layers.

    In the session's precision; decoding overlaps with the network; batches, skipping and lack of memory as in
    `folder_pass.pass_over`. Layers' outputs are reduced as they come and not kept.

    Args:
        accumulators: by the id of the layer they are for.
        preview: the picture so far, for the updates.

    Raises:
        EngineError: no picture could be read, or a layer gives neither maps nor a vector.
    """
    nodes = {layer: session.layer(layer) for layer in accumulators}

    def compute(pictures: Sequence[Decoded]) -> dict[str, list[Any]]:
        def reader(layer: str) -> Callable[[Tensor], list[Any]]:
            def read(output: Tensor) -> list[Any]:
                maps = as_maps(channels_first(output, nodes[layer]), layer)
                return [accumulator.reduce(maps) for accumulator in accumulators[layer]]

            return read

        x = network_input(session, pictures)
        with torch.no_grad(), session.computing():
            return readings(session.model, x, {node.id: reader(layer) for layer, node in nodes.items()})

    def take(pictures: Sequence[Decoded], reduced: dict[str, list[Any]]) -> None:
        places = [picture.index for picture in pictures]
        now = Batch(pictures, tuple(listing.paths[i] for i in places), tuple(listing.labels[i] for i in places))
        for layer, node in nodes.items():
            for accumulator, made in zip(accumulators[layer], reduced[node.id], strict=True):
                accumulator.add(now, made)

    return (yield from pass_over(session, listing, compute, take, batch, preview))


def as_maps(output: Tensor, layer: str) -> Tensor:
    """Maps [B, C, h, w] or vectors [B, C] as f32 [B, C, h, w]; raises `EngineError` for anything else."""
    if output.ndim == 2:
        output = output[:, :, None, None]
    if output.ndim != 4:
        raise EngineError(
            f"Layer {layer!r} gives {list(output.shape[1:])} for each picture, neither maps nor a vector",
            "Choose a convolution, a pooling or a linear layer",
        )
    return output.float()
