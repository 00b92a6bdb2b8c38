"""Several curves over the same places, with a band behind them; the legend becomes the values under the cursor."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.look.ink import faded, muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font
from convviz_gui.gui.look.values import value


class Ink(StrEnum):
    """What a curve is drawn in: the accent for what it is about, the others for what it is held against."""

    ACCENT = "accent"
    SECOND = "second"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Series:
    """A named curve f32 [S], NaN where there is none; `band` f32 [R, S] is drawn from its least to its largest."""

    name: str
    values: FloatArray = field(repr=False, compare=False)
    ink: Ink
    band: FloatArray | None = field(default=None, repr=False, compare=False)


class CurvesChart(QWidget):
    """Curves whose places are named; point at one, or step through them with the arrows, to read the values."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._at: FloatArray = np.zeros(0, np.float32)
        self._places: tuple[str, ...] = ()
        self._series: tuple[Series, ...] = ()
        self._range = (0.0, 1.0)
        self._pointed: int | None = None
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_curves(
        self, at: FloatArray, places: tuple[str, ...], series: tuple[Series, ...], least: float, largest: float
    ) -> None:
        """Show curves at S places `at` f32 [S] in 0…1 with names `places`; the axis goes from `least` to `largest`."""
        self._at, self._places, self._series = at, places, series
        self._range = (least, largest if largest > least else least + 1)
        self._point(None)
        self.update()

    def text(self, i: int) -> str:
        """What stands at place `i`, in words."""
        return f"{self._places[i]}: " + ", ".join(f"{one.name} {value(float(one.values[i]))}" for one in self._series)

    @property
    def pointed(self) -> int | None:
        """The place that is pointed at."""
        return self._pointed

    # ------------------------------------------------------------------------------------------ painting

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(27 * UNIT, 10 * UNIT + 3 * self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(16 * UNIT, self.sizeHint().height())

    def area(self) -> QRectF:
        """Where the curves are, between the title and the legend."""
        line = self.fontMetrics().height()
        left = max(self.fontMetrics().horizontalAdvance(value(end)) for end in self._range) + 4
        return QRectF(left, line + 6, self.width() - left - 4, self.height() - 2 * line - 12)

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_words(painter)
        area = self.area()
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawLine(area.topLeft(), area.topRight())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if self._pointed is not None:
            x = area.left() + float(self._at[self._pointed]) * area.width()
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Dark), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for one in self._series:
            self._paint_series(painter, one)

    def _paint_series(self, painter: QPainter, one: Series) -> None:
        if one.band is not None and len(one.band):
            upper, lower = (self._points(ends) for ends in (one.band.max(axis=0), one.band.min(axis=0)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(faded(self.palette(), 0.14))
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        points, colour = self._points(one.values), self._colour(one.ink)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.6))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        if len(points) == 1:
            painter.drawEllipse(points[0], 2.5, 2.5)
        if self._pointed is not None and np.isfinite(one.values[self._pointed]):
            place = self._pointed
            painter.drawEllipse(self._points(one.values, slice(place, place + 1))[0], 2.5, 2.5)

    def _points(self, values: FloatArray, part: slice = slice(None)) -> list[QPointF]:
        area, (lo, hi) = self.area(), self._range
        pairs = zip(self._at[part].tolist(), values[part].tolist(), strict=True)
        return [
            QPointF(area.left() + x * area.width(), area.bottom() - (y - lo) / (hi - lo) * area.height())
            for x, y in pairs
            if np.isfinite(y)
        ]

    def _paint_words(self, painter: QPainter) -> None:
        metrics, area = self.fontMetrics(), self.area()
        line = QRectF(0, 0, self.width(), metrics.height())
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, self._title)
        painter.setPen(muted(self.palette()))
        if self._pointed is not None:
            room = round(self.width() - metrics.horizontalAdvance(self._title) - UNIT)
            place = metrics.elidedText(self._places[self._pointed], Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, place)
        for end, y in zip(self._range, (area.bottom() - metrics.height() + 2, area.top() - 2), strict=True):
            painter.drawText(QRectF(0, y, area.left() - 4, metrics.height()), Qt.AlignmentFlag.AlignRight, value(end))
        x = area.left()
        for one in self._series:
            word = one.name
            if self._pointed is not None:
                word += f" {value(round(float(one.values[self._pointed]), 2))}"
            painter.setPen(self._colour(one.ink))
            painter.drawText(QPointF(x, self.height() - metrics.descent()), word)
            x += metrics.horizontalAdvance(word) + UNIT * 3 // 2

    def _colour(self, ink: Ink) -> QColor:
        match ink:
            case Ink.ACCENT:
                return self.palette().color(QPalette.ColorRole.Highlight)
            case Ink.SECOND:
                return QColor(colours(self).warning)
            case Ink.QUIET:
                return muted(self.palette())

    # -------------------------------------------------------------------------------------------- events

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        area = self.area()
        if not len(self._at) or area.width() <= 0:
            return
        part = (event.position().x() - area.left()) / area.width()
        self._point(int(np.abs(self._at - part).argmin()))

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not len(self._at):
            super().keyPressEvent(event)
            return
        self._point(0 if self._pointed is None else min(max(self._pointed + step, 0), len(self._at) - 1))

    def _point(self, place: int | None) -> None:
        self._pointed = place
        self.setAccessibleDescription("" if place is None else self.text(place))
        self.setToolTip("" if place is None else self.text(place))
        self.update()
