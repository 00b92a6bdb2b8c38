"""A place in the photo, the channels that fire there, and what each sees of the photo."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Asked, Payload
from convviz_gui.engine.types import ImageInput, Result
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.qimage import photo_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

_TIPS = {
    "value": "The raw value at the place",
    "contrast": "How far the value is above the channel's own mean in this photo, in its standard deviations",
    "share": "The value as a part of the channel's largest in this photo",
}


class AskedView(PayloadView):
    """Shows `Asked`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._asked: Asked | None = None
        self._image: ImageInput | None = None
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.photo = Picture("Photo with the place")
        self.photo.setToolTip("Click a place to ask what fires there")
        self.table = BarTable("Channels that fire at the place")
        self.caption = plain(QLabel(wordWrap=True))
        self.caption.setProperty("role", "muted")
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("The page of this channel (U)")
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(UNIT, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.table, 1)
        column.addWidget(self.caption)
        column.addWidget(self.unit_button, 0, Qt.AlignmentFlag.AlignLeft)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.photo)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([360, 320])
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        whole.setSpacing(UNIT)
        above = QHBoxLayout()
        above.addWidget(self.title, 1)
        whole.addLayout(above)
        whole.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.photo.clicked.connect(self._point)
        self.photo.hovered.connect(self._on_photo)
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(self._open)
        self.unit_button.clicked.connect(self._open_current)
        self.selection.channel_changed.connect(self._on_channel)

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """There is none: the answer comes at once."""

    def show_result(self, result: Result) -> None:
        """Show the answer."""
        if isinstance(result.payload, Asked) and result.run.image is not None:
            self._show(result.payload, result.run.image)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, asked: Asked, image: ImageInput) -> None:
        self._asked = asked
        frame = QRectF(*(float(number) for number in asked.box))
        if image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        u, v = asked.point
        self.photo.set_pin((frame.x() + u * frame.width(), frame.y() + v * frame.height()))
        self.table.set_columns(self._columns(asked))
        self.table.select(self._wanted_row())
        if asked.layer and len(asked.units):
            row, column = asked.units[0].tolist()
            self.title.setText(f"{asked.layer}   row {row}, column {column}")
        else:
            self.title.setText("Every layer")
        self._show_row()
        self.stage.show_content()

    @staticmethod
    def _columns(asked: Asked) -> list[Column]:
        numbers = {"value": asked.values, "contrast": asked.contrast, "share": asked.share}
        write = {"value": value, "contrast": lambda number: value(round(number, 2)), "share": percent}
        channels = asked.channels.tolist()
        columns = [
            Column("channel", [str(channel) for channel in channels], asked.channels, stretches=bool(asked.layer))
        ]
        if not asked.layer:
            del numbers["value" if asked.sort != "value" else "share"]
            tip = "Sorted by this, layers stand in the order in which they run"
            columns.insert(0, Column("layer", asked.layers, np.arange(len(channels)), tip, stretches=True, words=True))
        # What the order goes by comes first, and has the bars.
        for name in sorted(numbers, key=lambda name: name != asked.sort):
            texts = [write[name](float(number)) for number in numbers[name]]
            columns.append(Column(name, texts, numbers[name], _TIPS[name], bar=name == asked.sort))
        return columns

    def _wanted_row(self) -> int | None:
        """The channel chosen in the window if it is listed, else the first."""
        assert self._asked is not None
        for row, channel in enumerate(self._asked.channels.tolist()):
            if channel == self.selection.channel and self._asked.layers[row] == self.selection.layer:
                return row
        return 0 if len(self._asked.channels) else None

    def _show_row(self) -> None:
        """Draw what the current channel sees."""
        asked, row = self._asked, self.table.current_row()
        self.unit_button.setEnabled(row is not None)
        if asked is None or row is None:
            self.photo.set_boxes(())
            self.caption.clear()
            return
        self.photo.set_boxes((QRectF(*(float(number) for number in asked.fields[row])),))
        width, height = (round(float(number)) for number in asked.fields[row][2:])
        sees = f"sees {width}×{height} pixels of the photo" if asked.known[row] else "what it sees cannot be told"
        numbers = f"mean {value(float(asked.mean[row]))}, largest {value(float(asked.top[row]))} in this photo"
        self.caption.setText(f"{asked.layers[row]} channel {asked.channels[row]}: {sees}; {numbers}")

    # ----------------------------------------------------------------------------------- what happens here

    def _point(self, at: tuple[float, float]) -> None:
        if self._asked is None:
            return
        place = place_in_crop(at, self._asked.box)
        if place is not None:
            self.selection.set_point(place)
        else:
            self.status.emit(OUTSIDE)

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        self.status.emit("" if at is None else "click to ask which channels fire here")

    def _choose(self, row: int) -> None:
        self._show_row()
        asked = self._asked
        if asked is not None and asked.layers[row] == self.selection.layer:
            self.selection.set_channel(int(asked.channels[row]))

    def _open_current(self) -> None:
        row = self.table.current_row()
        if row is not None:
            self._open(row)

    def _open(self, row: int) -> None:
        """Go to the page of a channel."""
        if self._asked is not None:
            self.selection.set_layer(self._asked.layers[row])
            self.selection.set_channel(int(self._asked.channels[row]))
            self.show_method.emit("unit")

    def _on_channel(self) -> None:
        asked = self._asked
        if asked is None or asked.layer != self.selection.layer:
            return
        found = np.flatnonzero(asked.channels == self.selection.channel)
        if found.size and int(found[0]) != self.table.current_row():
            self.table.select(int(found[0]), show=True)
            self._show_row()
