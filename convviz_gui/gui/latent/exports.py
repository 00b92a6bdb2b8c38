"""Texts about pictures on their way to a file or the clipboard, made in the loader's pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.errors import Problem
from convviz_gui.gui.photos.image_loader import ImageLoader

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what it is called in a sentence, how its name ends, and what a dialog calls it."""

    noun: str
    suffix: str
    filter: str


CSV = Kind("table", ".csv", "Comma-separated values (*.csv)")
RANKING = Kind("ranking", ".csv", CSV.filter)
LIST = Kind("list", ".txt", "List of files (*.txt)")


def copy_text(loader: ImageLoader, kind: Kind, make: Callable[[], str], say: Say) -> None:
    """Put what `make` returns on the clipboard, and say so."""

    def then(value: object) -> None:
        if isinstance(value, str):
            QGuiApplication.clipboard().setText(value)
            say(f"The {kind.noun} is in the clipboard.")

    loader.call(make, then)


def save_text(
    parent: QWidget, loader: ImageLoader, kind: Kind, suggested: str, make: Callable[[], str], say: Say
) -> None:
    """Ask for a place and write what `make` returns there, all or nothing; if that cannot be, say why in words."""
    name = f"{suggested}{kind.suffix}"
    chosen, _ = QFileDialog.getSaveFileName(parent, f"Save {kind.noun}", name, kind.filter)
    if not chosen:
        return
    path = Path(chosen) if chosen.lower().endswith(kind.suffix) else Path(f"{chosen}{kind.suffix}")

    def then(value: object) -> None:
        if isinstance(value, Problem):
            QMessageBox.warning(parent, f"The {kind.noun} was not saved", str(value))
        else:
            say(f"Saved {path}")

    loader.call(lambda: write_bytes(path, make().encode()), then)
