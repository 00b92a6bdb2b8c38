"""What stands over the map: what it is, how far to trust it, and what its colours say."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Points, Skipped
from convviz_gui.gui.latent.map_words import is_poor, verdict
from convviz_gui.gui.latent.point_colours import ColourBy
from convviz_gui.gui.latent.skipped_dialog import SkippedDialog
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT


class MapHeader(QWidget):
    """Title, note on distortion, files left out, and the choice of colours.

    Signals:
        colour_changed: the user chose another `ColourBy`.
    """

    colour_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._skipped: tuple[Skipped, ...] = ()
        self.verdict = plain(QLabel(wordWrap=True))
        self.verdict.setToolTip(
            "Trustworthiness (Venna and Kaski 2001) is 1 if no picture has a stranger among its neighbours on the map."
        )
        self.skipped = QToolButton()
        self.skipped.hide()
        self.skipped.clicked.connect(self.show_skipped)
        self.colour = QComboBox()
        self.colour.setAccessibleName("Colour by")
        self.colour.setMinimumContentsLength(8)
        self.colour.activated.connect(lambda: self.colour_changed.emit(ColourBy(self.colour.currentData())))

        first = QHBoxLayout()
        first.setSpacing(UNIT)
        first.addWidget(self.verdict, 1)
        first.addWidget(self.skipped)
        first.addWidget(QLabel("Colour"))
        first.addWidget(self.colour)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        column.addLayout(first)

    def show_points(self, points: Points) -> None:
        """Tell about a map."""
        self.verdict.setText(verdict(points))
        role = "warning" if is_poor(points) else "muted"
        if self.verdict.property("role") != role:
            self.verdict.setProperty("role", role)
            self.verdict.style().polish(self.verdict)
        self._skipped = points.skipped
        count = len(points.skipped)
        self.skipped.setVisible(count > 0)
        self.skipped.setText("1 file left out…" if count == 1 else f"{count} files left out…")

    def show_choices(self, choices: tuple[ColourBy, ...], chosen: ColourBy) -> None:
        """Offer these colourings."""
        self.colour.clear()
        for choice in choices:
            self.colour.addItem(choice.value, choice.value)
        self.colour.setCurrentIndex(choices.index(chosen))

    def show_skipped(self) -> None:
        """List the files that were left out."""
        dialog = SkippedDialog(self._skipped, self)
        dialog.exec()
        dialog.deleteLater()
