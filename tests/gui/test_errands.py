"""Parts of a map and pictures placed on it, through the window and the engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Points
from convviz_gui.engine.types import Reproject
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.tabs.tab import MethodTab
from convviz_gui.gui.views.latent import LatentView

WAIT = 60_000


@pytest.fixture
def tab(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> MethodTab:
    """The tab with the PCA of eight pictures."""
    for label in ("cat", "dog"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for seed in range(4):
            save(tmp_path / "set" / label / f"{seed}.png", label, seed)
    ready.selection.set_folder(str(tmp_path / "set"))
    ready.tabs.show("latent space")
    made = ready.tabs.current
    assert made.panel.form is not None
    made.panel.form.set_settings((("projection", "pca"), ("neighbours", 3)))
    made.run()
    qtbot.waitUntil(lambda: made.result is not None, timeout=WAIT)
    return made


def save(path: Path, label: str, seed: int) -> None:
    Image.fromarray(samples.toybox(label, seed).make().pixels).save(path)


def told(tab: MethodTab) -> list[str]:
    """What stands under the run button."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [label.text() for label in tab.panel.run_bar.findChildren(QLabel)]


def the_view(tab: MethodTab) -> LatentView:
    assert isinstance(tab.view, LatentView)
    return tab.view


def test_a_part_is_projected_and_gone_back_from(tab: MethodTab, ready: MainWindow, qtbot: QtBot) -> None:
    view, whole = the_view(tab), tab.result
    assert whole is not None
    assert isinstance(whole.payload, Points)
    view.bench.select([0, 2, 3, 5, 6])
    view.map.reproject(view.bench.selected)
    assert tab.running
    qtbot.waitUntil(lambda: not tab.running, timeout=WAIT)
    part = tab.on_screen
    assert part is not None
    assert isinstance(part.payload, Points)
    assert part.payload.paths == tuple(whole.payload.paths[row] for row in (0, 2, 3, 5, 6))
    assert view.bench.result is part
    assert tab.result is whole
    assert not tab.panel.run_bar.running
    assert "5" in told(tab), "the numbers are those of the part"
    ready.tabs.show("activations")
    ready.tabs.show("latent space")
    assert view.bench.result is part, "another tab in between changes nothing"
    view.bar.crumbs[0].click()
    assert view.bench.result is whole
    assert not tab.running, "the whole comes back without being computed again"
    assert "8" in told(tab)


def test_what_cannot_be_projected_is_told_and_the_map_stays(tab: MethodTab, ready: MainWindow, qtbot: QtBot) -> None:
    view = the_view(tab)
    view.map.reproject(np.array([3]))
    qtbot.waitUntil(lambda: not tab.running, timeout=WAIT)
    assert ready.notices.isVisible()
    assert view.bench.result is tab.result
    assert not view.bar.crumbs


def test_stop_brings_the_map_back(tab: MethodTab, ready: MainWindow, qtbot: QtBot) -> None:
    view = the_view(tab)
    assert tab.result is not None
    with qtbot.waitSignal(ready.client.started, timeout=WAIT):
        view.bench.command_wanted.emit(Reproject(tab.result, tuple(range(8)), (("projection", "tsne"),)))
    ready.commands.run_or_stop()
    qtbot.waitUntil(lambda: not tab.running, timeout=WAIT)
    assert view.bench.result is tab.result
    assert tab.on_screen is tab.result
    assert not view.bar.crumbs


def test_dropped_pictures_are_placed_one_after_the_other(
    tab: MethodTab, ready: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    view = the_view(tab)
    for number, (label, seed) in enumerate((("dog", 2), ("fish", 3), ("cat", 9))):
        save(tmp_path / f"{number}.png", label, seed)
        view.map.picture_dropped.emit(str(tmp_path / f"{number}.png"))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    view.map.picture_dropped.emit(str(tmp_path / "broken.png"))
    qtbot.waitUntil(lambda: len(view.bench.placed) == 3, timeout=WAIT)
    qtbot.waitUntil(lambda: ready.notices.isVisible(), timeout=WAIT)
    assert "broken.png" in ready.notices.text.text()
    twin = next(placed.located for placed in view.bench.placed if placed.located.name == "0.png")
    points = tab.result.payload if tab.result is not None else None
    assert isinstance(points, Points)
    row = points.paths.index(str(tmp_path / "set" / "dog" / "2.png"))
    assert twin.neighbours[0] == row
    assert twin.distances[0] == pytest.approx(0.0, abs=1e-3)
    assert np.linalg.norm(twin.xy - points.xy[row]) < 1e-2 * np.ptp(points.xy)
    assert {placed.image.path for placed in view.bench.placed} == {str(tmp_path / f"{n}.png") for n in range(3)}
    assert not tab.running


def test_similar_pictures_lead_to_the_method_that_finds_them(tab: MethodTab, ready: MainWindow, qtbot: QtBot) -> None:
    view = the_view(tab)
    view.bench.choose(5)
    view.map.strip.similar.click()
    assert tab.panel.method is not None
    assert tab.panel.method.name == "retrieve"
    qtbot.waitUntil(lambda: ready.selection.image is not None and ready.selection.image.name == "1.png", timeout=WAIT)
    tab.panel.choose("latent")
    assert tab.view is view
    assert view.bench.point == 5
