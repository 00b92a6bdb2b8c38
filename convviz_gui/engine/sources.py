"""What datasets are made of, told by names alone: for the engine, for drops and for dialogs. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from convviz_gui.engine.errors import EngineError

ARCHIVES = (".zip",)
TABLES = (".csv", ".tsv", ".tab")
_UNOPENED = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".parquet", ".xlsx", ".xls", ".ods")


def is_archive(path: Path) -> bool:
    """True for a zip archive, and for one that is not there."""
    return path.name.lower().endswith(ARCHIVES) and not _is_folder(path)


def is_table(path: Path) -> bool:
    """True for a CSV table, and for one that is not there."""
    return path.name.lower().endswith(TABLES) and not _is_folder(path)


def is_unopened(path: Path) -> bool:
    """True for files that hold datasets in forms that are not read."""
    return path.name.lower().endswith(_UNOPENED) and not _is_folder(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long; what is wrong with it is said when it is opened
        return False


def split_names(sources: Sequence[str]) -> tuple[str, ...]:
    """What the splits are called: a folder's name, an archive's or table's without its extension.

    Where two are the same, the folders above them come before, as many as tell them apart.
    """
    paths = _paths(sources)
    parts = [(*path.parts[:-1], path.name if path.is_dir() else path.stem) for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part.strip("/\\") for part in one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return tuple(names)
    return tuple(f"{one[-1]} ({number})" for number, one in enumerate(parts, 1))  # a.csv beside a.zip


def check_each_once(sources: Sequence[str]) -> None:
    """Raise `EngineError` if a source is given twice, under whatever names: each of its photos would leak."""
    seen: dict[tuple[str | int, ...], Path] = {}
    for path in _paths(sources):
        first = seen.setdefault(_identity(path), path)
        if first is not path:
            title = f"{path} is given twice" if first == path else f"{first} and {path} are the same"
            raise EngineError(title, "Give each folder once")


def _identity(path: Path) -> tuple[str | int, ...]:
    try:
        if path.is_dir():  # mounted twice, or on a disk that does not tell "A" from "a"
            status = path.stat()
            return status.st_dev, status.st_ino
    except OSError:
        return (str(path),)
    real = os.path.realpath(path)
    # What a table names lies around it: linked into another folder, it is about other pictures.
    return (real, os.path.realpath(path.parent)) if is_table(path) else (real,)


def _paths(sources: Sequence[str]) -> list[Path]:
    return [Path(os.path.normpath(Path(source).absolute())) for source in sources]
