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
from convviz_gui.engine.faults import FaultKind, fault_of, forget
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
_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64
"""A graphics card wants to be filled; where that is too much, batches are halved."""


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


def embed(session: Session, listing: Listing, layer: str, batch: int = 0) -> Steps[Embedding]:
    """Take every picture of a folder through the network to `layer` and to the logits, in the session's precision.

    Yields after each batch of `batch` pictures, 0 for as many as suit the device. Where memory is too small for them,
    smaller batches go on from there: rows do not depend on their batch but for rounding. A picture that cannot be read
    is skipped with its reason.

    Raises:
        EngineError: no picture could be read, the layer gives neither maps nor vectors, or values are not finite.
    """
    total = len(listing.paths)
    kept: list[int] = []
    skipped = list(listing.skipped)
    features: list[FloatArray] = []
    logits: list[FloatArray] = []
    size, fits = batch or _BATCH.get(session.device.type, _BATCH_ELSEWHERE), True
    with _decoding(listing.paths, session.info.preprocess, size * _AHEAD) as crops:
        chunk: list[tuple[int, Crop]] = []
        while chunk := chunk or list(islice(crops, size)):
            now = chunk[:size]
            read = [(index, crop) for index, crop in now if not isinstance(crop, Skipped)]
            rows = _attempt(session, layer, [crop for _, crop in read], last=len(read) == 1) if read else None
            if read and rows is None:
                size, fits = max(1, len(read) // 2), False
                session.free_memory()
                yield Update(now[0][0], total, f"too little memory for {len(read)} pictures at once: {size} from here")
                continue
            skipped += [crop for _, crop in now if isinstance(crop, Skipped)]
            if rows is not None:
                _check_finite(rows[0], layer, [listing.paths[index] for index, _ in read], session.info.precision)
                kept += [index for index, _ in read]
                features.append(rows[0])
                logits.append(rows[1])
            chunk = chunk[size:]
            done = now[-1][0] + 1
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
        0 if fits else size,
    )


Rows = tuple[FloatArray, FloatArray]


def _attempt(session: Session, layer: str, crops: list[ByteArray], *, last: bool) -> Rows | None:
    """Features [N, D] and logits [N, K] of some crops, or None if memory is too small; `last` raises that."""
    try:
        return _rows(session, layer, crops)
    except Exception as error:
        fault = fault_of(error)
        if last or fault is None or fault.kind is not FaultKind.MEMORY:
            raise
        forget(error)
    return None


def _rows(session: Session, layer: str, crops: list[ByteArray]) -> Rows:
    # Asked for at each batch: the network may have moved in between.
    node = session.info.find(layer)
    x = _input(_stacked(crops, session.device), session.info.preprocess, session.device)
    with session.computing():
        output, scores = features_and_logits(session.model, x, layer)
    # An average in half precision would round, or overflow, once more.
    output = output.float()
    vectors = _vectors(channels_first(output, node) if node else output, layer)
    return vectors.cpu().numpy(), scores.float().cpu().numpy()


def _stacked(crops: list[ByteArray], device: torch.device) -> Tensor:
    """Crops u8 [N, H, W, C] as one tensor of the host; for a graphics card where it can fetch them by itself."""
    batch = torch.empty((len(crops), *crops[0].shape), dtype=torch.uint8, pin_memory=device.type == "cuda")
    np.stack(crops, out=batch.numpy())
    return batch


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


def _input(crops: Tensor, preprocess: Preprocess, device: torch.device) -> Tensor:
    """Crops u8 [N, H, W, min(C, 3)] as the network's input f32 [N, C, H, W], channels-last without a copy.

    Bit for bit what `preprocess.normalise` makes, but by all of torch's threads, or on the device.
    """
    x = crops.to(device, non_blocking=True).float()
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


def _check_finite(vectors: FloatArray, layer: str, paths: list[str], precision: str) -> None:
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        what = "NaN" if np.isnan(vectors[first]).any() else "infinite values"
        raise EngineError(
            f"Layer {layer!r} gives {what} for {Path(paths[first]).name}",
            "Choose an earlier layer, or check the weights and the preprocessing"
            if precision == "float32"
            else f"Choose float32: {precision} may be too coarse for this network",
        )


def _nothing_read(skipped: list[Skipped]) -> EngineError:
    first = skipped[0]
    return EngineError(
        f"None of the {len(skipped)} pictures could be read, the first because: {first.reason}",
        "Choose a folder with JPEG or PNG pictures",
    )
