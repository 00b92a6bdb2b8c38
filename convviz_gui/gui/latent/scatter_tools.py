"""The small buttons beside the map: all points, a frame, a lasso, pictures, and the third dimension."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPainterPath, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from convviz_gui.gui.latent.scatter_gestures import Tool
from convviz_gui.gui.look.ink import faded
from convviz_gui.gui.look.theme import UNIT

_SIDE = 16
_RATIO = 2.0


class ToolStrip(QWidget):
    """A column of buttons on the ground of the map, beside it, so that no point is ever under them.

    Signals:
        fit_wanted: show all points.
        tool_changed: what dragging does, a `Tool`.
        thumbnails_toggled: draw pictures where there is room, or not.
        space_toggled: show three dimensions, or two.
    """

    fit_wanted = Signal()
    tool_changed = Signal(object)
    thumbnails_toggled = Signal(bool)
    space_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fit = _button(self, "Show all points", "Show all points (0 or double-click).")
        self.rectangle = _button(
            self,
            "Select with a rectangle",
            "Select what a rectangle holds: drag. Always at hand with Shift; with Ctrl it adds, "
            "or takes away what is already selected.",
            checkable=True,
        )
        self.lasso = _button(
            self,
            "Select with a lasso",
            "Select what a line surrounds: drag. Always at hand with Alt; with Ctrl it adds, "
            "or takes away what is already selected.",
            checkable=True,
        )
        self.thumbnails = _button(
            self, "Pictures on the map", "Show the pictures where there is room for them: zoom in.", checkable=True
        )
        self.space = _button(
            self,
            "Three dimensions",
            "Three principal components: drag or Ctrl+arrows turn them, the middle button moves them.",
            checkable=True,
        )
        self._icons: tuple[tuple[QToolButton, Callable[[QPainter], None]], ...] = (
            (self.fit, _draw_fit),
            (self.rectangle, _draw_rectangle),
            (self.lasso, _draw_lasso),
            (self.thumbnails, _draw_pictures),
            (self.space, _draw_cube),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, UNIT // 2, UNIT // 2, UNIT // 2)
        column.setSpacing(UNIT // 4)
        for button, _ in self._icons:
            column.addWidget(button)
        column.addStretch(1)
        self.thumbnails.hide()
        self.space.hide()
        self.fit.clicked.connect(self.fit_wanted)
        self.rectangle.toggled.connect(lambda on: self._on_tool(self.lasso, on))
        self.lasso.toggled.connect(lambda on: self._on_tool(self.rectangle, on))
        self.thumbnails.toggled.connect(self.thumbnails_toggled)
        self.space.toggled.connect(self.space_toggled)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self._redraw()

    @property
    def tool(self) -> Tool:
        """What dragging does."""
        if self.rectangle.isChecked():
            return Tool.RECTANGLE
        return Tool.LASSO if self.lasso.isChecked() else Tool.MOVE

    def put_away(self) -> bool:
        """Let dragging move the map again; False if it does already."""
        if self.tool is Tool.MOVE:
            return False
        self.rectangle.setChecked(False)
        self.lasso.setChecked(False)
        return True

    def _on_tool(self, other: QToolButton, on: bool) -> None:
        if on and other.isChecked():
            other.setChecked(False)
        self.tool_changed.emit(self.tool)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def _redraw(self) -> None:
        for button, draw in self._icons:
            button.setIcon(_icon(draw, self.palette()))


def _button(parent: QWidget, name: str, tip: str, *, checkable: bool = False) -> QToolButton:
    button = QToolButton(parent)
    button.setAccessibleName(name)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.setIconSize(QSize(_SIDE, _SIDE))
    button.setAutoRaise(True)
    # A click leaves the keyboard with the map.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _icon(draw: Callable[[QPainter], None], palette: QPalette) -> QIcon:
    pixmap = QPixmap(int(_SIDE * _RATIO), int(_SIDE * _RATIO))
    pixmap.setDevicePixelRatio(_RATIO)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(faded(palette, 0.75), 1.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    draw(painter)
    painter.end()
    return QIcon(pixmap)


def _draw_fit(painter: QPainter) -> None:
    for x, dx in ((2.0, 4.0), (14.0, -4.0)):
        for y, dy in ((2.0, 4.0), (14.0, -4.0)):
            painter.drawPolyline([QPointF(x + dx, y), QPointF(x, y), QPointF(x, y + dy)])


def _draw_rectangle(painter: QPainter) -> None:
    pen = painter.pen()
    pen.setDashPattern([2.2, 2.0])
    painter.setPen(pen)
    painter.drawRect(QRectF(2.5, 3.5, 11, 9))


def _draw_lasso(painter: QPainter) -> None:
    path = QPainterPath(QPointF(6.0, 11.0))
    path.cubicTo(-1.0, 9.0, 2.0, 2.5, 8.0, 2.5)
    path.cubicTo(15.5, 2.5, 15.5, 10.5, 8.5, 11.0)
    path.cubicTo(6.0, 11.2, 4.5, 12.0, 5.5, 14.0)
    painter.drawPath(path)


def _draw_pictures(painter: QPainter) -> None:
    painter.drawRect(QRectF(2.5, 3.5, 11, 9))
    painter.drawPolyline([QPointF(3, 11.5), QPointF(6.2, 7.5), QPointF(8.5, 10), QPointF(10.2, 8.4), QPointF(13, 11.5)])


def _draw_cube(painter: QPainter) -> None:
    top = [QPointF(8, 2), QPointF(13.5, 5), QPointF(8, 8), QPointF(2.5, 5)]
    painter.drawPolygon(top)
    painter.drawPolyline([top[3], QPointF(2.5, 11), QPointF(8, 14), QPointF(13.5, 11), top[1]])
    painter.drawLine(QPointF(8, 8), QPointF(8, 14))
