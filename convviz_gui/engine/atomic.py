"""Writing all or nothing: a result is in its folder completely, or what was there before still is."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from convviz_gui.engine import leftovers
from convviz_gui.engine.errors import EngineError

_ELSEWHERE = "Choose another folder to write to (command line: --out DIR)"


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: the old one, if any, stays until the new one is safely on disk."""
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that becomes `path` when the block ends well; until then, and else, the old one stays.

    Raises `OSError`, also where `path` is a folder, a device or a pipe: those are never replaced by a file.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "A folder or a device, not a file to write to", str(path))
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        error.filename = str(path)
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
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
def staged(folder: Path, seal: str, spared: Collection[str] = ()) -> Iterator[Path]:
    """A staging folder whose files move into `folder` when the block ends well, and vanish when it does not.

    `seal` names the file that is removed first and moved last: while it is there, so is everything else. `spared` are
    files that are never replaced, such as what a result was made of; it may grow meanwhile. Other files in
    `folder` that the block does not write are left alone, but for staging folders of processes that were killed: those
    are swept away. Raises `EngineError` if `folder` cannot be written, or a file in it is to be spared.
    """
    # Named before it is made, so that an interruption at any moment finds it.
    staging = folder / leftovers.staging_name()
    made: list[Path] = []
    held: int | None = None
    try:
        try:
            made += [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                leftovers.sweep(folder)
                staging.mkdir()
                held = leftovers.hold(staging)
        except OSError as error:
            raise EngineError(f"Cannot write to {folder}: {error.strerror or error}", _ELSEWHERE) from error
        yield staging
        _publish(staging, folder, seal, spared)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if held is not None:
            os.close(held)
        for path in made:
            with suppress(OSError):  # it is not empty, as it should be
                path.rmdir()


def _publish(staging: Path, folder: Path, seal: str, spared: Collection[str]) -> None:
    files = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    for name in files:
        _check_place(folder, name)
        _check_spared(folder / name, spared)
        with (staging / name).open("rb") as file:
            os.fsync(file.fileno())
    with _alone(folder):
        (folder / seal).unlink(missing_ok=True)
        for name in sorted(files, key=lambda name: name == Path(seal)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(folder / name)


def _check_place(folder: Path, name: Path) -> None:
    """Raise `EngineError` if `name` cannot become a file in `folder`: found half-way, it would leave half a result."""
    if (folder / name).is_dir():
        raise EngineError(f"{folder / name} is a folder, so no file of that name can be written there", _ELSEWHERE)
    for place in name.parents[:-1]:
        if (folder / place).exists() and not (folder / place).is_dir():
            raise EngineError(f"{folder / place} is a file, so no folder of that name can be made there", _ELSEWHERE)


def _check_spared(path: Path, spared: Collection[str]) -> None:
    """Raise `EngineError` if `path` is one of the files `spared`, under whatever names."""
    if not path.is_file():
        return
    for other in spared:
        with suppress(OSError):  # it is in an archive, or gone
            if path.samefile(other):
                raise EngineError(f"{path} would be replaced: the result was made of it", _ELSEWHERE)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While inside, no other process publishes into `folder`, or begins to: the files in it are of one result."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems know no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
