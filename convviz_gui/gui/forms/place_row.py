"""The row that says at which place of the layer's maps something is asked."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from convviz_gui.engine.fields import extent_of, point_of, unit_at
from convviz_gui.gui.selection import Selection


class PlaceRow(QWidget):
    """The window's place as row and column of the chosen layer's maps, to be read and to be written.

    Signals:
        changed: another place was written.
    """

    changed = Signal()

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.line = QLineEdit()
        self.line.setAccessibleName("Place")
        self.line.setPlaceholderText("row, column")
        self.line.setToolTip("Row and column of the layer's maps, from 0; or click the place in the photo")
        self.line.editingFinished.connect(self._on_written)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.line)
        selection.point_changed.connect(self._show)
        selection.layer_changed.connect(self._show)
        selection.model_changed.connect(self._show)
        self._show()

    def unit(self) -> tuple[int, int] | None:
        """The position (row, column) of the chosen layer's maps; None without a layer that has channels."""
        node = self._selection.node()
        if node is None or node.channels is None:
            return None
        return unit_at(self._selection.point or (0.5, 0.5), extent_of(node))

    def _on_written(self) -> None:
        node = self._selection.node()
        parts = [part.strip() for part in self.line.text().split(",")]
        if node is not None and len(parts) == 2 and all(part.isdecimal() for part in parts):
            extent = extent_of(node)
            unit = (min(int(parts[0]), extent[0] - 1), min(int(parts[1]), extent[1] - 1))
            if unit != self.unit():
                self._selection.set_point(point_of(unit, extent))
                self.changed.emit()
        self._show()

    def _show(self) -> None:
        unit = self.unit()
        self.line.setText("" if unit is None else f"{unit[0]}, {unit[1]}")
