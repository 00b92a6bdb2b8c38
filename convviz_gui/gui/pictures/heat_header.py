"""Over a class map: which class at which layer, how sure the model is, and how the map is drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Heat, Strip
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.colour_combo import ColourCombo
from convviz_gui.gui.pictures.heat_overlay import score_and_probability

_USUAL_OPACITY = 40


class HeatHeader(QWidget):
    """Title, facts and display choices.

    Signals:
        opacity_changed: the map's opacity is to be another, 0…1.
        colours_changed: the map's colours are to be others.
    """

    opacity_changed = Signal(float)
    colours_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setFont(numbers_font(self.facts.font()))
        self.no_evidence = plain(QLabel(wordWrap=True))
        self.no_evidence.setProperty("role", "warning")
        self.no_evidence.hide()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(_USUAL_OPACITY)
        self.slider.setFixedWidth(120)
        self.slider.setAccessibleName("Opacity of the map")
        self.slider.setToolTip("Drawn is (1 − opacity) · photo + opacity · colour")
        self.amount = QLabel()
        self.amount.setFont(numbers_font(self.amount.font()))
        self.colours = ColourCombo(("jet", "viridis", "inferno", "cividis", "turbo"))
        self._arrange()
        self.slider.valueChanged.connect(self._on_opacity)
        self.colours.currentIndexChanged.connect(lambda _: self.colours_changed.emit())
        self._on_opacity()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addWidget(self.facts, 1)
        for text, control in (("Opacity", self.slider), ("", self.amount), ("Colours", self.colours)):
            if text:
                label = QLabel(text)
                label.setProperty("role", "muted")
                row.addWidget(label)
            row.addWidget(control)
        self.amount.setFixedWidth(self.amount.fontMetrics().horizontalAdvance("0.00") + UNIT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.title)
        column.addLayout(row)
        column.addWidget(self.no_evidence)

    def opacity(self) -> float:
        """Opacity of the map, 0…1."""
        return self.slider.value() / 100

    def show_heat(self, heat: Heat, model: ModelInfo) -> None:
        """Name class and layer, and say so if there is no positive evidence."""
        rows, columns = heat.raw.shape
        place = f"{heat.layer}, {rows} × {columns}"
        if heat.of_class:
            self._name(heat, model, place)
            self.no_evidence.setText(f"No positive evidence for {self._who(heat, model)} at {heat.layer}.")
        else:
            self.title.setText("The strongest pattern, whatever the class")
            self.facts.setText(place)
            self.no_evidence.setText(f"{heat.layer} is the same everywhere: there is no pattern.")
        self.no_evidence.setVisible(not heat.positive)

    def show_strip(self, strip: Strip, model: ModelInfo) -> None:
        """Name the class, and say so if no stage has positive evidence."""
        n = len(strip.layers)
        heat = strip.stage(-1)
        self._name(heat, model, f"{n} {'layer' if n == 1 else 'layers'}")
        self.no_evidence.setText(f"No positive evidence for {self._who(heat, model)} at any of these layers.")
        self.no_evidence.setVisible(not strip.positive.any())

    def _name(self, heat: Heat, model: ModelInfo, place: str) -> None:
        score, probability = score_and_probability(heat)
        self.title.setText(f"{self._who(heat, model)}  ·  {percent(probability)}")
        self.facts.setText(f"logit {value(score)}  ·  {place}")

    @staticmethod
    def _who(heat: Heat, model: ModelInfo) -> str:
        rather = "" if heat.against is None else f" rather than {model.class_name(heat.against)}"
        return f"{model.class_name(heat.class_index)}{rather}"

    def _on_opacity(self) -> None:
        self.amount.setText(f"{self.opacity():.2f}")
        self.opacity_changed.emit(self.opacity())
