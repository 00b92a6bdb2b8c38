"""Over an occlusion map: which class, how far its score falls, how much is computed, and how."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Occlusion
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.heat_overlay import score_and_probability

_USUAL_OPACITY = 80


class OcclusionHeader(QWidget):
    """Title, facts, the way it was computed, and the map's opacity.

    Signals:
        opacity_changed: the map's opacity on the photo is to be another, 0…1.
    """

    opacity_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = ElidedLabel()
        self.facts.setFont(numbers_font(self.facts.font()))
        self.how = ElidedLabel()
        for label in (self.facts, self.how):
            label.setProperty("role", "muted")
        self.warning = plain(QLabel(wordWrap=True))
        self.warning.setProperty("role", "warning")
        self.warning.hide()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(_USUAL_OPACITY)
        self.slider.setMinimumWidth(4 * UNIT)
        self.slider.setMaximumWidth(15 * UNIT)
        self.slider.setAccessibleName("Opacity of the map")
        self.slider.setToolTip(
            "How much of the photo the strongest colour hides; colours fade with the square root of the drop"
        )
        self._arrange()
        self.slider.valueChanged.connect(lambda _: self.opacity_changed.emit(self.opacity()))

    def _arrange(self) -> None:
        label = QLabel("Opacity")
        label.setProperty("role", "muted")
        label.setBuddy(self.slider)
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addWidget(self.facts, 1)
        row.addWidget(label)
        row.addWidget(self.slider)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.title)
        column.addLayout(row)
        column.addWidget(self.how)
        column.addWidget(self.warning)

    def opacity(self) -> float:
        """Opacity of the map on the photo, 0…1."""
        return self.slider.value() / 100

    def show_map(self, found: Occlusion, model: ModelInfo, *, running: bool) -> None:
        """Name the class, say the numbers, and say so where windows are missing or none of them matters."""
        rather = "" if found.against is None else f" rather than {model.class_name(found.against)}"
        name = f"{model.class_name(found.class_index)}{rather}"
        self.title.setText(f"{name}  ·  {percent(score_and_probability(found)[1])}")
        n_done, n = int(found.done.sum()), found.done.size
        windows = f"{n} windows" if n_done == n else f"{n_done} of {n} windows"
        fall = float(found.drop.max(initial=0.0))
        self.facts.setText(f"score {value(found.score)}  ·  largest drop {value(fall)}  ·  {windows}")
        self.how.setText(found.how[:1].upper() + found.how[1:])
        self.how.setVisible(bool(found.how))
        if n_done < n and not running:
            self.warning.setText(f"Stopped after {n_done} of {n} windows: grey ones are not computed.")
        elif n_done == n and not found.drop.any():
            self.warning.setText(f"Nothing: no window changes the score of {name} at all.")
        else:
            self.warning.setText("")
        self.warning.setVisible(bool(self.warning.text()))
