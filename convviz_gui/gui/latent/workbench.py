"""What the pages of the latent space share: the pictures, which is chosen, and which are selected."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.payloads import IntArray, Points
from convviz_gui.engine.types import ModelInfo, Result
from convviz_gui.gui.latent.point_facts import PointFacts


class Workbench(QObject):
    """One map for all pages. Rows are numbers in `facts.points`.

    Signals:
        points_changed: `facts` is about other pictures, or knows more of the same ones; nothing is selected any more.
        places_changed: the same pictures have other places (a frame of a projection under way).
        point_changed: another picture is chosen; its row, or -1.
        selected_changed: other pictures are selected.
        open_wanted: the row of a picture that the user wants in the image tray.
        command_wanted: a `Reproject` or `Locate` that the user wants done.
    """

    points_changed = Signal()
    places_changed = Signal()
    point_changed = Signal(int)
    selected_changed = Signal()
    open_wanted = Signal(int)
    command_wanted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.facts: PointFacts | None = None
        self.result: Result | None = None
        self._point = -1
        self._selected: IntArray = np.zeros(0, np.int64)

    def show(self, points: Points, model: ModelInfo | None, result: Result | None = None) -> None:
        """Take a map; `result` is what it came with, None for a frame of one under way."""
        known = self.facts.points if self.facts is not None else None
        self.result = result
        same = known is not None and points.layer == known.layer and points.paths == known.paths
        if same and result is None and self.facts is not None:
            self.facts = self.facts.moved(points)
            self.places_changed.emit()
            return
        chosen = known.paths[self._point] if known is not None and self._point >= 0 else None
        self.facts = PointFacts(points, model)
        self._point = -1
        self._selected = np.zeros(0, np.int64)
        self.points_changed.emit()
        self.selected_changed.emit()
        self.choose(self.facts.row(chosen) if chosen is not None else -1)

    @property
    def point(self) -> int:
        """Row of the chosen picture, or -1."""
        return self._point

    def choose(self, row: int) -> None:
        """Choose a picture (-1: none)."""
        self._point = row if self.facts is not None and row < len(self.facts) else -1
        self.point_changed.emit(self._point)

    @property
    def selected(self) -> IntArray:
        """Rows i64 of the selected pictures, ascending."""
        return self._selected

    def select(self, rows: Iterable[int] | IntArray) -> None:
        """Select pictures instead of those that are selected."""
        found = np.unique(np.fromiter(rows, np.int64) if not isinstance(rows, np.ndarray) else rows.astype(np.int64))
        if not np.array_equal(found, self._selected):
            self._selected = found
            self.selected_changed.emit()

    def open(self, row: int) -> None:
        """Ask for a picture to be opened in the image tray."""
        if self.facts is not None and 0 <= row < len(self.facts):
            self.open_wanted.emit(row)
