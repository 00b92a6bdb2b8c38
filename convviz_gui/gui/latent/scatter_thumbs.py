"""Small pictures in place of the points, where there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.painting import guarded

LEAST, MOST = 40, 96
"""Side of a tile in logical pixels: smaller says nothing, larger hides its neighbours."""

SHARE = 0.5
"""Part of the crowded ground that tiles may cover: a tile for every point would need this much."""

CANDIDATES = 1_500
"""Points in view beyond which no tile is drawn."""

RIM, FAINT = 2.0, 0.3
_STEP = 8
_SCALED_AT_ONCE = 24


def tile_side(crowd: float, area: float) -> int:
    """Side of the tiles in logical pixels when `crowd` points would share `area` square pixels; 0 for no tiles.

    It depends on the zoom alone, so that panning changes nothing.
    """
    side = np.sqrt(SHARE * area / max(crowd, 1.0))
    return 0 if side < LEAST else int(min(side, MOST) // _STEP * _STEP)


def placed(
    x: NDArray[np.float64], y: NDArray[np.float64], side: float, rank: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which of the points f64 [M] in logical pixels get a tile i64 [T], so that no two tiles overlap.

    Those of lesser `rank` [M] choose first. Every point without a tile is under the tile of one that came before it.
    """
    taken: dict[tuple[int, int], list[int]] = {}
    kept: list[int] = []
    for point in np.argsort(np.asarray(rank), kind="stable").tolist():
        px, py = float(x[point]), float(y[point])
        column, line = int(px // side), int(py // side)
        near = (other for dx in (-1, 0, 1) for dy in (-1, 0, 1) for other in taken.get((column + dx, line + dy), ()))
        if any(abs(x[other] - px) < side and abs(y[other] - py) < side for other in near):
            continue
        taken.setdefault((column, line), []).append(point)
        kept.append(point)
    return np.array(kept, np.int64)


@dataclass(frozen=True, slots=True)
class Tile:
    """The picture of point `row` with its middle at `place`, its rim in the point's colour; `faint` if unselected."""

    row: int
    place: QPointF
    rim: QColor
    faint: bool = False


class ThumbsItem(QGraphicsItem):
    """Draws tiles. Coordinates are logical pixels of the view. A picture not there yet leaves its point to be seen."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._thumbnails: Thumbnails | None = None
        self._path: Callable[[int], str] = str
        self._area = QRectF()
        self._side = 0
        self._tiles: list[Tile] = []
        self._outlines: dict[int, QColor] = {}
        self._paths: list[str] = []
        self._scaled: dict[str, QImage] = {}
        self._scaled_side = 0.0
        self._again = QTimer(singleShot=True, interval=0)
        self._again.timeout.connect(lambda: self.update())

    @property
    def tiles(self) -> list[Tile]:
        """What is shown, what chose first first."""
        return self._tiles

    @property
    def side(self) -> int:
        """Side of the tiles in logical pixels."""
        return self._side

    @property
    def has_source(self) -> bool:
        """True if it is known where pictures come from."""
        return self._thumbnails is not None

    def set_source(self, thumbnails: Thumbnails | None, path: Callable[[int], str]) -> None:
        """Take the picture of point i from `thumbnails` by `path(i)`."""
        if thumbnails is not self._thumbnails:
            if self._thumbnails is not None:
                self._thumbnails.arrived.disconnect(self._on_arrived)
            if thumbnails is not None:
                thumbnails.arrived.connect(self._on_arrived)
        self._thumbnails, self._path = thumbnails, path
        self._scaled.clear()
        self.set_tiles([], 0, self._area)

    def set_tiles(self, tiles: list[Tile], side: int, area: QRectF) -> None:
        """Show these in a view of that area."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self._tiles, self._side = tiles, side
        self._paths = [self._path(tile.row) for tile in tiles]
        self._scaled = {path: self._scaled[path] for path in self._paths if path in self._scaled}
        self.update()

    def set_outlines(self, outlines: dict[int, QColor]) -> None:
        """Draw a line around the tiles of these points."""
        if outlines != self._outlines:
            self._outlines = outlines
            self.update()

    def at(self, place: QPointF) -> int:
        """Row of the point whose picture is there, or -1."""
        half = self._side / 2
        for tile, path in zip(self._tiles, self._paths, strict=True):
            away = place - tile.place
            if abs(away.x()) <= half and abs(away.y()) <= half and path in self._scaled:
                return tile.row
        return -1

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._thumbnails is None or not self._tiles:
            return
        painter.setClipRect(self._area)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        if self._scaled_side != self._side * ratio:
            self._scaled.clear()
            self._scaled_side = self._side * ratio
        left = _SCALED_AT_ONCE
        # The last to be asked for is decoded first: that of the point that chose first.
        for tile, path in zip(reversed(self._tiles), reversed(self._paths), strict=True):
            image = self._scaled.get(path)
            if image is None and (whole := self._thumbnails.get(path)) is not None:
                if left:
                    left -= 1
                    image = self._scaled[path] = _shrunk(whole, self._side - 2 * RIM, ratio)
                else:
                    self._again.start()
            if image is not None:
                self._draw(painter, tile, image)

    def _draw(self, painter: QPainter, tile: Tile, image: QImage) -> None:
        size = image.deviceIndependentSize()
        frame = QRectF(tile.place - QPointF(size.width() / 2, size.height() / 2), size)
        around = frame.adjusted(-RIM, -RIM, RIM, RIM)
        painter.fillRect(around, tile.rim)
        painter.setOpacity(FAINT if tile.faint else 1.0)
        painter.drawImage(frame.topLeft(), image)
        painter.setOpacity(1.0)
        if (colour := self._outlines.get(tile.row)) is not None:
            painter.setPen(QPen(colour, RIM))
            painter.drawRect(around)

    def _on_arrived(self, path: str) -> None:
        if path in self._paths:
            self.update()


def _shrunk(image: QImage, side: float, ratio: float) -> QImage:
    size = QSizeF(image.size()).scaled(side * ratio, side * ratio, Qt.AspectRatioMode.KeepAspectRatio).toSize()
    smooth = Qt.TransformationMode.SmoothTransformation
    small = image.scaled(size.expandedTo(QSize(1, 1)), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    small.setDevicePixelRatio(ratio)
    return small
