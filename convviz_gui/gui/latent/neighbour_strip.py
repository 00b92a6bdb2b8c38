"""A picture and those that the network holds to be most like it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import PointModel, Role, details, paint_thumbnail
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font

_LARGEST, _SMALLEST = 72, 52
_USUAL_COUNT = 12
_SCROLL_BAR = 12
_DETAIL_WIDTH = 168


class NeighbourStrip(QWidget):
    """The chosen picture's facts, and its true nearest neighbours in a row, nearest first.

    Signals:
        picked: the user went to this neighbour.
        opened: the user wants to open this point.
        pointed: the mouse is over this neighbour, or over none (-1).
        lines_toggled: lines on the map, or not.
    """

    picked = Signal(int)
    opened = Signal(int)
    pointed = Signal(int)
    lines_toggled = Signal(bool)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._point = -1
        self.points = PointModel(thumbnails, self)
        self.list = _TileView()
        self.list.setModel(self.points)
        self.list.clicked.connect(lambda index: self.picked.emit(self.points.point(index.row())))
        self.list.activated.connect(lambda index: self.opened.emit(self.points.point(index.row())))
        self.list.entered.connect(lambda index: self.pointed.emit(self.points.point(index.row())))
        self.list.left.connect(lambda: self.pointed.emit(-1))
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.facts = plain(QLabel(wordWrap=True))
        self.facts.setProperty("role", "muted")
        self.open = QPushButton("Open")
        self.open.setToolTip("Open this picture in the image tray, with its predictions (Enter)")
        self.open.clicked.connect(lambda: self.opened.emit(self._point))
        self.heading = ElidedLabel()
        self.heading.setProperty("role", "section")
        self.lines = QToolButton()
        self.lines.setText("Lines")
        self.lines.setCheckable(True)
        self.lines.setChecked(True)
        self.lines.setToolTip("Draw lines on the map from this picture to its neighbours")
        self.lines.toggled.connect(self.lines_toggled)
        self._arrange()

    def _arrange(self) -> None:
        about = QVBoxLayout()
        about.setSpacing(UNIT // 2)
        about.addWidget(self.name)
        about.addWidget(self.facts)
        about.addStretch(1)
        about.addWidget(self.open, 0, Qt.AlignmentFlag.AlignLeft)
        left = QWidget()
        left.setLayout(about)
        left.setFixedWidth(_DETAIL_WIDTH)
        about.setContentsMargins(0, 0, 0, 0)

        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.lines)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(top)
        right.addWidget(self.list)

        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(2 * UNIT)
        row.addWidget(left)
        row.addLayout(right, 1)
        # The map above must not change its size with every choice.
        for part in (self.open, self.lines, self.list):
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)

    def show_point(self, facts: PointFacts, point: int) -> None:
        """Show a picture and its neighbours; -1 stands for none."""
        self._point = point
        for part in (self.open, self.lines, self.list):
            part.setVisible(point >= 0)
        if point < 0:
            self.name.setText("")
            self.facts.setText("Click a point to open its picture and see its nearest neighbours.")
            self.heading.setText("")
            self.points.show_points(None, (), ())
            return
        near = facts.neighbours(point)
        self.name.setText(facts.name(point))
        self.facts.setText("\n".join(details(facts, point)))
        self.heading.setText(
            f"{len(near)} nearest neighbours in {facts.points.features.shape[-1]} dimensions"
            if near
            else "Its neighbours are not known yet"
        )
        self.points.show_points(facts, near, facts.distances(point, near).tolist())
        self.list.scrollToTop()


class _TileView(QListView):
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_TileDelegate(self))
        self.setAccessibleName("Nearest neighbours")
        self.tile = _LARGEST

    def cell(self) -> QSize:
        """Size of a picture with what is written below it."""
        return QSize(self.tile + UNIT, self.tile + 2 * (self.fontMetrics().height() + 1) + UNIT)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        # All neighbours side by side, as long as the pictures can still be made out.
        self.tile = min(max(self.viewport().width() // _USUAL_COUNT - UNIT, _SMALLEST), _LARGEST)
        self.setFixedHeight(self.cell().height() + _SCROLL_BAR)
        self.scheduleDelayedItemsLayout()
        super().resizeEvent(event)


class _TileDelegate(QStyledItemDelegate):
    def __init__(self, view: _TileView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return self._view.cell()

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view, tile = self._view, self._view.tile
        rect: QRect = option.rect
        state = option.state
        palette = view.palette()
        if state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        frame = QRect(rect.left() + UNIT // 2, rect.top() + UNIT // 2, tile, tile)
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        painter.setFont(numbers_font(view.font()))
        metrics = painter.fontMetrics()
        line = QRect(frame.left(), frame.bottom() + 3, frame.width(), metrics.height())
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, str(index.data(Role.PLACE)))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, str(index.data(Role.SCORE)))
        wrong = bool(index.data(Role.DISAGREES))
        painter.setPen(colours(view).warning if wrong else palette.color(QPalette.ColorRole.PlaceholderText))
        caption = metrics.elidedText(str(index.data(Role.CAPTION)), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line.translated(0, metrics.height() + 1), Qt.AlignmentFlag.AlignLeft, caption)
