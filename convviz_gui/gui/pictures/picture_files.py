"""Pictures and numbers on their way out: clipboard and files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.errors import problem_from
from convviz_gui.engine.payloads import FloatArray


def table_text(values: FloatArray) -> str:
    """Rows of tab-separated numbers, as a spreadsheet takes them; every digit that counts.

    Args:
        values: f32 [h, w].
    """
    return "\n".join("\t".join(row) for row in values.astype(str).tolist())


def png_bytes(picture: QImage) -> bytes:
    """The picture as a PNG file's content."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(picture)
    return bytes(content.data())


def save_picture(parent: QWidget, picture: QImage, suggested: str) -> None:
    """Ask for a place and save the picture there as PNG; if it cannot be, say why in words."""
    path = _asked(parent, "Save picture", f"{suggested}.png", "PNG picture (*.png)")
    if path is not None:
        _write(parent, path, png_bytes(picture), "picture")


def save_table(parent: QWidget, noun: str, suggested: str, table: str) -> None:
    """Ask for a place and save a table there as CSV; if it cannot be, say why in words. `noun` is what it is of."""
    path = _asked(parent, f"Save {noun}", f"{suggested}.csv", "Comma-separated values (*.csv)")
    if path is not None:
        _write(parent, path, table.encode(), noun)


def _asked(parent: QWidget, title: str, suggested: str, kind: str) -> Path | None:
    """Where the user wants the file, with the suffix of the name suggested."""
    suffix = Path(suggested).suffix
    chosen, _ = QFileDialog.getSaveFileName(parent, title, suggested, kind)
    if not chosen:
        return None
    return Path(chosen) if chosen.lower().endswith(suffix) else Path(f"{chosen}{suffix}")


def _write(parent: QWidget, path: Path, content: bytes, noun: str) -> None:
    try:
        write_bytes(path, content)
    except OSError as error:
        QMessageBox.warning(parent, f"The {noun} was not saved", str(problem_from(error)))
