"""A class map on the original photo, exactly where the model looked, and by itself."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.payloads import Heat, Payload
from convviz_gui.engine.render import colour_index
from convviz_gui.engine.types import ImageInput, ModelInfo, Result
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import reading
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.heat_header import HeatHeader
from convviz_gui.gui.pictures.heat_overlay import HeatOverlay, raw_maximum
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import coloured_qimage, photo_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

_OF_CLASS = "On the photo: positive evidence", "Raw map: for (red) and against (blue)"
_OF_NONE = "On the photo: above the average", "Raw map: above (red) and below (blue) the average"


class ClassMapView(PayloadView):
    """Shows `Heat`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._heat: Heat | None = None
        self._image: ImageInput | None = None
        self._overlay: HeatOverlay | None = None
        self.header = HeatHeader()
        link = PictureLink(self)
        self.photo = Picture("Class map on the photo", link)
        self.bar = ColourBar("Colours on the photo")
        self.raw = Picture("Raw class map", link)
        self.raw_bar = ColourBar("Colours of the raw map")
        self.drawn_label, self.raw_label = QLabel(), QLabel()
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        left = _column(self.photo, self.bar, self.drawn_label)
        right = _column(self.raw, self.raw_bar, self.raw_label)
        left.setContentsMargins(0, 0, UNIT, 0)
        right.setContentsMargins(UNIT, 0, 0, 0)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 5)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([500, 300])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.header.opacity_changed.connect(self.photo.set_opacity)
        self.header.colours_changed.connect(self._recolour)
        self.photo.hovered.connect(self._on_photo)
        self.raw.hovered.connect(self._on_raw)

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        if isinstance(payload, Heat) and self.selection.model is not None:
            self._show(payload, self.selection.image, self.selection.model)

    def show_result(self, result: Result) -> None:
        """Show a finished run."""
        if isinstance(result.payload, Heat):
            self._show(result.payload, result.run.image, result.model)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, heat: Heat, image: ImageInput | None, model: ModelInfo) -> None:
        self._heat = heat
        self.header.show_heat(heat, model)
        drawn, raw = _OF_CLASS if heat.of_class else _OF_NONE
        self.drawn_label.setText(drawn)
        self.raw_label.setText(raw)
        frame = QRectF(*(float(number) for number in heat.box))
        if image is None:
            self.photo.set_image(None, smooth=True)
        elif image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        self.photo.set_values(heat.heat)
        # Without positive evidence there is nothing to draw: all of the first colour would look like a finding.
        self._overlay = HeatOverlay(heat.heat) if heat.positive else None
        self._recolour()
        self._show_raw(heat)
        self.stage.show_content()

    def _show_raw(self, heat: Heat) -> None:
        largest = float(abs(heat.raw).max())
        index = colour_index(heat.raw, -largest, largest)
        self.raw.set_image(coloured_qimage(index, COLORMAPS[DIVERGING]), smooth=False)
        self.raw.set_values(heat.raw)
        self.raw_bar.set_scale(-largest, largest, COLORMAPS[DIVERGING])

    def _recolour(self) -> None:
        if self._heat is None:
            return
        table = self.header.colours.table()
        overlay = self._overlay.image(table) if self._overlay else None
        self.photo.set_overlay(overlay, self.header.opacity())
        if self._overlay:
            self.bar.set_scale(0.0, raw_maximum(self._heat), table)
        else:
            self.bar.clear()

    # ----------------------------------------------------------------------------------- what happens here

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        if at is None or self._heat is None:
            self._tell(None)
            return
        place = place_in_crop(at, self._heat.box)
        self._tell(place)
        if place is None:
            self.status.emit(OUTSIDE)

    def _on_raw(self, at: tuple[float, float] | None) -> None:
        if at is None or self._heat is None:
            self._tell(None)
        else:
            rows, columns = self._heat.raw.shape
            self._tell((at[0] / columns, at[1] / rows))

    def _tell(self, at: tuple[float, float] | None) -> None:
        """Say the raw value at fractions (u, v) of the crop."""
        if at is None or self._heat is None:
            self.bar.point_at(None)
            self.raw_bar.point_at(None)
            self.status.emit("")
            return
        heat, (u, v) = self._heat, at
        y, x = v * heat.raw.shape[0], u * heat.raw.shape[1]
        number = float(heat.raw[int(y), int(x)])
        drawn = float(heat.heat[int(v * heat.heat.shape[0]), int(u * heat.heat.shape[1])])
        self.bar.point_at(drawn * raw_maximum(heat))
        self.raw_bar.point_at(number)
        self.status.emit(f"{reading(y, x, number)}   drawn {drawn:.2f}")


def _column(picture: Picture, bar: ColourBar, label: QLabel) -> QWidget:
    label.setProperty("role", "muted")
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    column.addWidget(label)
    column.addWidget(picture, 1)
    column.addWidget(bar)
    return part
