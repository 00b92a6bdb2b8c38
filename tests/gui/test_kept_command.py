"""The command that tells how much is kept of features, and empties it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.latent import kept_features
from convviz_gui.engine.latent.feature_store import FeatureStore
from convviz_gui.engine.payloads import Points
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.tabs.tab import MethodTab

WAIT = 60_000
DIGEST = "ab" * 32


@pytest.fixture
def kept() -> Path:
    """A file of features as another network left it."""
    path = kept_features.network_file("0" * 32)
    store = filled(path)
    store.close()
    return path


def filled(path: Path) -> FeatureStore:
    store = FeatureStore(path, {"network": "some net"})
    run = store.begin(b"subject", [0])
    store.put(run.id, [(DIGEST, {"head": np.ones(9, np.float32)})], 1)
    return store


def boxes(window: MainWindow) -> list[QMessageBox]:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def asked(window: MainWindow, qtbot: QtBot, do: Callable[[], object]) -> QMessageBox:
    """The box that comes of `do`."""
    before = boxes(window)
    do()
    qtbot.waitUntil(lambda: len(set(boxes(window)) - set(before)) == 1, timeout=WAIT)
    (box,) = set(boxes(window)) - set(before)
    return box


def press(box: QMessageBox, text: str) -> None:
    (button,) = [button for button in box.buttons() if button.text().replace("&", "") == text]
    button.click()


def command(window: MainWindow) -> Callable[[], object]:
    (entry,) = [entry for entry in window.menus.entries() if entry.title.endswith("Kept features…")]
    return entry.do


def test_it_says_how_much_is_kept_where_and_empties_it(window: MainWindow, qtbot: QtBot, kept: Path) -> None:
    told = asked(window, qtbot, command(window))
    assert str(kept.parent) in told.text()
    size = kept_features.in_words(kept_features.total_size())
    assert told.text().startswith(f"{size} of features are kept in ")
    assert told.text().endswith("of at most 8.0 GB.")
    sure = asked(window, qtbot, lambda: press(told, "Empty…"))
    press(sure, "Cancel")
    assert kept.exists()
    told = asked(window, qtbot, command(window))
    sure = asked(window, qtbot, lambda: press(told, "Empty…"))
    press(sure, "Empty")
    qtbot.waitUntil(lambda: f"Freed {size}" in window.status.value.text(), timeout=WAIT)
    assert not kept.exists()
    assert window.notices.isHidden()
    told = asked(window, qtbot, command(window))
    assert told.text().startswith("No features are kept")
    press(told, "Close")


def test_what_a_run_is_using_stays_and_is_told(window: MainWindow, qtbot: QtBot, kept: Path) -> None:
    used = kept_features.network_file("1" * 32)
    running = filled(used)
    told = asked(window, qtbot, command(window))
    sure = asked(window, qtbot, lambda: press(told, "Empty…"))
    press(sure, "Empty")
    qtbot.waitUntil(lambda: "try again when it has ended" in window.notices.details(), timeout=WAIT)
    assert used.exists()
    assert not kept.exists()
    assert DIGEST in running.load([DIGEST], ["head"])
    running.close()


def test_an_open_map_goes_on_working(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    for seed in range(6):
        place = tmp_path / "set" / ("cat", "dog")[seed % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(samples.toybox(place.name, seed).make().pixels).save(place / f"{seed}.png")
    ready.selection.set_folder(str(tmp_path / "set"))
    ready.tabs.show("latent space")
    tab = ready.tabs.current
    first = mapped(tab, qtbot)
    assert kept_features.total_size() > 0
    told = asked(ready, qtbot, command(ready))
    sure = asked(ready, qtbot, lambda: press(told, "Empty…"))
    press(sure, "Empty")
    qtbot.waitUntil(lambda: ready.status.value.text().startswith("Freed"), timeout=WAIT)
    assert kept_features.total_size() == 0
    np.testing.assert_array_equal(mapped(tab, qtbot).features, first.features)


def mapped(tab: MethodTab, qtbot: QtBot) -> Points:
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("projection", "pca"), ("neighbours", 3)))
    before = tab.result
    tab.run()
    qtbot.waitUntil(lambda: tab.result is not None and tab.result is not before and not tab.running, timeout=WAIT)
    assert tab.result is not None
    assert isinstance(tab.result.payload, Points)
    return tab.result.payload
