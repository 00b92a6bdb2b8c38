"""Over a comparison: what A and B are, and which way they are shown."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.compare.comparison import Comparison
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT, numbers_font

_USUAL_OPACITY = 70


class Way(IntEnum):
    """How two things are shown."""

    BESIDE = 0
    WIPE = 1
    DIFFERENCE = 2


_WAYS = {
    Way.BESIDE: ("Side by side", "Both, zoomed and pointed at together (S)"),
    Way.WIPE: ("Wipe", "Both in one place, with a line between them to drag or to move with the arrow keys (W)"),
    Way.DIFFERENCE: ("Difference", "A − B: red where A is larger, blue where B is (D)"),
}


class CompareHeader(QWidget):
    """Names of both sides, the way of showing them, and the maps' opacity.

    Signals:
        way_changed: another way is wanted; see `way`.
        opacity_changed: the maps' opacity is to be another, 0…1.
    """

    way_changed = Signal()
    opacity_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.titles = (ElidedLabel(), ElidedLabel())
        self.group = QButtonGroup(self)
        self.buttons = {way: self._button(way) for way in Way}
        self.buttons[Way.BESIDE].setChecked(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(_USUAL_OPACITY)
        self.slider.setFixedWidth(96)
        self.slider.setAccessibleName("Opacity of the maps")
        self.slider.setToolTip("How much of the maps is seen on the photo; with all of it, the map alone")
        self.amount = QLabel()
        self.amount.setFont(numbers_font(self.amount.font()))
        self._arrange()
        self.group.idToggled.connect(self._on_way)
        self.slider.valueChanged.connect(self._on_opacity)
        self._on_opacity()

    def _button(self, way: Way) -> QToolButton:
        button = QToolButton()
        button.setText(_WAYS[way][0])
        button.setCheckable(True)
        self.group.addButton(button, way)
        return button

    def _arrange(self) -> None:
        names = QGridLayout()
        names.setHorizontalSpacing(UNIT)
        names.setVerticalSpacing(UNIT // 2)
        names.setColumnStretch(1, 1)
        for row, title in enumerate(self.titles):
            letter = QLabel("AB"[row])
            letter.setProperty("role", "section")
            names.addWidget(letter, row, 0)
            names.addWidget(title, row, 1)
        ways = QHBoxLayout()
        ways.setSpacing(UNIT // 2)
        for button in self.buttons.values():
            ways.addWidget(button)
        ways.addStretch(1)
        label = QLabel("Opacity")
        label.setProperty("role", "muted")
        self.amount.setFixedWidth(self.amount.fontMetrics().horizontalAdvance("0.00") + UNIT)
        for widget in (label, self.slider, self.amount):
            ways.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addLayout(names)
        column.addLayout(ways)

    @property
    def way(self) -> Way:
        """The way chosen."""
        return Way(self.group.checkedId())

    def choose(self, way: Way) -> None:
        """Choose a way, if it is possible."""
        if self.buttons[way].isEnabled():
            self.buttons[way].setChecked(True)

    def opacity(self) -> float:
        """Opacity of the maps, 0…1."""
        return self.slider.value() / 100

    def show_comparison(self, found: Comparison, no_wipe: str) -> None:
        """Name both sides; ways that make no sense are off, and their tips say why (`no_wipe`: "" or a sentence)."""
        for title, side in zip(self.titles, (found.a, found.b), strict=True):
            title.setText(side.title)
        for way, why in ((Way.WIPE, no_wipe), (Way.DIFFERENCE, found.reason)):
            self.buttons[way].setEnabled(not why)
            self.buttons[way].setToolTip(tip(f"Not here. {why}." if why else _WAYS[way][1]))
        self.buttons[Way.BESIDE].setToolTip(_WAYS[Way.BESIDE][1])
        if not self.buttons[self.way].isEnabled():
            self.choose(Way.BESIDE)

    def _on_way(self, _number: int, checked: bool) -> None:
        if checked:
            self.way_changed.emit()

    def _on_opacity(self) -> None:
        self.amount.setText(f"{self.opacity():.2f}")
        self.opacity_changed.emit(self.opacity())
