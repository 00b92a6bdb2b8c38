"""The bytes of a file, or of one inside an archive, whose path goes on behind the archive's ("/a/b.zip/cat/1.jpg")."""

from __future__ import annotations

import os
from pathlib import Path

from convviz_gui.engine import archives
from convviz_gui.engine.errors import EngineError


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """All of a file, unpacked if it lies in an archive. Safe to call from several threads.

    Raises:
        OSError: it is not there, or may not be read.
        EngineError: the archive around it is damaged, or it is encrypted or too large in there.
    """
    inside = archives.split(os.fspath(path))
    return Path(path).read_bytes() if inside is None else archives.read(*inside)


def signature(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Modification time in nanoseconds (the archive's, for a file in one) and size in bytes (unpacked).

    Some microseconds each, archives included, so that a dataset's files can all be looked at anew.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    path = os.fspath(path)
    inside = archives.split(path)
    if inside is None:
        status = os.stat(path)  # noqa: PTH116 - for each of a million pictures
        return status.st_mtime_ns, status.st_size
    try:
        contents = archives.contents(inside[0])
        return contents.stamp[0], contents.find(inside[1]).size
    except EngineError as error:
        raise OSError(str(error)) from error
