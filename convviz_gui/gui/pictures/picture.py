"""A picture one can look into: zoom at the cursor, pan, read values, copy and save."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QEnterEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPalette,
    QPen,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.look.asking import asks_to_compare, compare_action
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.pictures.picture_files import save_picture, table_text
from convviz_gui.gui.pictures.picture_layers import BOX_COLOUR, PictureLayers, Pyramid
from convviz_gui.gui.pictures.picture_link import PictureLink

_ZOOM_STEP = 1.25
_LARGEST_PIXEL = 128.0
_PAN_STEP = 0.1
_CLICK = 5.0
"""Logical pixels from which on a press and a release are a drag."""


class Picture(QWidget):
    """Shows an image with an optional overlay; wheel zooms, drag pans, double-click or 0 fits.

    Signals:
        hovered: (x, y) floats in the image's pixels while the cursor is over it, None when it is not.
        clicked: (x, y) in the image's pixels: a press and a release in one place, which moves nothing.
    """

    hovered = Signal(object)
    clicked = Signal(object)

    def __init__(self, name: str, link: PictureLink | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = PictureLayers()
        self._values: FloatArray | None = None
        self._view: tuple[QPointF, float] | None = None  # centre in image pixels and scale; None fits
        self._grabbed: QPointF | None = None
        self._pressed: QPointF | None = None
        self._mark: QPointF | None = None
        self._pin: QPointF | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._make_actions()
        self._link = link or PictureLink(self)
        self._link.moved.connect(self._follow)
        self._link.fitted.connect(self._follow_fit)
        self._link.pointed.connect(self._follow_cursor)
        self._link.left.connect(self._forget_cursor)

    def _make_actions(self) -> None:
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.copy_action = QAction("Copy picture", self, shortcut=QKeySequence(QKeySequence.StandardKey.Copy))
        self.copy_action.triggered.connect(self.copy_picture)
        self.save_action = QAction("Save picture…", self)
        self.save_action.triggered.connect(self._save)
        self.values_action = QAction("Copy values", self, enabled=False)
        self.values_action.triggered.connect(self._copy_values)
        self.fit_action = QAction("Fit to window", self)
        self.fit_action.triggered.connect(self.fit)
        self.copy_action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.compare_action = compare_action(self)
        self.addActions([self.fit_action, self.copy_action, self.save_action, self.values_action, self.compare_action])

    # ------------------------------------------------------------------------------------------ content

    def set_image(
        self, image: QImage | None, *, smooth: bool, frame: QRectF | None = None, common: QRectF | None = None
    ) -> None:
        """Show another image. The view stays on the same part if the image has no frame or the size stays.

        Args:
            smooth: for photos and heat; False keeps enlarged pixels square.
            frame: the part, in pixels, that the model saw; outside of it the image is dimmed. Linked pictures have
                this part in common, unless `common` names another.
        """
        before = self.layers.bounds()
        self.layers.base = Pyramid(image) if image is not None else None
        self.layers.smooth = smooth
        self.layers.frame = frame
        self.layers.common = common
        now = self.layers.bounds()
        if before != now:
            self._rescale(before, now) if self._view and frame is None and not now.isEmpty() else self.fit()
        self.update()

    def _rescale(self, before: QRectF, now: QRectF) -> None:
        """Look at the same part of a picture that has another number of pixels, as maps of another layer have."""
        assert self._view is not None
        centre, scale = self._view
        factor = now.width() / before.width()
        self._view = (QPointF(centre.x() * factor, centre.y() * now.height() / before.height()), scale / factor)

    def set_overlay(self, overlay: QImage | None, opacity: float) -> None:
        """Lay an image over the frame; `opacity` is 0…1."""
        self.layers.overlay = overlay
        self.layers.opacity = opacity
        self.update()

    def set_boxes(self, boxes: Sequence[QRectF]) -> None:
        """Outline parts of the image, in its pixels."""
        self.layers.boxes = tuple(boxes)
        self.update()

    def set_pin(self, at: tuple[float, float] | None) -> None:
        """Stick a pin at a place (x, y) in the image's pixels, or take it out."""
        self._pin = None if at is None else QPointF(*at)
        self.update()

    def pin(self) -> QPointF | None:
        """Where the pin sticks, in image pixels."""
        return self._pin

    def set_opacity(self, opacity: float) -> None:
        """Change how much of the overlay is seen, 0…1."""
        self.layers.opacity = opacity
        self.update()

    def set_values(self, values: FloatArray | None) -> None:
        """The numbers f32 [h, w] behind the picture, for copying."""
        self._values = values
        self.values_action.setEnabled(values is not None)

    # --------------------------------------------------------------------------------------------- view

    def fit(self) -> None:
        """Show everything, here and in linked pictures."""
        self._view = None
        self._link.fitted.emit(self)
        self.update()

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Enlarge by `factor`; the point under `anchor` (widget coordinates, default the middle) stays in place."""
        if self.layers.base is None:
            return
        anchor = anchor or QPointF(self.rect().center())
        held = self.to_image(anchor)
        scale = min(self.scale() * factor, max(_LARGEST_PIXEL, self._fit_scale()))
        if scale <= self._fit_scale():
            self.fit()
            return
        self._look_at(held - (anchor - self._middle()) / scale, scale)

    def scale(self) -> float:
        """Logical pixels for each pixel of the image."""
        return self._view[1] if self._view else self._fit_scale()

    def to_image(self, point: QPointF) -> QPointF:
        """From widget coordinates to image pixels."""
        return self._transform().inverted()[0].map(point)

    def to_widget(self, point: QPointF) -> QPointF:
        """From image pixels to widget coordinates."""
        return self._transform().map(point)

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2)

    def _fit_scale(self) -> float:
        bounds = self.layers.bounds()
        if bounds.isEmpty():
            return 1.0
        return max(min(self.width() / bounds.width(), self.height() / bounds.height()), 1e-6)

    def _transform(self) -> QTransform:
        centre, scale = self._view or (self.layers.bounds().center(), self._fit_scale())
        middle = self._middle()
        return QTransform.fromTranslate(middle.x(), middle.y()).scale(scale, scale).translate(-centre.x(), -centre.y())

    def _look_at(self, centre: QPointF, scale: float) -> None:
        bounds = self.layers.bounds()
        x = min(max(centre.x(), bounds.left()), bounds.right())
        y = min(max(centre.y(), bounds.top()), bounds.bottom())
        self._view = (QPointF(x, y), scale)
        part = self.layers.reference()
        self._link.moved.emit(self, (x - part.x()) / part.width(), (y - part.y()) / part.height(), scale * part.width())
        self.update()

    def _pan(self, dx: float, dy: float) -> None:
        centre, scale = self._view or (self.layers.bounds().center(), self._fit_scale())
        self._look_at(centre + QPointF(dx, dy) / scale, scale)

    # ------------------------------------------------------------------------------------- linked pictures

    def _from_fraction(self, u: float, v: float) -> QPointF:
        part = self.layers.reference()
        return QPointF(part.x() + u * part.width(), part.y() + v * part.height())

    def _follow(self, sender: object, u: float, v: float, zoom: float) -> None:
        if sender is not self and self.layers.base is not None:
            self._view = (self._from_fraction(u, v), zoom / self.layers.reference().width())
            self.update()

    def _follow_fit(self, sender: object) -> None:
        if sender is not self:
            self._view = None
            self.update()

    def _follow_cursor(self, sender: object, u: float, v: float) -> None:
        at = self._from_fraction(u, v)
        self._mark = at if sender is not self and self.layers.bounds().contains(at) else None
        self.update()

    def _forget_cursor(self, _sender: object) -> None:
        if self._mark is not None:
            self._mark = None
            self.update()

    def mark(self) -> QPointF | None:
        """Where the cursor of a linked picture points to in this one, in image pixels."""
        return self._mark

    # ----------------------------------------------------------------------------------- copying and saving

    def composed(self) -> QImage:
        """The whole picture as shown, at the image's own size."""
        return self.layers.composed()

    def copy_picture(self) -> None:
        """Put the whole picture on the clipboard."""
        if self.layers.base is not None:
            QGuiApplication.clipboard().setImage(self.composed())

    def _save(self) -> None:
        if self.layers.base is not None:
            save_picture(self, self.composed(), self.accessibleName())

    def _copy_values(self) -> None:
        if self._values is not None:
            QGuiApplication.clipboard().setText(table_text(self._values))

    # ------------------------------------------------------------------------------------------- Qt events

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(240, 240)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(96, 96)

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        self.paint_picture(painter)
        self._paint_edges(painter)
        if self._mark is not None:
            self._paint_mark(painter, self.to_widget(self._mark), QColor(255, 255, 255))
        if self._pin is not None:
            self._paint_mark(painter, self.to_widget(self._pin), BOX_COLOUR)

    def paint_picture(self, painter: QPainter) -> None:
        """Paint what is looked at, in widget coordinates; edges and marks come on top of it."""
        painter.save()
        painter.setTransform(self._transform(), combine=True)
        self.layers.paint(painter, self.scale() * self.devicePixelRatioF())
        painter.restore()

    def _paint_edges(self, painter: QPainter) -> None:
        # A map that is white at zero would otherwise have no edges on a light ground.
        role = QPalette.ColorRole.Highlight if self.hasFocus() else QPalette.ColorRole.Mid
        painter.setPen(self.palette().color(role))
        whole = self._transform().mapRect(self.layers.bounds())
        painter.drawRect(whole.intersected(QRectF(self.rect())).toRect().adjusted(0, 0, -1, -1))

    @staticmethod
    def _paint_mark(painter: QPainter, at: QPointF, ink: QColor) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (ink, 1.2)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(at, 5, 5)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        self.zoom_by(_ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grabbed = event.position()
        self._pressed = event.position() if event.button() == Qt.MouseButton.LeftButton else None
        if event.button() in (Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton):
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._grabbed is not None and self._view is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            moved = self._grabbed - event.position()
            self._grabbed = event.position()
            self._pan(moved.x(), moved.y())
        self._hover(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._grabbed = None
        self.setCursor(Qt.CursorShape.CrossCursor)
        pressed, self._pressed = self._pressed, None
        moved = (event.position() - pressed).manhattanLength() if pressed is not None else _CLICK
        if moved < _CLICK and (at := self._inside(event.position())) is not None:
            self.clicked.emit(at)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:  # noqa: N802
        self.fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self.compare_action.setVisible(asks_to_compare(self) is not None)

    def enterEvent(self, _event: QEnterEvent) -> None:  # noqa: N802
        self.setCursor(Qt.CursorShape.CrossCursor)

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self._leave()

    def _hover(self, position: QPointF) -> None:
        at = self._inside(position)
        if at is None:
            self._leave()
            return
        part, (x, y) = self.layers.reference(), at
        self.hovered.emit(at)
        self._link.pointed.emit(self, (x - part.x()) / part.width(), (y - part.y()) / part.height())

    def _inside(self, position: QPointF) -> tuple[float, float] | None:
        """From widget coordinates to image pixels, None beside the image."""
        at, bounds = self.to_image(position), self.layers.bounds()
        inside = 0 <= at.x() < bounds.width() and 0 <= at.y() < bounds.height()
        return (at.x(), at.y()) if inside else None

    def _leave(self) -> None:
        self.hovered.emit(None)
        self._link.left.emit(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        steps = {
            Qt.Key.Key_Left: (-_PAN_STEP, 0.0),
            Qt.Key.Key_Right: (_PAN_STEP, 0.0),
            Qt.Key.Key_Up: (0.0, -_PAN_STEP),
            Qt.Key.Key_Down: (0.0, _PAN_STEP),
        }
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in steps and self._view is not None:
            dx, dy = steps[key]
            self._pan(dx * self.width(), dy * self.height())
        else:
            super().keyPressEvent(event)
