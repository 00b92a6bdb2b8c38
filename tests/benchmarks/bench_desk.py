"""The desk with a million pictures: how long its lists and decisions take in the window's thread.

    python -m tests.benchmarks.bench_desk [PICTURES]

Bar: nothing over 50 ms. Lists of more than 20,000 pictures are made in the desk's own thread; what they take there is
told, too, and the longest time between two ticks of 10 ms meanwhile.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["CONVVIZ_HOME"] = tempfile.mkdtemp()

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest

from convviz_gui.app import make_application
from convviz_gui.engine.desk.queues import QueueKind, queue
from convviz_gui.engine.payloads import Points
from convviz_gui.gui.desk.desk_page import DeskPage
from convviz_gui.gui.latent.thumbnails import Thumbnails, decode
from convviz_gui.gui.latent.workbench import Workbench


def made_up(count: int) -> Points:
    """Scores and pairs without pictures."""
    rng = np.random.default_rng(0)
    labels = np.array([f"class {number}" for number in range(1000)])[rng.integers(0, 1000, count)].tolist()
    return Points(
        layer="x",
        folder="/d",
        projection="pca",
        paths=tuple(f"/d/{row}.jpg" for row in range(count)),
        labels=tuple(labels),
        splits=("train",) * (count // 2) + ("test",) * (count - count // 2),
        features=np.zeros((count, 1), np.float32),
        xy=np.zeros((count, 2), np.float32),
        logits=np.zeros((count, 0), np.float32),
        outlier=rng.gamma(2, size=count).astype(np.float32),
        neighbours=rng.integers(0, count, (count, 12)),
        suspects=rng.uniform(0, 1, count).astype(np.float32),
        suggested=tuple(labels),
        ambiguity=rng.uniform(0, 1, count).astype(np.float32),
        duplicates=rng.integers(0, count, (count // 100, 2)),
        duplicate_distance=np.sort(rng.uniform(0, 1, count // 100)).astype(np.float32),
        digests=tuple(f"{row:016x}" for row in range(count)),
    )


def timed(what: str, do: Callable[[], object]) -> None:
    """Print how long something takes at worst of three."""
    worst = 0.0
    for _ in range(3):
        begin = time.perf_counter()
        do()
        worst = max(worst, time.perf_counter() - begin)
    print(f"{what:<44}{1000 * worst:8.1f} ms")


def main() -> None:
    """Run it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    points = made_up(count)
    for kind in (QueueKind.SUSPECTS, QueueKind.OUTLIERS, QueueKind.DUPLICATES, QueueKind.LEAKS):
        timed(f"list of {kind.value} (desk's thread)", lambda kind=kind: queue(points, kind, 200))  # type: ignore[misc]
    make_application()
    bench = Workbench()
    desk = DeskPage(bench, Thumbnails(bench))
    desk.resize(1160, 640)
    desk.show()
    decode("/d/0.jpg")  # in the program other pictures are decoded first, which takes a while once
    QTest.qWait(300)
    ticks: list[float] = []
    timer = QTimer(interval=10)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    begin = time.perf_counter()
    bench.show(points, None)
    print(f"{'taking the pictures':<44}{1000 * (time.perf_counter() - begin):8.1f} ms")
    while not desk.rows.rowCount():
        QTest.qWait(10)
    QTest.qWait(300)
    print(f"{'until the first list is there':<44}{1000 * (time.perf_counter() - begin):8.1f} ms")
    print(f"{'longest tick meanwhile':<44}{1000 * max(np.diff(ticks)):8.1f} ms")
    timed("keep, and go on", lambda: QTest.keyClick(desk.table, Qt.Key.Key_K))
    timed("another list", lambda: desk.choose_list(QueueKind.OUTLIERS))
    timed("sort by label", lambda: desk.table.sortByColumn(2, Qt.SortOrder.AscendingOrder))
    desk.table.selectAll()
    timed("exclude 200", lambda: QTest.keyClick(desk.table, Qt.Key.Key_X))
    timed("undo", lambda: QTest.keyClick(desk.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier))
    ticks.clear()
    QTest.qWait(1000)
    print(f"{'longest tick while the map is told':<44}{1000 * max(np.diff(ticks)):8.1f} ms")
    bench.review.close()


if __name__ == "__main__":
    main()
