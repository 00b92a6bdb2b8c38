"""What the pages of the latent space share: the pictures, which is chosen, and which are selected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from convviz_gui.engine.payloads import IntArray, Located, Points
from convviz_gui.engine.types import ModelInfo, Result
from convviz_gui.gui.desk.review_keeper import ReviewKeeper
from convviz_gui.gui.latent.placed import Placed
from convviz_gui.gui.latent.point_facts import PointFacts

_BREATH_MS = 300


class Workbench(QObject):
    """One map for all pages. Rows are numbers in `facts.points`; `review` is what is decided about them.

    Signals:
        points_changed: `facts` is about other pictures, or knows more of the same ones; nothing is selected any more.
        places_changed: the same pictures have other places (a frame of a projection under way).
        point_changed: another picture is chosen; its row, or -1.
        selected_changed: other pictures are selected.
        placed_changed: other pictures that are not in the dataset are on its map, or another of them is chosen.
        decisions_changed: the review says something else of some pictures.
        neighbours_found: the row of a picture whose neighbours were asked for and are known now.
        open_wanted: the row of a picture that the user wants in the image tray.
        guest_wanted: a `Placed` that the user wants in the image tray.
        command_wanted: a `Reproject`, `Locate` or `Nearest` that the user wants done.
    """

    points_changed = Signal()
    places_changed = Signal()
    point_changed = Signal(int)
    selected_changed = Signal()
    placed_changed = Signal()
    decisions_changed = Signal()
    neighbours_found = Signal(int)
    open_wanted = Signal(int)
    guest_wanted = Signal(object)
    command_wanted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.facts: PointFacts | None = None
        self.review = ReviewKeeper(self)
        self.result: Result | None = None
        self.grown = False
        """True if `facts` begins with the pictures that were there before it."""
        self._point = -1
        self._selected: IntArray = np.zeros(0, np.int64)
        self._placed: list[Placed] = []
        self._guest: Placed | None = None
        self._decisions: Sequence[str] | NDArray[np.str_] = ()
        # Colours of a whole map need not follow every key of a quick review.
        self._telling = QTimer(self, singleShot=True, interval=_BREATH_MS)
        self._telling.timeout.connect(lambda: self.set_decisions(self.review.verdict_words()))
        self.review.changed.connect(self._telling.start)

    def show(self, points: Points, model: ModelInfo | None, result: Result | None = None) -> None:
        """Take a map; `result` is what it came with, None for a frame of one under way.

        What is chosen stays so, if it is there; what is selected only while the pictures are the same, or more come.
        """
        if result is not None and result is self.result:
            return
        before = self.facts
        self.result = result
        if before is not None and result is None and _same(before.points, points):
            self.facts, self.grown = before.moved(points), True
            self.places_changed.emit()
            return
        grown = self.grown = before is not None and _grown(before.points, points)
        chosen = before.points.paths[self._point] if before is not None and self._point >= 0 else None
        row = self._point
        self.facts = PointFacts(points, model)
        self._point, self._guest, self._decisions = -1, None, ()
        if not grown:
            self._selected = np.zeros(0, np.int64)
        self.review.show(points)
        self.points_changed.emit()
        self.selected_changed.emit()
        self.placed_changed.emit()
        if chosen is not None and not grown:
            row = self.facts.row(chosen)
        self.choose(row)

    @property
    def point(self) -> int:
        """Row of the chosen picture, or -1."""
        return self._point

    def choose(self, row: int) -> None:
        """Choose a picture (-1: none)."""
        self._point = row if self.facts is not None and row < len(self.facts) else -1
        guest, self._guest = self._guest, None
        self.point_changed.emit(self._point)
        if guest is not None:
            self.placed_changed.emit()

    def learn(self, row: int, located: Located) -> None:
        """Take the neighbours of a picture that were not with the map."""
        if self.facts is not None:
            self.facts.learn(row, located)
            self.neighbours_found.emit(row)

    @property
    def selected(self) -> IntArray:
        """Rows i64 of the selected pictures, ascending."""
        return self._selected

    def select(self, rows: Iterable[int] | IntArray) -> None:
        """Select pictures instead of those that are selected."""
        found = rows.astype(np.int64) if isinstance(rows, np.ndarray) else np.fromiter(rows, np.int64)
        if not (np.diff(found) > 0).all():
            found = np.unique(found)
        if not np.array_equal(found, self._selected):
            self._selected = found
            self.selected_changed.emit()

    def open(self, row: int) -> None:
        """Ask for a picture to be opened in the image tray."""
        if self.facts is not None and 0 <= row < len(self.facts):
            self.open_wanted.emit(row)

    # ------------------------------------------------------------------------- pictures beside the dataset

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Pictures that are not in the dataset but on the map on screen."""
        return tuple(placed for placed in self._placed if placed.result is self.result)

    @property
    def guest(self) -> Placed | None:
        """Which of `placed` is chosen."""
        return self._guest

    def place(self, placed: Placed) -> None:
        """Put a picture on its map, instead of the same one if it is there, and choose it."""
        same = placed.result, placed.image.digest
        self._placed = [other for other in self._placed if (other.result, other.image.digest) != same]
        self._placed.append(placed)
        if placed.result is self.result:
            self.choose_guest(placed)

    def take_away(self, placed: Placed) -> None:
        """Take a picture off the map again."""
        self._placed = [other for other in self._placed if other is not placed]
        if self._guest is placed:
            self._guest = None
        self.placed_changed.emit()

    def choose_guest(self, placed: Placed | None) -> None:
        """Choose one of `placed`; no picture of the dataset is chosen then."""
        self._point, self._guest = -1, placed
        self.point_changed.emit(-1)
        self.placed_changed.emit()

    def forget_placed(self) -> None:
        """Take every picture off every map."""
        self._placed, self._guest = [], None
        self.placed_changed.emit()

    # ------------------------------------------------------------------------------------------ the review

    @property
    def decisions(self) -> Sequence[str] | NDArray[np.str_]:
        """What the review says of each picture, "" where it has not been looked at; empty without a review."""
        return self._decisions

    def set_decisions(self, decisions: Sequence[str] | NDArray[np.str_]) -> None:
        """Tell what the review says of each picture of `facts`."""
        self._decisions = decisions
        self.decisions_changed.emit()


def _same(one: Points, other: Points) -> bool:
    return one.layer == other.layer and (one.paths is other.paths or one.paths == other.paths)


def _grown(one: Points, other: Points) -> bool:
    """True if `other` begins with all the pictures of `one`, told by the first and the last of them."""
    size = len(one.paths)
    if one.layer != other.layer or not 0 < size <= len(other.paths):
        return False
    return one.paths[0] == other.paths[0] and one.paths[size - 1] == other.paths[size - 1]
