"""Forms made from fields: every field round-trips, undo goes back, limits hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.engine.method import methods
from convviz_gui.engine.params import ParamValue, Spec
from convviz_gui.gui.forms.fields import Field, tooltip
from convviz_gui.gui.forms.form import Form

STEPS = Spec("steps", int, 30, "Steps", "How many.", lo=1, hi=4096)
RATE = Spec("rate", float, 0.05, "Rate", "How fast.", lo=1e-6, hi=100.0, log=True)
MODE = Spec("mode", str, "book", "Mode", "Which.", choices=("book", "modern"))
FLAG = Spec("flag", bool, False, "Flag", "Whether.", advanced=True)
TEXT = Spec("text", str, "abc", "Text", "What.")
ALL = (STEPS, RATE, MODE, FLAG, TEXT)


@pytest.fixture
def undo() -> QUndoStack:
    return QUndoStack()


@pytest.fixture
def form(qtbot: QtBot, undo: QUndoStack) -> Form:
    made = Form(ALL, undo)
    qtbot.addWidget(made)
    made.show()
    return made


def test_starts_from_the_defaults(form: Form) -> None:
    assert dict(form.settings()) == {spec.name: spec.default for spec in ALL}
    assert form.is_default()


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", 4096), ("rate", 1e-06), ("rate", 0.3), ("mode", "modern"), ("flag", True), ("text", "ü")],
)
def test_values_round_trip_with_their_types(form: Form, name: str, value: ParamValue) -> None:
    form.set_settings(((name, value),))
    shown = dict(form.settings())[name]
    assert shown == value
    assert type(shown) is type(value)


def test_undo_and_redo_a_value_typed_by_hand(form: Form, undo: QUndoStack, qtbot: QtBot) -> None:
    box = form.findChild(QSpinBox)
    assert box is not None
    with qtbot.waitSignal(form.changed):
        box.setValue(77)
    undo.undo()
    assert box.value() == 30
    assert dict(form.settings())["steps"] == 30
    undo.redo()
    assert box.value() == 77


def test_reset_is_one_step_of_undo(form: Form, undo: QUndoStack) -> None:
    form.set_settings((("steps", 5), ("mode", "modern")))
    form.reset()
    assert form.is_default()
    undo.undo()
    assert dict(form.settings())["steps"] == 5
    assert dict(form.settings())["mode"] == "modern"


def test_unknown_names_are_left_out(form: Form) -> None:
    form.set_settings((("gone", 1), ("steps", 9)))
    assert dict(form.settings())["steps"] == 9
    assert "gone" not in dict(form.settings())


def test_advanced_fields_are_folded(form: Form, qtbot: QtBot) -> None:
    box, fold = form.findChild(QCheckBox), form.findChild(QToolButton)
    assert box is not None
    assert fold is not None
    assert not box.isVisible()
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    assert box.isVisible()


def test_out_of_range_cannot_be_entered(form: Form, qtbot: QtBot) -> None:
    box = form.findChild(QSpinBox)
    assert box is not None
    box.selectAll()
    qtbot.keyClicks(box, "99999")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    STEPS.check(dict(form.settings())["steps"])


def test_numbers_are_typed_as_people_write_them(form: Form, qtbot: QtBot) -> None:
    box = form.findChild(QDoubleSpinBox)
    assert box is not None
    box.selectAll()
    qtbot.keyClicks(box, "1e-5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert dict(form.settings())["rate"] == 1e-5
    assert box.text() == "1e-05"


def test_log_steps_multiply(form: Form) -> None:
    box = form.findChild(QDoubleSpinBox)
    assert box is not None
    box.stepBy(10)
    assert box.value() == pytest.approx(0.5)
    box.stepBy(-20)
    assert box.value() == pytest.approx(0.005)


def test_a_row_that_does_not_count_is_hidden_and_makes_no_run_look_different(qtbot: QtBot) -> None:
    only_modern = replace(RATE, when=("mode", ("modern",)))
    undo = QUndoStack()
    form = Form((STEPS, only_modern, MODE), undo)
    qtbot.addWidget(form)
    form.show()
    box = form.findChild(QDoubleSpinBox)
    assert box is not None
    assert box.isHidden()
    form.set_settings((("mode", "modern"),))
    assert box.isVisible()
    box.setValue(0.7)
    assert form.settings() == (("steps", 30), ("rate", 0.7), ("mode", "modern"))
    form.set_settings((("mode", "book"),))
    assert box.isHidden()
    assert form.settings() == (("steps", 30), ("rate", 0.05), ("mode", "book"))
    undo.undo()
    assert box.isVisible()
    assert dict(form.settings())["rate"] == 0.7


def test_the_latent_space_asks_each_projection_its_own(qtbot: QtBot) -> None:
    form = Form(methods()["latent"].info().specs, QUndoStack())
    qtbot.addWidget(form)
    form.show()
    asked = {}
    for projection in ("umap", "tsne", "pca"):
        form.set_settings((("projection", projection),))
        names = [box.accessibleName() for box in form.findChildren(QWidget) if box.isVisible()]
        asked[projection] = {name for name in names if name.startswith(("UMAP", "t-SNE"))}
    assert asked == {"umap": {"UMAP neighbours", "UMAP distance"}, "tsne": {"t-SNE perplexity"}, "pca": set()}


def test_tooltips_teach() -> None:
    assert "from 1 to 4096" in tooltip(STEPS).lower()
    assert "Default: 0.05" in tooltip(RATE)
    assert "Default: no" in tooltip(FLAG)


def test_every_field_of_every_method_round_trips(qtbot: QtBot) -> None:
    specs = [spec for method in methods().values() for spec in method.info().specs]
    assert specs
    form = Form((), QUndoStack())
    qtbot.addWidget(form)
    for spec in specs:
        field = Field(spec, form)
        assert isinstance(field.editor, QCheckBox | QComboBox | QSpinBox | QDoubleSpinBox | QLineEdit)
        extremes = [spec.default, *spec.choices]
        if spec.kind in (int, float):
            extremes += [spec.kind(bound) for bound in (spec.lo, spec.hi) if bound is not None]
        for value in extremes:
            field.set_value(value)
            assert field.value() == value, spec
            assert type(field.value()) is spec.kind
