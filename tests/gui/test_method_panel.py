"""The panel on the right: choosing among many methods, those that do not apply, and room for all of it."""

from __future__ import annotations

import threading

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.tabs.method_panel import MethodPanel, about

WAIT = 60_000


def entry(panel: MethodPanel, name: str) -> tuple[bool, str]:
    """Whether a method can be chosen, and the tip of its entry."""
    row = panel.chooser.findData(name)
    assert row >= 0
    model = panel.chooser.model()
    assert isinstance(model, QStandardItemModel)
    return model.item(row).isEnabled(), str(panel.chooser.itemData(row, Qt.ItemDataRole.ToolTipRole))


def wait_for_imports(qtbot: QtBot) -> None:
    """The latent space's library is imported beside, which takes a moment."""
    qtbot.waitUntil(lambda: not any("import" in thread.name for thread in threading.enumerate()), timeout=WAIT)


def test_a_method_that_does_not_apply_is_grey_and_says_why(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("class map")
    tab = ready.tabs.current
    assert entry(tab.panel, "cam")[0]
    assert tab.panel.choose("cam")
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.run.method == "cam", timeout=WAIT)
    # Three linear layers after the maps: there is no CAM of this network, and CAM is what was chosen.
    ready.opener.open(LoadModel(ModelSpec("torchvision:alexnet")))
    qtbot.waitUntil(lambda: ready.selection.model is not None and ready.selection.model.name == "alexnet", timeout=WAIT)
    enabled, why = entry(tab.panel, "cam")
    assert not enabled
    assert "CAM needs class scores made by one linear layer" in why
    assert tab.panel.method is not None
    assert tab.panel.method.name == "cam"
    assert tab.view is not None
    assert not tab.view.stage.shows_content()
    message = tab.view.stage.currentWidget()
    assert "CAM does not apply to alexnet" in message.sentence.text()  # type: ignore[union-attr]
    assert not tab.panel.run_bar.button.isEnabled()
    assert tab.result is None
    # The keyboard steps over it, and what applies runs at once.
    assert not tab.panel.choose("cam")
    assert tab.panel.choose("grad-cam")
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.run.method == "grad-cam", timeout=WAIT)
    assert tab.panel.run_bar.button.isEnabled()
    row = tab.panel.chooser.findData("cam")
    tab.panel.chooser.setCurrentIndex(row - 1 if row else 1)
    before = tab.panel.chooser.currentIndex()
    tab.panel.chooser.setFocus()
    QTest.keyClick(tab.panel.chooser, Qt.Key.Key_Down if row else Qt.Key.Key_Up)
    assert tab.panel.chooser.currentData() != "cam"
    assert tab.panel.chooser.currentIndex() != before or row == tab.panel.chooser.count() - 1


def test_every_entry_says_what_the_method_shows(ready: MainWindow) -> None:
    infos = {info.name: info for info in ready.catalogue.methods}
    for tab in ready.tabs.tabs.values():
        for row in range(tab.panel.chooser.count()):
            name = str(tab.panel.chooser.itemData(row))
            assert entry(tab.panel, name) == (True, infos[name].summary)
            assert infos[name].when_to_use in about(infos[name])


def test_nothing_is_cut_off_in_a_small_window(ready: MainWindow, qtbot: QtBot) -> None:
    """At 1280 × 720 all tabs are in sight, and every method's panel is as wide as its dock, not wider."""
    ready.resize(1280, 720)
    bar = ready.tabs.bar
    qtbot.waitUntil(lambda: bar.width() > 0)
    assert bar.tabRect(bar.count() - 1).right() <= bar.width()
    for page in ready.tabs.all:
        ready.tabs.show(page.name)
        choices = page.panel.chooser.count() if isinstance(page.panel, MethodPanel) else 1
        for row in range(choices):
            if isinstance(page.panel, MethodPanel):
                page.panel.chooser.setCurrentIndex(row)
            QTest.qWait(1)
            scroll = page.panel.findChild(QScrollArea)
            assert isinstance(scroll, QScrollArea)
            inside = scroll.widget()
            assert inside is not None
            where = f"{page.name}, method {row}"
            assert inside.width() <= scroll.viewport().width(), where
    wait_for_imports(qtbot)


def test_digits_go_to_the_tabs(ready: MainWindow, qtbot: QtBot) -> None:
    for number, page in enumerate(ready.tabs.all[:9], start=1):
        QTest.keyClick(ready, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert ready.tabs.page is page
    wait_for_imports(qtbot)


def test_a_seed_is_asked_for_where_something_is_left_to_chance(ready: MainWindow) -> None:
    ready.tabs.show("pixel map")
    tab = ready.tabs.current
    assert tab.panel.choose("smoothgrad")
    assert not tab.panel.target.seed.isHidden()
    tab.panel.target.seed.setValue(7)
    request = tab.request()
    assert request is not None
    assert request.seed == 7
    for name in ("occlusion", "integrated-gradients", "saliency"):
        assert tab.panel.choose(name)
        assert tab.panel.target.seed.isHidden()
        request = tab.request()
        assert request is not None
        assert request.seed == 0
