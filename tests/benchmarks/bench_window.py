"""The window under work: its tick, its answer to Stop and to a click, measured on the real main window.

    .venv/bin/python -m tests.benchmarks.bench_window [--weights squeezenet.safetensors] [--seconds 8]

A timer of 10 ms in the GUI thread stands for the user: how late it comes is how long the window did not answer.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.timing import print_table

TICK = 0.010
WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "weights" / "squeezenet1_0_imagenet.safetensors"


class Bench:
    """A main window and ways to let it live."""

    def __init__(self) -> None:
        from convviz_gui.app import collect_garbage_here, make_application
        from convviz_gui.gui.main_window import MainWindow
        from convviz_gui.gui.window.window_state import WindowState
        from convviz_gui.worker.client import EngineClient

        self.app = make_application()
        self.window = MainWindow(EngineClient(), WindowState(Path(os.environ["CONVVIZ_HOME"]) / "bench.ini"))
        collect_garbage_here(self.window)
        self.window.resize(1440, 900)
        self.window.show()
        self.window.begin()
        self.until(lambda: self.window.tabs.current.result is not None)

    def until(self, condition: Callable[[], bool], seconds: float = 300.0) -> float:
        """Let the window live until `condition` holds; returns the seconds it took."""
        from PySide6.QtCore import QEventLoop, QTimer

        began = time.perf_counter()
        loop, timer = QEventLoop(), QTimer()
        timer.setInterval(1)
        timer.timeout.connect(lambda: loop.quit() if condition() or time.perf_counter() - began > seconds else None)
        timer.start()
        loop.exec()
        timer.stop()
        return time.perf_counter() - began

    def ticks_while(self, condition: Callable[[], bool], seconds: float) -> list[float]:
        """Gaps between 10-ms ticks, in ms, until `condition` holds or the time is over."""
        from PySide6.QtCore import QEventLoop, Qt, QTimer

        stamps: list[float] = []
        loop, timer = QEventLoop(), QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(int(TICK * 1000))
        began = time.perf_counter()

        def tick() -> None:
            stamps.append(time.perf_counter())
            if condition() or stamps[-1] - began > seconds:
                loop.quit()

        timer.timeout.connect(tick)
        timer.start()
        loop.exec()
        timer.stop()
        return [(after - before) * 1000 for before, after in itertools.pairwise(stamps)]

    def stop(self) -> float:
        """Seconds from Stop to the tab at rest."""
        tab = self.window.tabs.current
        tab.stop()
        return self.until(lambda: not tab.running)


def ticks(bench: Bench, seconds: float, weights: Path, only: tuple[str, ...] = ()) -> list[list[object]]:
    """A row for each kind of work: ticks and the answer to Stop."""
    window = bench.window
    rows: list[list[object]] = []

    def measure(name: str, stop_bar: str) -> None:
        if only and not name.startswith(only):
            return
        tab = window.tabs.current
        tab.run()
        bench.until(lambda: tab.running)
        gaps = bench.ticks_while(lambda: not tab.running, seconds)
        stopped = bench.stop() * 1000 if tab.running else float("nan")
        p99, most = float(np.percentile(gaps, 99)), max(gaps)
        rows.append([name, len(gaps), p99, most, stopped, stop_bar])

    def choose(name: str, **settings: Any) -> None:
        """Go to a method and give it some settings."""
        window.tabs.show_method(name)
        bench.until(lambda: window.tabs.current.panel.form is not None)
        form = window.tabs.current.panel.form
        assert form is not None
        form.set_settings(tuple(settings.items()))

    window.tabs.show("filters")
    window.selection.set_layer("block3_conv1")
    choose("filters")
    measure("filters, 64 of the demo", "100 ms + a step")
    for name in ("filters-fourier", "filters-maco"):
        choose(name)
        measure(f"{name}, 64 of the demo", "100 ms + a step")
    window.tabs.show("latent space")
    window.commands.open_demo_folder()
    tab = window.tabs.current
    bench.until(lambda: tab.panel.target.chosen_folder() is not None and tab.panel.form is not None)
    for projection in ("pca", "tsne", "umap"):
        assert tab.panel.form is not None
        tab.panel.form.set_settings((("projection", projection),))
        measure(f"latent, {projection}", "500")
    for name in ("patches", "census", "unit", "ablation"):
        choose(name)
        measure(f"{name}, 600 demo pictures", "100 ms + a step")
    _open_squeezenet(bench, weights)
    for name, settings in _LONG.items():
        choose(name, **settings)
        measure(f"{name}, SqueezeNet", "100 ms + a step")
    window.tabs.show_method("grad-cam")
    bench.until(lambda: window.tabs.current.result is not None and not window.tabs.current.running)
    gaps, stopped = _trust_check(bench, seconds)
    rows.append(
        ["trust check of Grad-CAM, SqueezeNet", len(gaps), float(np.percentile(gaps, 99)), max(gaps), stopped, "–"]
    )
    return rows


def _trust_check(bench: Bench, seconds: float) -> tuple[list[float], float]:
    """Ticks while the map on screen is checked, and milliseconds from Stop to rest (NaN if it was done before)."""
    checker = bench.window.tabs.current.checker
    assert checker.check()
    gaps = bench.ticks_while(lambda: not checker.checking, seconds)
    if not checker.checking:
        return gaps, float("nan")
    checker.stop()
    return gaps, bench.until(lambda: not checker.checking) * 1000


_LONG: dict[str, dict[str, Any]] = {
    "occlusion": {"stride": 8},
    "score-cam": {},
    "smoothgrad": {"samples": 400},
    "integrated-gradients": {"steps": 400},
}
"""Methods that work for seconds on one photo, and settings that keep them busy."""


def _open_squeezenet(bench: Bench, weights: Path) -> None:
    from convviz_gui.engine.types import LoadModel, ModelSpec

    window = bench.window
    window.tabs.show("activations")
    window.opener.open(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(weights) if weights.exists() else None)))
    bench.until(lambda: window.selection.model is not None and "queeze" in window.selection.model.name)
    bench.until(lambda: not window.tabs.current.running)


def clicks(bench: Bench, weights: Path) -> list[list[object]]:
    """Layer clicks on SqueezeNet: first and repeated, beside the bare pass."""
    import torch
    import torchvision

    window = bench.window
    _open_squeezenet(bench, weights)
    model = torchvision.models.squeezenet1_0(weights=None).eval().to(memory_format=torch.channels_last)
    x = torch.zeros(1, 3, 224, 224).to(memory_format=torch.channels_last)
    passes = []
    with torch.no_grad():
        for _ in range(30):
            began = time.perf_counter()
            model(x)
            passes.append(time.perf_counter() - began)
    bare = statistics.median(passes) * 1000
    assert window.selection.model is not None
    layers = [node.id for node in window.selection.model.layers() if node.is_map and not node.children]
    window.selection.set_layer(layers[-1])
    bench.until(lambda: not window.tabs.current.running)
    first = [_click(bench, layer) for layer in layers]
    again = [_click(bench, layer) for layer in layers]
    return [
        ["first click", bare, statistics.median(first), max(first), f"≤ {bare + 50:.0f}"],
        ["revisited", bare, statistics.median(again), max(again), "≤ 30"],
    ]


def _click(bench: Bench, layer: str) -> float:
    """Milliseconds from choosing a layer to the end of the event in which its grid is painted."""
    from PySide6.QtCore import QEvent, QObject, QTimer

    window = bench.window
    tab = window.tabs.current
    view: Any = tab.view
    painted: list[float] = []

    class Watch(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
            is_there = tab.result is not None and getattr(tab.result.payload, "layer", "") == layer
            if event.type() == QEvent.Type.Paint and is_there:
                # Comes after the paint event has done its work.
                QTimer.singleShot(0, lambda: painted.append(time.perf_counter()))
            return False

    watch = Watch()
    view.grid.viewport().installEventFilter(watch)
    began = time.perf_counter()
    window.selection.set_layer(layer)
    bench.until(lambda: bool(painted), 10)
    view.grid.viewport().removeEventFilter(watch)
    return (painted[0] - began) * 1000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--only", nargs="*", default=[], help="jobs whose names begin so")
    options = parser.parse_args()
    if not any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        os.environ["CONVVIZ_HOME"] = home
        bench = Bench()
        rows = ticks(bench, options.seconds, options.weights, tuple(options.only))
        head = ["job", "ticks", "p99, ms (bar ≤ 20)", "max, ms (bar ≤ 60)", "Stop, ms", "bar for Stop"]
        print_table(head, rows)
        head = ["SqueezeNet layer", "bare forward, ms", "median, ms", "max, ms", "bar, ms"]
        print_table(head, clicks(bench, options.weights))
        bench.window.close()


if __name__ == "__main__":
    sys.exit(main())
