"""Over a pixel map: what is explained, how sure the numbers are, and how the map is drawn."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.pixel_drawing import CLIPPED_AT, Drawn
from convviz_gui.engine.types import ModelInfo, Score
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.colour_combo import ColourCombo
from convviz_gui.gui.pictures.heat_overlay import score_and_probability

_USUAL_OPACITY = 50
_TITLES = {Drawn.HEAT: "Heat", Drawn.POSITIVE: "Positive", Drawn.ABSOLUTE: "Absolute", Drawn.COLOURS: "As colours"}
_HELP = {
    Drawn.HEAT: "What the method draws: the largest absolute value over the colours, or their signed sum",
    Drawn.POSITIVE: "Only what raises the score: the positive part of the sum over the colours",
    Drawn.ABSOLUTE: "Strength whatever its sign: the largest absolute value over the colours",
    Drawn.COLOURS: "Every colour's own attribution, grey is 0: the classic picture of guided backprop",
}


class PixelHeader(QWidget):
    """Title, facts and display choices.

    Signals:
        opacity_changed: the map's opacity on the photo is to be another, 0…1.
        drawing_changed: something else is to be drawn, or in other colours.
    """

    opacity_changed = Signal(float)
    drawing_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setFont(numbers_font(self.facts.font()))
        self.nothing = plain(QLabel(wordWrap=True))
        self.nothing.setProperty("role", "warning")
        self.nothing.hide()
        self.show_box = QComboBox()
        self.clip = QDoubleSpinBox()
        self.colours = ColourCombo(("inferno", "viridis", "grey", "cividis", "turbo", "jet"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self._set_up()
        self._arrange()
        self.show_box.currentIndexChanged.connect(lambda _: self.drawing_changed.emit())
        self.clip.valueChanged.connect(lambda _: self.drawing_changed.emit())
        self.colours.currentIndexChanged.connect(lambda _: self.drawing_changed.emit())
        self.slider.valueChanged.connect(lambda _: self.opacity_changed.emit(self.opacity()))

    def _set_up(self) -> None:
        self.show_box.setAccessibleName("What is drawn")
        self.show_box.setMinimumContentsLength(7)
        for what in Drawn:
            self.show_box.addItem(_TITLES[what], what.value)
            self.show_box.setItemData(self.show_box.count() - 1, _HELP[what], Qt.ItemDataRole.ToolTipRole)
        self.show_box.setToolTip("What of the map is drawn; the numbers under the cursor are the same")
        self.clip.setAccessibleName("Contrast: percentile at which colours end")
        self.clip.setToolTip(
            "The last colour stands for this percentile of the absolute values, larger ones get it too. "
            "100 % shows the full range; less gives more contrast, since single pixels stick out."
        )
        self.clip.setLocale(QLocale.c())
        self.clip.setRange(50.0, 100.0)
        self.clip.setDecimals(1)
        self.clip.setSingleStep(0.5)
        self.clip.setSuffix(" %")
        self.clip.setValue(CLIPPED_AT)
        self.clip.setKeyboardTracking(False)
        self.clip.setMaximumWidth(10 * UNIT)
        self.slider.setRange(0, 100)
        self.slider.setValue(_USUAL_OPACITY)
        self.slider.setMinimumWidth(4 * UNIT)
        self.slider.setMaximumWidth(15 * UNIT)
        self.slider.setAccessibleName("Opacity of the map")
        self.slider.setToolTip("Drawn on the photo is (1 − opacity) · photo + opacity · colour")

    def _arrange(self) -> None:
        choices = QHBoxLayout()
        choices.setSpacing(UNIT)
        for text, control in (
            ("Show", self.show_box),
            ("Clip", self.clip),
            ("", self.colours),  # it shows itself what it is
            ("Opacity", self.slider),
        ):
            if text:
                label = QLabel(text)
                label.setProperty("role", "muted")
                label.setBuddy(control)
                choices.addWidget(label)
            choices.addWidget(control)
        choices.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addLayout(choices)
        column.addWidget(self.nothing)

    def opacity(self) -> float:
        """Opacity of the map on the photo, 0…1."""
        return self.slider.value() / 100

    def drawn(self) -> Drawn:
        """What is to be drawn."""
        return Drawn(self.show_box.currentData())

    def set_colours_possible(self, possible: bool) -> None:
        """Whether the map has three colours that could be drawn; the heat is, where it has not."""
        row = self.show_box.findData(Drawn.COLOURS.value)
        if not possible and self.drawn() is Drawn.COLOURS:
            self.show_box.setCurrentIndex(0)
        items = self.show_box.model()
        if isinstance(items, QStandardItemModel):
            items.item(row).setEnabled(possible)

    def show_map(self, found: PixelMap, model: ModelInfo, scores: tuple[Score, ...]) -> None:
        """Name what is explained, say the numbers, and say so if the map is zero everywhere."""
        name = _name(found, model)
        sure = f"  ·  {percent(score_and_probability(found)[1])}" if found.class_index is not None else ""
        self.title.setText(f"{name if found.class_index is not None else name[:1].upper() + name[1:]}{sure}")
        facts = [_said(score) for score in scores] or [f"score {value(found.score)}"]
        if found.class_index is not None and found.layer is not None:
            facts.append(f"Grad-CAM at {found.layer}")
        self.facts.setText("  ·  ".join(facts))
        self.nothing.setText(f"Nothing: the gradient of {name} that gets through to the photo is exactly zero.")
        self.nothing.setVisible(not found.attribution.any())


def _name(found: PixelMap, model: ModelInfo) -> str:
    if found.class_index is not None:
        rather = "" if found.against is None else f" rather than {model.class_name(found.against)}"
        return f"{model.class_name(found.class_index)}{rather}"
    unit = "" if found.unit is None else f", row {found.unit[0]}, column {found.unit[1]}"
    return f"channel {found.channel} of {found.layer}{unit}"


def _said(score: Score) -> str:
    """A score as part of a line; a text that says itself what it is about stands alone."""
    if len(score.text.split()) > 2:
        return score.text
    return f"{score.label[:1].lower()}{score.label[1:]} {score.text.replace('-', '−')}"
