"""The desk's lists to choose from, with how much of each is done; a box where there is no room for a column."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from convviz_gui.engine.desk.queues import QueueKind
from convviz_gui.gui.desk.queue_words import WORDS
from convviz_gui.gui.desk.review_model import Index
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font

_WIDTH = 176


class _Role(IntEnum):
    COUNT = Qt.ItemDataRole.UserRole
    DONE = Qt.ItemDataRole.UserRole + 1


class QueueList(QListWidget):
    """The lists one under the other. `chosen` tells which the user went to."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lists")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFixedWidth(_WIDTH)
        self.setItemDelegate(_Line(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._kinds = list(WORDS)
        for kind in self._kinds:
            item = QListWidgetItem(WORDS[kind].title)
            item.setToolTip(WORDS[kind].about)
            self.addItem(item)
        self.currentRowChanged.connect(lambda row: self.chosen.emit(self._kinds[row]) if row >= 0 else None)

    def show_counts(self, counts: Mapping[QueueKind, tuple[int, int]]) -> None:
        """How many rows each list has that stand out, and how many of them are decided; those missing are unknown."""
        for row, kind in enumerate(self._kinds):
            count, done = counts.get(kind, (-1, 0))
            self.item(row).setData(_Role.COUNT, count)
            self.item(row).setData(_Role.DONE, done)
            words = "not known" if count < 0 else f"{count:,}, {done:,} reviewed"
            self.item(row).setData(Qt.ItemDataRole.AccessibleDescriptionRole, words)

    def go(self, kind: QueueKind) -> None:
        """Show a list as the chosen one without telling."""
        self.blockSignals(True)
        self.setCurrentRow(self._kinds.index(kind))
        self.blockSignals(False)


class QueueBox(QComboBox):
    """The same in a box. `chosen` tells which the user went to."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("List")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        self._kinds = list(WORDS)
        self.addItems([WORDS[kind].title for kind in self._kinds])
        self.activated.connect(lambda row: self.chosen.emit(self._kinds[row]))

    def show_counts(self, counts: Mapping[QueueKind, tuple[int, int]]) -> None:
        """As of `QueueList`."""
        for row, kind in enumerate(self._kinds):
            count, done = counts.get(kind, (-1, 0))
            told = f"  {done:,} / {count:,}" if count > 0 else ""
            self.setItemText(row, f"{WORDS[kind].title}{told}")

    def go(self, kind: QueueKind) -> None:
        """Show a list as the chosen one."""
        self.setCurrentIndex(self._kinds.index(kind))


class _Line(QStyledItemDelegate):
    """A name at the left; at the right how many there are, or how many of them are done."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return QSize(_WIDTH - UNIT, option.fontMetrics.lineSpacing() + UNIT + 4)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view: QWidget = option.widget
        rect: QRect = option.rect
        scheme, palette = colours(view), view.palette()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(scheme.raised))
        if chosen:
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), QColor(scheme.accent))
        inner = rect.adjusted(UNIT, 0, -UNIT, 0)
        count, done = int(index.data(_Role.COUNT) or 0), int(index.data(_Role.DONE) or 0)
        number = "" if count <= 0 else f"{done:,}/{count:,}" if done else f"{count:,}"
        painter.setFont(numbers_font(view.font()))
        painter.setPen(QColor(scheme.accent if count > 0 and done >= count else scheme.muted))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, right, number)
        inner.setRight(inner.right() - painter.fontMetrics().horizontalAdvance(number) - UNIT)
        painter.setPen(palette.color(QPalette.ColorRole.Text) if count > 0 or chosen else QColor(scheme.faint))
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
