"""Shares over the layers of a network, in order of depth, with intervals and with what they are held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.label_places import apart
from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.charts.curves_chart import Ink
from convviz_gui.gui.look.ink import faded, muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font
from convviz_gui.gui.look.words import percent

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LONGEST_NAME = 15 * UNIT
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@dataclass(frozen=True, slots=True)
class Line:
    """A named share 0…1 of each of L layers, `values` f32 [L] with `ends` f32 [L, 2] of its interval.

    `against`: what the same comes to without a network, drawn as a dashed line.
    """

    name: str
    values: FloatArray = field(repr=False, compare=False)
    ends: FloatArray = field(repr=False, compare=False)
    ink: Ink
    against: float


class LayersChart(QWidget):
    """Points with error bars for each layer; click, or arrows and Enter, choose one.

    Signals:
        pointed_changed: place of the layer that is pointed at, or −1.
        chosen: place of the layer that was clicked.
    """

    pointed_changed = Signal(int)
    chosen = Signal(int)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._layers: tuple[str, ...] = ()
        self._lines: tuple[Line, ...] = ()
        self._against: tuple[str, str] = ("", "")
        self._guess = 0.0
        self._pointed = self._current = self._best = -1
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_lines(
        self, layers: tuple[str, ...], lines: tuple[Line, ...], against: tuple[str, str], guess: float, best: int
    ) -> None:
        """Show lines over these layers; `against` names what is dashed: that of each line, and `guess`."""
        if layers[: len(self._layers)] != self._layers:
            self._pointed = -1
        self._layers, self._lines, self._against = layers, lines, against
        self._guess, self._best = guess, best
        self._describe()

    def set_current(self, place: int) -> None:
        """Mark the layer that is chosen in the window (−1: none of these)."""
        self._current = place
        self._describe()

    @property
    def pointed(self) -> int:
        """The layer that is pointed at, or −1."""
        return self._pointed

    def text(self, place: int) -> str:
        """What is known of a layer, in words."""
        said = ", ".join(
            f"{line.name} {percent(float(line.values[place]))} "
            f"({percent(float(line.ends[place, 0]))} to {percent(float(line.ends[place, 1]))})"
            for line in self._lines
        )
        return f"{self._layers[place]}: {said}"

    def _describe(self) -> None:
        place = self._pointed if self._pointed >= 0 else self._current
        self.setAccessibleDescription(self.text(place) if 0 <= place < len(self._layers) else "")
        self.update()

    # ------------------------------------------------------------------------------------------ painting

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(60 * UNIT, 40 * UNIT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(36 * UNIT, 26 * UNIT)

    def area(self) -> QRectF:
        """Where the points are."""
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("100 %") + UNIT
        right = max(map(metrics.horizontalAdvance, self._against), default=0) + UNIT
        longest = max(map(metrics.horizontalAdvance, self._layers), default=0)
        bottom = min(longest, _LONGEST_NAME) + 2 * UNIT
        top = 1.5 * metrics.height()
        return QRectF(left, top, max(self.width() - left - right, 1), max(self.height() - top - bottom, 1))

    def _x(self, place: int) -> float:
        """Where a layer stands."""
        area = self.area()
        return area.left() + (place + 0.5) * area.width() / max(len(self._layers), 1)

    def _y(self, value: float) -> float:
        """Where a share stands."""
        area = self.area()
        return area.bottom() - value * area.height()

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_axis(painter)
        self._paint_against(painter)
        self._paint_marks(painter)
        for line in reversed(self._lines):
            self._paint_line(painter, line)
        self._paint_names(painter)

    def _paint_axis(self, painter: QPainter) -> None:
        area, height = self.area(), self.fontMetrics().height()
        for tick in _TICKS:
            y = self._y(tick)
            painter.setPen(QPen(faded(self.palette(), 0.12), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(muted(self.palette()))
            place = QRectF(0, y - height / 2, area.left() - UNIT / 2, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent(tick))
        x = area.left()
        for line in self._lines:
            painter.setPen(self._colour(line.ink))
            painter.drawText(QPointF(x, self.fontMetrics().ascent()), f"●  {line.name}")
            x += self.fontMetrics().horizontalAdvance(f"●  {line.name}") + 2 * UNIT

    def _paint_against(self, painter: QPainter) -> None:
        if not self._lines:
            return
        area, height = self.area(), self.fontMetrics().height()
        each, guess = self._against
        dashed = [(line.against, each, self._colour(line.ink)) for line in self._lines]
        dashed.append((self._guess, guess, muted(self.palette())))
        heights = [self._y(value) for value, _, _ in dashed]
        places = apart(heights, height * 0.9, area.top(), area.bottom())
        for y, at, (_, name, colour) in zip(heights, places, dashed, strict=True):
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(colour)
            painter.drawText(
                QRectF(area.right() + UNIT / 2, at - height / 2, self.width(), height),
                Qt.AlignmentFlag.AlignVCenter,
                name,
            )

    def _paint_marks(self, painter: QPainter) -> None:
        area, step = self.area(), self.area().width() / max(len(self._layers), 1)
        for place, strength in ((self._current, 0.10), (self._pointed, 0.06)):
            if 0 <= place < len(self._layers):
                band = QRectF(area.left() + place * step, area.top(), step, area.height())
                painter.fillRect(band, faded(self.palette(), strength))

    def _paint_line(self, painter: QPainter, line: Line) -> None:
        colour = self._colour(line.ink)
        points = [QPointF(self._x(i), self._y(float(value))) for i, value in enumerate(line.values)]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.6))
        painter.drawPolyline(QPolygonF(points))
        for point, (low, high) in zip(points, line.ends.tolist(), strict=True):
            painter.setPen(QPen(colour, 1.2))
            painter.drawLine(QPointF(point.x(), self._y(low)), QPointF(point.x(), self._y(high)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(point, 3.5, 3.5)

    def _paint_names(self, painter: QPainter) -> None:
        area, metrics = self.area(), self.fontMetrics()
        step = area.width() / max(len(self._layers), 1)
        # Names that would cover each other are left out, but never the ones that matter now.
        stride = max(1, round(metrics.height() / max(step, 1) + 0.49))
        matter = {self._best, self._current, self._pointed}
        kept = [i for i in range(len(self._layers)) if i % stride == 0 or i in matter]
        for place in kept:
            near = any(other != place and abs(other - place) * step < metrics.height() for other in matter & set(kept))
            if near and place not in matter:
                continue
            name = metrics.elidedText(self._layers[place], Qt.TextElideMode.ElideLeft, _LONGEST_NAME)
            strong = place in (self._best, self._pointed)
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText) if strong else muted(self.palette()))
            painter.save()
            painter.translate(self._x(place) + metrics.ascent() / 2 - 1, area.bottom() + UNIT)
            painter.rotate(-90)
            painter.drawText(QPointF(-metrics.horizontalAdvance(name), 0), name)
            painter.restore()
        if self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.drawLine(area.bottomLeft(), area.bottomRight())

    def _colour(self, ink: Ink) -> QColor:
        if ink is Ink.ACCENT:
            return self.palette().color(QPalette.ColorRole.Highlight)
        return QColor(colours(self).warning) if ink is Ink.SECOND else muted(self.palette())

    # -------------------------------------------------------------------------------------------- events

    def place_at(self, x: float) -> int:
        """The layer at that place, or −1."""
        area = self.area()
        if not self._layers or not area.left() <= x < area.right():
            return -1
        return int((x - area.left()) / area.width() * len(self._layers))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.point(self.place_at(event.position().x()))

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self.point(-1)

    def point(self, place: int) -> None:
        """Point at a layer (−1: at none)."""
        if place != self._pointed:
            self._pointed = place
            self.setCursor(Qt.CursorShape.ArrowCursor if place < 0 else Qt.CursorShape.PointingHandCursor)
            self.setToolTip("" if place < 0 else self.text(place))
            self._describe()
            self.pointed_changed.emit(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        place = self.place_at(event.position().x())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        key, last = Qt.Key(event.key()), len(self._layers) - 1
        begin = next((place for place in (self._pointed, self._current, self._best) if place >= 0), -1)
        if key in _STEPS and last >= 0:
            self.point(min(max(begin + _STEPS[key], 0), last) if begin >= 0 else 0)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and last >= 0:
            self.point(0 if key == Qt.Key.Key_Home else last)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._pointed >= 0:
            self.chosen.emit(self._pointed)
        else:
            super().keyPressEvent(event)
