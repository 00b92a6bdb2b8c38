"""What every test of the window is held to: no Qt warning, no unexpected log, nothing left open or running."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.app import collect_garbage_here, make_application
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.worker.client import EngineClient

# Tests open no windows on anybody's screen.

# What the offscreen platform says of itself, whatever the program does.
HARMLESS = ("This plugin does not support",)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and caches of the tests stay out of the user's."""
    monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True, scope="module")
def nothing_left_to_others() -> Iterator[None]:
    """Cycles with Qt's objects in them are gone before tests come whose threads collect garbage."""
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def collected_in_this_thread() -> Iterator[None]:
    """As in the program: a Qt object that another thread collects takes the process down, now or later."""
    gc.disable()
    yield
    gc.collect(1)
    # A window that was closed has given collecting back.
    gc.disable()


@pytest.fixture(autouse=True)
def clean(qapp: QApplication, qtlog: Any, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail on Qt warnings, log records from WARNING up, windows left behind and threads still running."""
    before = set(qapp.topLevelWidgets())
    threads = set(threading.enumerate())
    yield
    left = _left_behind(before)
    assert not left, f"windows left behind: {left}"
    running = [t for t in threading.enumerate() if t not in threads and not isinstance(t, threading._DummyThread)]
    assert not running, f"threads left running: {running}"
    assert _engine_ends(), "the engine's thread was left running"
    said = [record.message for record in qtlog.records if not str(record.message).startswith(HARMLESS)]
    assert not said, f"Qt said: {said}"
    logged = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not logged, f"logged: {logged}"


def _left_behind(before: set[QWidget]) -> list[QWidget]:
    left: list[QWidget] = []
    for collect in (lambda: 0, gc.collect, gc.collect):
        # Collecting garbage takes a second once torch is loaded, so it is done only where something is left.
        collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = [widget for widget in QApplication.topLevelWidgets() if widget not in before]
        if not left:
            break
    return left


def _engine_ends(seconds: float = 5.0) -> bool:
    # Threads that torch started from the engine's bear its name too, and end a moment after it.
    until = time.monotonic() + seconds
    while "engine" in _native_threads():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _native_threads() -> set[str]:
    names = set()
    for task in Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names.add(task.read_text().strip())
    return names


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    """The application with the program's style and theme."""
    assert make_application() is qapp
    return qapp


@pytest.fixture
def window(dressed: QApplication, qtbot: QtBot) -> Iterator[MainWindow]:
    """The main window as the program makes it, on screen, its engine not started."""
    assert not dressed.windowIcon().isNull()
    made = MainWindow(EngineClient())
    made.resize(1280, 720)
    made.show()
    qtbot.waitExposed(made)
    # As in the program: Qt objects of earlier tests, too, must not be destroyed by the engine's thread.
    collector = collect_garbage_here(made)
    yield made
    made.close()
    collector.stop()
    made.deleteLater()


@pytest.fixture
def ready(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The main window with the demo open and the first activations on screen."""
    window.begin()
    qtbot.waitUntil(
        lambda: window.tabs.current.result is not None and window.selection.overview is not None, timeout=60_000
    )
    return window
