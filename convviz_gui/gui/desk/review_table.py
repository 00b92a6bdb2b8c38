"""A list of the desk on screen: two lines a row, and what is decided at the end."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.gui.desk.review_model import Column, Index, ReviewModel, Role
from convviz_gui.gui.latent.point_model import paint_thumbnail
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, Colours, colours, numbers_font

_NARROW = 540
"""Below it a column for labels leaves too little of the pictures' names: labels stand below them."""
_BAR = 3
_WIDTHS = {Column.RANK: 44, Column.LABEL: 132, Column.SCORE: 84, Column.DECISION: 92}
_WALKING = frozenset({
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End,
    Qt.Key.Key_Return, Qt.Key.Key_Enter,
})  # fmt: skip


class ReviewTable(QTableView):
    """Shows a `ReviewModel`.

    Signals:
        moved: another place is current, or more or fewer are selected.
        opened: Enter or a double-click at a place.
    """

    moved = Signal()
    opened = Signal(int)

    def __init__(self, model: ReviewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = model
        self.setModel(model)
        self.setItemDelegate(_Cell(self))
        self.setAccessibleName("Pictures to review")
        self.setFont(numbers_font(self.font()))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(2 * self.fontMetrics().lineSpacing() + 2 * UNIT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(3 * UNIT)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(Column.PICTURE, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        self.setSortingEnabled(True)
        self.as_ranked()
        self.activated.connect(lambda index: self.opened.emit(index.row()))
        self.selectionModel().selectionChanged.connect(lambda: self.moved.emit())

    def as_ranked(self) -> None:
        """Show no column as the one that is sorted by."""
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.DescendingOrder)

    def place(self) -> int:
        """The current place, or -1."""
        return self.currentIndex().row()

    def places(self) -> list[int]:
        """The selected places, ascending."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def go(self, place: int) -> None:
        """Make one place current, and nothing else selected."""
        index = self.rows.index(place, Column.PICTURE)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        # Letters are the page's: the table would look for names that begin with them.
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if plain and event.key() not in _WALKING:
            event.ignore()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        narrow = self.width() < _NARROW
        for column in (Column.RANK, Column.LABEL):
            self.setColumnHidden(column, narrow)
        super().resizeEvent(event)


class _Cell(QStyledItemDelegate):
    def __init__(self, table: ReviewTable) -> None:
        super().__init__(table)
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return QSize(40, self._table.verticalHeader().defaultSectionSize())

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        table = self._table
        scheme, palette = colours(table), table.palette()
        rect: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            # Over the style's own full accent, in which decisions could not have their colours.
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Base))
            ground = QColor(scheme.accent) if chosen else QColor(scheme.raised)
            ground.setAlphaF(0.18 if chosen else 0.6)
            painter.fillRect(rect, ground)
        painter.setFont(table.font())
        inner = rect.adjusted(UNIT // 2, UNIT // 2, -UNIT // 2, -UNIT // 2)
        decision: Decision = index.data(Role.DECISION)
        settled = decision.verdict is not Verdict.UNDECIDED
        text = palette.color(QPalette.ColorRole.PlaceholderText if settled else QPalette.ColorRole.Text)
        match index.column():
            case Column.PICTURE:
                self._picture(painter, inner, index, text, scheme)
            case Column.DECISION:
                _decision(painter, inner, str(index.data()), decision, scheme)
            case Column.SCORE:
                self._score(painter, inner, index, text, scheme)
            case column:
                right = column == Column.RANK
                painter.setPen(QColor(scheme.muted) if right else text)
                _line(
                    painter,
                    inner,
                    str(index.data()),
                    Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft,
                )

    def _picture(self, painter: QPainter, inner: QRect, index: Index, text: QColor, scheme: Colours) -> None:
        frame = QRect(inner.topLeft(), QSize(inner.height(), inner.height()))
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, self._table.palette())
        inner.setLeft(frame.right() + UNIT)
        painter.setPen(text)
        if not self._table.isColumnHidden(Column.LABEL):
            _line(painter, inner, str(index.data()))
            return
        upper = QRect(inner.topLeft(), QSize(inner.width(), inner.height() // 2))
        _line(painter, upper, str(index.data()))
        painter.setPen(QColor(scheme.muted))
        _line(painter, upper.translated(0, inner.height() // 2), str(index.data(Role.SUBTITLE)))

    def _score(self, painter: QPainter, inner: QRect, index: Index, text: QColor, scheme: Colours) -> None:
        painter.setPen(text)
        _line(painter, inner.adjusted(0, 0, 0, -_BAR), str(index.data()), Qt.AlignmentFlag.AlignRight)
        part = float(index.data(Role.PART))
        if part >= 0:
            place = QRectF(inner.left(), inner.bottom() - _BAR + 1, inner.width(), _BAR - 1)
            painter.fillRect(place, QColor(scheme.line))
            place.setWidth(part * place.width())
            painter.fillRect(place, QColor(scheme.accent))


def _decision(painter: QPainter, inner: QRect, words: str, decision: Decision, scheme: Colours) -> None:
    """The verdict, and below it the note."""
    upper = QRect(inner.topLeft(), QSize(inner.width(), inner.height() // 2)) if decision.note else inner
    inks = {Verdict.EXCLUDE: scheme.warning, Verdict.RELABEL: scheme.accent}
    painter.setPen(QColor(inks.get(decision.verdict, scheme.text)))
    _line(painter, upper, words)
    if decision.note:
        painter.setPen(QColor(scheme.muted))
        _line(painter, upper.translated(0, inner.height() // 2), " ".join(decision.note.split()))


def _line(painter: QPainter, area: QRect, text: str, side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, area.width())
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
