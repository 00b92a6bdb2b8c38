"""A table of numbers, sorted by any column, with thin bars below those that are to be compared at a glance."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font

Index = QModelIndex | QPersistentModelIndex
_BAR = 3
_MEASURED = 8
"""How many of a column's longest texts are measured for its width."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what is written in its rows, and the numbers it is sorted by.

    Args:
        texts: as written, a text for each row.
        values: [n]; None sorts by the texts.
        tip: what the column means.
        bar: draw the numbers as bars, from 0 to the right or, where some are negative, to both sides of the middle.
        stretches: takes of the room that is left.
        words: the texts are words, though there are values to sort by.
    """

    title: str
    texts: Sequence[str]
    values: NDArray[np.floating | np.integer] | None = None
    tip: str = ""
    bar: bool = False
    stretches: bool = False
    words: bool = False

    @property
    def side(self) -> Qt.AlignmentFlag:
        """Words begin at the left, numbers end at the right."""
        left = self.words or self.values is None
        return Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight

    def order(self, *, descending: bool) -> list[int]:
        """Rows in order; equal ones stay as they are, NaN comes last."""
        if self.values is None:
            return sorted(range(len(self.texts)), key=lambda row: self.texts[row].casefold(), reverse=descending)
        key = self.values.astype(np.float64)
        return [int(row) for row in np.argsort(-key if descending else key, kind="stable")]

    def parts(self) -> list[tuple[float, float]]:
        """Where each row's bar begins and ends, in 0…1 of the cell's width; the same twice where there is none."""
        if self.values is None or not self.bar:
            return []
        finite = np.nan_to_num(self.values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        top = float(np.abs(finite).max(initial=0.0)) or 1.0
        two_sided = bool(finite.min(initial=0.0) < 0)
        begin = 0.5 if two_sided else 0.0
        return [(begin, begin + share * (1 - begin)) for share in (finite / top).tolist()]


class BarTable(QTreeView):
    """Rows of `Column`s.

    Signals:
        chosen: the row (of the columns' arrays) that became current by the user's hand.
        opened: the row that was double-clicked, or on which Enter was pressed.
        pointed: the row under the cursor, or None.
    """

    chosen = Signal(int)
    opened = Signal(int)
    pointed = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows()
        self._telling = True
        self.setModel(self._rows)
        self.setItemDelegate(_Cell(self))
        self.setAccessibleName(name)
        self.setFont(numbers_font(self.font()))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.header().setStretchLastSection(False)
        self.header().setSectionsClickable(True)
        self.header().setMinimumSectionSize(3 * UNIT)
        self.setUniformRowHeights(True)
        self.setSortingEnabled(True)
        self.header().setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        self.activated.connect(lambda index: self.opened.emit(self._rows.item(index.row())))
        self.entered.connect(lambda index: self.pointed.emit(self._rows.item(index.row())))
        self.viewportEntered.connect(lambda: self.pointed.emit(None))

    def set_columns(self, columns: Sequence[Column], *, keep: bool = False) -> None:
        """Show other rows, as they are numbered; `keep` the current row and the order the user chose."""
        current = self.current_row()
        same = [column.title for column in columns] == [column.title for column in self._rows.columns]
        section, order = self.header().sortIndicatorSection(), self.header().sortIndicatorOrder()
        if keep and self._rows.replace(columns):
            if 0 <= section < len(columns):
                self._rows.sort(section, order)
            return
        place = self.verticalScrollBar().value()
        self._telling = False
        self._rows.set_columns(columns)
        if keep and same and 0 <= section < len(columns):
            self._rows.sort(section, order)
        else:
            self.header().setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        self._telling = True
        for number, column in enumerate(() if same else columns):
            mode = QHeaderView.ResizeMode.Stretch if column.stretches else QHeaderView.ResizeMode.ResizeToContents
            self.header().setSectionResizeMode(number, mode)
        if keep and current is not None:
            self.select(current)
            self.verticalScrollBar().setValue(place)

    def current_row(self) -> int | None:
        """The row that is current, as the columns' arrays number it."""
        index = self.currentIndex()
        return self._rows.item(index.row()) if index.isValid() else None

    def select(self, row: int | None, *, show: bool = False) -> None:
        """Make a row current without saying `chosen`; `show` scrolls to it."""
        self._telling = False
        place = self._rows.place(row) if row is not None else None
        index = self._rows.index(place, 0) if place is not None else QModelIndex()
        automatic = self.hasAutoScroll()
        self.setAutoScroll(show)
        self.setCurrentIndex(index)
        self.setAutoScroll(automatic)
        self._telling = True

    def rows(self) -> list[int]:
        """Rows from top to bottom."""
        return [self._rows.item(place) for place in range(self._rows.rowCount())]

    def sort_by(self, title: str, *, descending: bool = True) -> None:
        """Sort by the column of that title."""
        titles = [column.title for column in self._rows.columns]
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.sortByColumn(titles.index(title), order)

    def currentChanged(self, current: Index, previous: Index) -> None:  # noqa: N802
        super().currentChanged(current, previous)
        if self._telling and current.isValid():
            self.chosen.emit(self._rows.item(current.row()))

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(40 * UNIT, 30 * UNIT)

    def sizeHintForColumn(self, column: int) -> int:  # noqa: N802
        # Not Qt's own, which asks the delegate about every row: columns are measured anew in the middle of a run.
        longest = heapq.nlargest(_MEASURED, self._rows.columns[column].texts, key=len)
        return max((self.fontMetrics().horizontalAdvance(text) for text in longest), default=0) + 2 * UNIT

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(20 * UNIT, 10 * UNIT)


def _shape(column: Column) -> tuple[str, int, int]:
    """What a column's place and width depend on: digits are all as wide."""
    return column.title, len(column.texts), max(map(len, column.texts), default=0)


class _Rows(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[Column, ...] = ()
        self.parts: list[list[tuple[float, float]]] = []
        self._order: list[int] = []

    def set_columns(self, columns: Sequence[Column]) -> None:
        self.beginResetModel()
        self._take(columns)
        self._order = list(range(len(columns[0].texts) if columns else 0))
        self.endResetModel()

    def _take(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        # Once for all: cells are painted by the thousand.
        self.parts = [column.parts() for column in self.columns]

    def replace(self, columns: Sequence[Column]) -> bool:
        """Take other numbers for the same rows in the same widths, which spares the view measuring; False if not so."""
        if [_shape(column) for column in columns] != [_shape(column) for column in self.columns] or not self._order:
            return False
        self._take(columns)
        self.dataChanged.emit(self.index(0, 0), self.index(len(self._order) - 1, len(columns) - 1))
        return True

    def item(self, place: int) -> int:
        return self._order[place]

    def place(self, item: int) -> int | None:
        return self._order.index(item) if item in self._order else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        return 0 if parent.isValid() else len(self.columns)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= column < len(self.columns):
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        items = [self._order[index.row()] for index in before]
        self._order = self.columns[column].order(descending=order == Qt.SortOrder.DescendingOrder)
        places = {item: place for place, item in enumerate(self._order)}
        after = [self.index(places[item], index.column()) for item, index in zip(items, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        column = self.columns[index.column()]
        text = column.texts[self._order[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(f"{column.title}: {text}")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(f"{column.tip}\nClick to sort" if column.tip else "Click to sort")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.side | Qt.AlignmentFlag.AlignVCenter
        return None


class _Cell(QStyledItemDelegate):
    """Text with a thin bar below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        # Not the style's own, which asks for eight roles: columns are measured anew for every picture of a run.
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        return QSize(option.fontMetrics.horizontalAdvance(text) + 2 * UNIT, option.fontMetrics.height() + UNIT + _BAR)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Rows)
        column, item = model.columns[index.column()], model.item(index.row())
        scheme, area = colours(), QRectF(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            ground = QColor(scheme.accent) if chosen else QColor(scheme.raised)
            ground.setAlphaF(0.25 if chosen else 1.0)
            painter.fillRect(area, ground)
        inner = area.adjusted(UNIT / 2, 0, -UNIT / 2, -_BAR)
        shown = option.fontMetrics.elidedText(column.texts[item], Qt.TextElideMode.ElideMiddle, int(inner.width()))
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        painter.drawText(inner, column.side | Qt.AlignmentFlag.AlignVCenter, shown)
        if column.bar:
            first, last = model.parts[index.column()][item]
            begin, end = sorted((first, last))
            bar = QRectF(
                inner.left() + begin * inner.width(), area.bottom() - _BAR - 1, (end - begin) * inner.width(), _BAR - 1
            )
            painter.fillRect(bar, QColor(scheme.warning if last < first else scheme.accent))
