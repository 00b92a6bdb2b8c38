"""The status bar: every job that it shows comes to an end there too."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from convviz_gui.engine.jobs import Cancelled, Job, Started
from convviz_gui.engine.types import Run
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.run_bar import WAIT_BEFORE_BAR
from convviz_gui.gui.window.status import StatusBar
from convviz_gui.worker.client import EngineClient


def test_a_job_replaced_by_one_that_never_starts_is_not_shown_for_ever(qtbot: QtBot) -> None:
    client = EngineClient()
    bar = StatusBar(Selection(), client)
    qtbot.addWidget(bar)
    bar.show()
    client.started.emit(Started(Job(1, "activations", Run("activations"))))
    qtbot.waitUntil(bar.running.isVisible, timeout=10 * WAIT_BEFORE_BAR)
    # Job 2 has replaced job 1, of which nothing more is told, and is cancelled before its turn.
    client.cancelled.emit(Cancelled(Job(2, "activations", Run("activations"))))
    assert not bar.running.isVisible()


def test_the_host_of_a_guest_shows_again(qtbot: QtBot) -> None:
    client = EngineClient()
    bar = StatusBar(Selection(), client)
    qtbot.addWidget(bar)
    bar.set_titles({"filters": "Filters", "grad-cam": "Grad-CAM"})
    bar.show()
    guest = Job(2, "class map", Run("grad-cam"))
    client.started.emit(Started(Job(1, "filters", Run("filters"))))
    client.started.emit(Started(guest))
    qtbot.waitUntil(bar.running.isVisible, timeout=10 * WAIT_BEFORE_BAR)
    assert "Grad-CAM" in bar.title.text()
    client.cancelled.emit(Cancelled(guest))
    assert "Filters" in bar.title.text()
