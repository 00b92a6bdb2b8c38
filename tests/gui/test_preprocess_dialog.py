"""The form of a preprocessing says exactly what it shows, and the dialog brings it to the open network."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.preprocess_rules import PRESETS
from convviz_gui.engine.types import Preprocess
from convviz_gui.gui.forms.preprocess_form import PreprocessForm
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.network.preprocess_dialog import PreprocessDialog
from tests.gui.views_data import model

IMAGENET = Preprocess((224, 224), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "edited")

GREY = dataclasses.replace(IMAGENET, mean=(0.1307,), std=(0.3081,))
FOUR = dataclasses.replace(IMAGENET, mean=(0.1,) * 4, std=(0.2,) * 4)


@pytest.fixture
def form(qtbot: QtBot) -> PreprocessForm:
    made = PreprocessForm()
    qtbot.addWidget(made)
    made.show()
    made.set_preprocess(IMAGENET)
    return made


def dialog(qtbot: QtBot, found: Preprocess, now: Preprocess | None = None) -> PreprocessDialog:
    info = dataclasses.replace(model(), preprocess=now or found, found_preprocess=found if now else None)
    made = PreprocessDialog(info)
    qtbot.addWidget(made)
    made.show()
    return made


def choose(form: PreprocessForm, title: str) -> None:
    row = form.preset.findText(title, Qt.MatchFlag.MatchStartsWith)
    form.preset.setCurrentIndex(row)
    form.preset.activated.emit(row)


@pytest.mark.parametrize(
    "preprocess",
    [
        IMAGENET,
        dataclasses.replace(IMAGENET, size=(1, 4096), resize=(7, 4096), interpolation="lanczos"),
        dataclasses.replace(IMAGENET, resize=None, channel_order="bgr", mean=(-1.5, 1 / 3, 2e-7)),
        dataclasses.replace(IMAGENET, resize="fit", mean=(0.1307,), std=(0.3081,)),
        dataclasses.replace(IMAGENET, mean=(0.1,) * 5, std=(0.2,) * 5),
        dataclasses.replace(IMAGENET, mean=(0.1, 0.2), std=(0.2, 1e5), channel_order="bgr"),
    ],
)
def test_what_is_shown_is_what_comes_back(form: PreprocessForm, preprocess: Preprocess) -> None:
    form.set_preprocess(preprocess)
    assert form.preprocess() == preprocess
    assert form.problem() == ""


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(form: PreprocessForm, preset: tuple[str, tuple[float, ...], tuple[float, ...], str]) -> None:
    title, mean, std, order = preset
    choose(form, title)
    made = form.preprocess()
    assert (made.mean, made.std, made.channel_order) == (mean, std, order)
    assert form.preset.currentText() == title


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("preprocess", [GREY, FOUR])
def test_presets_of_other_channels(
    form: PreprocessForm, preprocess: Preprocess, preset: tuple[str, tuple[float, ...], tuple[float, ...], str]
) -> None:
    form.set_preprocess(preprocess)
    choose(form, preset[0])
    assert form.preprocess().channels == preprocess.channels
    assert form.preset.currentText() == preset[0]
    assert form.problem() == ""


def test_a_preset_that_knows_no_colours_keeps_their_order(form: PreprocessForm) -> None:
    form.set_preprocess(dataclasses.replace(IMAGENET, channel_order="bgr"))
    choose(form, "0…1")
    assert form.preprocess().channel_order == "bgr"
    assert form.preset.currentText().startswith("0…1")


def test_numbers_of_ones_own_are_no_preset(form: PreprocessForm) -> None:
    assert form.preset.currentText() == "ImageNet"
    form.mean.setText("0.4; 0.5 0,6")
    assert form.problem()
    form.mean.setText("0.4; 0.5 0.6")
    assert form.preprocess().mean == (0.4, 0.5, 0.6)
    assert form.preset.currentText() == "Own numbers"


def test_numbers_keep_to_their_colours(form: PreprocessForm) -> None:
    form.colours.setCurrentIndex(1)
    made = form.preprocess()
    assert (made.channel_order, made.mean, made.std) == ("bgr", (0.406, 0.456, 0.485), (0.225, 0.224, 0.229))
    form.colours.setCurrentIndex(0)
    assert form.preprocess() == IMAGENET


def test_grey_and_back(form: PreprocessForm) -> None:
    form.colours.setCurrentIndex(2)
    made = form.preprocess()
    assert made.mean == pytest.approx((0.449,))
    choose(form, "CIFAR-10")
    assert form.preprocess().channels == 1
    form.colours.setCurrentIndex(0)
    assert form.preprocess().channels == 3


def test_what_is_resized_goes_along_with_the_input(form: PreprocessForm) -> None:
    for size in (223, 100, 112):
        form.height_box.setValue(size)
        form.width_box.setValue(size)
    assert form.preprocess().resize == 128
    form.short.setValue(112)
    form.height_box.setValue(224)
    form.width_box.setValue(224)
    assert form.preprocess().resize == 224


def test_only_the_fields_of_the_rule_are_there(form: PreprocessForm) -> None:
    shown = []
    for row in range(form.rule.count()):
        form.rule.setCurrentIndex(row)
        shown.append((form.short.isVisible(), form.resized[0].isVisible()))
    assert shown == [(True, False), (False, True), (False, False), (False, False)]


@pytest.mark.parametrize(
    ("mean", "std", "words"),
    [
        ("a, b, c", "1, 1, 1", "The mean is not numbers: 'a, b, c'"),
        ("0.5", "1, 1, 1", "3 numbers are needed, not 1"),
        ("", "", "3 numbers are needed, not 0"),
        ("1, 1, 1", "1, 1", "mean has 3 values, the standard deviation 2"),
        ("1, 1, 1", "1, 0, 1", "deviation cannot be 0"),
        ("1, nan, 1", "1, 1, 1", "mean cannot be nan"),
    ],
)
def test_nonsense_is_said_and_not_applied(qtbot: QtBot, mean: str, std: str, words: str) -> None:
    made = dialog(qtbot, IMAGENET)
    made.form.mean.setText(mean)
    made.form.std.setText(std)
    assert words in made.note.text()
    assert not made.apply.isEnabled()
    with pytest.raises(EngineError):
        made.preprocess()


def test_apply_only_what_is_new(qtbot: QtBot) -> None:
    made = dialog(qtbot, IMAGENET)
    assert (made.apply.isEnabled(), made.back.isEnabled()) == (False, False)
    made.form.interpolation.setCurrentText("bicubic")
    with qtbot.waitSignal(made.chosen) as chosen:
        made.apply.click()
    assert chosen.args == [dataclasses.replace(IMAGENET, interpolation="bicubic")]
    assert not made.isVisible()


def test_enter_applies(qtbot: QtBot) -> None:
    made = dialog(qtbot, IMAGENET)
    qtbot.keyClicks(made.form.height_box, "96")
    with qtbot.waitSignal(made.chosen) as chosen:
        qtbot.keyClick(made.form.height_box, Qt.Key.Key_Return)
    assert chosen.args[0].size[0] == 96


def test_enter_keeps_what_cannot_be_applied(qtbot: QtBot) -> None:
    made = dialog(qtbot, IMAGENET)
    made.form.mean.setText("abc")
    qtbot.keyClick(made.form.mean, Qt.Key.Key_Return)
    assert made.form.mean.text() == "abc"
    assert made.isVisible()


def test_back_to_what_was_found(qtbot: QtBot) -> None:
    found = dataclasses.replace(IMAGENET, source="found there")
    made = dialog(qtbot, found, dataclasses.replace(IMAGENET, resize="fit"))
    assert not made.apply.isEnabled()
    made.back.click()
    with qtbot.waitSignal(made.chosen) as chosen:
        made.apply.click()
    assert chosen.args == [found]


def test_the_window_prepares_photos_anew(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("input")
    tab = ready.tabs.current
    qtbot.waitUntil(lambda: tab.result is not None, timeout=30_000)
    before = ready.selection.model
    assert before is not None
    assert tab.view is not None
    tab.view.preprocessing_wanted.emit()
    made = ready.findChild(PreprocessDialog)
    made.form.height_box.setValue(96)
    made.form.width_box.setValue(80)
    made.apply.click()
    qtbot.waitUntil(lambda: ready.selection.model is not before, timeout=30_000)
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.payload.tensor.shape == (3, 96, 80), timeout=30_000)
    info = ready.selection.model
    assert info is not None
    assert info.found_preprocess == before.preprocess
    ready.commands.model.ask_for_preprocessing()
    again = next(dialog for dialog in ready.findChildren(PreprocessDialog) if dialog.isVisible())
    again.back.click()
    again.apply.click()
    qtbot.waitUntil(lambda: ready.selection.model.preprocess == before.preprocess, timeout=30_000)
