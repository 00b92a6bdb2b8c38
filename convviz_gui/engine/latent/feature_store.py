"""One network's rows in a file: SQLite, so that whatever happens to the program, what was finished is there."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convviz_gui.engine.latent.gathering import Rows
from convviz_gui.engine.payloads import FloatArray

FORMAT = 1
"""Goes up with every change of the tables."""

BUSY_SECONDS = 1.0
_LAYER = 1 << 40
"""A vector's key is its layer's number times this, plus its picture's: a layer's vectors lie together."""
_PAGE = 16384
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE layers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE pictures (id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, used INTEGER NOT NULL);
CREATE TABLE vectors (key INTEGER PRIMARY KEY, run INTEGER NOT NULL, checksum INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, subject BLOB NOT NULL, places BLOB NOT NULL,
                   done INTEGER NOT NULL, finished INTEGER NOT NULL);
"""


class OtherVersionError(Exception):
    """The file was made by another version of this program."""


def open_database(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """A database in its own file, made if it is not there; several programs may use it at once.

    Raises `OtherVersionError`, `sqlite3.Error` or `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        found = made.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            # Before there is any table, and outside of transactions.
            made.execute(f"PRAGMA page_size={_PAGE}")
            made.execute("PRAGMA auto_vacuum=INCREMENTAL")
        # A power failure may lose the last second, but never what was there before.
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=NORMAL")
        made.execute("PRAGMA temp_store=MEMORY")
        if found == 0:
            with writing(made):
                found = made.execute("PRAGMA user_version").fetchone()[0]
                if found == 0:  # no other program was quicker
                    for statement in filter(str.strip, schema.split(";")):
                        made.execute(statement)
                    made.execute(f"PRAGMA user_version={version}")
                    found = version
        if found != version:
            raise OtherVersionError
    except BaseException:
        made.close()
        raise
    return made


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # Where the disk is full SQLite has taken it back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A pass over a dataset: the places that were not known when it began, the first `done` of which are done with."""

    id: int
    places: tuple[int, ...]
    done: int = 0


class FeatureStore:
    """Rows by layer and by digest of the picture's file.

    Every method raises `sqlite3.Error`, `OSError`, or where the file is damaged `ValueError` or the like.

    Vectors are float32, bit for bit as they came, each with a checksum: a damaged one is as if it were not there.
    """

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        """Open or make the file; `about` says in words what it is of. Raises `OtherVersionError` besides."""
        self.path = path
        self._database = open_database(path, _SCHEMA, FORMAT)
        try:
            self._ids: dict[str, int] = dict(self._database.execute("SELECT name, id FROM layers").fetchall())
            if not all(isinstance(name, str) and 0 < number < 1 << 20 for name, number in self._ids.items()):
                raise ValueError("layers have no names")
            if not self._database.execute("SELECT 1 FROM about").fetchone():
                with writing(self._database):
                    self._database.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", about.items())
        except BaseException:
            self._database.close()
            raise

    def load(self, digests: Sequence[str], layers: Sequence[str], before: int | None = None) -> dict[str, Rows]:
        """The rows of those pictures of which all `layers` are there, from runs with numbers below `before`.

        Hundreds of digests at once at most.
        """
        if not all(layer in self._ids for layer in layers):
            return {}
        marks = ",".join("?" * len(digests))
        found = self._database.execute(
            f"SELECT id, digest FROM pictures WHERE digest IN ({marks}) ORDER BY id", [*map(bytes.fromhex, digests)]
        ).fetchall()
        rows: dict[str, dict[str, FloatArray]] = {digest.hex(): {} for _, digest in found}
        for layer in layers:
            first = self._ids[layer] * _LAYER
            keys = {first + number: digest.hex() for number, digest in found}
            marks = ",".join("?" * len(keys))
            query = f"SELECT key, checksum, vector FROM vectors WHERE key IN ({marks}) AND run < ?"
            limit = before if before is not None else 2**62
            with closing(self._database.execute(query, [*keys, limit])) as vectors:
                for key, checksum, vector in vectors:
                    digest = keys[key]
                    if checksum == _checksum(vector, layer, digest) and len(vector) % 4 == 0:
                        rows[digest][layer] = np.frombuffer(vector, np.float32)
        return {digest: row for digest, row in rows.items() if len(row) == len(layers)}

    def touch(self, digests: Sequence[str]) -> None:
        """Note that these pictures are in use today. Hundreds at once at most."""
        marks = ",".join("?" * len(digests))
        today = int(time.time() // 86400)
        query = f"SELECT 1 FROM pictures WHERE digest IN ({marks}) AND used < ? LIMIT 1"
        if self._database.execute(query, [*map(bytes.fromhex, digests), today]).fetchone():
            with writing(self._database):
                query = f"UPDATE pictures SET used = ? WHERE digest IN ({marks}) AND used < ?"
                self._database.execute(query, [today, *map(bytes.fromhex, digests), today])

    def unfinished(self, subject: bytes) -> RunRecord | None:
        """The last run of a subject, if it was cut off."""
        query = "SELECT id, places, done FROM runs WHERE subject = ? AND NOT finished ORDER BY id DESC LIMIT 1"
        found = self._database.execute(query, [subject]).fetchone()
        if found is None:
            return None
        number, packed, done = found
        places = tuple(np.frombuffer(zlib.decompress(packed), np.int32).tolist())
        return RunRecord(number, places, min(max(done, 0), len(places)))

    def begin(self, subject: bytes, missing: Sequence[int]) -> RunRecord:
        """Begin a run for places of which not all rows are here."""
        packed = zlib.compress(np.array(missing, np.int32).tobytes(), 1)
        with writing(self._database):
            # Others of the past are of no use any more; a few may still be at work in another program.
            self._database.execute("DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - 20 OR finished")
            made = self._database.execute("INSERT INTO runs VALUES (NULL, ?, ?, 0, 0)", [subject, packed])
        assert made.lastrowid is not None
        return RunRecord(made.lastrowid, tuple(missing))

    def put(self, run: int, rows: Iterable[tuple[str, Rows]], done: int) -> None:
        """Write rows, and how far the run has come, in one transaction. A run's first rows of a picture stay."""
        today = int(time.time() // 86400)
        put = (
            "INSERT INTO vectors VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET run = excluded.run, "
            "checksum = excluded.checksum, vector = excluded.vector WHERE run < excluded.run"
        )
        ids = dict(self._ids)
        with writing(self._database):
            for digest, row in rows:
                key = bytes.fromhex(digest)
                self._database.execute("INSERT OR IGNORE INTO pictures VALUES (NULL, ?, ?)", [key, today])
                number = self._database.execute("SELECT id FROM pictures WHERE digest = ?", [key]).fetchone()[0]
                for layer, values in row.items():
                    if layer not in ids:
                        self._database.execute("INSERT OR IGNORE INTO layers VALUES (NULL, ?)", [layer])
                        query = "SELECT id FROM layers WHERE name = ?"
                        ids[layer] = self._database.execute(query, [layer]).fetchone()[0]
                    vector = values.tobytes()
                    written = [ids[layer] * _LAYER + number, run, _checksum(vector, layer, digest), vector]
                    self._database.execute(put, written)
            self._database.execute("UPDATE runs SET done = max(done, ?) WHERE id = ?", [done, run])
        self._ids = ids

    def finish(self, subject: bytes) -> None:
        """The subject's runs are finished, for all its rows are here."""
        with writing(self._database):
            self._database.execute("UPDATE runs SET finished = 1 WHERE subject = ?", [subject])
        if self.unfinished(subject) is not None:
            raise ValueError("what was written is not there")

    def drop(self, run: int) -> None:
        """Forget all that a run has written."""
        with writing(self._database):
            self._database.execute("DELETE FROM vectors WHERE run = ?", [run])
            self._database.execute("DELETE FROM runs WHERE id = ?", [run])

    def size(self) -> int:
        """Bytes that the rows take."""
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def forget_oldest(self, count: int) -> int:
        """Remove the pictures that were in use least lately; returns how many there were."""
        with writing(self._database):
            query = "SELECT id FROM pictures ORDER BY used, id LIMIT ?"
            ids = [number for (number,) in self._database.execute(query, [count]).fetchall()]
            for layer in self._ids.values():
                self._database.executemany(
                    "DELETE FROM vectors WHERE key = ?", [[layer * _LAYER + number] for number in ids]
                )
            self._database.executemany("DELETE FROM pictures WHERE id = ?", [[number] for number in ids])
        self._database.execute("PRAGMA incremental_vacuum").fetchall()
        return len(ids)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _checksum(vector: bytes, layer: str, digest: str) -> int:
    """Of a vector and of what it is of: one that has come under another name is damaged, too."""
    return zlib.crc32(vector, zlib.crc32(f"{layer}\0{digest}".encode()))
