"""The switch between the pages of the latent space."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.gui.latent.page_bar import PageSwitch


def make(qtbot: QtBot, settings: Path) -> tuple[QWidget, QStackedWidget, PageSwitch]:
    window, pages = QWidget(), QStackedWidget()
    switch = PageSwitch(pages, settings)
    column = QVBoxLayout(window)
    column.addWidget(switch)
    column.addWidget(pages)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window, pages, switch


def test_a_single_page_needs_no_switch(qtbot: QtBot, tmp_path: Path) -> None:
    _, pages, switch = make(qtbot, tmp_path / "a.ini")
    switch.add("Map", QLabel("m"))
    assert not switch.isVisible()
    switch.add("Desk", QLabel("d"))
    assert switch.isVisible()
    assert pages.currentIndex() == 0


def test_buttons_and_keys_go_to_pages_and_the_last_one_is_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    window, pages, switch = make(qtbot, tmp_path / "a.ini")
    for name in ("Map", "Desk"):
        switch.add(name, QLabel(name))
    with qtbot.waitSignal(switch.page_changed) as caught:
        QTest.mouseClick(switch.button("Desk"), Qt.MouseButton.LeftButton)
    assert (caught.args, pages.currentIndex()) == (["Desk"], 1)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert pages.currentIndex() == 0
    assert switch.button("Map").isChecked()
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert pages.currentIndex() == 1
    _, other, again = make(qtbot, tmp_path / "a.ini")
    again.add("Map", QLabel("m"))
    assert other.currentIndex() == 0, "the page that was there last is not made yet"
    again.add("Desk", QLabel("d"))
    assert other.currentIndex() == 1
    assert again.button("Desk").isChecked()
