"""What can be told of a channel without any picture: its weights, who listens to it, what it would like to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.kernels import layers_with_kernels, read_kernels
from convviz_gui.engine.network.layers import channels_first, noise
from convviz_gui.engine.network.lineage import reader_of, source_of
from convviz_gui.engine.optim.ascent import Batch, unit_globally
from convviz_gui.engine.optim.objectives import ChannelMean
from convviz_gui.engine.optim.workbench import workbench
from convviz_gui.engine.payloads import FloatArray, UnitPage, frozen
from convviz_gui.engine.payloads.unit_page import Feeds, Synthetic, Weights
from convviz_gui.engine.preprocess import colour_order
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import NO_GRADIENT_TO_LAYERS, LayerNode

LISTENERS = 6
RATE = 10.0
CROP = 1 / 8
"""Part of a synthetic picture's side that is cut off each side, where it fades."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters that make a layer's channels: `values` f32 [N, C, kh, kw] of `source`, as the layer uses them."""

    source: LayerNode
    values: FloatArray


def filters_of(session: Session, node: LayerNode) -> Filters | None:
    """The filters behind a layer's channels; None where no layer with weights makes them one by one.

    Raises `EngineError` if the weights cannot be read.
    """
    x = _probe(session)
    source = source_of(session.model, x, session.info, node)
    if source is None:
        return None
    values: FloatArray = read_only(read_kernels(session.model, x, source.id).weights)
    return Filters(source, values) if len(values) == node.channels else None


def weights_of(session: Session, filters: Filters, channel: int) -> Weights:
    """One of the filters, and where it stands among the others."""
    flat = filters.values.reshape(len(filters.values), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1)
    return Weights(
        values=frozen(filters.values[channel]),
        layer=filters.source.id,
        colours=_colours(session, filters),
        norm=float(norms[channel]),
        rank=1 + int((norms > norms[channel]).sum()),
        count=len(norms),
    )


def _colours(session: Session, filters: Filters) -> tuple[int, ...]:
    """Which slice is red, green and blue, for the filters of the first layer that has any."""
    first = layers_with_kernels(session.model, session.info)[0]
    preprocess = session.info.preprocess
    if filters.source.id != first.id or filters.values.shape[1] != preprocess.channels or preprocess.channels == 2:
        return ()
    order = colour_order(preprocess)
    return (0, 0, 0) if len(order) == 1 else tuple(order.index(colour) for colour in range(3))


def feeds_of(session: Session, node: LayerNode, channel: int) -> Feeds:
    """Who listens to the channel most; nobody where what follows is not known."""
    x = _probe(session)
    reader = reader_of(session.model, x, session.info, node)
    if reader is None:
        return Feeds()
    read = read_kernels(session.model, x, reader.id)
    if read.groups != 1 or read.weights.shape[1] != node.channels:
        return Feeds()
    own = read.weights[:, channel].flatten(1)
    strength: FloatArray = read_only(own.norm(dim=1) * torch.where(own.sum(dim=1) < 0, -1.0, 1.0))
    order = np.argsort(-np.abs(strength), kind="stable")[:LISTENERS]
    last = layers_with_kernels(session.model, session.info)[-1]
    classes = reader.id == last.id and len(strength) == session.info.n_classes
    return Feeds(reader.id, frozen(order.astype(np.int64)), frozen(strength[order]), classes)


def synthetic_of(
    session: Session,
    node: LayerNode,
    channel: int,
    steps: int,
    size: int,
    seed: int,
    show: Callable[[Callable[[], dict[str, Any]]], Callable[[], UnitPage]],
) -> Steps[Synthetic]:
    """A picture that makes the channel respond, by a few steps of gradient ascent from noise (Chollet's).

    Args:
        size: side of the picture in pixels; an eighth is cut off each side in the end.
        show: makes a preview of the page of the fields that grow.

    Raises `EngineError` if the layer cannot be climbed.
    """
    if session.info.has(NO_GRADIENT_TO_LAYERS):
        raise EngineError("No layer of this network depends differentiably on the picture", "Look at the patches")
    yield Update(0, steps, "preparing the network")
    crop = int(size * CROP)
    bench = workbench(session.model, node.id, session.info.preprocess, session.device, size, "float32", 1)
    objective = partial(ChannelMean, view=partial(channels_first, node=node))
    batch = Batch(bench, [channel], objective, seed)
    trace = np.full(steps, np.nan, np.float32)
    for _ in batch.wake():
        yield Update(0, steps, "looking for a start that the channel answers to")
    if batch.dead:
        trace[:] = batch.dead[0]
        return Synthetic(trace=frozen(trace), dead=True)

    def now() -> Synthetic:
        return Synthetic(frozen(batch.canvas.pictures(crop)[0]), frozen(trace.copy()))

    for step, losses in enumerate(batch.climb(steps, RATE, unit_globally)):
        trace[step] = float(losses[0])
        yield Update(step + 1, steps, "growing a picture", show(lambda: {"synthetic": now()}))
    return now()


def _probe(session: Session) -> torch.Tensor:
    preprocess = session.info.preprocess
    return session.to_device(noise((preprocess.channels, *preprocess.size), session.device))
