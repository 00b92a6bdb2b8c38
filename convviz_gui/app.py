"""The window's program: reads the command line, shows the window, then starts the engine."""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import convviz_gui
from convviz_gui.engine.errors import problem_from
from convviz_gui.processor import wait_asleep

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from convviz_gui.gui.main_window import MainWindow
    from convviz_gui.gui.window.garbage import GarbageCollector

NO_DISPLAY = (
    "convviz-gui: there is no display to open a window on. "
    "Work in a desktop session, or use the command line: convviz --help\n"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window on the files named in `argv` (default: the process's arguments); return the exit code."""
    options = _parser().parse_args(argv)
    if not has_display(os.environ, sys.platform):
        sys.stderr.write(NO_DISPLAY)
        return 2
    if sys.stderr is not None:
        # Should a library take the process down, the terminal shows where.
        faulthandler.enable()
    wait_asleep()
    app = make_application()
    window = make_window()
    collect_garbage_here(window)
    # Importing torch must not compete with the window's first appearance.
    window.painted.connect(lambda: window.begin(options.files))
    window.show()
    _listen_to_signals(app, window)
    _show_what_nobody_caught(window)
    return app.exec()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="convviz-gui", description=convviz_gui.__doc__)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="pictures; folders, .zip or .csv files of pictures, several as splits; weights, or a Python file",
    )
    parser.add_argument("--version", action="version", version=f"ConvViz {convviz_gui.__version__}")
    return parser


def has_display(environ: Mapping[str, str], platform: str) -> bool:
    """False where Qt would abort for want of a screen."""
    if not platform.startswith(("linux", "freebsd")):
        return True
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def make_application() -> QApplication:
    """The `QApplication` with our style, theme and icon; an existing one is dressed and returned."""
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from convviz_gui import paths
    from convviz_gui.gui.look.theme import apply_theme
    from convviz_gui.gui.window.window_state import WindowState

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("ConvViz")
    app.setApplicationVersion(convviz_gui.__version__)
    app.setDesktopFileName("io.github.convviz.ConvViz")
    app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(paths.resource("convviz.svg"))))
    apply_theme(app, WindowState().theme)
    app.styleHints().colorSchemeChanged.connect(lambda: apply_theme(app, WindowState().theme))
    return app


def collect_garbage_here(window: MainWindow) -> GarbageCollector:
    """Keep Python from destroying Qt objects in the engine's thread."""
    from PySide6.QtCore import Qt

    from convviz_gui.gui.window.garbage import GarbageCollector

    collector = GarbageCollector(window)
    window.client.ready.connect(collector.settle)
    # Opening the first network, too, imports and makes much that stays.
    window.client.finished.connect(collector.settle, Qt.ConnectionType.SingleShotConnection)
    return collector


def make_window() -> MainWindow:
    """The main window with its engine, not started yet."""
    from convviz_gui.gui.main_window import MainWindow
    from convviz_gui.worker.client import EngineClient

    return MainWindow(EngineClient())


def _listen_to_signals(app: QApplication, window: MainWindow) -> None:
    """Ctrl+C in the terminal and the end of the session close the window, as its own button does."""
    from PySide6.QtCore import QTimer

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    # Python looks at signals only while it runs, so it gets to run a few times a second.
    ticker = QTimer(app)
    ticker.timeout.connect(lambda: None)
    ticker.start(250)


def _show_what_nobody_caught(window: MainWindow) -> None:
    """A bug of ours is told in the window too: who started it from a menu sees no terminal."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if isinstance(error, Exception) and threading.current_thread() is threading.main_thread():
            window.notices.tell("bug", problem_from(error))

    sys.excepthook = tell


if __name__ == "__main__":
    sys.exit(main())
