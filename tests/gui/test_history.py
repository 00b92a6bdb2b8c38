"""Back and forward: the history by itself, and in the window with keys, buttons and mouse."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.window.history import MOST, TOGETHER, History, Place
from convviz_gui.gui.window.navigation import NavigationButtons, in_words

WAIT = 60_000
HOME = Place("activations", "activations", "conv1")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def history() -> tuple[History, Clock]:
    clock = Clock()
    made = History(clock)
    made.visit(HOME)
    clock.now += 10
    return made, clock


def test_back_and_forward_go_over_the_same_places() -> None:
    made, clock = history()
    filters = Place("filters", "filters", "conv2", 3)
    made.visit(filters)
    assert made.ahead(1) is None
    assert made.go(-1) == HOME
    assert made.go(-1) is None
    assert made.current == HOME
    assert made.go(1) == filters
    made.go(-1)
    clock.now += 10
    elsewhere = dataclasses.replace(HOME, channel=7)
    made.visit(elsewhere)
    assert made.ahead(1) is None, "what lay ahead is forgotten"
    assert made.go(-1) == HOME


def test_quick_steps_of_one_kind_are_one() -> None:
    made, clock = history()
    for channel in range(1, 9):
        clock.now += TOGETHER / 4
        made.visit(dataclasses.replace(HOME, channel=channel))
    assert made.current == dataclasses.replace(HOME, channel=8)
    assert made.ahead(-1) == HOME
    clock.now += 2 * TOGETHER
    made.visit(dataclasses.replace(HOME, channel=9))
    assert made.ahead(-1) == dataclasses.replace(HOME, channel=8), "a step after a while is one of its own"
    made.visit(dataclasses.replace(HOME, channel=9, class_index=2))
    assert made.ahead(-1) == dataclasses.replace(HOME, channel=9), "so is one of another kind"


def test_tabs_and_methods_are_never_passed_over() -> None:
    made, _ = history()
    made.visit(Place("filters", "filters", "conv1"))
    made.visit(Place("units", "unit", "conv1"))
    assert made.go(-1) == Place("filters", "filters", "conv1")


def test_the_same_place_twice_is_one_and_the_oldest_are_forgotten() -> None:
    made, clock = history()
    made.visit(HOME)
    assert made.ahead(-1) is None
    for channel in range(MOST + 50):
        clock.now += 10
        made.visit(dataclasses.replace(HOME, channel=channel + 1))
    steps = 0
    while made.go(-1) is not None:
        steps += 1
    assert steps == MOST - 1


def test_places_are_said_in_words() -> None:
    assert in_words(Place("units", "patches", "conv2", 4)) == "patches, conv2, channel 4"


# --------------------------------------------------------------------------------------------- in the window


def step(window: MainWindow, qtbot: QtBot) -> None:
    """Let the window settle, and the next step be one of its own."""
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not window.navigation._settled.isActive(), timeout=WAIT)
    window.navigation.history._when -= 10


def where(window: MainWindow) -> tuple[str, str, str | None, int]:
    tab = window.tabs.current
    assert tab.panel.method is not None
    return tab.spec.name, tab.panel.method.name, window.selection.layer, window.selection.channel


def test_the_window_goes_back_and_forward(ready: MainWindow, qtbot: QtBot) -> None:
    step(ready, qtbot)
    seen = [where(ready)]
    for do in (
        lambda: ready.selection.set_channel(4),
        lambda: (ready.selection.set_layer("block3_conv1"), ready.selection.set_channel(2)),
        lambda: ready.tabs.show("filters"),
        lambda: ready.tabs.show_method("ablation"),
        lambda: ready.tabs.show_method("ask"),
    ):
        do()
        step(ready, qtbot)
        seen.append(where(ready))
    assert len(set(seen)) == 6
    buttons = ready.findChild(NavigationButtons)
    assert buttons is not None
    assert not buttons.forward.isEnabled()
    went = []
    for _ in range(5):
        QTest.keyClick(ready, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        step(ready, qtbot)
        went.append(where(ready))
    assert went == seen[-2::-1]
    assert not buttons.back.isEnabled()
    assert "block3_conv1" not in buttons.forward.toolTip()
    assert "channel 4" in buttons.forward.toolTip()
    for expected in seen[1:]:
        buttons.forward.click()
        step(ready, qtbot)
        assert where(ready) == expected


def test_the_mouses_side_buttons_go_too(ready: MainWindow, qtbot: QtBot) -> None:
    step(ready, qtbot)
    first = where(ready)
    ready.tabs.show("filters")
    step(ready, qtbot)
    second = where(ready)
    handle = ready.windowHandle()
    middle = QPoint(ready.width() // 2, ready.height() // 2)
    QTest.mouseClick(handle, Qt.MouseButton.BackButton, Qt.KeyboardModifier.NoModifier, middle)
    step(ready, qtbot)
    assert where(ready) == first
    QTest.mouseClick(handle, Qt.MouseButton.ForwardButton, Qt.KeyboardModifier.NoModifier, middle)
    step(ready, qtbot)
    assert where(ready) == second


def test_photo_and_class_come_back(ready: MainWindow, qtbot: QtBot) -> None:
    step(ready, qtbot)
    first = ready.selection.image
    ready.selection.set_class(3)
    step(ready, qtbot)
    ready.tray.open_sample(samples.toybox("fish", 8))
    qtbot.waitUntil(lambda: ready.selection.image is not first, timeout=WAIT)
    step(ready, qtbot)
    ready.navigation.back()
    qtbot.waitUntil(lambda: ready.selection.image is first, timeout=WAIT)
    step(ready, qtbot)
    assert ready.selection.class_index == 3
    ready.navigation.back()
    step(ready, qtbot)
    assert ready.selection.class_index is None
    ready.navigation.forward()
    ready.navigation.forward()
    qtbot.waitUntil(lambda: ready.selection.image is not first, timeout=WAIT)


def test_another_network_has_a_history_of_its_own(ready: MainWindow, qtbot: QtBot) -> None:
    step(ready, qtbot)
    ready.selection.set_channel(2)
    step(ready, qtbot)
    model = ready.selection.model
    assert model is not None
    ready.selection.set_model(dataclasses.replace(model, name="another", digest="another"))
    step(ready, qtbot)
    assert ready.navigation.history.ahead(-1) is None
