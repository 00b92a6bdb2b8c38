"""Writing all or nothing: a result is in its folder completely, or what was there before still is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from convviz_gui.engine.errors import EngineError


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: the old one, if any, stays until the new one is safely on disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read.
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@contextmanager
def staged(folder: Path, seal: str) -> Iterator[Path]:
    """A staging folder whose files move into `folder` when the block ends well, and vanish when it does not.

    `seal` names the file that is removed first and moved last: while it is there, so is everything else. Files in
    `folder` that the block does not write are left alone. Raises `EngineError` if `folder` cannot be written.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=".convviz-"))
    except OSError as error:
        raise EngineError(
            f"Cannot write to {folder}: {error.strerror or error}", "Choose another folder to write to (--out DIR)"
        ) from error
    try:
        yield staging
        _publish(staging, folder, seal)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # it is not empty, as it should be
                folder.rmdir()


def _publish(staging: Path, folder: Path, seal: str) -> None:
    files = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    for name in files:
        with (staging / name).open("rb") as file:
            os.fsync(file.fileno())
    (folder / seal).unlink(missing_ok=True)
    for name in sorted(files, key=lambda name: name == Path(seal)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(folder / name)
