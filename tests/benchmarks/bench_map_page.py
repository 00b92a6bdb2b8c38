"""The map's page with a million pictures: how soon it is there, and how long an interaction keeps the window busy.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_map_page.py [pictures]

Bars: points on screen within 1.5 s, and no interaction keeps the window's thread for 50 ms; what a class is and which
picture is the oddest may come later. The points are made up: 200 groups, ten classes, no features to speak of.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer

from convviz_gui.app import make_application
from convviz_gui.engine.payloads import Column, Points
from convviz_gui.engine.types import LayerNode, ModelInfo, ModelSpec, Preprocess, Result, Run
from convviz_gui.gui.latent.point_colours import Choice, ColourBy
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.latent import LatentView


def main(count: int) -> None:
    """Print milliseconds, and the longest time in which the window did not answer."""
    app = make_application()
    result = made_up(count)
    import convviz_gui.gui.latent.scatter_plot  # noqa: F401 - imported beside, in the program

    view = LatentView(Selection())
    view.resize(1000, 740)
    view.show()
    _wait(300)
    ticks = _Ticks()
    began = time.perf_counter()
    view.show_result(result)
    told = time.perf_counter()
    app.processEvents()
    _wait_until(lambda: bool(view.map.ranking.points.rowCount()) and len(view.map.legend.classes.classes.groups) > 1)
    print(f"shown in {told - began:.2f} s; classes and ranking after {time.perf_counter() - began:.2f} s")
    _wait(1500)
    ticks.tell("to be shown")
    legend, bench, plot = view.map.legend, view.bench, view.map.plot
    assert plot is not None
    for name, act in {
        "choose": lambda: bench.choose(count // 3),
        "choose another": lambda: bench.choose(count // 5),
        "hover": lambda: plot.hovered.emit(count // 7),
        "dim two classes": lambda: legend.set_dimmed(frozenset({1, 2})),
        "select 1,000": lambda: bench.select(np.arange(1000)),
        "select half": lambda: bench.select(np.arange(count // 2)),
        "select nothing": lambda: bench.select(()),
        "colour by score": lambda: legend.colour_changed.emit(Choice(ColourBy.OUTLIER)),
        "colour by prediction": lambda: legend.colour_changed.emit(Choice(ColourBy.PREDICTION)),
        "colour by column": lambda: legend.colour_changed.emit(Choice(ColourBy.COLUMN, "brightness")),
        "find a file": lambda: view.bench.facts.row(result.payload.paths[-1]),  # type: ignore[union-attr]
    }.items():
        began = time.perf_counter()
        act()
        print(f"{name:24s} {1000 * (time.perf_counter() - began):7.1f} ms", end="   ")
        _wait(1000)
        ticks.tell("window busy for at most")
    view.loader.close()
    view.thumbnails.close()
    view.close()
    view.deleteLater()
    _wait(50)


def made_up(count: int) -> Result:
    """A map of `count` pictures that there are not."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 200, count)
    middles = rng.normal(size=(200, 2)) * 10
    points = Points(
        layer="pool",
        folder="/nowhere",
        projection="umap",
        paths=tuple(f"/nowhere/{number:07d}.jpg" for number in range(count)),
        labels=tuple(f"class {number}" for number in group.tolist()),
        features=rng.random((count, 8), np.float32),
        xy=(middles[group] + rng.normal(size=(count, 2))).astype(np.float32),
        logits=rng.random((count, 10), np.float32),
        outlier=rng.random(count, np.float32) + 1,
        neighbours=np.zeros((count, 0), np.int64),
        preservation=rng.random(count, np.float32),
        columns=(Column("brightness", rng.random(count)),),
    )
    preprocess = Preprocess((32, 32), 32, "bilinear", (0.0,) * 3, (1.0,) * 3)
    root = LayerNode("", "net", "Net", (10,), 10, 1, 0)
    model = ModelInfo(ModelSpec(), "Net", "made up", True, "0", 1, "cpu", preprocess, (), 10, root, None, None)
    return Result(Run("latent", folder="/nowhere"), points, (), model, 1.0)


class _Ticks:
    """Notices how long the window's thread does not come round."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(interval=2)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last)
        self._last = now

    def tell(self, name: str) -> None:
        """Print the longest wait since the last call."""
        print(f"{name} {1000 * self._longest:.0f} ms")
        self._longest = 0.0


def _wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _wait_until(done: Callable[[], bool]) -> None:
    while not done():
        _wait(5)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
