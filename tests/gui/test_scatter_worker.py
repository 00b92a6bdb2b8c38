"""What the map has done in a thread: the newest wish of a kind, nothing after the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from convviz_gui.gui.latent.scatter_worker import ScatterWorker


class _Gate:
    """Work that goes on when it is told so."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def hold(self) -> bool:
        self.reached.set()
        return self.open.wait(10)


@pytest.fixture
def worker(qapp: object) -> Iterator[ScatterWorker]:  # noqa: ARG001
    parent = QObject()
    made = ScatterWorker(parent)
    yield made
    made.close()


def test_of_several_wishes_that_wait_only_the_newest_is_done(worker: ScatterWorker, qtbot: QtBot) -> None:
    gate, done, told = _Gate(), [], []
    worker.ask("frame", gate.hold, told.append)
    gate.reached.wait(10)
    for number in range(5):
        worker.ask("frame", lambda number=number: done.append(number) or number, told.append)  # type: ignore[misc]
    worker.ask("index", lambda: done.append("index") or "index", told.append)
    assert worker.busy()
    gate.open.set()
    qtbot.waitUntil(lambda: not worker.busy(), timeout=5000)
    assert done == [4, "index"]
    assert told == [True, 4, "index"], "the first was under way already, and is better than nothing"


def test_what_is_forgotten_is_not_told(worker: ScatterWorker, qtbot: QtBot) -> None:
    gate, told = _Gate(), []
    worker.ask("frame", gate.hold, told.append)
    gate.reached.wait(10)
    worker.ask("other", lambda: 1, told.append)
    worker.forget("frame")
    worker.forget("other")
    gate.open.set()
    qtbot.waitUntil(lambda: not worker.busy(), timeout=5000)
    assert told == []
    worker.ask("frame", lambda: 2, told.append)
    qtbot.waitUntil(lambda: told == [2], timeout=5000)


def test_an_error_is_raised_where_it_is_seen_and_work_goes_on(worker: ScatterWorker, qtbot: QtBot) -> None:
    told: list[int] = []

    def fail() -> None:
        raise ValueError("no such picture")

    with qtbot.captureExceptions() as caught:
        worker.ask("frame", fail, told.append)
        qtbot.waitUntil(lambda: bool(caught), timeout=5000)
    assert "no such picture" in str(caught[0][1])
    worker.ask("frame", lambda: 3, told.append)
    qtbot.waitUntil(lambda: told == [3], timeout=5000)


def test_after_the_end_nothing_is_done(worker: ScatterWorker, qtbot: QtBot) -> None:
    told: list[int] = []
    gate = threading.Event()
    worker.ask("frame", lambda: gate.wait(0.2), told.append)
    worker.close()
    worker.ask("frame", lambda: 1, told.append)
    qtbot.wait(50)
    assert told == []
