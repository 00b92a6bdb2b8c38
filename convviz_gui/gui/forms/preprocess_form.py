"""A form for a preprocessing: size, what of the photo is taken, interpolation, colours, mean and standard deviation."""

from __future__ import annotations

import dataclasses
import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.preprocess_rules import (
    COLOURS,
    EDITED,
    INTERPOLATIONS,
    LARGEST,
    PRESETS,
    channel_names,
    checked,
    reordered,
    with_channels,
)
from convviz_gui.engine.types import Preprocess
from convviz_gui.gui.forms.fields import ChoiceBox, IntBox
from convviz_gui.gui.forms.form import form_layout
from convviz_gui.gui.look.theme import UNIT

_SHORTER, _EXACTLY, _SQUASH, _FIT = range(4)
_RULES = (
    "Shorter side to …, then the centre",
    "To height × width, then the centre",
    "All of it, out of shape",
    "All of it, with margins",
)
_GREY = "grey"
_OWN = "Own numbers"


class PreprocessForm(QWidget):
    """Edits a `Preprocess`.

    Signals:
        changed: a field changed, by hand or by the program.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self._colour_channels = COLOURS
        self._order = "rgb"
        self._proportion = (1, 1), 1, (1, 1)
        self.height_box, self.width_box = _pixels("Height of the input"), _pixels("Width of the input")
        self.rule = _choice("What is taken of the photo", _RULES)
        self.short = _pixels("Shorter side before the crop")
        self.resized = (_pixels("Height before the crop"), _pixels("Width before the crop"))
        self.interpolation = _choice("Interpolation", INTERPOLATIONS)
        self.colours = ChoiceBox()
        self.colours.setAccessibleName("Colours")
        for title, order in (("Red, green, blue", "rgb"), ("Blue, green, red", "bgr"), ("Grey", _GREY)):
            self.colours.addItem(title, order)
        self.preset = _choice("Normalisation", (*(preset[0] for preset in PRESETS), _OWN))
        self.mean, self.std = _numbers("Mean"), _numbers("Standard deviation")
        self._rows = form_layout(self)
        self._exact_row = _side_by_side(*self.resized)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        rows = self._rows
        # Beside their fields: numbers that belong together line up.
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        rows.addRow("Input", _side_by_side(self.height_box, self.width_box))
        rows.addRow("Photo", self.rule)
        rows.addRow("", self.short)
        rows.addRow("", self._exact_row)
        rows.addRow("Interpolation", self.interpolation)
        rows.addRow("Colours", self.colours)
        rows.addRow("Normalisation", self.preset)
        rows.addRow("Mean", self.mean)
        rows.addRow("Std", self.std)

    def _connect(self) -> None:
        for box in (self.height_box, self.width_box):
            box.valueChanged.connect(self._on_size)
        for box in (self.short, *self.resized):
            box.valueChanged.connect(self._on_resized)
        self.rule.currentIndexChanged.connect(self._on_rule)
        self.interpolation.currentIndexChanged.connect(self._on_changed)
        self.colours.currentIndexChanged.connect(self._on_colours)
        self.preset.activated.connect(self._on_preset)
        for line in (self.mean, self.std):
            line.textChanged.connect(self._on_changed)

    # ------------------------------------------------------------------------------------------- value

    def set_preprocess(self, preprocess: Preprocess) -> None:
        """Show a preprocessing."""
        self._quiet = True
        self._order = preprocess.channel_order
        if preprocess.channels > 1:
            self._colour_channels = preprocess.channels
        self.height_box.setValue(preprocess.size[0])
        self.width_box.setValue(preprocess.size[1])
        self._show_resize(preprocess)
        self._keep_proportion()
        self.interpolation.setCurrentText(preprocess.interpolation)
        self._show_colours(preprocess)
        self._quiet = False
        self._on_changed()

    def _show_resize(self, preprocess: Preprocess) -> None:
        resize = preprocess.resize
        self.short.setValue(resize if isinstance(resize, int) else min(preprocess.size))
        for box, side in zip(self.resized, resize if isinstance(resize, tuple) else preprocess.size, strict=True):
            box.setValue(side)
        rules = {None: _SQUASH, "fit": _FIT}
        other = _SHORTER if isinstance(resize, int) else _EXACTLY
        self.rule.setCurrentIndex(other if isinstance(resize, int | tuple) else rules[resize])
        self._show_rows()

    def _show_colours(self, preprocess: Preprocess) -> None:
        grey = preprocess.channels == 1
        self.colours.setCurrentIndex(self.colours.findData(_GREY if grey else preprocess.channel_order))
        self._show_numbers(preprocess)

    def _show_numbers(self, preprocess: Preprocess) -> None:
        for line, numbers in ((self.mean, preprocess.mean), (self.std, preprocess.std)):
            line.setText(_written(numbers))
            line.setCursorPosition(0)

    def take_focus(self) -> None:
        """Put the cursor into the first field, ready to be written over."""
        self.height_box.setFocus()
        self.height_box.selectAll()

    def preprocess(self) -> Preprocess:
        """What the form says. Raises `EngineError` if that makes no sense."""
        colours = self.colours.currentData()
        mean, std = _read("mean", self.mean.text()), _read("standard deviation", self.std.text())
        wanted = 1 if colours == _GREY else self._colour_channels
        if len(mean) != wanted:
            raise EngineError(
                f"{_count(wanted)} needed, not {len(mean)}", f"One mean for each channel: {self._names()}"
            )
        made = Preprocess(
            size=(self.height_box.value(), self.width_box.value()),
            resize=(self.short.value(), (self.resized[0].value(), self.resized[1].value()), None, "fit")[
                self.rule.currentIndex()
            ],
            interpolation=self.interpolation.currentText(),
            mean=mean,
            std=std,
            source=EDITED,
            channel_order=self._order if colours == _GREY else colours,
        )
        return checked(made)

    def problem(self) -> str:
        """What is wrong with the form, in words; "" if nothing is."""
        try:
            self.preprocess()
        except EngineError as error:
            return str(error)
        return ""

    def _names(self) -> str:
        colours = self.colours.currentData()
        n = 1 if colours == _GREY else self._colour_channels
        order = self._order if colours == _GREY else colours
        return ", ".join(channel_names(Preprocess((1, 1), None, "bilinear", (0.0,) * n, (1.0,) * n, "", order)))

    # ----------------------------------------------------------------------------------- what happens here

    def _on_changed(self) -> None:
        if self._quiet:
            return
        self._show_preset()
        names = f"Of values in 0…1, one for each channel: {self._names()}"
        self.mean.setToolTip(names)
        self.std.setToolTip(names)
        self.changed.emit()

    def _on_size(self) -> None:
        """What the photo is resized to keeps its proportion to the input."""
        if self._quiet:
            return
        size = (self.height_box.value(), self.width_box.value())
        before, short, resized = self._proportion
        self._quiet = True
        self.short.setValue(round(short * min(size) / min(before)))
        for box, side, new, old in zip(self.resized, resized, size, before, strict=True):
            box.setValue(round(side * new / old))
        self._quiet = False
        self._on_changed()

    def _on_resized(self) -> None:
        if not self._quiet:
            self._keep_proportion()
            self._on_changed()

    def _keep_proportion(self) -> None:
        height, width = self.resized
        size = (self.height_box.value(), self.width_box.value())
        self._proportion = size, self.short.value(), (height.value(), width.value())

    def _on_rule(self) -> None:
        self._show_rows()
        self._on_changed()

    def _show_rows(self) -> None:
        self._rows.setRowVisible(self.short, self.rule.currentIndex() == _SHORTER)
        self._rows.setRowVisible(self._exact_row, self.rule.currentIndex() == _EXACTLY)

    def _on_colours(self) -> None:
        """Numbers keep to their colours; grey takes their average."""
        if self._quiet:
            return
        colours = self.colours.currentData()
        try:
            mean, std = _read("mean", self.mean.text()), _read("standard deviation", self.std.text())
        except EngineError:
            mean = std = ()
        if mean and len(mean) == len(std):
            self._turn(Preprocess((1, 1), None, "bilinear", mean, std, "", self._order), colours)
        if colours != _GREY:
            self._order = colours
        self._on_changed()

    def _turn(self, numbers: Preprocess, colours: str) -> None:
        turned = with_channels(numbers, 1 if colours == _GREY else self._colour_channels)
        if colours not in (_GREY, self._order):
            turned = reordered(turned)
        self._quiet = True
        self._show_numbers(turned)
        self._quiet = False

    def _on_preset(self, row: int) -> None:
        if row >= len(PRESETS):
            return
        numbers = self._preset_numbers(row)
        self._quiet = True
        self._order = numbers.channel_order
        self._show_colours(numbers)
        self._quiet = False
        self._on_changed()

    def _preset_numbers(self, row: int) -> Preprocess:
        """A preset's mean and std for as many channels as there are."""
        _, mean, std, order = PRESETS[row]
        # Numbers that are the same for every colour say nothing about their order.
        order = self._order if len({*mean}) == len({*std}) == 1 else order
        numbers = Preprocess((1, 1), None, "bilinear", mean, std, "", order)
        if self.colours.currentData() == _GREY:
            return with_channels(numbers, 1)
        return numbers if self._colour_channels == COLOURS else _for_channels(numbers, self._colour_channels)

    def _show_preset(self) -> None:
        try:
            made = self.preprocess()
        except EngineError:
            self.preset.setCurrentIndex(len(PRESETS))
            return
        presets = (self._preset_numbers(row) for row in range(len(PRESETS)))
        same = [
            row
            for row, known in enumerate(presets)
            if (known.mean, known.std) == (made.mean, made.std)
            and (made.channels == 1 or known.channel_order == made.channel_order)
        ]
        self.preset.setCurrentIndex(same[0] if same else len(PRESETS))


def _for_channels(preprocess: Preprocess, channels: int) -> Preprocess:
    """The same for channels that have no colour, too: with the average of mean and std."""
    rest = with_channels(preprocess, max(channels - COLOURS, 1))
    mean, std = (
        (values[:channels] + more)[:channels]
        for values, more in ((preprocess.mean, rest.mean), (preprocess.std, rest.std))
    )
    return dataclasses.replace(preprocess, mean=mean, std=std)


def _read(name: str, text: str) -> tuple[float, ...]:
    parts = [part for part in re.split(r"[,;\s]+", text.strip().replace("−", "-")) if part]
    try:
        return tuple(float(part) for part in parts)
    except ValueError:
        raise EngineError(f"The {name} is not numbers: {text.strip()!r}", "Separate them by commas") from None


def _written(values: tuple[float, ...]) -> str:
    return ", ".join(f"{number!r}".removesuffix(".0") for number in map(float, values))


def _count(n: int) -> str:
    return "1 number is" if n == 1 else f"{n} numbers are"


def _pixels(name: str) -> IntBox:
    box = IntBox()
    box.setRange(1, LARGEST)
    box.setSuffix(" px")
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    box.setToolTip(name)
    return box


def _choice(name: str, titles: tuple[str, ...]) -> QComboBox:
    box = ChoiceBox()
    box.addItems(titles)
    box.setAccessibleName(name)
    return box


def _numbers(name: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    return line


def _side_by_side(first: QWidget, second: QWidget) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(UNIT)
    by = QLabel("×", alignment=Qt.AlignmentFlag.AlignCenter)
    by.setProperty("role", "muted")
    line.addWidget(first, 1)
    line.addWidget(by)
    line.addWidget(second, 1)
    return row
