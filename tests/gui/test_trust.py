"""The check of a map in the window: asked for, stopped, shown, kept, never shown of another map."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Heat, Trust, TrustLevel
from convviz_gui.engine.types import Result
from convviz_gui.gui.charts.curves_chart import CurvesChart, Ink, Series
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.tabs.tab import MethodTab
from convviz_gui.gui.trust.level_mark import WORDS, LevelMark
from convviz_gui.gui.trust.trust_box import ASK, TrustBox

WAIT = 60_000


def a_trust(level: TrustLevel = TrustLevel.GOOD, stages: int = 3) -> Trust:
    at = np.linspace(0, 1, 5, dtype=np.float32)
    rows = np.stack([1 - at, (1 - at) ** 2])
    likeness = np.linspace(0.8, 0.1, stages, dtype=np.float32)
    if stages:
        likeness[-1] = np.nan
    return Trust(
        level=level,
        verdict=("Explains this class better than chance; reacts to the weights.", "Numbers."),
        measure="probability",
        fractions=at,
        deletion=(1 - at) ** 3,
        insertion=at,
        random_deletion=rows,
        random_insertion=rows[:, ::-1],
        centre_deletion=1 - at,
        centre_insertion=at,
        layers=tuple(f"layer{i}" for i in range(stages)),
        ssim=likeness,
        spearman=likeness,
        spearman_signed=likeness,
    )


def class_map(window: MainWindow, qtbot: QtBot) -> MethodTab:
    """The class map tab with Grad-CAM's map on screen."""
    window.tabs.show("class map")
    tab = window.tabs.current
    qtbot.waitUntil(lambda: tab.result is not None and not tab.running, timeout=WAIT)
    return tab


def check(tab: MethodTab, qtbot: QtBot) -> Result:
    tab.panel.trust.button.click()
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.trust is not None, timeout=WAIT)
    assert tab.result is not None
    return tab.result


def test_the_button_brings_a_verdict_that_stays_with_its_map(ready: MainWindow, qtbot: QtBot) -> None:
    tab = class_map(ready, qtbot)
    box, view = tab.panel.trust, tab.view
    assert box.button.isVisible()
    assert box.button.text() == ASK
    result = check(tab, qtbot)
    assert result.trust is not None
    assert isinstance(result.payload, Heat)
    assert tab.view is view
    assert not box.button.isVisible()
    assert box.verdict.text() == result.trust.verdict[0]
    assert box.mark.level is result.trust.level
    first = ready.selection.image
    ready.tray.open_sample(samples.toybox("dog", 3))
    qtbot.waitUntil(lambda: ready.selection.image is not first and tab.result not in (None, result), timeout=WAIT)
    assert box.trust is None
    assert box.button.isVisible()
    ready.selection.set_image(first)
    qtbot.waitUntil(lambda: tab.result is result, timeout=WAIT)
    assert box.verdict.text() == result.trust.verdict[0]


def test_a_check_can_be_stopped_and_asked_for_again(ready: MainWindow, qtbot: QtBot) -> None:
    tab = class_map(ready, qtbot)
    box = tab.panel.trust
    box.button.click()
    assert box.checking
    assert box.button.text() == "Stop checking"
    with qtbot.waitSignal(ready.client.progressed, timeout=WAIT):
        pass
    box.button.click()
    qtbot.waitUntil(lambda: not box.checking, timeout=WAIT)
    assert tab.result is not None
    assert tab.result.trust is None
    assert box.button.text() == ASK
    assert "stopped" in box.note.text()
    check(tab, qtbot)


def test_the_check_of_a_map_left_behind_is_dropped(ready: MainWindow, qtbot: QtBot) -> None:
    tab = class_map(ready, qtbot)
    before = tab.result
    tab.panel.trust.button.click()
    with qtbot.waitSignal(ready.client.progressed, timeout=WAIT):
        pass
    # The map of another class is computed between two steps of the check.
    with qtbot.waitSignal(
        ready.client.cancelled, timeout=WAIT, check_params_cb=lambda message: message.job.lane == tab.checker.lane
    ):
        ready.selection.set_class(3)
    qtbot.waitUntil(lambda: tab.result is not None and tab.result is not before and not tab.running, timeout=WAIT)
    assert not tab.panel.trust.checking
    qtbot.wait(300)
    assert tab.panel.trust.trust is None
    assert tab.result is not None
    assert tab.result.trust is None


def test_the_key_checks_and_where_there_is_no_map_it_is_said(ready: MainWindow, qtbot: QtBot) -> None:
    ready.commands.check_map()
    assert "no map to check" in ready.status.value.text()
    assert not ready.tabs.current.panel.trust.isVisible()
    tab = class_map(ready, qtbot)
    ready.commands.check_map()
    assert tab.checker.checking
    ready.commands.check_map()
    qtbot.waitUntil(lambda: not tab.checker.checking, timeout=WAIT)
    assert any(keys == "Ctrl+T" for keys, _ in ready.menus.shortcuts())


@pytest.mark.usefixtures("dressed")
def test_what_is_known_of_a_method_is_said_before_the_check(qtbot: QtBot) -> None:
    box = TrustBox()
    qtbot.addWidget(box)
    box.show()
    box.show_question("Guided backprop is known to …")
    assert box.known.isVisible()
    assert box.button.isVisible()
    box.show_trust(a_trust())
    assert not box.known.isVisible()
    box.show_nothing()
    assert not box.isVisible()


@pytest.mark.usefixtures("dressed")
@pytest.mark.parametrize("level", TrustLevel)
def test_every_level_has_a_sign_of_its_own(level: TrustLevel, qtbot: QtBot) -> None:
    marks = []
    for one in (level, *TrustLevel):
        mark = LevelMark()
        qtbot.addWidget(mark)
        mark.set_level(one)
        marks.append(mark.grab().toImage())
    assert sum(marks[0] == other for other in marks[1:]) == 1
    assert WORDS[level]


@pytest.mark.usefixtures("dressed")
def test_the_charts_unfold_and_tell_values(qtbot: QtBot) -> None:
    box = TrustBox()
    qtbot.addWidget(box)
    qtbot.addWidget(box.details)
    box.show()
    box.show_trust(a_trust())
    assert not box.details.isVisible()
    with qtbot.waitSignal(box.details_wanted):
        box.why.click()
    details = box.details
    assert details.isVisible()
    assert details.sentences.text() == "Numbers."
    chart = details.deletion
    area = chart.area()
    qtbot.mouseMove(chart, QPoint(round(area.center().x()), round(area.center().y())))
    assert chart.pointed == 2
    assert chart.accessibleDescription() == "50 % gone: map 0.125, centred blob 0.5, random 0.375"
    details.likeness.setFocus()
    qtbot.keyClick(details.likeness, Qt.Key.Key_Right)
    qtbot.keyClick(details.likeness, Qt.Key.Key_Right)
    assert details.likeness.accessibleDescription().startswith("layer1: SSIM ")
    box.show_trust(dataclasses.replace(a_trust(), layers=(), ssim=np.zeros(0), spearman=np.zeros(0)))
    assert not details.likeness.isVisible()


@pytest.mark.usefixtures("dressed")
def test_a_curve_is_drawn_where_its_values_are(qtbot: QtBot) -> None:
    chart = CurvesChart("Two")
    qtbot.addWidget(chart)
    chart.resize(300, 140)
    at = np.linspace(0, 1, 3, dtype=np.float32)
    low = Series("low", np.zeros(3, np.float32), Ink.ACCENT)
    chart.set_curves(at, ("a", "b", "c"), (low,), -1, 1)
    picture = chart.grab().toImage()
    area = chart.area()
    accent = chart.palette().highlight().color()
    middle = picture.pixelColor(round(area.center().x()), round(area.center().y()))
    assert abs(middle.blue() - accent.blue()) < 90
    assert abs(middle.red() - accent.red()) < 90
