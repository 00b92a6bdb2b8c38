"""Qt objects in reference cycles are destroyed in the thread they live in."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from convviz_gui.gui.window.garbage import GarbageCollector


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[GarbageCollector]:  # noqa: ARG001 - makes the application
    collector = GarbageCollector()
    yield collector
    collector.stop()
    collector.deleteLater()


class Knot(QObject):
    """An object in a cycle with itself; tells where it is destroyed."""

    def __init__(self, deaths: list[int]) -> None:
        super().__init__()
        self.me = self
        self.deaths = deaths

    def __del__(self) -> None:
        self.deaths.append(threading.get_ident())


def litter() -> None:
    """Allocate enough containers to set off automatic collections of every generation."""
    kept = []
    for _ in range(200_000):
        kept.append([[]])


@pytest.mark.usefixtures("collector")
def test_another_thread_does_not_collect_and_the_timer_does(qtbot: QtBot) -> None:
    gc.collect()
    deaths: list[int] = []
    Knot(deaths)
    thread = threading.Thread(target=litter)
    thread.start()
    thread.join()
    assert deaths == []
    kept = [[] for _ in range(5_000)]
    qtbot.waitUntil(lambda: bool(deaths), timeout=10_000)
    assert kept
    assert deaths == [threading.get_ident()]


def test_stopping_gives_collection_back(collector: GarbageCollector) -> None:
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
