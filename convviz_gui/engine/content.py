"""What a file holds, told by a digest; and by what it is known without being read that it still holds the same."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field

from convviz_gui.engine import archives, files
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import read_picture

DIGEST_BYTES = 16

Stamp = tuple[int, int, int, int]
"""Modification time and change of status in nanoseconds, size in bytes, inode: another, if a file may be another."""

_SETTLED = 2_500_000_000
"""Nanoseconds after which a file that changes gets another time on any file system (FAT counts in two seconds)."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes as they were read at once, None if there are too many of them; then `digest` is "".

    `digest` is BLAKE2b of them, 16 bytes in hexadecimal. `stamp` is the file's, or None if the file was changed so
    lately that another change might leave it the same.
    """

    data: bytes | None = field(repr=False)
    digest: str
    stamp: Stamp | None


def read_content(path: str) -> Content:
    """Read a picture's file. Raises as `images.read_picture`."""
    before = stamp(path)
    data = read_picture(path)
    if data is None:
        return Content(None, "", None)
    digest = hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()
    settled = before is not None and max(before[:2]) < time.time_ns() - _SETTLED and stamp(path) == before
    return Content(data, digest, before if settled else None)


def stamp(path: str) -> Stamp | None:
    """The stamp of a file, or of one inside an archive (the archive's, with the size inside); None if it is not there.

    Some microseconds each.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - for each of a million pictures
        size = status.st_size
    except (OSError, ValueError):
        try:
            inside = archives.split(path)
            if inside is None:
                return None
            status, size = os.stat(inside[0]), files.signature(path)[1]  # noqa: PTH116
        except (OSError, ValueError, EngineError):
            return None
    return status.st_mtime_ns, status.st_ctime_ns, size, status.st_ino
