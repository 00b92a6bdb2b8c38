"""The pictures that were placed on the map, side by side: to choose, and to take away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QToolButton, QWidget

from convviz_gui.gui.latent.placed import Placed
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT

_ICON = 20
_LONGEST = 24


class GuestRow(QWidget):
    """Shows `Workbench.placed`; hidden while there are none."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.buttons: list[QToolButton] = []
        label = plain(QLabel("Placed"))
        label.setProperty("role", "section")
        self._chips = QWidget()
        self._row = QHBoxLayout(self._chips)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(UNIT // 2)
        self._row.addStretch(1)
        area = QScrollArea()
        area.setWidget(self._chips)
        area.setWidgetResizable(True)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        area.setFixedHeight(_ICON + 2 * UNIT)
        clear = QToolButton()
        clear.setText("✕")
        clear.setAccessibleName("Remove all placed pictures")
        clear.setToolTip("Take all placed pictures off the map")
        clear.clicked.connect(bench.forget_placed)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, 0, UNIT, 0)
        row.setSpacing(UNIT)
        row.addWidget(label)
        row.addWidget(area, 1)
        row.addWidget(clear)
        bench.placed_changed.connect(self.refresh)
        self.hide()

    def refresh(self) -> None:
        """Show what is placed now."""
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = [self._chip(placed) for placed in self._bench.placed]
        self.setVisible(bool(self.buttons))

    def _chip(self, placed: Placed) -> QToolButton:
        name = placed.located.name
        button = QToolButton()
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"
        button.setText(short.replace("&", "&&"))
        button.setToolTip(tip(f"{name}: show where it is, and its neighbours"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)
        button.setChecked(placed is self._bench.guest)
        if not placed.thumbnail.isNull():
            button.setIcon(QIcon(QPixmap.fromImage(placed.thumbnail)))
            button.setIconSize(QSize(_ICON, _ICON))
        button.clicked.connect(lambda: self._bench.choose_guest(placed))
        self._row.insertWidget(self._row.count() - 1, button)
        return button
