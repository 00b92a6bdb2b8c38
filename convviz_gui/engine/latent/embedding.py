"""A dataset's pictures as points: what layers give for each, from one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import Decoded, check_finite, network_input, pass_over
from convviz_gui.engine.method import Steps
from convviz_gui.engine.network.hooks import readings_and_logits
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import FloatArray, Skipped, frozen
from convviz_gui.engine.session import Session


@dataclass(frozen=True, slots=True)
class Embedding:
    """N pictures in a layer's space. `features` f32 [N, D], `logits` f32 [N, K]; rows in the order of the listing.

    Maps are averaged over their positions. `labels` are the listing's; `rows` i64 [N] are places in it. `skipped` tells
    what could not be read. `digests` are of each file's content, "" where it is not known.
    """

    layer: str
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    features: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    skipped: tuple[Skipped, ...] = ()
    reduced_to: int = 0
    rows: tuple[int, ...] = field(default=(), repr=False)
    digests: tuple[str, ...] = field(default=(), repr=False)


def embed(session: Session, listing: Listing, layer: str, batch: int = 0) -> Steps[Embedding]:
    """`embed_layers` for one layer."""
    found = yield from embed_layers(session, listing, (layer,), batch)
    return found[layer]


def embed_layers(
    session: Session, listing: Listing, layers: Sequence[str], batch: int = 0
) -> Steps[dict[str, Embedding]]:
    """Take every picture of a dataset through the network once, and keep what `layers` give and the logits.

    By the layers' ids ("fc@input" is what goes into one), in their order, in the session's precision; all of them share
    paths, labels and logits. Maps are averaged as they come: beyond the result, N × (ΣD + K) × 4 bytes, memory is that
    of a forward pass.

    Yields after each batch of `batch` pictures, 0 for as many as suit the device. Where memory is too small for them,
    smaller batches go on from there: rows do not depend on their batch but for rounding. A picture that cannot be read
    is skipped with its reason.

    Raises:
        EngineError: no picture could be read, a layer gives neither maps nor vectors, or values are not finite.
    """
    features: dict[str, list[FloatArray]] = {layer: [] for layer in layers}
    logits: list[FloatArray] = []

    def take(pictures: Sequence[Decoded], rows: tuple[dict[str, FloatArray], FloatArray]) -> None:
        paths = [listing.paths[picture.index] for picture in pictures]
        for layer, values in rows[0].items():
            check_finite(values, layer, paths, session.info.precision)
        for layer, values in rows[0].items():
            features[layer].append(values)
        logits.append(rows[1])

    passed = yield from pass_over(session, listing, lambda pictures: _rows(session, features, pictures), take, batch)
    paths = tuple(listing.paths[index] for index in passed.kept)
    labels = tuple(listing.labels[index] for index in passed.kept)
    scores = frozen(np.concatenate(logits))
    return {
        layer: Embedding(
            layer,
            paths,
            labels,
            frozen(np.concatenate(values)),
            scores,
            passed.skipped,
            passed.reduced_to,
            passed.kept,
        )
        for layer, values in features.items()
    }


def _rows(
    session: Session, layers: Iterable[str], pictures: Sequence[Decoded]
) -> tuple[dict[str, FloatArray], FloatArray]:
    return rows_of(session, layers, network_input(session, pictures))


def rows_of(session: Session, layers: Iterable[str], x: Tensor) -> tuple[dict[str, FloatArray], FloatArray]:
    """Features f32 [N, D] of each layer and logits f32 [N, K] of a batch [N, C, H, W] on the session's device."""
    layers = tuple(layers)
    with session.computing():
        vectors, scores = readings_and_logits(session.model, x, {layer: _reader(session, layer) for layer in layers})
    features = {layer: vectors[layer].cpu().numpy() for layer in layers}
    return features, scores.float().cpu().numpy()


def _reader(session: Session, layer: str) -> Callable[[Tensor], Tensor]:
    node = session.info.find(layer)

    def read(output: Tensor) -> Tensor:
        # An average in half precision would round, or overflow, once more.
        with torch.autocast(output.device.type, enabled=False):
            output = output.float()
            vectors = _vectors(channels_first(output, node) if node else output, layer)
            # A vector may be the network's own tensor, which it may go on to change.
            return vectors.clone() if output.ndim == 2 else vectors

    return read


def _vectors(output: Tensor, layer: str) -> Tensor:
    if output.ndim == 4:
        return output.mean(dim=(2, 3))
    if output.ndim == 2:
        return output
    raise EngineError(
        f"Layer {layer!r} gives {list(output.shape[1:])} for each picture, neither maps nor a vector",
        "Choose a convolution, a pooling or a linear layer",
    )
