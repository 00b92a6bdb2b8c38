"""How silent each layer is, from the first to the last: the chapter's point that deeper layers are sparser."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from convviz_gui.engine.payloads import Overview
from convviz_gui.gui.look.ink import faded, muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.look.words import percent

_TITLE = "Sparsity by depth"
_HELP = "Share of positions where a layer's channels stay silent; deeper layers usually answer to fewer pictures."
_WIDEST_BAR = 32


class DepthChart(QWidget):
    """A bar for each layer of the network, in order of execution; click or arrows choose a layer.

    Signals:
        layer_chosen: id of the layer whose bar was clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overview: Overview | None = None
        self._current: str | None = None
        self._pointed: int | None = None
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(_TITLE)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_overview(self, overview: Overview | None) -> None:
        """Show the layers of one photo, or nothing; a network without maps has none to show."""
        self._overview = overview if overview is not None and overview.layers else None
        self._pointed = None
        self._describe()

    def set_current(self, layer: str | None) -> None:
        """Mark a layer."""
        self._current = layer
        self._describe()

    def _describe(self) -> None:
        i = self._current_bar()
        self.setAccessibleDescription("" if i is None else self.text(i))
        self.update()

    def text(self, i: int) -> str:
        """What bar `i` says, in words."""
        assert self._overview is not None
        silent = percent(float(self._overview.sparsity[i]))
        blank = percent(float(self._overview.blank[i]))
        return f"{self._overview.layers[i]}: {silent} of positions silent, {blank} of channels blank"

    def bar(self, i: int) -> QRectF:
        """Where the column of layer `i` stands, at its full height."""
        n = len(self._overview.layers) if self._overview else 1
        top = self.fontMetrics().height() + 6
        step = min(self.width() / n, _WIDEST_BAR)
        return QRectF(i * step, top, step, self.height() - top)

    def bar_at(self, x: float) -> int | None:
        """Index of the layer at that place, or None."""
        if self._overview is None:
            return None
        i = int(x / self.bar(0).width())
        return i if 0 <= i < len(self._overview.layers) else None

    def _current_bar(self) -> int | None:
        if self._overview is None or self._current is None:
            return None
        layers = self._overview.layers
        if self._current in layers:
            return layers.index(self._current)
        # A block's output is that of the last layer in it.
        inside = [i for i, layer in enumerate(layers) if layer.startswith(f"{self._current}.")]
        return inside[-1] if inside else None

    # ------------------------------------------------------------------------------------------ painting

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(320, 88)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(160, 64)

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        if self._overview is None:
            return
        self._paint_title(painter)
        current = self._current_bar()
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        usual, pointed = faded(self.palette(), 0.36), faded(self.palette(), 0.6)
        hollow = self.palette().color(QPalette.ColorRole.Window)
        hollow.setAlphaF(0.55)
        for i, (silent, blank) in enumerate(zip(self._overview.sparsity, self._overview.blank, strict=True)):
            column = self.bar(i)
            gap = 1 if column.width() > 3 else 0
            column.setWidth(column.width() - gap)
            colour = accent if i == current else pointed if i == self._pointed else usual
            painter.fillRect(_lower(column, float(silent)), colour)
            if blank:
                narrow = column.adjusted(column.width() * 0.3, 0, -column.width() * 0.3, 0)
                painter.fillRect(_lower(narrow, float(blank)), hollow)
        right = self.bar(len(self._overview.layers) - 1).right()
        painter.setPen(accent if self.hasFocus() else self.palette().color(QPalette.ColorRole.Mid))
        painter.drawLine(QPointF(0, self.bar(0).top() - 1), QPointF(right, self.bar(0).top() - 1))
        painter.drawLine(QPointF(0, self.height() - 1), QPointF(right, self.height() - 1))

    def _paint_title(self, painter: QPainter) -> None:
        line = QRectF(0, 0, self.width(), self.fontMetrics().height())
        painter.setPen(muted(self.palette()))
        shown = self._pointed if self._pointed is not None else self._current_bar()
        said = self.text(shown) if shown is not None else "0…100 % of positions silent; inner bar: channels blank"
        width = self.fontMetrics().horizontalAdvance(_TITLE)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, _TITLE)
        room = self.width() - width - 24
        elided = self.fontMetrics().elidedText(said, Qt.TextElideMode.ElideLeft, room)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, elided)

    # -------------------------------------------------------------------------------------------- events

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._show_tip(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, at: QPoint, global_at: QPoint) -> None:
        i = self.bar_at(at.x())
        QToolTip.showText(global_at, _HELP if i is None else f"{self.text(i)}\n{_HELP}", self)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._point(self.bar_at(event.position().x()))

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self._point(None)

    def _point(self, i: int | None) -> None:
        if i != self._pointed:
            self._pointed = i
            self.setCursor(Qt.CursorShape.ArrowCursor if i is None else Qt.CursorShape.PointingHandCursor)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        i = self.bar_at(event.position().x())
        if i is not None and self._overview is not None and event.button() == Qt.MouseButton.LeftButton:
            self.layer_chosen.emit(self._overview.layers[i])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        current = self._current_bar()
        if step is None or current is None or self._overview is None:
            super().keyPressEvent(event)
        elif 0 <= current + step < len(self._overview.layers):
            self.layer_chosen.emit(self._overview.layers[current + step])


def _lower(column: QRectF, share: float) -> QRectF:
    tall = column.height() * min(max(share, 0.0), 1.0)
    return QRectF(column.left(), column.bottom() - tall, column.width(), tall)
