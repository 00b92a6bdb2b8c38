"""A shelf on the disk: rows by network and by what is in the pictures' files, for good."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from convviz_gui.engine.content import Stamp, stamp
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.folder_pass import batch_size
from convviz_gui.engine.latent import kept_features
from convviz_gui.engine.latent.feature_store import FeatureStore, OtherVersionError, RunRecord
from convviz_gui.engine.latent.file_index import FileIndex
from convviz_gui.engine.latent.gathering import Gathering, Rows
from convviz_gui.engine.latent.identity import Watch, identity_of
from convviz_gui.engine.latent.shelf import Parts, Shelf
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.session import Session

T = TypeVar("T")

FLUSH_SECONDS = 1.0
"""What is lost at most when the program is killed."""
LEAST_FREE = 256 * 2**20
"""Bytes of the disk that are left to others."""

_AT_ONCE = 500
"""Pictures that are looked up in one step: some 20 ms."""
_NONSENSE = (ValueError, TypeError, LookupError, OverflowError, zlib.error)
"""What comes of reading values that nobody has written."""
_TROUBLES = (sqlite3.Error, OSError, OtherVersionError, *_NONSENSE)
_REMEDY = "convviz cache --clear empties it"


def shelf_for(session: Session, batch: int) -> Steps[Shelf]:
    """The shelf for the open network as it is now; one that keeps nothing, with a note, where none can be had."""
    shelf = Shelf()
    if not kept_features.limit():
        return shelf
    identity, why = yield from identity_of(session)
    if identity:
        return DiskShelf(session, identity, batch)
    # That nothing is kept of what was opened from no file is no surprise to whoever opened it.
    if session.opened is not None and session.opened.digest:
        shelf.note = f"Features are not kept on the disk: {why}"
    return shelf


class DiskShelf(Shelf):
    """Rows of one network, with one preprocessing, in one precision, on one kind of device.

    Whatever goes wrong on the disk, the pass goes on without it. Rows are written once a second, in one transaction
    with how far the run has come, and a run that was stopped or killed goes on from there with the same batches: its
    result is that of an uninterrupted one, bit for bit, as long as the files are the same.
    """

    def __init__(self, session: Session, identity: str, batch: int) -> None:
        self._session, self._model, self._info = session, session.model, session.info
        self._batch = batch_size(session, batch)
        self._lock = threading.RLock()
        self._watch, self._disturbed = Watch(session.model), 0
        self._run: RunRecord | None = None
        self._layers: tuple[str, ...] = ()
        self._subject = b""
        self._rows: list[tuple[str, Rows]] = []
        self._files: list[tuple[str, Stamp, str]] = []
        self._fresh: frozenset[int] = frozenset()
        self._done = 0
        self._written = time.monotonic()
        preprocess, kind = dataclasses.replace(self._info.preprocess, source=""), self._info.device.partition(":")[0]
        words = repr((identity, preprocess, self._info.precision, kind))
        self._key = hashlib.blake2b(words.encode(), digest_size=16).hexdigest()
        self._about = {
            "network": self._info.name,
            "weights": self._info.weights,
            "input": "×".join(map(str, preprocess.size)),
            "precision": self._info.precision,
            "device": kind,
        }
        self._index: FileIndex | None = None
        self._store: FeatureStore | None = None
        self._store = self._try(self._opened, None)
        self._index = self._try(lambda: FileIndex(kept_features.index_file()), None, index=True)

    def _opened(self) -> FeatureStore:
        path = kept_features.network_file(self._key)
        store = FeatureStore(path, self._about)
        os.utime(path)
        return store

    # --------------------------------------------------------------------------------------------- what is known

    def fill(self, listing: Listing, rows: Gathering) -> Steps[Parts]:
        """As `Shelf.fill`; the batches of a run that was cut off begin where they would have."""
        self._layers = rows.layers
        words = repr((listing.paths, self._layers, self._batch)).encode("utf-8", "surrogateescape")
        self._subject, store = hashlib.blake2b(words).digest(), self._store
        self._run = self._try(lambda: store.unfinished(self._subject), None) if store is not None else None
        ahead = self._run.places[self._run.done :] if self._run is not None else ()
        self._fresh = frozenset(ahead)
        missing: list[int] = []
        total = len(listing.paths)
        for start in range(0, total, _AT_ONCE):
            places = [place for place in range(start, min(start + _AT_ONCE, total)) if place not in self._fresh]
            missing += self._taken(listing.paths, places, rows)
            yield Update(min(start + _AT_ONCE, total), total, "looking up known pictures")
        if self._run is not None:
            return tuple(missing), ahead
        if missing and store is not None:
            self._run = self._try(lambda: store.begin(self._subject, missing), None)
        self._fresh = frozenset(missing)
        return (tuple(missing),)

    def _taken(self, paths: Sequence[str], places: Sequence[int], rows: Gathering) -> list[int]:
        """Put what is known of some pictures into `rows`; returns the others."""
        index, store = self._index, self._store
        if index is None or store is None or not places:
            return list(places)
        stamps = [stamp(paths[place]) for place in places]
        digests = self._try(lambda: index.find([paths[place] for place in places], stamps), None, index=True)
        if digests is None:
            return list(places)
        wanted = sorted({digest for digest in digests if digest})
        known: dict[str, Rows] = self._try(lambda: store.load(wanted, self._layers), {})
        self._try(lambda: store.touch(list(known)), None)
        left = []
        for place, digest in zip(places, digests, strict=True):
            if digest in known:
                rows.add(place, digest, known[digest])
            else:
                left.append(place)
        return left

    def find(self, place: int, digest: str) -> Rows | None:
        """As `Shelf.find`. What this run itself has written counts only for places that it was done with before."""
        store, run = self._store, self._run
        if store is None:
            return None
        before = run.id if run is not None and place in self._fresh else None
        found: dict[str, Rows] = self._try(lambda: store.load([digest], self._layers, before), {})
        return found.get(digest)

    # ------------------------------------------------------------------------------------------ what is to be kept

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, the network computes rows; they are not kept if it does so by chance, or changes itself."""
        with self._watch.watching():
            yield
        # Once may be somebody else's drawing, in another thread.
        self._disturbed = self._disturbed + 1 if self._watch.why else 0
        if self._disturbed > 1:
            store, run = self._store, self._run
            if store is not None and run is not None:
                self._try(lambda: store.drop(run.id), None)
            self._give_up(self._watch.why)

    def keep(self, path: str, stamp: Stamp | None, digest: str, row: Rows) -> None:
        """As `Shelf.keep`; written with the next transaction."""
        if self._session.info is not self._info or self._session.model is not self._model:
            self._give_up("the network was changed meanwhile")
        if self._store is not None and digest and not self._watch.why:
            self._rows.append((digest, row))
            self.saw(path, stamp, digest)

    def saw(self, path: str, stamp: Stamp | None, digest: str) -> None:
        """As `Shelf.saw`."""
        if stamp is not None and digest:
            self._files.append((path, stamp, digest))

    def passed(self, done: int) -> None:
        """As `Shelf.passed`, of the last part."""
        run = self._run
        if run is not None:
            # What a run that was cut off had done stands before its last part.
            self._done = (run.done if len(self._fresh) < len(run.places) else 0) + done
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        rows, files, store, index, run = self._rows, self._files, self._store, self._index, self._run
        self._rows, self._files, self._written = [], [], time.monotonic()
        if store is not None and run is not None:
            self._try(lambda: self._write(store, run.id, rows), None)
        # Only now, so that a file never seems known whose rows are not there.
        if index is not None and files:
            self._try(lambda: _note(index, files), None, index=True)

    def _write(self, store: FeatureStore, run: int, rows: Sequence[tuple[str, Rows]]) -> None:
        if shutil.disk_usage(store.path.parent).free < LEAST_FREE:
            raise OSError("the disk is nearly full")
        store.put(run, rows, self._done)
        # Damage that SQLite does not notice shows in what cannot be found again.
        written = [digest for digest, _ in rows[-_AT_ONCE:]]
        if set(written) - store.load(written, self._layers).keys():
            raise ValueError("rows are not where they were written")
        kept_features.make_room(store.path)
        if store.size() > kept_features.limit():
            store.forget_oldest(2 * len(rows) + 1)

    def finish(self) -> Steps[None]:
        """As `Shelf.finish`; makes room for what is to come."""
        self._flush()
        store, index, run = self._store, self._index, self._run
        if store is not None and run is not None:
            self._try(lambda: store.finish(self._subject), None)
        if index is not None:
            self._try(index.trim, None, index=True)
        yield from self._shrink()

    def _shrink(self) -> Steps[None]:
        store = self._store
        if store is None:
            return
        while self._try(store.size, 0) > kept_features.limit():
            yield Update(1, 1, "making room")
            if not self._try(lambda: store.forget_oldest(_AT_ONCE), 0):
                return

    def close(self) -> None:
        """Write what is left, and let go of the files."""
        if self._rows or self._files:
            self._flush()
        self._let_go()

    # -------------------------------------------------------------------------------------------------- trouble

    def _try(self, work: Callable[[], T], otherwise: T, *, index: bool = False) -> T:
        with self._lock:
            try:
                return work()
            except _TROUBLES as error:
                if _is_damaged(error):
                    self._let_go()
                    place = kept_features.index_file() if index else kept_features.network_file(self._key)
                    kept_features.remove(place)
                self._give_up(_in_words(error))
                return otherwise

    def _give_up(self, why: str) -> None:
        self.note = self.note or f"Features are not kept on the disk: {why}"
        self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            for database in (self._store, self._index):
                if database is not None:
                    database.close()
            self._store = self._index = None
            self._rows, self._files = [], []


def _note(index: FileIndex, files: Sequence[tuple[str, Stamp, str]]) -> None:
    index.put(files)
    paths, stamps, digests = zip(*files[-_AT_ONCE:], strict=True)
    if index.find(paths, stamps) != list(digests):
        raise ValueError("files are not where they were noted")


def _is_damaged(error: Exception) -> bool:
    # SQLITE_ERROR: our statements do not fit what should be our tables.
    name = getattr(error, "sqlite_errorname", "")
    damaged = name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH"))
    unreadable = isinstance(error, sqlite3.OperationalError) and not name  # such as text that is not Unicode
    return damaged or unreadable or name == "SQLITE_ERROR" or isinstance(error, _NONSENSE)


def _in_words(error: Exception) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if isinstance(error, OtherVersionError):
        return f"another version of ConvViz made what is there ({_REMEDY})"
    if _is_damaged(error):
        return "what was there is damaged, and has been removed; the next run keeps them anew"
    if name.startswith("SQLITE_FULL"):
        return "the disk is full"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program is using what is there"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")) or isinstance(error, PermissionError):
        return f"their folder cannot be written ({_place()})"
    return f"they cannot be written ({str(error).strip() or type(error).__name__})"


def _place() -> Path | str:
    try:
        return kept_features.folder()
    except OSError as error:
        return str(error)
