"""Ctrl+M → the model browser painted, the first time and again; a key in its search field → the list painted.

    .venv/bin/python -m tests.benchmarks.bench_browser [--repeats 9]

Uses the display if there is one, else Qt's offscreen platform. The engine is not started.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

from tests.benchmarks.timing import print_table


def timed(do: Callable[[], object]) -> float:
    """Seconds until what `do` asked for is on the screen."""
    from PySide6.QtWidgets import QApplication

    began = time.perf_counter()
    do()
    QApplication.processEvents()
    return time.perf_counter() - began


def main() -> None:
    """Print the table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    if not any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        os.environ["CONVVIZ_HOME"] = home
        from PySide6.QtWidgets import QApplication

        from convviz_gui.app import make_application, make_window
        from convviz_gui.gui.opening.dialog import OpenModelDialog

        make_application()
        window = make_window()
        window.resize(1280, 720)
        window.show()
        QApplication.processEvents()
        opened, typed = [], []
        for _ in range(repeats + 1):
            opened.append(timed(window.commands.model.ask))
            dialog = next(found for found in window.findChildren(OpenModelDialog) if found.isVisible())
            for text in ("r", "re", "res", "resnet 50"):
                typed.append(timed(partial(dialog.library.search.setText, text)))
            dialog.reject()
        window.close()
    rows = [
        ["Ctrl+M → browser painted, the first time", opened[0] * 1000, "≤ 200"],
        ["Ctrl+M → browser painted, again", statistics.median(opened[1:]) * 1000, "≤ 200"],
        ["a letter → list painted", statistics.median(typed) * 1000, "≤ 50"],
    ]
    print_table(["what", "milliseconds", "bar"], rows)


if __name__ == "__main__":
    main()
