"""A folder's pictures on their way through the network in batches, decoded by other threads while it computes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.content import Stamp, read_content
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.decoding_room import DecodingRoom, Reserve
from convviz_gui.engine.desk.fingerprint import fingerprint
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.params import param
from convviz_gui.engine.payloads import ByteArray, FloatArray, Payload, Skipped
from convviz_gui.engine.preprocess import prepare_picture
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess

T = TypeVar("T")


def batch_param() -> Any:
    """The field of a method that looks through a folder: how many pictures go through the network at once."""
    return param(
        0,
        "Batch",
        "Pictures that go through the network at once: 0 takes 8 on a processor, 64 on a graphics card. Where memory "
        "is too small, fewer are taken.",
        lo=0,
        hi=1024,
        advanced=True,
    )


R = TypeVar("R")

_AHEAD = 2
"""Batches decoded in advance: enough that the network never waits, little enough that memory stays flat."""
_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64
"""A graphics card wants to be filled; where that is too much, batches are halved."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture of a folder as the network gets it.

    `index` is its place in the listing, `crop` u8 [H, W, min(C, 3)] its pixels before normalising, `box` f32 [4] the
    crop's x, y, width, height in the photo's pixels, `size` the photo's (height, width), upright. `digest` and `stamp`
    are those of the file's `Content`. `fingerprint` u8 is the whole photo's (`desk.fingerprint`), if asked for.
    """

    index: int
    crop: ByteArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    size: tuple[int, int]
    digest: str = ""
    stamp: Stamp | None = None
    fingerprint: ByteArray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Spared:
    """A picture of a folder that need not be decoded; `known` is what `Aside.find` returned for it."""

    index: int
    digest: str
    stamp: Stamp | None
    known: Any = field(repr=False, compare=False)


class Aside(Protocol):
    """What is known of pictures already, so that they need not be decoded once they are read."""

    def find(self, index: int, digest: str) -> Any:
        """What is known of the picture at that place, whose file has that digest, or None; from several threads."""

    def take(self, pictures: Sequence[Spared]) -> None:
        """Take in pictures that were found."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of a pass: places in the listing that were `kept`, in order, and what was skipped and why.

    `reduced_to` is the batch that a lack of memory forced, or 0.
    """

    kept: tuple[int, ...]
    skipped: tuple[Skipped, ...]
    reduced_to: int = 0


def pass_over(
    session: Session,
    listing: Listing,
    compute: Callable[[Sequence[Decoded]], T],
    take: Callable[[Sequence[Decoded], T], None],
    batch: int = 0,
    preview: Callable[[], Payload] | None = None,
    skip: Callable[[int, Skipped], None] | None = None,
    aside: Aside | None = None,
    fingerprints: bool = False,
) -> Steps[Passed]:
    """Give every picture of a folder to `compute` and what that returns to `take`, in the listing's order.

    Yields after each batch of `batch` pictures, 0 for as many as suit the device. Where memory is too small for them,
    smaller batches go on from there. A picture that cannot be read is skipped with its reason.

    Args:
        compute: may fail for lack of memory, and is then called again with fewer pictures: it keeps nothing.
        take: keeps what was computed.
        preview: the picture so far, for the updates.
        skip: is told of each picture that cannot be read, with its place in the listing.
        aside: knows pictures already, which it is given instead of `compute`.
        fingerprints: whether pictures come with their fingerprints.

    Raises:
        EngineError: no picture could be read, unless there is an `aside`.
    """
    total = len(listing.paths)
    kept: list[int] = []
    skipped = list(listing.skipped)
    size, fits = batch_size(session, batch), True
    with decoding(listing.paths, session.info.preprocess, size * _AHEAD, aside, fingerprints) as pictures:
        chunk: list[tuple[int, Decoded | Spared | Skipped]] = []
        while chunk := chunk or list(islice(pictures, size)):
            now = chunk[:size]
            read = [picture for _, picture in now if isinstance(picture, Decoded)]
            done = _attempt(compute, read) if read else None
            if read and done is None:
                size, fits = max(1, len(read) // 2), False
                session.free_memory()
                yield Update(now[0][0], total, f"too little memory for {len(read)} pictures at once: {size} from here")
                continue
            for index, picture in now:
                if isinstance(picture, Skipped):
                    skipped.append(picture)
                    if skip is not None:
                        skip(index, picture)
            if aside is not None:
                aside.take([picture for _, picture in now if isinstance(picture, Spared)])
            if done is not None:
                take(read, done[0])
                kept += [picture.index for picture in read]
            chunk = chunk[size:]
            so_far = now[-1][0] + 1
            yield Update(so_far, total, f"picture {so_far} of {total}", preview if kept or aside else None)
    if not kept and aside is None:
        raise nothing_read(skipped)
    return Passed(tuple(kept), tuple(skipped), 0 if fits else size)


def batch_size(session: Session, batch: int) -> int:
    """How many pictures go through the network at once; 0 asks for as many as suit the device."""
    return batch or _BATCH.get(session.device.type, _BATCH_ELSEWHERE)


def _attempt(compute: Callable[[Sequence[Decoded]], T], read: Sequence[Decoded]) -> tuple[T] | None:
    """What `compute` returns, or None if memory is too small; a single picture's failure is raised."""
    try:
        return (compute(read),)
    except Exception as error:
        fault = fault_of(error)
        if len(read) == 1 or fault is None or fault.kind is not FaultKind.MEMORY:
            raise
        forget(error)
    return None


def network_input(session: Session, pictures: Sequence[Decoded]) -> Tensor:
    """Pictures as the network's input f32 [N, C, H, W] on its device, channels-last without a copy.

    Bit for bit what `preprocess.normalise` makes, but by all of torch's threads, or on the device.
    """
    # Asked for at each batch: the network may have moved in between.
    device, preprocess = session.device, session.info.preprocess
    x = _stacked([picture.crop for picture in pictures], device).to(device, non_blocking=True).float()
    n = x.shape[3]
    # By a tensor: a graphics card would multiply by the reciprocal of a number.
    x.div_(torch.tensor(255.0, device=device))
    x.sub_(torch.tensor(preprocess.mean[:n], device=device)).div_(torch.tensor(preprocess.std[:n], device=device))
    return F.pad(x, (0, preprocess.channels - n)).permute(0, 3, 1, 2)


def _stacked(crops: list[ByteArray], device: torch.device) -> Tensor:
    """Crops u8 [N, H, W, C] as one tensor of the host; for a graphics card where it can fetch them by itself."""
    batch = torch.empty((len(crops), *crops[0].shape), dtype=torch.uint8, pin_memory=device.type == "cuda")
    np.stack(crops, out=batch.numpy())
    return batch


@contextmanager
def decoding(
    paths: Sequence[str], preprocess: Preprocess, ahead: int, aside: Aside | None = None, fingerprints: bool = False
) -> Iterator[Iterator[tuple[int, Decoded | Spared | Skipped]]]:
    """Pictures with their places, in order, decoded by threads that are gone when the block is left."""

    def decode(index: int, reserve: Reserve) -> Decoded | Spared | Skipped:
        try:
            content = read_content(paths[index])
            known = aside.find(index, content.digest) if aside is not None and content.digest else None
            if known is not None:
                return Spared(index, content.digest, content.stamp, known)
            photo = open_rgb(paths[index], data=content.data, reserve=reserve)[0]
            crop, box = prepare_picture(photo, preprocess)
            known_by = fingerprint(photo) if fingerprints else None
        except EngineError as error:
            return Skipped(paths[index], error.title)
        return Decoded(index, crop, box, (photo.height, photo.width), content.digest, content.stamp, known_by)

    with in_threads(decode, range(len(paths)), ahead) as pictures:
        yield enumerate(pictures)


@contextmanager
def in_threads(work: Callable[[T, Reserve], R], items: Sequence[T], ahead: int) -> Iterator[Iterator[R]]:
    """What `work` makes of the items, in order, at most `ahead` in advance; the threads end with the block.

    `work` decodes at most one picture for an item, for which it calls its second argument, see `DecodingRoom.one`: all
    threads together decode at most `decoding_room.MOST` pixels at a time, some 1 GB.
    """
    room = DecodingRoom()

    def alone(item: T) -> R:
        with room.one() as reserve:
            return work(item, reserve)

    # Pillow decodes and resizes without the interpreter's lock.
    pool = ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), thread_name_prefix="decode")
    try:
        yield _in_order(pool, alone, items, ahead)
    finally:
        room.close()
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Sequence[T], ahead: int) -> Iterator[R]:
    waiting: deque[Future[R]] = deque(pool.submit(work, item) for item in items[:ahead])
    for index in range(len(items)):
        made = waiting.popleft().result()
        if index + ahead < len(items):
            waiting.append(pool.submit(work, items[index + ahead]))
        yield made


def check_finite(values: FloatArray, layer: str, paths: Sequence[str], precision: str) -> None:
    """Raise `EngineError` naming layer and picture if a row of `values` f32 [N, …] holds NaN or infinity."""
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        what = "NaN" if np.isnan(values[first]).any() else "infinite values"
        raise EngineError(
            f"Layer {layer!r} gives {what} for {Path(paths[first]).name}",
            "Choose an earlier layer, or check the weights and the preprocessing"
            if precision == "float32"
            else f"Choose float32: {precision} may be too coarse for this network",
        )


def nothing_read(skipped: Sequence[Skipped]) -> EngineError:
    """What is said of a folder of which no picture could be read."""
    first = skipped[0]
    return EngineError(
        f"None of the {len(skipped)} pictures could be read, the first because: {first.reason}",
        "Choose a folder with JPEG or PNG pictures",
    )
