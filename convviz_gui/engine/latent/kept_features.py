"""The folder of features that are kept: what is in it, how large it may become, how it is emptied. No torch."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.paths import cache_dir

LIMIT = 8 * 2**30
"""Bytes that all kept features together may take; `CONVVIZ_CACHE_GB` sets another limit, 0 keeps nothing."""

_SUFFIX = ".sqlite"
_INDEX = "files"
_BESIDE = ("", "-wal", "-shm", "-journal")


def folder() -> Path:
    """Where features are kept; raises OSError if there can be no such place."""
    return cache_dir() / "features"


def limit() -> int:
    """Bytes that all of them may take."""
    try:
        return round(float(os.environ["CONVVIZ_CACHE_GB"]) * 2**30)
    except (KeyError, ValueError, OverflowError):
        return LIMIT


def index_file() -> Path:
    """The index of files."""
    return folder() / f"{_INDEX}{_SUFFIX}"


def network_file(key: str) -> Path:
    """The file for a network with a preprocessing and a precision, which `key` is a digest of."""
    return folder() / f"{key}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file: of which network ("" for the index), how many pictures, bytes, and when it was used last (seconds)."""

    path: Path
    about: str
    pictures: int
    size: int
    used: float


def kept_files() -> list[KeptFile]:
    """What is there, the file used last first. Damaged files are there with no pictures."""
    return sorted((_looked_at(path) for path in _files()), key=lambda kept: -kept.used)


def total_size() -> int:
    """Bytes that all files take."""
    return sum(map(_size, _files()))


def clear() -> int:
    """Remove what no run has open, here or in another program; returns how many bytes that freed.

    What a run has open is left to it, with the index of files, which it may be about to read.
    """
    freed, left = 0, False
    for path in sorted(_files(), key=lambda path: path == index_file()):
        size = _size(path)
        if (path == index_file() and left) or in_use(path):
            left = True
        elif remove(path):
            freed += size
    return freed


def in_use(path: Path) -> bool:
    """True while a run, here or in another program, has the file open."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as database:
            # Whoever has read in this mode keeps others from leaving it.
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return False


def in_words(size: int) -> str:
    """Bytes in the units of the limit: "4.9 MB", "1.2 GB"."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.1f} MB"


def remove(path: Path) -> bool:
    """Remove a file with what SQLite keeps beside it; False if it cannot be."""
    with contextlib.suppress(OSError):
        for ending in _BESIDE:
            Path(f"{path}{ending}").unlink(missing_ok=True)
        return True
    return False


def make_room(keep: Path) -> None:
    """Remove the files used least lately, but for `keep`, until the rest is within the limit."""
    size, most = total_size(), limit()
    for path in sorted(_files(), key=_used):
        if size <= most:
            return
        if path not in (keep, index_file()):
            size -= _size(path)
            remove(path)


def _files() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(path for path in folder().iterdir() if path.suffix == _SUFFIX)


def _size(path: Path) -> int:
    size = 0
    for ending in _BESIDE:
        with contextlib.suppress(OSError):
            size += Path(f"{path}{ending}").stat().st_size
    return size


def _used(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _looked_at(path: Path) -> KeptFile:
    about, pictures = "", 0
    index = path.stem == _INDEX
    with (
        contextlib.suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as database,
    ):
        pictures = database.execute(f"SELECT count(*) FROM {'files' if index else 'pictures'}").fetchone()[0]
        if not index:
            about = ", ".join(value for (value,) in database.execute("SELECT value FROM about ORDER BY rowid"))
    return KeptFile(path, about, pictures, _size(path), _used(path))
