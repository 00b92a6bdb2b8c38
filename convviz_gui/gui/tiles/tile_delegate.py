"""Paints one tile: picture, words on it where the picture would mislead, and a caption below."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.gui.look.ink import ink_on, muted
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.tiles.tile_model import Index, TileModel

GAP = 8
_MOST_BYTES = 64 * 2**20
_FEWEST = 64
_BELOW = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


class TileDelegate(QStyledItemDelegate):
    """Keeps tiles in their final size, so that scrolling only copies them to the screen."""

    def __init__(self, model: TileModel) -> None:
        super().__init__(model)
        self._model = model
        self._side = 96
        self._ratio = 1.0
        self._kept: OrderedDict[int, QImage | None] = OrderedDict()

    def set_side(self, side: int) -> None:
        """Edge of a tile's picture in logical pixels."""
        if side != self._side:
            self._side = side
            self._kept.clear()

    def forget(self, items: Iterable[int] | None = None) -> None:
        """Make the pictures of these items anew when next needed, or those of all."""
        if items is None:
            self._kept.clear()
        else:
            for item in items:
                self._kept.pop(item, None)

    def cell(self, metrics: QFontMetrics) -> QSize:
        """Size of a tile with its caption and the gap to the next."""
        return QSize(self._side + GAP, self._side + metrics.height() + GAP)

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802
        return self.cell(option.fontMetrics)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        source = self._model.source
        if source is None:
            return
        cell: QRect = option.rect
        palette: QPalette = option.palette
        item = self._model.item(index.row())
        square = QRect(cell.left() + GAP // 2, cell.top() + GAP // 2, self._side, self._side)
        picture = self._picture(item, painter.device().devicePixelRatioF())
        if picture is None:
            painter.fillRect(square, palette.color(QPalette.ColorRole.Midlight))
        else:
            inside = QRect(QPoint(), picture.deviceIndependentSize().toSize())
            inside.moveCenter(square.center())
            painter.drawImage(inside.topLeft(), picture)
        if note := source.note(item):
            painter.setPen(_ink(picture, palette))
            painter.drawText(square, Qt.AlignmentFlag.AlignCenter, note)
        self._frame(painter, square, option.state, palette)
        painter.setPen(muted(palette))
        line = QRect(square.left(), square.bottom() + 3, square.width(), cell.bottom() - square.bottom() - 3)
        caption = option.fontMetrics.elidedText(source.caption(item), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, _BELOW, caption)

    @staticmethod
    def _frame(painter: QPainter, square: QRect, state: QStyle.StateFlag, palette: QPalette) -> None:
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(square.adjusted(-1, -1, 2, 2))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawRect(square.adjusted(-2, -2, 1, 1))

    def _picture(self, item: int, ratio: float) -> QImage | None:
        if ratio != self._ratio:
            self._ratio = ratio
            self._kept.clear()
        if item not in self._kept:
            self._kept[item] = self._made(item, ratio)
            if len(self._kept) > max(_MOST_BYTES / (4 * (self._side * ratio) ** 2), _FEWEST):
                self._kept.popitem(last=False)
        return self._kept[item]

    def _made(self, item: int, ratio: float) -> QImage | None:
        assert self._model.source is not None
        picture = self._model.source.picture(item)
        if picture is None:
            return None
        side = round(self._side * ratio)
        shrinks = max(picture.width(), picture.height()) > side
        smooth = shrinks or self._model.source.smooth
        mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        made = picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, mode)
        made.setDevicePixelRatio(ratio)
        return made


def _ink(picture: QImage | None, palette: QPalette) -> QColor:
    if picture is None:
        return palette.color(QPalette.ColorRole.WindowText)
    return ink_on(picture.pixelColor(picture.width() // 2, picture.height() // 2))
