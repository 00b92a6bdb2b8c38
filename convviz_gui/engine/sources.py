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
    """Raise `EngineError` if a source is given twice."""
    paths = _paths(sources)
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise EngineError(f"{twice} is given twice", "Give each folder once")


def _paths(sources: Sequence[str]) -> list[Path]:
    return [Path(os.path.normpath(Path(source).absolute())) for source in sources]
