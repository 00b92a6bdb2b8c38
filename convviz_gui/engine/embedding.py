"""A folder's pictures as points: the layer's output for each, decoded by other threads while the network computes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.hooks import features_and_logits
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import ByteArray, FloatArray, Skipped, frozen
from convviz_gui.engine.preprocess import prepare_picture
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess

_AHEAD = 2
"""Batches decoded in advance: enough that the network never waits, little enough that memory stays flat."""


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


def embed(session: Session, listing: Listing, layer: str, batch: int = 8) -> Steps[Embedding]:
    """Take every picture of a folder through the network to `layer` and to the logits.

    Yields after each batch. A picture that cannot be read is skipped with its reason.

    Raises:
        EngineError: no picture could be read, the layer gives neither maps nor vectors, or values are not finite.
    """
    model, device, preprocess = session.model, session.device, session.info.preprocess
    node = session.info.find(layer)
    total = len(listing.paths)
    kept: list[int] = []
    skipped = list(listing.skipped)
    features: list[FloatArray] = []
    logits: list[FloatArray] = []
    with _decoding(listing.paths, preprocess, batch * _AHEAD) as crops:
        while chunk := list(islice(crops, batch)):
            read = [(index, crop) for index, crop in chunk if not isinstance(crop, Skipped)]
            skipped += [crop for _, crop in chunk if isinstance(crop, Skipped)]
            if read:
                x = _input(np.stack([crop for _, crop in read]), preprocess, device)
                output, scores = features_and_logits(model, x, layer)
                vectors = _vectors(channels_first(output, node) if node else output, layer).float().cpu().numpy()
                _check_finite(vectors, layer, [listing.paths[index] for index, _ in read])
                kept += [index for index, _ in read]
                features.append(vectors)
                logits.append(scores.float().cpu().numpy())
            done = chunk[-1][0] + 1
            yield Update(done, total, f"reading pictures: {done} of {total}")
    if not kept:
        raise _nothing_read(skipped)
    return Embedding(
        layer,
        tuple(listing.paths[index] for index in kept),
        tuple(listing.labels[index] for index in kept),
        frozen(np.concatenate(features)),
        frozen(np.concatenate(logits)),
        tuple(skipped),
    )


Crop = ByteArray | Skipped


@contextmanager
def _decoding(paths: tuple[str, ...], preprocess: Preprocess, ahead: int) -> Iterator[Iterator[tuple[int, Crop]]]:
    """Crops u8 [H, W, C] in order, decoded by threads that are gone when the block is left."""
    # Pillow decodes and resizes without the interpreter's lock.
    pool = ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), thread_name_prefix="decode")
    try:
        yield _in_order(pool, lambda path: _decode(path, preprocess), paths, ahead)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, decode: Callable[[str], Crop], paths: tuple[str, ...], ahead: int
) -> Iterator[tuple[int, Crop]]:
    waiting: deque[Future[Crop]] = deque(pool.submit(decode, path) for path in paths[:ahead])
    for index in range(len(paths)):
        crop = waiting.popleft().result()
        if index + ahead < len(paths):
            waiting.append(pool.submit(decode, paths[index + ahead]))
        yield index, crop


def _decode(path: str, preprocess: Preprocess) -> Crop:
    try:
        return prepare_picture(open_rgb(path)[0], preprocess)[0]
    except EngineError as error:
        return Skipped(path, error.title)


def _input(crops: ByteArray, preprocess: Preprocess, device: torch.device) -> Tensor:
    """Crops u8 [N, H, W, min(C, 3)] as the network's input f32 [N, C, H, W], channels-last without a copy.

    Bit for bit what `preprocess.normalise` makes, but by all of torch's threads, or on the device.
    """
    x = torch.from_numpy(crops).to(device).float()
    n = x.shape[3]
    # By a tensor: a graphics card would multiply by the reciprocal of a number.
    x.div_(torch.tensor(255.0, device=device))
    x.sub_(torch.tensor(preprocess.mean[:n], device=device)).div_(torch.tensor(preprocess.std[:n], device=device))
    return F.pad(x, (0, preprocess.channels - n)).permute(0, 3, 1, 2)


def _vectors(output: Tensor, layer: str) -> Tensor:
    if output.ndim == 4:
        return output.mean(dim=(2, 3))
    if output.ndim == 2:
        return output
    raise EngineError(
        f"Layer {layer!r} gives {list(output.shape[1:])} for each picture, neither maps nor a vector",
        "Choose a convolution, a pooling or a linear layer",
    )


def _check_finite(vectors: FloatArray, layer: str, paths: list[str]) -> None:
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        what = "NaN" if np.isnan(vectors[first]).any() else "infinite values"
        raise EngineError(
            f"Layer {layer!r} gives {what} for {Path(paths[first]).name}",
            "Choose an earlier layer, or check the weights and the preprocessing",
        )


def _nothing_read(skipped: list[Skipped]) -> EngineError:
    first = skipped[0]
    return EngineError(
        f"None of the {len(skipped)} pictures could be read, the first because: {first.reason}",
        "Choose a folder with JPEG or PNG pictures",
    )
