"""A picture's nearest neighbours in a row, with their labels: those of another label stand out."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import Index, PointModel, Role, paint_thumbnail
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font

_TILE = 52
_SCROLL_BAR = 10


class NeighbourRow(QListView):
    """Shows neighbours.

    Signals:
        opened: the row that was double-clicked, or on which Enter was pressed.
    """

    opened = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points = PointModel(thumbnails, self)
        self.label = ""
        self.setModel(self.points)
        self.setItemDelegate(_Tile(self))
        self.setAccessibleName("Nearest neighbours and their labels")
        self.setFont(numbers_font(self.font()))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(self.cell().height() + _SCROLL_BAR)
        self.activated.connect(lambda index: self.opened.emit(self.points.point(index.row())))

    def cell(self) -> QSize:
        """Size of a neighbour with its label."""
        return QSize(_TILE + UNIT, _TILE + self.fontMetrics().height() + UNIT)

    def show_neighbours(self, facts: PointFacts | None, row: int) -> None:
        """Show the neighbours of a picture (-1: none)."""
        near = facts.neighbours(row) if facts is not None and row >= 0 else ()
        self.label = facts.label(row) if facts is not None and row >= 0 else ""
        self.points.show_points(facts, near, [0.0] * len(near))
        self.scrollToTop()


class _Tile(QStyledItemDelegate):
    def __init__(self, view: NeighbourRow) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return self._view.cell()

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view = self._view
        rect: QRect = option.rect
        palette, scheme = view.palette(), colours(view)
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        frame = QRect(rect.left() + UNIT // 2, rect.top() + UNIT // 2, _TILE, _TILE)
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        caption = str(index.data(Role.CAPTION))
        differs = bool(view.label) and caption != view.label
        painter.setFont(view.font())
        painter.setPen(scheme.warning if differs else scheme.muted)
        line = QRect(frame.left(), frame.bottom() + 2, frame.width(), painter.fontMetrics().height())
        # The last part of a label tells more than where it stands; of a single word the beginning does.
        side = Qt.TextElideMode.ElideLeft if "/" in caption else Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(caption, side, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, shown)
