"""A tab's runs: stop keeps what is there, nothing stale is shown, what was computed comes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import Problem, ProblemKind
from convviz_gui.engine.jobs import Failed, Job
from convviz_gui.engine.payloads import Gallery, Points, UnitPage
from convviz_gui.engine.types import MoveModel, Run
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.tabs import result_cache
from convviz_gui.gui.tabs.run_bar import show_part
from convviz_gui.gui.tabs.tab import MethodTab
from convviz_gui.worker.client import SESSION_LANE

WAIT = 60_000


def filters(window: MainWindow, channels: str = "0,1", steps: int = 2) -> MethodTab:
    """The filters tab, set to a short run."""
    window.tabs.show("filters")
    tab = window.tabs.current
    tab.panel.target.channels.setText(channels)
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("steps", steps), ("size", 64)))
    return tab


def finish(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.tabs.current.running, timeout=WAIT)


def gallery(tab: MethodTab) -> Gallery:
    assert tab.result is not None
    assert isinstance(tab.result.payload, Gallery)
    return tab.result.payload


def test_filters_wait_for_run(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    assert tab.result is None
    assert not tab.running
    tab.run()
    finish(ready, qtbot)
    assert gallery(tab).channels.tolist() == [0, 1]
    assert tab.panel.save.isEnabled()


def test_the_failure_of_a_run_that_was_given_up_is_not_told(ready: MainWindow) -> None:
    tab = filters(ready)
    told: list[Problem] = []
    tab.problem.connect(told.append)
    failed = Failed(Job(10**6, "filters", Run("filters")), Problem(ProblemKind.USER, "There is no layer 'gone'"))
    ready.client.failed.emit(failed)
    assert told == []
    tab.run()
    ready.client.failed.emit(failed)
    assert told == [failed.problem]


def test_stop_keeps_what_is_there(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready, "first 8", steps=2000)
    tab.run()
    with qtbot.waitSignal(ready.client.progressed, timeout=WAIT):
        pass
    ready.commands.run_or_stop()
    finish(ready, qtbot)
    stopped = gallery(tab)
    assert stopped.channels.tolist() == list(range(8))
    assert (stopped.done < 2000).all()
    assert "Stopped" in tab.panel.run_bar.note.text()


def test_other_layer_hides_the_result_and_coming_back_shows_it(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    tab.run()
    finish(ready, qtbot)
    shown = tab.result
    first = ready.selection.layer
    assert first is not None
    ready.selection.set_layer("block3_conv1")
    assert tab.result is None
    assert not tab.panel.save.isEnabled()
    ready.selection.set_layer(first)
    assert tab.result is shown


def test_result_of_a_layer_left_behind_is_kept_but_not_shown(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    first = ready.selection.layer
    assert first is not None
    tab.run()
    ready.selection.set_layer("block3_conv1")
    finish(ready, qtbot)
    assert tab.result is None
    ready.selection.set_layer(first)
    assert gallery(tab).layer == first


def test_newer_run_replaces_the_older(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready, "0", steps=3000)
    tab.run()
    filters(ready, "1", steps=2)
    tab.run()
    finish(ready, qtbot)
    assert gallery(tab).channels.tolist() == [1]


def test_bad_channels_are_told_in_words(ready: MainWindow) -> None:
    tab = filters(ready, "0-99999")
    tab.run()
    assert not tab.running
    assert ready.notices.isVisible()
    assert "99999" in ready.notices.text.text()
    assert tab.panel.target.channels.property("invalid")
    tab.panel.target.channels.setText("0")
    assert not tab.panel.target.channels.property("invalid")


def test_photo_changes_do_not_disturb_filters(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    tab.run()
    finish(ready, qtbot)
    shown = tab.result
    ready.tray.open_sample(samples.toybox("fish", 8))
    qtbot.waitUntil(lambda: ready.selection.overview is not None, timeout=WAIT)
    assert tab.result is shown


def test_class_map_at_a_layer_of_the_tree(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("class map")
    tab = ready.tabs.current
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    model = ready.selection.model
    assert model is not None
    assert tab.result is not None
    assert tab.result.run.target.layer == model.default_map_layer
    assert tab.panel.target.layer is not None
    ready.selection.set_layer("block2_relu1")
    assert not tab.running
    tab.panel.target.layer.setCurrentIndex(1)
    tab.panel.target.layer.activated.emit(1)
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.run.target.layer == "block2_relu1", timeout=WAIT)


def test_moving_to_a_device_keeps_the_filters(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    tab.run()
    finish(ready, qtbot)
    grown = tab.result
    before = ready.selection.model
    ready.client.submit(SESSION_LANE, MoveModel("cpu"))
    qtbot.waitUntil(lambda: ready.selection.model is not before, timeout=WAIT)
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    assert tab.result is grown


def test_result_cache_forgets_the_oldest(ready: MainWindow) -> None:

    result = ready.tabs.current.result
    assert result is not None
    model = result.model
    cache = result_cache.ResultCache()
    size = result_cache.size_of(result)
    assert size > np.prod((16, 128, 128)) * 4
    count = result_cache.KEPT_BYTES // size + 3
    for seed in range(count):
        cache.put(dataclasses.replace(result, run=dataclasses.replace(result.run, seed=seed)))
    assert cache.get(model, dataclasses.replace(result.run, seed=0)) is None
    assert cache.get(model, dataclasses.replace(result.run, seed=count - 1)) is not None


def test_latent_space_of_a_small_folder(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for seed in range(4):
            image = samples.toybox(label, seed).make()
            Image.fromarray(image.pixels).save(tmp_path / label / f"{seed}.png")
    ready.commands.open_folder(tmp_path)
    ready.tabs.show("latent space")
    tab = ready.tabs.current
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("projection", "pca"), ("neighbours", 3)))
    tab.run()
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    assert tab.result is not None
    assert isinstance(tab.result.payload, Points)
    assert len(tab.result.payload.paths) == 8
    assert tab.view is not None
    tab.view.open_image.emit(str(tmp_path / "dog" / "2.png"))
    qtbot.waitUntil(lambda: ready.selection.image is not None and ready.selection.image.name == "2.png", timeout=WAIT)


def test_what_is_asked_for_follows_the_objective(ready: MainWindow, qtbot: QtBot) -> None:
    tab = filters(ready)
    target = tab.panel.target
    assert tab.panel.choose("filters-fourier")
    assert tab.panel.form is not None
    quick = (("steps", 2), ("size", 32))
    for objective, rows in {
        "channel": {target.channels},
        "unit": {target.channels, target.place},
        "class": {target.classes},
        "layer": set(),
    }.items():
        tab.panel.form.set_settings((*quick, ("objective", objective)))
        shown = {row for row in (target.channels, target.place, target.classes) if not row.isHidden()}
        assert shown == rows, objective
        request = tab.request()
        assert request is not None
        assert (request.target.layer is None) == (objective == "class")
        assert (request.target.unit is not None) == (objective == "unit")
    tab.panel.form.set_settings((("objective", "photo"),))
    request = tab.request()
    assert request is None or request.image is not None
    tab.panel.form.set_settings((("objective", "class"),))
    assert target.classes.itemText(0) == "All classes"
    tab.run()
    finish(ready, qtbot)
    assert gallery(tab).objective == "class"
    assert len(gallery(tab).labels) == 12
    tab.panel.form.set_settings((("objective", "channel"),))
    assert tab.result is None, "another subject"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of a few noisy pictures."""
    rng = np.random.default_rng(0)
    for number in range(6):
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def units(window: MainWindow, method: str, folder: Path) -> MethodTab:
    """The units tab at a method, with a folder of pictures."""
    window.selection.set_folder(str(folder))
    window.tabs.show("units")
    tab = window.tabs.current
    assert tab.panel.choose(method)
    return tab


def words_of(tab: MethodTab) -> str:
    assert tab.view is not None
    return " ".join(label.text() for label in tab.view.findChildren(QLabel) if label.isVisibleTo(tab.view))


def test_each_method_of_units_says_what_it_finds_out(ready: MainWindow, pictures: Path) -> None:
    tab = units(ready, "census", pictures)
    assert "never fire" in words_of(tab)
    tab.panel.choose("unit")
    assert "one channel" in words_of(tab)
    tab.panel.choose("patches")
    assert "respond to" in words_of(tab)


def test_the_page_of_a_channel_comes_after_the_run_under_way(ready: MainWindow, qtbot: QtBot, pictures: Path) -> None:
    tab = units(ready, "patches", pictures)
    tab.run()
    ready.tabs.show_method("unit")
    assert "still at work" in words_of(tab)
    qtbot.waitUntil(lambda: isinstance(tab.result.payload if tab.result else None, UnitPage), timeout=WAIT)
    assert not tab.running
    tab.panel.choose("patches")
    assert tab.result is not None
    assert tab.result.run.method == "patches"
    tab.panel.choose("census")
    assert tab.panel.run_bar.note.text() == ""


def test_of_a_folder_the_top_class_is_each_pictures_own(ready: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: ready.selection.overview is not None, timeout=WAIT)
    ready.tabs.show("switch off")
    panel = ready.tabs.current.panel
    assert panel.target.classes.itemText(0) == "Top class (cat)"
    panel.choose("ablation")
    assert panel.target.classes.itemText(0) == "Each picture's top class"


class _Bar(QProgressBar):
    painted = 0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        self.painted += 1
        super().paintEvent(event)


def test_progress_is_painted_with_all_else_and_not_at_once(qtbot: QtBot) -> None:
    bar = _Bar()
    qtbot.addWidget(bar)
    bar.resize(400, 8)
    with qtbot.waitExposed(bar):
        bar.show()
    show_part(bar, 0, 100)
    qtbot.waitUntil(lambda: bar.painted > 0)
    qtbot.wait(20)
    before = bar.painted
    show_part(bar, 70, 100)
    assert bar.painted == before
    qtbot.waitUntil(lambda: bar.painted > before)
    assert bar.value() == round(0.7 * bar.maximum())
