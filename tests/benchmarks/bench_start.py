"""Process start → window shown → demo ready, on a fresh process each time.

    .venv/bin/python -m tests.benchmarks.bench_start [--repeats 5]

Uses the display if there is one, else Qt's offscreen platform.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

from tests.benchmarks.timing import print_table

PROGRAM = """
import sys, time
from convviz_gui.app import make_application, make_window
app = make_application()
window = make_window()
def painted():
    print("shown", time.time(), flush=True)
    window.begin()
def ready():
    if window.tabs.current.result is not None:
        print("ready", time.time(), flush=True)
        window.close()
from PySide6.QtCore import QTimer
window.painted.connect(painted)
timer = QTimer()
timer.timeout.connect(ready)
timer.start(10)
window.show()
sys.exit(app.exec())
"""


def once() -> dict[str, float]:
    """Seconds from process start to each event."""
    import time

    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"CONVVIZ_HOME": home}
        if not any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        began = time.time()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
    events = (line.split() for line in done.stdout.splitlines())
    return {name: float(at) - began for name, at in events}


def main() -> None:
    """Print the table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    runs = [once() for _ in range(parser.parse_args().repeats + 1)][1:]
    rows = [
        ["process start → window painted", statistics.median(run["shown"] for run in runs), "≤ 1.0"],
        ["process start → demo's activations shown", statistics.median(run["ready"] for run in runs), "≤ 5"],
    ]
    print_table(["what", "seconds (median)", "bar"], rows)


if __name__ == "__main__":
    main()
