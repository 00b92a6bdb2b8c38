"""A dataset's pictures as points: what layers give for each, from one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.desk.fingerprint import LENGTH, as_floats, from_floats
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import Decoded, Passed, Spared, check_finite, network_input, nothing_read, pass_over
from convviz_gui.engine.latent.gathering import LOGITS, PRINTS, Gathering, Rows
from convviz_gui.engine.latent.shelf import Shelf
from convviz_gui.engine.method import Steps
from convviz_gui.engine.network.hooks import readings_and_logits
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import ByteArray, FloatArray, Payload, Skipped, frozen
from convviz_gui.engine.session import Session

_NO_PRINTS: ByteArray = frozen(np.zeros((0, LENGTH), np.uint8))


@dataclass(frozen=True, slots=True)
class Embedding:
    """N pictures in a layer's space. `features` f32 [N, D], `logits` f32 [N, K]; rows in the order of the listing.

    Maps are averaged over their positions. `labels` are the listing's; `rows` i64 [N] are places in it. `skipped` tells
    what could not be read. `digests` are of each file's content, "" where it is not known; files of the same content
    have the same rows. `fingerprints` u8 [N, 1548] are of the whole pictures; a preview has none. `note` says in a
    sentence why features could not be kept, if they should have been.
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
    note: str = ""
    fingerprints: ByteArray = field(default_factory=lambda: _NO_PRINTS, repr=False, compare=False)


Preview = Callable[[Embedding], Payload]
"""The picture so far, of the pictures read so far; the embedding is of the first layer, its rows in no order."""


def embed(session: Session, listing: Listing, layer: str, batch: int = 0) -> Steps[Embedding]:
    """`embed_layers` for one layer."""
    found = yield from embed_layers(session, listing, (layer,), batch)
    return found[layer]


def embed_layers(
    session: Session,
    listing: Listing,
    layers: Sequence[str],
    batch: int = 0,
    preview: Preview | None = None,
    shelf: Shelf | None = None,
) -> Steps[dict[str, Embedding]]:
    """Take every picture of a dataset through the network once, and keep what `layers` give and the logits.

    By the layers' ids ("fc@input" is what goes into one), in their order, in the session's precision; all of them share
    paths, labels and logits. Maps are averaged as they come: beyond the result, N × (ΣD + K) × 4 bytes, memory is that
    of a forward pass; while the result is put in order, one layer is there twice.

    Yields after each batch of `batch` pictures, 0 for as many as suit the device. Where memory is too small for them,
    smaller batches go on from there: rows do not depend on their batch but for rounding. A picture that cannot be read
    is skipped with its reason.

    Args:
        shelf: what is known of pictures already, and where rows are kept.

    Raises:
        EngineError: no picture could be read, a layer gives neither maps nor vectors, or values are not finite.
    """
    shelf = Shelf() if shelf is None else shelf
    work = _Work(session, listing, tuple(dict.fromkeys(layers)), preview, shelf)
    try:
        yield from work.steps(batch)
    finally:
        shelf.close()
    return work.result()


class _Work:
    """A pass over a dataset: what the shelf knows of it, and then part by part what it does not."""

    def __init__(
        self, session: Session, listing: Listing, layers: tuple[str, ...], preview: Preview | None, shelf: Shelf
    ) -> None:
        self._session, self._listing, self._layers = session, listing, layers
        self._preview, self._shelf = preview, shelf
        self._rows = Gathering((*layers, LOGITS, PRINTS), len(listing.paths))
        self._skipped = list(listing.skipped)
        self._reduced_to = 0
        self._part: Sequence[int] = ()

    def steps(self, batch: int) -> Steps[None]:
        """Do it."""
        total = len(self._listing.paths)
        parts = yield from self._shelf.fill(self._listing, self._rows)
        before = total - sum(map(len, parts))
        for self._part in filter(None, parts):
            paths, labels = self._listing.paths, self._listing.labels
            here = Listing(tuple(paths[i] for i in self._part), tuple(labels[i] for i in self._part), ())
            preview = self._so_far if self._preview is not None else None
            steps = pass_over(
                self._session,
                here,
                self._compute,
                self._take,
                batch,
                preview,
                self._leave_out,
                aside=self,
                fingerprints=True,
            )
            before += yield from self._shown(steps, before, total, counts=self._part is parts[-1])
        if not len(self._rows):
            raise nothing_read(self._skipped)
        yield from self._shelf.finish()

    def _shown(self, steps: Steps[Passed], before: int, total: int, *, counts: bool) -> Steps[int]:
        """A part's progress as that of the whole; returns how many pictures it had."""
        n = len(self._part)
        try:
            while True:
                update = next(steps)
                done = before + update.done
                self._shelf.passed(update.done if counts else 0)
                note = update.note if n == total or not update.preview else f"picture {done} of {total}"
                preview = update.preview if len(self._rows) else None
                yield replace(update, done=done, total=total, note=note, preview=preview)
        except StopIteration as stop:
            passed: Passed = stop.value
            self._reduced_to = passed.reduced_to or self._reduced_to
            return n
        finally:
            steps.close()

    def _compute(self, pictures: Sequence[Decoded]) -> Rows:
        with self._shelf.watching():
            features, logits = rows_of(self._session, self._layers, network_input(self._session, pictures))
        return {**features, LOGITS: logits}

    def _take(self, pictures: Sequence[Decoded], rows: Rows) -> None:
        paths = [self._listing.paths[self._part[picture.index]] for picture in pictures]
        for layer in self._layers:
            check_finite(rows[layer], layer, paths, self._session.info.precision)
        for i, picture in enumerate(pictures):
            assert picture.fingerprint is not None
            row = {layer: values[i] for layer, values in rows.items()} | {PRINTS: as_floats(picture.fingerprint)}
            counts = self._rows.add(self._part[picture.index], picture.digest, row)
            self._shelf.keep(paths[i], picture.stamp, picture.digest, counts)

    def _leave_out(self, _index: int, skipped: Skipped) -> None:
        self._skipped.append(skipped)

    def find(self, index: int, digest: str) -> Rows | None:
        """What the shelf knows of a picture."""
        return self._shelf.find(self._part[index], digest)

    def take(self, pictures: Sequence[Spared]) -> None:
        """Take in pictures that the shelf knows."""
        for picture in pictures:
            place = self._part[picture.index]
            self._rows.add(place, picture.digest, picture.known)
            self._shelf.saw(self._listing.paths[place], picture.stamp, picture.digest)

    def _so_far(self) -> Payload:
        assert self._preview is not None
        return self._preview(self._embedding(self._layers[0], self._rows.so_far(LOGITS)))

    def result(self) -> dict[str, Embedding]:
        """All layers, in the listing's order."""
        self._rows.sort()
        prints = from_floats(self._rows.so_far(PRINTS))
        first = replace(self._embedding(self._layers[0], self._rows.so_far(LOGITS)), fingerprints=prints)
        return {
            layer: replace(first, layer=layer, features=self._rows.so_far(layer)) if layer != first.layer else first
            for layer in self._layers
        }

    def _embedding(self, layer: str, logits: FloatArray) -> Embedding:
        places = tuple(self._rows.places)
        return Embedding(
            layer,
            tuple(self._listing.paths[place] for place in places),
            tuple(self._listing.labels[place] for place in places),
            self._rows.so_far(layer),
            logits,
            tuple(self._skipped),
            self._reduced_to,
            places,
            tuple(self._rows.digests),
            self._shelf.note,
        )


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
