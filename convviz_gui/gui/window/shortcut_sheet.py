"""F1: every key there is, on one page."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from convviz_gui.gui.look.theme import UNIT

_GENERAL = (
    ("Arrows", "walk through tiles, layers, photos"),
    ("Enter", "open what is chosen"),
    ("Esc", "close, clear a search, dismiss a notice"),
    ("Wheel, drag", "zoom at the cursor, pan"),
    ("Double-click", "fit the picture again"),
    ("Right-click", "copy, save, copy values, compare"),
    ("K, R, X, N, U", "on the Desk: keep, relabel, exclude, note, undecide"),
    ("J, S, M", "on the Desk: next, the other of a pair, show on the map"),
    ("Shift+drag, Alt+drag", "on the map: select with a rectangle, a lasso; with Ctrl more or fewer"),
    ("Shift+arrows", "on the map: select on the way"),
    ("Ctrl+arrows", "on the map: move it, turn it in space"),
    ("Alt+1, Alt+2", "in the latent space: the map, the Desk"),
    ("Space, Enter", "in the map's legend: dim a class, show it alone"),
    ("S, W, D, X", "in Compare: side by side, wipe, difference, swap"),
)


def shortcut_sheet(rows: list[tuple[str, str]], parent: QWidget) -> QDialog:
    """A window listing (keys, what they do), the menus' before the general ones."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Keyboard and mouse")
    table = [*rows, *_GENERAL]
    half = (len(table) + 1) // 2
    columns = QHBoxLayout()
    columns.setSpacing(4 * UNIT)
    for part in (table[:half], table[half:]):
        columns.addWidget(_column(part))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
    column.addLayout(columns)
    column.addWidget(buttons)
    return dialog


def _column(rows: list[tuple[str, str]]) -> QLabel:
    cells = "".join(
        f"<tr><td><b>{escape(keys)}</b>&nbsp;&nbsp;&nbsp;</td><td>{escape(what)}</td></tr>" for keys, what in rows
    )
    label = QLabel(f"<table cellspacing='4'>{cells}</table>")
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label
