"""The rows of a list of the desk: pictures, or pairs of them, with what is decided."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from convviz_gui.engine.datasets import natural
from convviz_gui.engine.desk.queues import Queue
from convviz_gui.engine.desk.review_entries import CODES, Verdict
from convviz_gui.gui.desk.queue_words import WORDS
from convviz_gui.gui.desk.review_keeper import ReviewKeeper
from convviz_gui.gui.desk.row_words import bar_parts, decision_words, suggestion
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import even
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.plain import tip

Index = QModelIndex | QPersistentModelIndex

_EXCLUDED = CODES[Verdict.EXCLUDE]


class Column(IntEnum):
    """Left to right."""

    RANK = 0
    PICTURE = 1
    LABEL = 2
    SCORE = 3
    DECISION = 4


class Role(IntEnum):
    """What a row tells beyond Qt's own roles, in every column."""

    SUBTITLE = Qt.ItemDataRole.UserRole
    PART = Qt.ItemDataRole.UserRole + 1
    DECISION = Qt.ItemDataRole.UserRole + 2
    SUGGESTED = Qt.ItemDataRole.UserRole + 3


class ReviewModel(QAbstractTableModel):
    """A `Queue`'s rows. Items are numbered as in the queue, whatever order they are shown in."""

    def __init__(self, keeper: ReviewKeeper, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._thumbnails = thumbnails
        self.facts: PointFacts | None = None
        self.queue: Queue | None = None
        self._rows = np.zeros(0, np.int64)
        self._partners = np.zeros(0, np.int64)
        self._order = np.zeros(0, np.int64)
        self._parts: NDArray[np.float64] = np.zeros(0)
        self._shown_at: dict[str, int] = {}
        thumbnails.arrived.connect(self._on_thumbnail)
        keeper.changed.connect(self._on_decisions)

    def show_queue(self, facts: PointFacts | None, queue: Queue | None) -> None:
        """Show a list in its own order."""
        self.beginResetModel()
        self.facts, self.queue = facts, queue
        self._rows = queue.rows.copy() if queue is not None else np.zeros(0, np.int64)
        self._partners = queue.partners.copy() if queue is not None else np.zeros(0, np.int64)
        self._order = np.arange(len(self._rows))
        self._parts = bar_parts(queue)
        self._shown_at.clear()
        self.endResetModel()

    # ------------------------------------------------------------------------------------- rows and pairs

    def row(self, place: int) -> int:
        """The picture that is decided about at a place; -1 outside."""
        return int(self._rows[self._order[place]]) if 0 <= place < len(self._order) else -1

    def partner(self, place: int) -> int:
        """The other picture of a pair, or -1."""
        paired = 0 <= place < len(self._order) and len(self._partners) > 0
        return int(self._partners[self._order[place]]) if paired else -1

    def score(self, place: int) -> float:
        """The number that a place is ranked by; NaN where there is none."""
        known = self.queue is not None and 0 <= place < len(self._order) and len(self.queue.scores)
        return float(self.queue.scores[self._order[place]]) if known and self.queue is not None else float("nan")

    def place(self, row: int) -> int:
        """Where a picture is shown, or -1."""
        items = np.flatnonzero(self._rows[self._order] == row) if len(self._order) else self._order
        return int(items[0]) if len(items) else -1

    def swap(self, place: int) -> None:
        """Decide about the other picture of a pair."""
        if self.partner(place) >= 0:
            item = self._order[place]
            self._rows[item], self._partners[item] = self._partners[item], self._rows[item]
            self._refresh(place)

    def settled(self, place: int) -> bool:
        """True if a picture is decided about; of a pair: if one is excluded, or both are decided about."""
        return bool(self._settled()[place]) if 0 <= place < len(self._order) else False

    def count_settled(self) -> int:
        """How many of the rows shown need no decision any more."""
        return int(np.count_nonzero(self._settled()))

    def next_open(self, place: int) -> int:
        """The first place after this one, and then from the top, that is not settled; -1 if all are."""
        waiting = np.flatnonzero(~self._settled())
        if not len(waiting):
            return -1
        after = waiting[waiting > place]
        return int(after[0]) if len(after) else int(waiting[0])

    def _settled(self) -> NDArray[np.bool_]:
        verdicts = self._keeper.verdicts
        # The keeper may know of other pictures already.
        if self.facts is None or len(verdicts) != len(self.facts):
            return np.zeros(len(self._order), bool)
        mine = verdicts[self._rows[self._order]]
        decided: NDArray[np.bool_] = mine > 0
        if len(self._partners):
            others = verdicts[self._partners[self._order]]
            decided = (mine == _EXCLUDED) | (others == _EXCLUDED) | (decided & (others > 0))
        return decided

    # --------------------------------------------------------------------------------------- Qt's questions

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = index.row()
        if self.facts is None or not index.isValid() or place >= len(self._order):
            return None
        row = self.row(place)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(self.facts, place, row, index.column())
            case Qt.ItemDataRole.DecorationRole if index.column() == Column.PICTURE:
                return self._thumbnail(place, self.facts.points.paths[row])
            case Qt.ItemDataRole.ToolTipRole:
                return tip(self._tooltip(self.facts, row))
            case Role.SUBTITLE:
                return self._label_words(self.facts, place, row)
            case Role.PART:
                return float(self._parts[self._order[place]]) if len(self._parts) else -1.0
            case Role.DECISION:
                return self._keeper.decision(row)
            case Role.SUGGESTED:
                return bool(suggestion(self.facts, row))
            case _:
                return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        words = WORDS[self.queue.kind] if self.queue is not None else None
        score = words.score if words is not None else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return ("#", "Picture", "Label", score, "Decision")[section]
        if role == Qt.ItemDataRole.ToolTipRole and words is not None:
            about = {
                Column.SCORE: f"{words.score_tip}. " if words.score_tip else "",
                Column.RANK: "Place in the list. ",
            }
            return f"{about.get(Column(section), '')}Click to sort the rows that are shown"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = section in (Column.RANK, Column.SCORE)
            return (
                Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            ) | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if self.facts is None or not 0 <= column < len(Column):
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        items = [int(self._order[index.row()]) for index in before]
        made = sorted(range(len(self._order)), key=self._sort_key(self.facts, Column(column)))
        descending = order == Qt.SortOrder.DescendingOrder
        self._order = np.array(made[::-1] if descending else made, np.int64)
        places = {item: place for place, item in enumerate(self._order.tolist())}
        after = [self.index(places[item], index.column()) for item, index in zip(items, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self._shown_at.clear()
        self.layoutChanged.emit()

    def _sort_key(self, facts: PointFacts, column: Column) -> Callable[[int], tuple[Any, ...]]:
        rows, scores = self._rows, self.queue.scores if self.queue is not None else np.zeros(0)

        def key(item: int) -> tuple[Any, ...]:
            row = int(rows[item])
            match column:
                case Column.PICTURE:
                    return (natural(facts.name(row)), item)
                case Column.LABEL:
                    return (natural(facts.label(row)), item)
                case Column.SCORE if len(scores):
                    return (float(scores[item]), -item)
                case Column.DECISION:
                    decision = self._keeper.decision(row)
                    return (CODES[decision.verdict], decision.label, not decision.note, item)
                case _:
                    return (item,)

        return key

    # ---------------------------------------------------------------------------------------------- words

    def _text(self, facts: PointFacts, place: int, row: int, column: int) -> str:
        match column:
            case Column.RANK:
                return f"{self._order[place] + 1:,}"
            case Column.PICTURE:
                return facts.name(row)
            case Column.LABEL:
                return self._label_words(facts, place, row)
            case Column.SCORE:
                return self._score(place)
            case _:
                return decision_words(self._keeper.decision(row))

    def _score(self, place: int) -> str:
        score = self.score(place)
        return "same pixels" if len(self._partners) and score == 0 else even(score)

    def _label_words(self, facts: PointFacts, place: int, row: int) -> str:
        """ "cat → dog" where a suggestion is known; of a pair, what sets the two apart: splits, else labels."""
        partner = self.partner(place)
        label = facts.label(row)
        if partner >= 0:
            splits = facts.points.splits
            if len(splits) == len(facts) and splits[row] != splits[partner]:
                return f"{splits[row]} ⇄ {splits[partner]}"
            other = facts.label(partner)
            return label if other == label else f"{label} ⇄ {other}"
        found = suggestion(facts, row)
        return f"{label} → {found}" if found else label

    def _tooltip(self, facts: PointFacts, row: int) -> str:
        path = facts.points.paths[row]
        lines = [path, self._thumbnails.problem(path), self._keeper.decision(row).note]
        return "\n".join(filter(None, lines))

    # ------------------------------------------------------------------------------------------- what comes

    def _thumbnail(self, place: int, path: str) -> QImage | None:
        self._shown_at[path] = place
        return self._thumbnails.get(path)

    def _on_thumbnail(self, path: str) -> None:
        if (place := self._shown_at.get(path)) is not None:
            index = self.index(place, Column.PICTURE)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def _refresh(self, place: int) -> None:
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))

    def _on_decisions(self) -> None:
        if len(self._order):
            last = self.index(len(self._order) - 1, Column.DECISION)
            self.dataChanged.emit(self.index(0, Column.DECISION), last)
