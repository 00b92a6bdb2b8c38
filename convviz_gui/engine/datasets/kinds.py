"""Which files are datasets, by their names: for the engine, for drops and for dialogs."""

from __future__ import annotations

from pathlib import Path

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
