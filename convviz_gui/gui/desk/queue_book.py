"""The desk's lists, worked out when the pictures change, and no longer than they are looked at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.desk.queues import Queue, QueueKind, queue
from convviz_gui.engine.payloads import Points
from convviz_gui.gui.desk.queue_words import MOST, WORDS, first_length
from convviz_gui.gui.latent.workbench import Workbench

_FEW = 20_000
"""Pictures up to which lists are made at once; more are sorted out of the window's sight."""

_OURS = (QueueKind.REVIEWED, QueueKind.SELECTED)


class QueueBook(QObject):
    """Lists by kind.

    Signals:
        changed: lists are others, or longer.
    """

    changed = Signal()

    def __init__(self, bench: Workbench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._lists: dict[QueueKind, Queue] = {}
        self._lengths: dict[QueueKind, int] = {}
        self._settled: dict[QueueKind, int] = {}
        # What is decided is told of new pictures before the pictures themselves are.
        self._points: Points | None = None
        bench.points_changed.connect(self._on_points)
        bench.places_changed.connect(self._on_places)
        bench.selected_changed.connect(lambda: self._take_given(QueueKind.SELECTED))
        bench.review.changed.connect(lambda: self._take_given(QueueKind.REVIEWED))

    def get(self, kind: QueueKind) -> Queue | None:
        """A list as long as it is shown, or None while it is worked out."""
        return self._lists.get(kind)

    def length(self, kind: QueueKind) -> int:
        """How many rows of a list are shown."""
        found = self._lists.get(kind)
        return len(found.rows) if found is not None else 0

    def lengthen(self, kind: QueueKind) -> None:
        """Show as many rows again."""
        self._lengths[kind] = 2 * max(self.length(kind), 1)
        self._make((kind,))

    def counts(self) -> dict[QueueKind, tuple[int, int]]:
        """Rows shown, and those that are decided about, for each list that is known."""
        verdicts = self._bench.review.verdicts
        found = {}
        for kind, one in self._lists.items():
            rows = one.rows[one.rows < len(verdicts)]
            # All that is reviewed is: how much of it need not be told.
            done = int(np.count_nonzero(verdicts[rows])) if kind is not QueueKind.REVIEWED else 0
            found[kind] = (len(one.rows), done)
        return found

    def _on_points(self) -> None:
        self._lists.clear()
        self._lengths.clear()
        self._on_places()
        self._make(tuple(WORDS))

    def _on_places(self) -> None:
        self._points = self._bench.facts.points if self._bench.facts is not None else None

    def _take_given(self, kind: QueueKind) -> None:
        if self._bench.facts is not None and self._bench.facts.points is self._points:
            self._make((kind,))

    def _make(self, kinds: tuple[QueueKind, ...]) -> None:
        points = self._points
        if points is None:
            return
        given = {QueueKind.REVIEWED: self._bench.review.reviewed(), QueueKind.SELECTED: self._bench.selected}
        lengths = dict(self._lengths)

        def work() -> dict[QueueKind, Queue]:
            return {kind: _made(points, kind, lengths.get(kind, 0), given) for kind in kinds}

        def then(value: object) -> None:
            if isinstance(value, dict) and self._points is not None and self._points.paths is points.paths:
                self._lists.update(value)
                self.changed.emit()

        if len(points.paths) <= _FEW or set(kinds) <= set(_OURS):
            then(work())
        else:
            self._bench.review.clerk.do(work, then)


def _made(points: Points, kind: QueueKind, most: int, given: dict[QueueKind, np.ndarray]) -> Queue:
    found = queue(points, kind, most or MOST, given.get(kind))
    length = most or first_length(found)
    if length >= len(found.rows):
        return found
    return Queue(
        kind,
        found.rows[:length],
        found.partners[:length],
        found.scores[:length],
        found.total,
        found.remarkable,
        found.why,
    )
