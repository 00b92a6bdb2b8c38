"""A pixel map on the photo and beside it, pixel for pixel, on a scale that says where it is clipped."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.payloads import ByteArray, FloatArray, Payload, PixelMap
from convviz_gui.engine.pixel_drawing import Drawn, coloured, drawn_values, end_of_scale, in_words
from convviz_gui.engine.preprocess_rules import channel_names
from convviz_gui.engine.render import colour_index
from convviz_gui.engine.types import ImageInput, ModelInfo, Result, Score
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import reading, value
from convviz_gui.gui.look.words import ordinal
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.heat_overlay import HeatOverlay
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.pixel_header import PixelHeader
from convviz_gui.gui.pictures.qimage import coloured_qimage, photo_qimage, to_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

_MOST_SAID = 3
"""Colours whose values are written out."""


class PixelMapView(PayloadView):
    """Shows `PixelMap`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._found: PixelMap | None = None
        self._model: ModelInfo | None = None
        self._image: ImageInput | None = None
        self.header = PixelHeader()
        link = PictureLink(self)
        self.photo = Picture("Pixel map on the photo", link)
        self.map = Picture("Pixel map", link)
        self.heading = ElidedLabel()
        self.bar = ColourBar("Colours of the pixel map")
        self.clipped = QLabel()
        self.set_content(self._arrange())
        self.header.opacity_changed.connect(self.photo.set_opacity)
        self.header.drawing_changed.connect(self._draw)
        self.photo.hovered.connect(self._on_photo)
        self.map.hovered.connect(self._on_map)

    def _arrange(self) -> QWidget:
        on_photo = ElidedLabel("On the photo")
        for label in (self.heading, on_photo, self.clipped):
            label.setProperty("role", "muted")
        self.clipped.setFont(numbers_font(self.clipped.font()))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        left, right = _column(on_photo, self.photo), _column(self.heading, self.map)
        left.setContentsMargins(0, 0, UNIT, 0)
        right.setContentsMargins(UNIT, 0, 0, 0)
        for part in (left, right):
            splitter.addWidget(part)
        splitter.setSizes([400, 400])
        scale = QHBoxLayout()
        scale.setSpacing(2 * UNIT)
        scale.addWidget(self.bar, 1)
        scale.addWidget(self.clipped)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(splitter, 1)
        column.addLayout(scale)
        return content

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        if isinstance(payload, PixelMap) and self.selection.model is not None:
            self._show(payload, self.selection.image, self.selection.model, ())

    def show_result(self, result: Result) -> None:
        """Show a finished run."""
        if isinstance(result.payload, PixelMap):
            self._show(result.payload, result.run.image, result.model, result.scores)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, found: PixelMap, image: ImageInput | None, model: ModelInfo, scores: tuple[Score, ...]) -> None:
        self._found, self._model = found, model
        self.header.show_map(found, model, scores)
        self.header.set_colours_possible(len(found.attribution) == 3)
        frame = QRectF(*(float(number) for number in found.box))
        if image is None:
            self.photo.set_image(None, smooth=True)
        elif image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        self._draw()
        self.stage.show_content()

    def _draw(self) -> None:
        if self._found is None or self._model is None:
            return
        found, what = self._found, self.header.drawn()
        signed = found.signed and what is Drawn.HEAT
        values = drawn_values(found, what)
        percentile = self.header.clip.value()
        end = end_of_scale(found.attribution if what is Drawn.COLOURS else values, percentile)
        self.header.colours.setEnabled(not signed and what is not Drawn.COLOURS)
        self.heading.setText(_sentence(in_words(what, signed=found.signed)))
        self.map.set_values(values)
        self.photo.set_values(values)
        if what is Drawn.COLOURS:
            picture = coloured(found.attribution, end, blue_first=self._model.preprocess.channel_order == "bgr")
            self._put(to_qimage(picture), to_qimage(picture), end, COLORMAPS["grey"], two_sided=True)
            return
        table = COLORMAPS[DIVERGING] if signed else self.header.colours.table()
        # Where there is nothing all of it has the colour of 0.
        scaled = _scaled(values, end or 1.0, two_sided=signed)
        overlay = HeatOverlay(scaled).image(table) if end else None
        self._put(coloured_qimage(colour_index(scaled, 0.0, 1.0), table), overlay, end, table, two_sided=signed)

    def _put(self, picture: QImage, overlay: QImage | None, end: float, table: ByteArray, *, two_sided: bool) -> None:
        self.map.set_image(picture, smooth=False)
        self.photo.set_overlay(overlay if end else None, self.header.opacity())
        percentile = self.header.clip.value()
        self.clipped.setVisible(bool(end))
        self.clipped.setText(f"clipped at the {ordinal(percentile)} percentile" if percentile < 100 else "not clipped")
        if end:
            self.bar.set_scale(-end if two_sided else 0.0, end, table)
        else:
            self.bar.clear()

    # ----------------------------------------------------------------------------------- what happens here

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        if at is None or self._found is None:
            self._tell(None)
            return
        place = place_in_crop(at, self._found.box)
        rows, columns = self._found.heat.shape
        self._tell((place[0] * columns, place[1] * rows) if place is not None else None)
        if place is None:
            self.status.emit(OUTSIDE)

    def _on_map(self, at: tuple[float, float] | None) -> None:
        self._tell(at)

    def _tell(self, at: tuple[float, float] | None) -> None:
        """Say the raw values at (x, y), in pixels of the input."""
        if at is None or self._found is None or self._model is None:
            self.bar.point_at(None)
            self.status.emit("")
            return
        x, y = int(at[0]), int(at[1])
        number = float(drawn_values(self._found, self.header.drawn())[y, x])
        self.bar.point_at(number)
        names = channel_names(self._model.preprocess)
        colours = self._found.attribution[:, y, x]
        each = [f"{name} {value(float(part))}" for name, part in zip(names[:_MOST_SAID], colours, strict=False)]
        said = "   ".join(each) if len(colours) > 1 else ""
        self.status.emit(f"{reading(y, x, number)}   {said}".rstrip())


def _scaled(values: FloatArray, end: float, *, two_sided: bool) -> FloatArray:
    """0…1 from the first colour to the last."""
    shown = (values / end + 1) / 2 if two_sided else values / end
    return shown.astype(np.float32)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _column(heading: QLabel, picture: Picture) -> QWidget:
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    column.addWidget(heading)
    column.addWidget(picture, 1)
    return part
