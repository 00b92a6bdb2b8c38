"""What the model saw: the photo with the crop, and the tensor made of it, pixel for pixel."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.payloads import FloatArray, Payload, Seen
from convviz_gui.engine.preprocess_rules import channel_names
from convviz_gui.engine.render import colour_index
from convviz_gui.engine.types import ImageInput, ModelInfo, Result
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.input_header import InputHeader
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import coloured_qimage, photo_qimage, to_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

MOST_SAID = 5
"""Channels whose values are written out; a network may have hundreds."""


class InputView(PayloadView):
    """Shows `Seen`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._seen: Seen | None = None
        self._image: ImageInput | None = None
        self._names: tuple[str, ...] = ()
        self.header = InputHeader()
        link = PictureLink(self)
        self.photo = Picture("Photo with the crop", link)
        self.tensor = Picture("What the model saw", link)
        self.bar = ColourBar("Colours of the channel")
        self._photo_heading, self._heading = _muted(""), _muted("")
        self.numbers = ElidedLabel()
        self.numbers.setProperty("role", "muted")
        self.numbers.setFont(numbers_font(self.numbers.font()))
        self.set_content(self._arrange())
        self.header.channel_changed.connect(self._show_tensor)
        self.header.preprocessing_wanted.connect(self.preprocessing_wanted)
        self.photo.hovered.connect(self._on_photo)
        self.tensor.hovered.connect(self._on_tensor)

    def _arrange(self) -> QWidget:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        left = _column(self._photo_heading, self.photo)
        right = _column(self._heading, self.tensor, self.bar)
        left.setContentsMargins(0, 0, UNIT, 0)
        right.setContentsMargins(UNIT, 0, 0, 0)
        for part in (left, right):
            splitter.addWidget(part)
        splitter.setSizes([400, 400])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(splitter, 1)
        column.addWidget(self.numbers)
        # The bar keeps its room, so that the picture does not jump when a channel is looked at.
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        return content

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        if isinstance(payload, Seen) and self.selection.model is not None:
            self._show(payload, self.selection.image, self.selection.model)

    def show_result(self, result: Result) -> None:
        """Show a finished run."""
        if isinstance(result.payload, Seen):
            self._show(result.payload, result.run.image, result.model)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, seen: Seen, image: ImageInput | None, model: ModelInfo) -> None:
        self._seen = seen
        self._names = channel_names(model.preprocess)
        self.header.show_model(model)
        frame = QRectF(*(float(number) for number in seen.box))
        if image is None:
            self.photo.set_image(None, smooth=True)
        elif image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        whole = frame.contains(self.photo.layers.bounds())
        self._photo_heading.setText("The photo, all of it" if whole else "The photo: what is dimmed is cut off")
        self._show_tensor()
        self.numbers.setText(_ranges(seen, self._names))
        self.numbers.setToolTip(f"Least … mean … most of each channel: {self.numbers.text()}")
        self.stage.show_content()

    def _show_tensor(self) -> None:
        if self._seen is None:
            return
        chosen = self.header.channel()
        if chosen is None:
            self._heading.setText("The tensor, turned back into colours")
            self.tensor.set_image(to_qimage(self._seen.picture), smooth=False)
            # A table is flat: channels one below the other.
            self.tensor.set_values(self._seen.tensor.reshape(-1, self._seen.tensor.shape[2]))
            self.bar.clear()
            return
        self._heading.setText(f"The tensor's {self._names[chosen]} channel, its own values")
        values = self._seen.tensor[chosen]
        largest = float(np.abs(values).max())
        index = colour_index(values, -largest, largest)
        self.tensor.set_image(coloured_qimage(index, COLORMAPS[DIVERGING]), smooth=False)
        self.tensor.set_values(values)
        self.bar.set_scale(-largest, largest, COLORMAPS[DIVERGING])

    # ----------------------------------------------------------------------------------- what happens here

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        if at is None or self._seen is None:
            self._tell(None)
            return
        place = place_in_crop(at, self._seen.box)
        rows, columns = self._seen.tensor.shape[1:]
        self._tell((place[0] * columns, place[1] * rows) if place is not None else None)
        if place is None:
            self.status.emit(OUTSIDE)

    def _on_tensor(self, at: tuple[float, float] | None) -> None:
        self._tell(at)

    def _tell(self, at: tuple[float, float] | None) -> None:
        """Say the tensor's values at (x, y), in its own pixels."""
        if at is None or self._seen is None:
            self.bar.point_at(None)
            self.status.emit("")
            return
        x, y = int(at[0]), int(at[1])
        here = self._seen.tensor[:, y, x]
        chosen = self.header.channel()
        self.bar.point_at(None if chosen is None else float(here[chosen]))
        self.status.emit(f"(y {y}, x {x})  {_values(here, self._names)}{self._margin(x, y)}")

    def _margin(self, x: int, y: int) -> str:
        """Whether that pixel of the tensor lies beside the photo."""
        if self._seen is None or self._image is None:
            return ""
        left, top, width, height = (float(number) for number in self._seen.box)
        rows, columns = self._seen.tensor.shape[1:]
        at_x, at_y = left + (x + 0.5) * width / columns, top + (y + 0.5) * height / rows
        inside = 0 <= at_x < self._image.pixels.shape[1] and 0 <= at_y < self._image.pixels.shape[0]
        return "" if inside else "   margin: not in the photo"


def _values(values: FloatArray, names: tuple[str, ...]) -> str:
    written = [f"{name} {value(float(number))}" for name, number in zip(names, values[:MOST_SAID], strict=False)]
    return "   ".join(written) + ("   …" if len(values) > MOST_SAID else "")


def _ranges(seen: Seen, names: tuple[str, ...]) -> str:
    written = [
        f"{name} {_short(channel.min())} … {_short(channel.mean(dtype=np.float64))} … {_short(channel.max())}"
        for name, channel in zip(names, seen.tensor[:MOST_SAID], strict=False)
    ]
    more = ["…"] if len(names) > MOST_SAID else []
    clipped = [f"{seen.clipped:,} values have no colour"] if seen.clipped else []
    return "  ·  ".join([*written, *more, *clipped])


def _short(number: float) -> str:
    """Three figures: four numbers a channel have to stand on a line."""
    return f"{number:.3g}".replace("-", "−")


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label


def _column(heading: QLabel, *widgets: QWidget) -> QWidget:
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    column.addWidget(heading)
    column.addWidget(widgets[0], 1)
    for widget in widgets[1:]:
        column.addWidget(widget)
    return part
