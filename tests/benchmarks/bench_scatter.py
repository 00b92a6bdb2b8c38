"""How long one frame of the map takes, and finding the point under the cursor.

Run: python tests/benchmarks/bench_scatter.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from convviz_gui.engine.palette import categorical
from convviz_gui.gui.latent.scatter_plot import ScatterPlot

SIZES = (600, 5_000, 20_000, 100_000, 300_000, 1_000_000)
CLASSES = 12
REPEATS = 7


def best_ms(work: Callable[[], object]) -> float:
    """Shortest of some runs, in milliseconds: what the machine does when nothing disturbs it."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def measure(app: QApplication, n: int) -> tuple[float, ...]:
    """Milliseconds of a frame at rest, one while the view moves, a new set of places, and a pick."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, CLASSES, n)
    xy = (rng.normal(0, 4, (CLASSES, 2))[group] + rng.normal(0, 0.6, (n, 2))).astype(np.float32)
    plot = ScatterPlot()
    plot.resize(900, 700)
    plot.set_points(xy, keep_view=False)
    nothing = np.zeros(n, np.bool_)
    plot.set_colours(group.astype(np.uint8), categorical(CLASSES, dark=False), nothing, nothing.astype(np.uint8))
    plot.show()
    app.processEvents()

    def rest() -> None:
        plot.canvas.raster.set_moving(False)
        plot.canvas.raster._changed()
        plot.grab()

    def move() -> None:
        plot.canvas.box.translateBy(x=0.01, y=0.0)
        plot.grab()

    def places() -> None:
        plot.set_points(xy, keep_view=True)
        plot.grab()

    result = (best_ms(rest), best_ms(move), best_ms(places), best_ms(lambda: plot.pick(0.1, 0.1)))
    plot.close()
    return result


def scatter_plot_item(app: QApplication, n: int) -> tuple[float, float]:
    """Milliseconds that pyqtgraph's own item takes to build and to paint, for comparison."""
    xy = np.random.default_rng(0).normal(size=(n, 2))
    began = time.perf_counter()
    view = pg.PlotWidget()
    view.resize(900, 700)
    view.addItem(pg.ScatterPlotItem(pos=xy, size=5, pen=None))
    view.show()
    app.processEvents()
    built = 1e3 * (time.perf_counter() - began)
    painted = best_ms(view.grab)
    view.close()
    return built, painted


def main() -> None:
    """Print the table."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    print(f"{'points':>10} {'at rest':>10} {'moving':>10} {'new places':>11} {'pick':>8}   (ms)")
    for n in SIZES:
        rest, move, places, pick = measure(app, n)
        print(f"{n:>10,} {rest:>10.1f} {move:>10.1f} {places:>11.1f} {pick:>8.2f}")
    built, painted = scatter_plot_item(app, SIZES[-1])
    print(f"pyqtgraph's ScatterPlotItem, {SIZES[-1]:,} points: {built:.0f} ms to build, {painted:.0f} ms to paint")


if __name__ == "__main__":
    main()
