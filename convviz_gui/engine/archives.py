"""Zip archives, read where they lie: nothing is ever unpacked to the disk, and no more into memory than one file."""

from __future__ import annotations

import bz2
import os
import re
import stat
import threading
import zlib
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.zip_directory import Entry, read_directory

SUFFIX = ".zip"

MAX_UNPACKED = 256 << 20
"""Bytes: a file in an archive that says it unpacks to more is not read, for a few bytes may unpack to terabytes."""

_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_METHODS = {_STORED, _DEFLATED, _BZIP2}
_OTHER_METHODS = {9: "Deflate64", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES"}
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
_DRIVE = re.compile("[A-Za-z]:/")
_ODD = re.compile(r"[\\\0]|//|/\.|^[./]|^.:|^$")
_SPLIT = re.compile(rf"\.zip{re.escape(os.sep)}" if os.sep == "/" else r"\.zip[\\/]", re.IGNORECASE)

# Tables of contents that are remembered: a few archives, and as many files as take some 300 MB.
_MOST_ARCHIVES, _MOST_FILES = 8, 1_500_000


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an archive: its files by name, "/" between folders, and what cannot be read as (name, reason).

    `stamp` is the archive's own modification time in nanoseconds, size and inode.
    """

    archive: str
    stamp: tuple[int, int, int]
    names: dict[str, int] = field(repr=False)
    refused: tuple[tuple[str, str], ...] = field(repr=False)
    facts: array[int] = field(repr=False)

    def find(self, name: str) -> Entry:
        """Where a file's bytes are. Raises `FileNotFoundError`, or `EngineError` for one that cannot be read."""
        row = self.names.get(name)
        if row is None:
            reason = next((reason for refused, reason in self.refused if refused == name), "")
            if reason:
                raise EngineError(
                    f"{Path(name).name} in {Path(self.archive).name} cannot be read: {reason}",
                    "Unpack the archive, and open the folder instead",
                )
            raise FileNotFoundError(2, "No such file in the archive", f"{self.archive}{os.sep}{name}")
        return Entry(*self.facts[5 * row : 5 * row + 5])


def split(path: str) -> tuple[str, str] | None:
    """The archive's path and the name inside it, of a path like "/data/a.zip/cat/1.jpg"; None for any other path.

    A folder that is called "a.zip" is a folder.
    """
    for found in _SPLIT.finditer(path):
        archive = path[: found.end() - 1]
        try:
            status = os.stat(archive)  # noqa: PTH116 - for each of a million pictures
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            inner = path[found.end() :]
            return archive, inner if os.sep == "/" else inner.replace(os.sep, "/")
    return None


def contents(archive: str) -> Contents:
    """An archive's table of contents, remembered until the file changes. Safe to call from several threads.

    Raises:
        OSError: there is no such file, or it may not be read.
        EngineError: it is no zip archive, damaged, or in several parts.
    """
    status = os.stat(archive)  # noqa: PTH116 - for each of a million pictures
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise EngineError(f"{Path(archive).name} is not an ordinary file", "Save the archive to a file first")
    stamp = status.st_mtime_ns, status.st_size, status.st_ino
    with _lock:
        known = _known.get(archive)
        if known is None or known.stamp != stamp:
            known = _read(archive, stamp)
            _known[archive] = known
        _known.move_to_end(archive)
        while len(_known) > 1 and (
            len(_known) > _MOST_ARCHIVES or sum(len(one.names) for one in _known.values()) > _MOST_FILES
        ):
            _known.popitem(last=False)
    return known


_known: OrderedDict[str, Contents] = OrderedDict()
_lock = threading.Lock()


def read(archive: str, name: str) -> bytes:
    """A file's bytes, unpacked, and checked against the archive's checksum. Safe to call from several threads.

    Raises:
        OSError: there is no such archive or file in it, or it may not be read.
        EngineError: the archive is damaged, or the file in it is encrypted, damaged or too large.
    """
    # The archive is opened anew each time: that takes some 10 µs, and it can be moved or replaced at any time.
    entry = contents(archive).find(name)
    with Path(archive).open("rb") as file:
        file.seek(entry.offset)
        head = file.read(_LOCAL_SIZE)
        if head[:4] == _LOCAL and len(head) == _LOCAL_SIZE:
            file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), os.SEEK_CUR)
            data = file.read(entry.packed)
            if len(data) == entry.packed:
                unpacked = _unpack(data, entry)
                if unpacked is not None:
                    return unpacked
    raise EngineError(
        f"{Path(name).name} in {Path(archive).name} is damaged or incomplete",
        "Copy the archive again from where it came",
    )


def _unpack(data: bytes, entry: Entry) -> bytes | None:
    """The file itself; None if it is not what the archive says it is. Never more bytes than it says."""
    try:
        if entry.method == _DEFLATED:
            data = zlib.decompressobj(-15).decompress(data, entry.size + 1)
        elif entry.method == _BZIP2:
            data = bz2.BZ2Decompressor().decompress(data, entry.size + 1)
    except (zlib.error, OSError, ValueError, EOFError):
        return None
    return data if len(data) == entry.size and zlib.crc32(data) == entry.checksum else None


def _read(archive: str, stamp: tuple[int, int, int]) -> Contents:
    names: dict[str, int] = {}
    refused: list[tuple[str, str]] = []
    facts = array("Q")
    for name, entry, reason in read_directory(archive):
        if not reason and _ODD.search(name):
            name, reason = _tidy(name)
        reason = reason or _obstacle(entry)
        if reason:
            refused.append((name, reason))
        elif name in names:
            refused.append((name, "the archive holds two files of this name, and the first is taken"))
        else:
            names[name] = len(names)
            facts.extend(entry)
    return Contents(archive, stamp, names, tuple(refused), facts)


def _tidy(name: str) -> tuple[str, str]:
    """The name with "/" between folders, and why it cannot be used, or ""."""
    name = name.replace("\\", "/")
    parts = name.split("/")
    if ".." in parts or name.startswith("/") or _DRIVE.match(name):
        return name, "its name leads out of the archive"
    if "" in parts or "." in parts or "\0" in name:
        return name, "its name is not one of a file"
    return name, ""


def _obstacle(entry: Entry) -> str:
    _, packed, size, method, _ = entry
    if method not in _METHODS:
        how = _OTHER_METHODS.get(method, f"method {method}")
        return f"it is compressed with {how}, which is not read"
    if size > MAX_UNPACKED or packed > MAX_UNPACKED:
        return f"it unpacks to more than {MAX_UNPACKED >> 20} MB"
    return ""
