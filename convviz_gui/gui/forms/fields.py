"""One editor for each kind of parameter field, made from its `Spec`."""

from __future__ import annotations

import math

from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from convviz_gui.engine.params import ParamValue, Spec
from convviz_gui.gui.look.theme import UNIT

_INT_LIMIT = 2**31 - 1
_ROOM = 11 * UNIT
"""For eight digits and the arrows."""


class IntBox(QSpinBox):
    """A whole number; the wheel scrolls the form unless the box has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _FloatBox(QDoubleSpinBox):
    """A number written as people write it (0.05, 1e-06); `log` steps multiply."""

    def __init__(self, *, log: bool) -> None:
        super().__init__()
        self._log = log
        self.setDecimals(12)
        self.setLocale(QLocale.c())
        if not log:
            self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)

    def stepBy(self, steps: int) -> None:  # noqa: N802
        if self._log and self.value() > 0:
            self.setValue(float(f"{self.value() * 10 ** (steps / 10):.3g}"))
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        return f"{value:g}"

    def valueFromText(self, text: str) -> float:  # noqa: N802
        number = _number(text, self.suffix())
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        if _number(text, self.suffix()) is not None:
            return QValidator.State.Acceptable, text, position
        partly = set(text.removesuffix(self.suffix())) <= set("+-.0123456789eE ")
        return (QValidator.State.Intermediate if partly else QValidator.State.Invalid), text, position

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceBox(QComboBox):
    """One of a few; the wheel scrolls the form unless the box has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Field(QObject):
    """A parameter's editor. `changed` tells of the user's and the program's changes alike."""

    changed = Signal()

    def __init__(self, spec: Spec, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec = spec
        self.editor = _make_editor(spec)
        self.editor.setParent(parent)
        self.editor.setAccessibleName(spec.label)
        self.editor.setToolTip(tooltip(spec))
        self.set_value(spec.default)
        match self.editor:
            case QCheckBox():
                self.editor.toggled.connect(self._on_changed)
            case QComboBox():
                self.editor.currentIndexChanged.connect(self._on_changed)
            case QSpinBox() | QDoubleSpinBox():
                # Halfway through typing "128" the value is not 1, then 12.
                self.editor.setKeyboardTracking(False)
                self.editor.valueChanged.connect(self._on_changed)
            case QLineEdit():
                self.editor.editingFinished.connect(self._on_changed)

    def _on_changed(self) -> None:
        self.changed.emit()

    def value(self) -> ParamValue:
        """What the editor holds, in the field's own type."""
        match self.editor:
            case QCheckBox():
                return self.editor.isChecked()
            case QComboBox():
                return str(self.editor.currentData())
            case QSpinBox() | QDoubleSpinBox():
                return self.editor.value()
            case QLineEdit():
                return self.editor.text()
        raise AssertionError(self.editor)

    def set_value(self, value: ParamValue) -> None:
        """Show `value`, which must be one the field takes."""
        match self.editor:
            case QCheckBox():
                self.editor.setChecked(bool(value))
            case QComboBox():
                self.editor.setCurrentIndex(self.editor.findData(value))
            case QSpinBox():
                self.editor.setValue(int(value))
            case QDoubleSpinBox():
                self.editor.setValue(float(value))
            case QLineEdit():
                self.editor.setText(str(value))


def tooltip(spec: Spec) -> str:
    """The field's help, what it takes and its default."""
    default = ("yes" if spec.default else "no") if spec.kind is bool else str(spec.default)
    if spec.kind is float:
        default = f"{spec.default:g}"
    takes = "" if spec.kind is bool or spec.choices else f"{spec.accepts().capitalize()}. "
    return f"<p>{spec.help}</p><p><small>{takes}Default: {default}{' ' + spec.unit if spec.unit else ''}</small></p>"


def _make_editor(spec: Spec) -> QWidget:
    if spec.kind is bool:
        return QCheckBox(spec.label)
    if spec.choices:
        combo = ChoiceBox()
        for choice in spec.choices:
            combo.addItem(choice, choice)
        return combo
    if spec.kind is int:
        whole = IntBox()
        whole.setRange(
            int(spec.lo) if spec.lo is not None else -_INT_LIMIT, int(spec.hi) if spec.hi is not None else _INT_LIMIT
        )
        whole.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType if spec.log else QSpinBox.StepType.DefaultStepType)
        whole.setSuffix(f" {spec.unit}" if spec.unit else "")
        if not spec.unit:
            # Qt would make room for the largest number there is, and the form wrap the row for it.
            whole.setMinimumWidth(_ROOM)
        return whole
    if spec.kind is float:
        number = _FloatBox(log=spec.log)
        number.setRange(spec.lo if spec.lo is not None else -1e12, spec.hi if spec.hi is not None else 1e12)
        number.setSuffix(f" {spec.unit}" if spec.unit else "")
        return number
    return QLineEdit()


def _number(text: str, suffix: str) -> float | None:
    try:
        number = float(text.removesuffix(suffix).strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
