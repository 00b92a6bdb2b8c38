"""A form made from a method's fields, with undo; advanced fields are folded away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.params import ParamValue, Settings, Spec, that_count
from convviz_gui.gui.forms.fields import Field, tooltip
from convviz_gui.gui.look.theme import UNIT


class Form(QWidget):
    """Editors for `specs`; a row that does not count with what the others say (`Spec.when`) is hidden, its value kept.

    Signals:
        changed: a value changed, by hand, undo or reset.
    """

    changed = Signal()

    def __init__(self, specs: tuple[Spec, ...], undo: QUndoStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._undo = undo
        self._specs = specs
        self._values: dict[str, ParamValue] = {spec.name: spec.default for spec in specs}
        self._quiet = False
        self._fields: dict[str, Field] = {}
        self._layouts: dict[str, QFormLayout] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        plain = tuple(spec for spec in specs if not spec.advanced)
        advanced = tuple(spec for spec in specs if spec.advanced)
        if plain:
            column.addWidget(self._rows(plain))
        if advanced:
            self._add_fold(column, self._rows(advanced))
        self._show_rows()

    def _rows(self, specs: tuple[Spec, ...]) -> QWidget:
        page = QWidget()
        layout = form_layout(page)
        for spec in specs:
            field = Field(spec, page)
            self._fields[spec.name] = field
            self._layouts[spec.name] = layout
            field.changed.connect(self._on_changed)
            if isinstance(field.editor, QCheckBox):
                layout.addRow(field.editor)
            else:
                label = QLabel(spec.label)
                label.setToolTip(tooltip(spec))
                label.setBuddy(field.editor)
                layout.addRow(label, field.editor)
        return page

    def _add_fold(self, column: QVBoxLayout, page: QWidget) -> None:
        fold = QToolButton()
        fold.setText("Advanced")
        fold.setCheckable(True)
        fold.setArrowType(Qt.ArrowType.RightArrow)
        fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        page.hide()

        def toggle(opened: bool) -> None:
            page.setVisible(opened)
            fold.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)

        fold.toggled.connect(toggle)
        column.addWidget(fold)
        column.addWidget(page)

    def settings(self) -> Settings:
        """Every field's value, in order of declaration; the default of a row that is hidden."""
        return that_count(self._specs, self._values)

    def set_settings(self, settings: Settings) -> None:
        """Show values; one step of undo. Unknown names are left out, as after a newer version's files."""
        wanted = {name: value for name, value in settings if name in self._fields}
        new = {**self._values, **wanted}
        if new != self._values:
            self._undo.push(_Change(self, "settings", dict(self._values), new))

    def is_default(self) -> bool:
        """True if every field has its default."""
        return all(self._values[name] == field.spec.default for name, field in self._fields.items())

    def reset(self) -> None:
        """Give every field its default; one step of undo."""
        self.set_settings(tuple((name, field.spec.default) for name, field in self._fields.items()))

    def apply(self, values: dict[str, ParamValue]) -> None:
        """Show `values` without a step of undo; for undo itself."""
        self._values = dict(values)
        self._quiet = True
        for name, value in values.items():
            if self._fields[name].value() != value:
                self._fields[name].set_value(value)
        self._quiet = False
        self._show_rows()
        self.changed.emit()

    def _show_rows(self) -> None:
        for name, field in self._fields.items():
            self._layouts[name].setRowVisible(field.editor, field.spec.counts(self._values))

    def _on_changed(self) -> None:
        field = self.sender()
        if self._quiet or not isinstance(field, Field):
            return
        name = field.spec.name
        new = {**self._values, name: field.value()}
        if new != self._values:
            self._undo.push(_Change(self, field.spec.label, dict(self._values), new))


class _Change(QUndoCommand):
    """From one set of values to another."""

    def __init__(self, form: Form, label: str, old: dict[str, ParamValue], new: dict[str, ParamValue]) -> None:
        super().__init__(f"change of {label}")
        self._form, self._old, self._new = form, old, new

    def redo(self) -> None:
        self._form.apply(self._new)

    def undo(self) -> None:
        self._form.apply(self._old)


def form_layout(page: QWidget) -> QFormLayout:
    """Labels on the left where they fit, above their field where not."""
    layout = QFormLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(UNIT)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return layout
