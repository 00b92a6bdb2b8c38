"""What is drawn on the map: all points as one picture, and on top of it what is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QRegion
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from convviz_gui.gui.latent.scatter_discs import Packed
from convviz_gui.gui.latent.scatter_raster import Window
from convviz_gui.gui.latent.scatter_scene import Scene, View
from convviz_gui.gui.latent.scatter_worker import ScatterWorker
from convviz_gui.gui.look.painting import guarded

AT_ONCE, AT_ONCE_PIXELS = 6_000, 2_500_000
"""Points, on so many pixels, that are drawn in the window's own thread, in some 10 ms; more are drawn beside it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of the points and the window it shows."""

    image: QImage
    window: Window


class RasterItem(QGraphicsItem):
    """Draws every point with one image as large as the view. Coordinates are logical pixels of the view.

    Where there are many points the picture is made in a thread. Until it is there the last one is moved and stretched
    along with the view, and at its edges the picture of all points: nothing is left out meanwhile, it is only coarser.
    """

    def __init__(self, parent: QGraphicsItem, worker: ScatterWorker) -> None:
        super().__init__(parent)
        self._worker = worker
        self._area = QRectF()
        self._view: View | None = None
        self._whole: View | None = None
        self._scene = Scene()
        self._frame: Frame | None = None
        self._base: Frame | None = None
        self._stale_base = True
        self._sharp = False

    @property
    def radius(self) -> float:
        """Radius of a disc in logical pixels."""
        return self._view.radius if self._view is not None else 5.0

    @property
    def points(self) -> Scene:
        """What is drawn."""
        return self._scene

    @property
    def sharp(self) -> bool:
        """True if what is on screen is the picture of this very view."""
        return self._sharp

    @property
    def image(self) -> QImage:
        """The picture of this very view, in device pixels; made at once if need be."""
        if not self._sharp and self._view is not None:
            self._worker.forget("frame")
            self._take(_drawn(self._scene, self._view))
        return self._frame.image if self._frame is not None else QImage()

    def set_scene(self, scene: Scene) -> None:
        """Draw other points, or the same ones in another way."""
        if len(scene) != len(self._scene):
            # The picture of other points must not stand in for these.
            self._frame = self._base = None
        self._scene = scene
        self._stale_base = True
        self._changed()

    def set_view(self, view: View, whole: View, area: QRectF) -> None:
        """Show `view` in `area`; `whole` is the view of all points."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        if view != self._view or whole != self._whole:
            self._stale_base |= whole != self._whole
            self._view, self._whole = view, whole
            self._changed()

    def settle(self) -> None:
        """Draw the picture of all points anew if it is not up to date; to be called when nothing moves."""
        scene, whole = self._scene, self._whole
        if self._stale_base and whole is not None and not self._at_once:
            self._stale_base = False
            self._worker.ask("base", lambda: (scene, _drawn(scene, whole)), self._on_base)

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._view is None or self._area.isEmpty():
            return
        if self._at_once:
            painter.drawImage(self._area.topLeft(), self.image)
            return
        painter.setClipRect(self._area)
        place = self._placed(self._frame)
        if self._frame is not None:
            self._draw(painter, self._frame, place)
        if self._base is not None and self._base is not self._frame and not place.contains(self._area):
            around = QRegion(self._area.toAlignedRect()) - QRegion(place.toAlignedRect())
            painter.setClipRegion(around)
            self._draw(painter, self._base, self._placed(self._base))

    def _draw(self, painter: QPainter, frame: Frame, place: QRectF) -> None:
        """Draw the part of a picture that is in view, where all of it lies at `place`."""
        if place == self._area:
            painter.drawImage(place.topLeft(), frame.image)
            return
        target = place & self._area
        if target.isEmpty():
            return
        x_scale, y_scale = frame.image.width() / place.width(), frame.image.height() / place.height()
        source = QRectF(
            (target.x() - place.x()) * x_scale,
            (target.y() - place.y()) * y_scale,
            target.width() * x_scale,
            target.height() * y_scale,
        )
        painter.drawImage(target, frame.image, source)

    def _placed(self, frame: Frame | None) -> QRectF:
        """Where a picture belongs in the view there is now."""
        if frame is None or self._view is None:
            return QRectF()
        if frame.window == self._view.window:
            return self._area
        ratio, window = self._view.ratio, frame.window
        left, top = self._view.window.pixel(window.x0, window.y1)
        right, bottom = self._view.window.pixel(window.x1, window.y0)
        corner = self._area.topLeft()
        return QRectF(
            corner.x() + left / ratio, corner.y() + top / ratio, (right - left) / ratio, (bottom - top) / ratio
        )

    @property
    def _at_once(self) -> bool:
        window = self._view.window if self._view is not None else None
        pixels = window.width * window.height if window is not None else 0.0
        return len(self._scene) <= AT_ONCE and pixels <= AT_ONCE_PIXELS

    def _changed(self) -> None:
        self._sharp = False
        scene, view = self._scene, self._view
        if view is not None and not self._at_once:
            self._worker.ask("frame", lambda: (scene, view, _drawn(scene, view)), self._on_frame)
        self.update()

    def _on_frame(self, made: tuple[Scene, View, Frame]) -> None:
        scene, view, frame = made
        if len(scene) == len(self._scene):
            current = scene is self._scene
            if current and self._whole is not None and view.window.shows(self._whole.window):
                self._base, self._stale_base = frame, False
            self._take(frame, sharp=current and view == self._view)

    def _on_base(self, made: tuple[Scene, Frame]) -> None:
        scene, frame = made
        if len(scene) == len(self._scene):
            self._base = frame
            self.update()

    def _take(self, frame: Frame, *, sharp: bool = True) -> None:
        self._frame, self._sharp = frame, sharp
        self.update()


def _drawn(scene: Scene, view: View) -> Frame:
    image = translucent_qimage(scene.draw(view))
    image.setDevicePixelRatio(view.ratio)
    return Frame(image, view.window)


def translucent_qimage(words: Packed) -> QImage:
    """An image of its own from premultiplied 0xAARRGGBB words u32 [h, w]."""
    if words.dtype != np.uint32 or words.ndim != 2 or not words.flags.c_contiguous:
        raise ValueError(f"words are contiguous u32 [h, w], not {words.dtype} {words.shape}")
    height, width = words.shape
    return QImage(words.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


@dataclass(frozen=True, slots=True)
class Diamond:
    """A picture beside the points: its place and its neighbours', in logical pixels."""

    place: QPointF
    neighbours: tuple[QPointF, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked, as places in logical pixels: the point chosen, its neighbours, the point under the cursor, the
    points selected as far as they are ringed, and pictures beside the points.
    """

    chosen: QPointF | None = None
    neighbours: tuple[QPointF, ...] = ()
    hovered: QPointF | None = None
    selected: tuple[QPointF, ...] = ()
    diamonds: tuple[Diamond, ...] = ()


class MarksItem(QGraphicsItem):
    """Draws rings around points, lines from the chosen point to its neighbours, and diamonds."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._area = QRectF()
        self._marks = Marks()
        self._radius = 5.0
        self._lines = True
        self._accent = QColor()
        self._ink = QColor()
        self._ground = QColor()

    @property
    def marks(self) -> Marks:
        """What is marked now."""
        return self._marks

    def set_style(self, accent: QColor, ink: QColor, ground: QColor, *, lines: bool) -> None:
        """Lines and rings of neighbours are in `accent`, the point chosen and the one hovered in `ink`."""
        self._accent, self._ink, self._ground, self._lines = accent, ink, ground, lines
        self.update()

    def set_marks(self, marks: Marks, area: QRectF, radius: float) -> None:
        """Mark points of that radius, in a view of that area."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self._marks, self._radius = marks, radius
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        marks = self._marks
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._ring(painter, self._ink, 1.0, self._radius + 1.0, marks.selected)
        if marks.chosen is not None:
            if self._lines:
                painter.setPen(QPen(self._accent, 1.2))
                for place in marks.neighbours:
                    painter.drawLine(marks.chosen, place)
            self._ring(painter, self._accent, 1.6, self._radius + 1.5, marks.neighbours)
            self._ring(painter, self._ink, 2.2, self._radius + 3.5, (marks.chosen,))
        for diamond in marks.diamonds:
            self._diamond(painter, diamond)
        if marks.hovered is not None:
            self._ring(painter, self._ink, 1.4, self._radius + 2.0, (marks.hovered,))

    def _ring(
        self, painter: QPainter, colour: QColor, width: float, radius: float, places: tuple[QPointF, ...]
    ) -> None:
        painter.setPen(QPen(colour, width))
        for place in places:
            painter.drawEllipse(place, radius, radius)

    def _diamond(self, painter: QPainter, diamond: Diamond) -> None:
        painter.setPen(QPen(self._accent, 1.2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for place in diamond.neighbours:
            painter.drawLine(diamond.place, place)
        reach = max(self._radius + 3.0, 7.0)
        painter.setPen(QPen(self._ground, 2.0))
        painter.setBrush(self._accent)
        steps = ((0.0, -reach), (reach, 0.0), (0.0, reach), (-reach, 0.0))
        painter.drawPolygon(QPolygonF([diamond.place + QPointF(dx, dy) for dx, dy in steps]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
