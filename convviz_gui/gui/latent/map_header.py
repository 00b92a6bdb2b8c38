"""What stands over the map: how far to trust it, and which files were left out."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from convviz_gui.engine.payloads import Points, Skipped
from convviz_gui.gui.latent.map_words import is_poor, verdict
from convviz_gui.gui.latent.skipped_dialog import SkippedDialog
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT


class MapHeader(QWidget):
    """Note on distortion, and files left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._skipped: tuple[Skipped, ...] = ()
        self.verdict = plain(QLabel(wordWrap=True))
        self.verdict.setToolTip(
            "Trustworthiness is 1 if no picture has a stranger among its neighbours on the map; continuity is 1 if no "
            "picture has lost a true neighbour there (Venna and Kaski 2001)."
        )
        self.skipped = QToolButton()
        self.skipped.hide()
        self.skipped.clicked.connect(self.show_skipped)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT)
        row.setSpacing(UNIT)
        row.addWidget(self.verdict, 1)
        row.addWidget(self.skipped)

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
        self.skipped.setText("1 file left out…" if count == 1 else f"{count:,} files left out…")

    def show_skipped(self) -> None:
        """List the files that were left out."""
        dialog = SkippedDialog(self._skipped, self)
        dialog.exec()
        dialog.deleteLater()
