"""A folder's pictures as points: the layer's output for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import Decoded, check_finite, network_input, pass_over
from convviz_gui.engine.method import Steps
from convviz_gui.engine.network.hooks import features_and_logits
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import FloatArray, Skipped, frozen
from convviz_gui.engine.session import Session


@dataclass(frozen=True, slots=True)
class Embedding:
    """N pictures in a layer's space. `features` f32 [N, D], `logits` f32 [N, K]; rows in the order of the listing.

    Maps are averaged over their positions. `labels` are the listing's; `skipped` tells what could not be read.
    """

    layer: str
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    features: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    skipped: tuple[Skipped, ...] = ()
    reduced_to: int = 0


Rows = tuple[FloatArray, FloatArray]


def embed(session: Session, listing: Listing, layer: str, batch: int = 0) -> Steps[Embedding]:
    """Take every picture of a folder through the network to `layer` and to the logits, in the session's precision.

    Yields after each batch of `batch` pictures, 0 for as many as suit the device. Where memory is too small for them,
    smaller batches go on from there: rows do not depend on their batch but for rounding. A picture that cannot be read
    is skipped with its reason.

    Raises:
        EngineError: no picture could be read, the layer gives neither maps nor vectors, or values are not finite.
    """
    features: list[FloatArray] = []
    logits: list[FloatArray] = []

    def take(pictures: Sequence[Decoded], rows: Rows) -> None:
        paths = [listing.paths[picture.index] for picture in pictures]
        check_finite(rows[0], layer, paths, session.info.precision)
        features.append(rows[0])
        logits.append(rows[1])

    passed = yield from pass_over(session, listing, lambda pictures: _rows(session, layer, pictures), take, batch)
    return Embedding(
        layer,
        tuple(listing.paths[index] for index in passed.kept),
        tuple(listing.labels[index] for index in passed.kept),
        frozen(np.concatenate(features)),
        frozen(np.concatenate(logits)),
        passed.skipped,
        passed.reduced_to,
    )


def _rows(session: Session, layer: str, pictures: Sequence[Decoded]) -> Rows:
    """Features [N, D] and logits [N, K]."""
    node = session.info.find(layer)
    x = network_input(session, pictures)
    with session.computing():
        output, scores = features_and_logits(session.model, x, layer)
    # An average in half precision would round, or overflow, once more.
    output = output.float()
    vectors = _vectors(channels_first(output, node) if node else output, layer)
    return vectors.cpu().numpy(), scores.float().cpu().numpy()


def _vectors(output: Tensor, layer: str) -> Tensor:
    if output.ndim == 4:
        return output.mean(dim=(2, 3))
    if output.ndim == 2:
        return output
    raise EngineError(
        f"Layer {layer!r} gives {list(output.shape[1:])} for each picture, neither maps nor a vector",
        "Choose a convolution, a pooling or a linear layer",
    )
