"""How a score falls behind windows: on the photo, per pixel, and beside it, window for window."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.payloads import BoolArray, FloatArray, Occlusion, Payload
from convviz_gui.engine.render import colour_index, colourise
from convviz_gui.engine.types import ImageInput, ModelInfo, Result
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import reading, value
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.occlusion_header import OcclusionHeader
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import photo_qimage, to_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

_NOT_COMPUTED = (128, 128, 128)
"""Of windows that are not computed: a grey that the colours around 0 do not have."""
_VEIL = 160
"""Opacity, of 255, of that grey on the photo."""


class OcclusionView(PayloadView):
    """Shows `Occlusion`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._found: Occlusion | None = None
        self._image: ImageInput | None = None
        self.header = OcclusionHeader()
        link = PictureLink(self)
        self.photo = Picture("Occlusion map on the photo", link)
        self.grid = Picture("Drops, a cell for each window", link)
        self.on_photo = ElidedLabel()
        self.on_grid = ElidedLabel()
        self.bar = ColourBar("Colours of the drops")
        self.set_content(self._arrange())
        self.header.opacity_changed.connect(self.photo.set_opacity)
        self.photo.hovered.connect(self._on_photo)
        self.grid.hovered.connect(self._on_grid)

    def _arrange(self) -> QWidget:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        left, right = _column(self.on_photo, self.photo), _column(self.on_grid, self.grid)
        left.setContentsMargins(0, 0, UNIT, 0)
        right.setContentsMargins(UNIT, 0, 0, 0)
        for part in (left, right):
            splitter.addWidget(part)
        splitter.setStretchFactor(0, 5)
        splitter.setStretchFactor(1, 4)
        splitter.setSizes([500, 400])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(splitter, 1)
        column.addWidget(self.bar)
        return content

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show the map as far as it has come."""
        if isinstance(payload, Occlusion) and self.selection.model is not None:
            self._show(payload, self.selection.image, self.selection.model, running=True)

    def show_result(self, result: Result) -> None:
        """Show a finished or stopped run."""
        if isinstance(result.payload, Occlusion):
            self._show(result.payload, result.run.image, result.model, running=False)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, found: Occlusion, image: ImageInput | None, model: ModelInfo, *, running: bool) -> None:
        self._found = found
        self.header.show_map(found, model, running=running)
        frame = QRectF(*(float(number) for number in found.box))
        if image is None:
            self.photo.set_image(None, smooth=True)
        elif image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        largest = float(np.abs(found.drop).max(initial=0.0))
        self.photo.set_values(found.heat)
        overlay = _overlay(found.heat, _covered(found), largest) if largest else None
        self.photo.set_overlay(overlay, self.header.opacity())
        self.grid.set_image(_cells(found, largest), smooth=False, common=_crop_in_cells(found))
        self.grid.set_values(found.drop)
        self.on_photo.setText("On the photo: mean drop per pixel")
        rest = ": for (red), against (blue)" if found.done.all() else "; grey: not computed"
        self.on_grid.setText(f"Drop per window{rest}")
        if largest:
            self.bar.set_scale(-largest, largest, COLORMAPS[DIVERGING])
        else:
            self.bar.clear()
        self.stage.show_content()

    # ----------------------------------------------------------------------------------- what happens here

    def _on_grid(self, at: tuple[float, float] | None) -> None:
        """Outline a cell's window on the photo, and say what happens behind it."""
        found = self._found
        if at is None or found is None:
            self._clear()
            return
        row, col = int(at[1]), int(at[0])
        rows, cols = (_span(found, axis, index) for axis, index in ((0, row), (1, col)))
        self.photo.set_boxes([_on_crop(found, rows, cols)])
        place = f"window {row}, {col}  (y {rows[0]}–{rows[1] - 1}, x {cols[0]}–{cols[1] - 1})"
        if not found.done[row, col]:
            self.bar.point_at(None)
            self.status.emit(f"{place}  not computed")
            return
        drop = float(found.drop[row, col])
        self.bar.point_at(drop)
        self.status.emit(f"{place}  drop {value(drop)}: score {value(found.score)} → {value(found.score - drop)}")

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        """Outline the windows over a pixel among the cells, and say their mean."""
        found = self._found
        if at is None or found is None:
            self._clear()
            return
        place = place_in_crop(at, found.box)
        if place is None:
            self._clear()
            self.status.emit(OUTSIDE)
            return
        u, v = place
        row, col = int(v * found.heat.shape[0]), int(u * found.heat.shape[1])
        cells = [(r, c) for r in _over(found, 0, row) for c in _over(found, 1, col) if found.done[r, c]]
        self.grid.set_boxes([QRectF(c, r, 1, 1) for r, c in cells])
        if not cells:
            self.bar.point_at(None)
            self.status.emit(f"(y {row}, x {col})  no window computed here")
            return
        number = float(found.heat[row, col])
        self.bar.point_at(number)
        n = len(cells)
        self.status.emit(f"{reading(row, col, number)}  mean drop of {n} {'window' if n == 1 else 'windows'}")

    def _clear(self) -> None:
        self.photo.set_boxes([])
        self.grid.set_boxes([])
        self.bar.point_at(None)
        self.status.emit("")


def _span(found: Occlusion, axis: int, index: int) -> tuple[int, int]:
    """First pixel of the input and last + 1 of a window along an axis, 0 for rows."""
    first = index * found.stride
    return first, min(first + found.patch, found.heat.shape[axis])


def _over(found: Occlusion, axis: int, pixel: int) -> list[int]:
    """Rows (or columns) of windows that cover a pixel of the input."""
    spans = [_span(found, axis, index) for index in range(found.drop.shape[axis])]
    return [index for index, (first, last) in enumerate(spans) if first <= pixel < last]


def _on_crop(found: Occlusion, rows: tuple[int, int], cols: tuple[int, int]) -> QRectF:
    """A part of the input in the photo's pixels."""
    x, y, width, height = (float(number) for number in found.box)
    down, along = height / found.heat.shape[0], width / found.heat.shape[1]
    return QRectF(x + cols[0] * along, y + rows[0] * down, (cols[1] - cols[0]) * along, (rows[1] - rows[0]) * down)


def _crop_in_cells(found: Occlusion) -> QRectF:
    """The crop in the grid's coordinates, where a cell stands for the middle of its window."""
    before = (found.patch / found.stride - 1) / 2
    height, width = found.heat.shape
    return QRectF(-before, -before, width / found.stride, height / found.stride)


def _covered(found: Occlusion) -> BoolArray:
    """Pixels of the input, bool [H, W], that a finished window covers."""
    covered = np.zeros(found.heat.shape, np.bool_)
    for row, col in zip(*np.nonzero(found.done), strict=True):
        rows, cols = _span(found, 0, int(row)), _span(found, 1, int(col))
        covered[slice(*rows), slice(*cols)] = True
    return covered


def _cells(found: Occlusion, largest: float) -> QImage:
    colours = colourise(found.drop, -largest, largest, COLORMAPS[DIVERGING])
    colours[~found.done] = _NOT_COMPUTED
    return to_qimage(colours)


def _overlay(heat: FloatArray, covered: BoolArray, largest: float) -> QImage:
    """The map in colours around 0, where it is see-through; a grey veil where no window is computed."""
    height, width = heat.shape
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., :3] = COLORMAPS[DIVERGING][colour_index(heat, -largest, largest)]
    # Strong drops hide the photo, and what matters to nobody leaves it as it is.
    pixels[..., 3] = np.sqrt(np.minimum(np.abs(heat) / largest, 1)) * 255
    pixels[~covered] = (*_NOT_COMPUTED, _VEIL)
    # Copied: Qt does not keep the bytes.
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _column(heading: QLabel, picture: Picture) -> QWidget:
    heading.setProperty("role", "muted")
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    column.addWidget(heading)
    column.addWidget(picture, 1)
    return part
