"""Pictures on their way through the network into parts, each written as soon as its last row is there."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.decoding_room import DecodingRoom, Reserve
from convviz_gui.engine.desk.fingerprint import LENGTH
from convviz_gui.engine.embedded.manifest import Part
from convviz_gui.engine.embedded.parts import Rows, write_part
from convviz_gui.engine.embedded.passing import LayerRows, vectors_and_logits
from convviz_gui.engine.embedded.plan import Plan, Slice
from convviz_gui.engine.embedded.storing import faults, stored
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import Decoded, pass_over
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import ByteArray, FloatArray, Skipped
from convviz_gui.engine.session import Session

THUMBNAIL = 128
"""Longer side in pixels."""

Written = Callable[[int, Part, tuple[Skipped, ...]], None]


def embed_slices(session: Session, plan: Plan, slices: Sequence[Slice], batch: int, written: Written) -> Steps[None]:
    """Take the pictures of some parts through the network in one pass, and write each part when it is complete.

    Memory is bounded by two parts. `written` is told of each part: number, facts, what was left out of it.

    Raises:
        EngineError: nothing can be kept of the very first pictures, or a part cannot be written.
    """
    paths = tuple(path for part in slices for path in part.paths)
    listing = Listing(paths, ("",) * len(paths), ())
    layer = plan.description.layer
    with ThreadPoolExecutor(2, thread_name_prefix="thumbnail") as pool:
        gather = _Gather(plan, slices, pool, written)
        steps = pass_over(
            session,
            listing,
            lambda pictures: vectors_and_logits(session, layer, pictures),
            gather.take,
            batch,
            skip=gather.skip,
            fingerprints=True,
        )
        try:
            while True:
                update = next(steps)
                gather.write(update.done)
                yield Update(update.done, update.total, update.note)
        except StopIteration:
            pass
        except EngineError:
            # That not one could be read ends a folder's pass; here there may be other parts.
            if gather.n_skipped < len(paths):
                raise
        finally:
            steps.close()
        gather.write(len(paths))


@dataclass(slots=True)
class _Kept:
    """A picture's row."""

    index: int
    digest: str
    fingerprint: ByteArray
    features: FloatArray
    logits: FloatArray


class _Gather:
    """What has come of the pass and is in no part yet. Indices count through all slices."""

    def __init__(self, plan: Plan, slices: Sequence[Slice], pool: ThreadPoolExecutor, written: Written) -> None:
        self._plan = plan
        self._slices = list(slices)
        self._pool = pool
        self._room = DecodingRoom()
        self._written = written
        self._start = 0
        self._rows: list[_Kept] = []
        self._skipped: list[tuple[int, Skipped]] = []
        self._any = False
        self.n_skipped = 0

    def skip(self, index: int, left_out: Skipped) -> None:
        """A picture that could not be read."""
        self._skipped.append((index, left_out))
        self.n_skipped += 1

    def take(self, pictures: Sequence[Decoded], rows: LayerRows) -> None:
        """A batch that is through; rows that cannot be stored are left out with the reason."""
        features, logits = rows
        reasons = faults(features, logits, self._plan.description.layer, self._plan.description.store)
        if not self._any and all(reasons):
            raise EngineError(
                f"{self._name(pictures[0].index)} cannot be kept: {reasons[0]}",
                "Choose an earlier layer, or check the weights, the preprocessing and --precision",
            )
        for i, picture in enumerate(pictures):
            if reasons[i]:
                self.skip(picture.index, Skipped(self._path(picture.index), reasons[i]))
            else:
                self._any = True
                assert picture.fingerprint is not None
                self._rows.append(_Kept(picture.index, picture.digest, picture.fingerprint, features[i], logits[i]))

    def write(self, done: int) -> None:
        """Write the parts whose pictures are all among the first `done`."""
        while self._slices and self._start + len(self._slices[0].paths) <= done:
            part = self._slices.pop(0)
            end = self._start + len(part.paths)
            rows = [row for row in self._rows if row.index < end]
            skipped = [left for index, left in self._skipped if index < end]
            facts = write_part(
                self._plan.folder,
                part.number,
                part.key,
                self._plan.description,
                self._as_rows(part, rows),
                skipped,
            )
            self._rows = [row for row in self._rows if row.index >= end]
            self._skipped = [item for item in self._skipped if item[0] >= end]
            self._start = end
            self._written(part.number, facts, tuple(skipped))

    def _as_rows(self, part: Slice, kept: list[_Kept]) -> Rows:
        description = self._plan.description
        places = [row.index - self._start for row in kept]
        paths = [part.paths[place] for place in places]
        features = _stack([row.features for row in kept], description.dimension)
        logits = _stack([row.logits for row in kept], description.n_classes)
        top = top_classes(logits)
        odds = probabilities(logits) if logits.shape[1] and len(logits) else np.zeros((len(kept), 1))
        return Rows(
            ids=[part.ids[place] for place in places],
            paths=paths,
            labels=[part.labels[place] for place in places],
            splits=[part.splits[place] for place in places],
            digests=[row.digest for row in kept],
            fingerprints=np.stack([row.fingerprint for row in kept]) if kept else np.zeros((0, LENGTH), np.uint8),
            features=stored(features, description.store),
            logits=stored(logits, description.store),
            prediction=top,
            probability=odds.max(axis=1).astype(np.float32),
            thumbnails=list(self._pool.map(self._thumbnail, paths)) if description.thumbnails else [],
        )

    def _path(self, index: int) -> str:
        at = index - self._start
        for part in self._slices:
            if at < len(part.paths):
                return part.paths[at]
            at -= len(part.paths)
        raise IndexError(index)

    def _thumbnail(self, path: str) -> bytes:
        with self._room.one() as reserve:
            return thumbnail(path, reserve)

    def _name(self, index: int) -> str:
        return self._path(index).rsplit("/", 1)[-1]


def _stack(rows: list[FloatArray], width: int) -> FloatArray:
    return np.stack(rows) if rows else np.zeros((0, width), np.float32)


def thumbnail(path: str, reserve: Reserve | None = None) -> bytes:
    """A small JPEG of a picture; empty if it is gone meanwhile. `reserve` as of `images.open_rgb`."""
    try:
        image = open_rgb(path, reserve=reserve)[0]
    except EngineError:
        return b""
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
