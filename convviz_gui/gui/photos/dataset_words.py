"""Datasets in words, and the dialogs that choose them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from convviz_gui.engine.sources import ARCHIVES, TABLES, is_archive, is_table, split_names

_FILES = f"Archives and tables ({' '.join(f'*{suffix}' for suffix in (*ARCHIVES, *TABLES))});;All files (*)"


def described(sources: Sequence[str]) -> str:
    """A dataset in one line: its path, or "3 folders as splits: train, val, test"."""
    if len(sources) < 2:
        return "".join(sources)
    files = any(is_archive(Path(source)) or is_table(Path(source)) for source in sources)
    what = "sources" if files else "folders"
    return f"{len(sources)} {what} as splits: {', '.join(split_names(sources))}"


def explained(sources: Sequence[str]) -> str:
    """What its labels and splits are taken from, and where it lies."""
    if not sources:
        return (
            "A folder, a .zip archive or a .csv table of pictures. Sub-folders, where there are any, become the labels"
        )
    if len(sources) > 1:
        lines = (f"{name}: {source}" for name, source in zip(split_names(sources), sources, strict=True))
        return "\n".join(("Each is a split; sub-folders in it are the labels", *lines))
    path = Path(sources[0])
    if is_archive(path):
        return f"{path}\nThe folders in the archive are the labels; nothing is unpacked to the disk"
    if is_table(path):
        return f"{path}\nLabels, splits and further columns are the table's; its paths are relative to its folder"
    return f"{path}\nSub-folders, where there are any, are the labels; folders called train, val and test are splits"


def ask_folder(parent: QWidget, near: str, title: str = "Open a folder of pictures") -> tuple[str, ...]:
    """A folder chosen in a dialog, or ()."""
    chosen = QFileDialog.getExistingDirectory(parent, title, near)
    return (chosen,) if chosen else ()


def ask_files(parent: QWidget, near: str, title: str = "Open an archive or a table of pictures") -> tuple[str, ...]:
    """Archives and tables chosen in a dialog; several are splits."""
    return tuple(QFileDialog.getOpenFileNames(parent, title, near, _FILES)[0])
