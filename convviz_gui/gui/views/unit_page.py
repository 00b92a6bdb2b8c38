"""Everything about one channel on one page, which grows while it is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Payload, UnitPage
from convviz_gui.engine.types import ModelInfo, Result
from convviz_gui.engine.unit_page.drawing import projected_picture, weights_picture
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.charts.curve import Curve
from convviz_gui.gui.charts.histogram import Histogram
from convviz_gui.gui.charts.page_grid import PageGrid, Section
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.qimage import to_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.patch_photo import PatchPhoto
from convviz_gui.gui.tiles.patch_wall import PatchWall, WallTile
from convviz_gui.gui.views.base import PayloadView

_ASK_FOR_FOLDER = (
    "With a folder of pictures: those that it answers to most, how often it fires and for which label, and which "
    "channels answer alike. Choose one at the right."
)
_FINITE = 3


class UnitPageView(PayloadView):
    """Shows `UnitPage`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._page: UnitPage | None = None
        self._open: int | None = None
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.flags = ElidedLabel()
        self.flags.setProperty("role", "muted")
        self.buttons = {
            method: _link(text, tip)
            for method, text, tip in (
                ("activations", "→ in the photo", "Its map for the current photo"),
                ("switch-off", "→ switch it off", "What the network says of the current photo without it"),
            )
        }
        self.weights = Picture("Weights")
        self.synthetic = Picture("Synthetic picture")
        self.curve = Curve("Response at each step")
        self.wall = PatchWall("Strongest pictures")
        self.photo = PatchPhoto()
        self.histogram = Histogram("Histogram of the channel's values over the folder")
        self.rates = BarTable("Labels")
        self.similar = BarTable("Channels that are alike")
        self.feeds = BarTable("Who listens")
        self._make_sections()
        self.set_content(self._arrange())
        self._connect()

    def _make_sections(self) -> None:
        for picture in (self.weights, self.synthetic):
            picture.setFixedHeight(20 * UNIT)
        self.curve.setFixedHeight(9 * UNIT)
        for table in (self.rates, self.similar, self.feeds):
            table.setFixedHeight(22 * UNIT)
        self.sections = {
            "weights": Section("Weights", "The filter itself: light adds, dark subtracts, mid-grey is 0", self.weights),
            "synthetic": Section(
                "Synthetic picture",
                "Grown from noise to make the channel respond; the curve is its mean response at each step",
                _column(self.synthetic, self.curve),
            ),
            "record": Section(
                "Values over the folder",
                "How often each value occurs, at all positions of all pictures; heights are logarithmic",
                self.histogram,
            ),
            "strongest": Section(
                "Strongest pictures, and what in them did it",
                "Above, what the position of the largest value sees of the photo; below, that value traced back to the "
                "pixels by DeconvNet's rule, each by its own largest value. The number is the raw value",
                _column(self.wall, self.photo),
                whole=True,
            ),
            "rates": Section("Fires for", "Share of each label's pictures in which it fires anywhere", self.rates),
            "alike": Section(
                "Similar channels",
                "Correlation of the answers to the pictures, and cosine of the weights. A click goes to that page",
                self.similar,
            ),
            "feeds": Section(
                "Who listens",
                "Channels of the next layer with weights that listen to it most; minus holds them down",
                self.feeds,
            ),
        }

    def _arrange(self) -> QWidget:
        above = QHBoxLayout()
        above.setSpacing(UNIT)
        above.addWidget(self.title, 1)
        for button in self.buttons.values():
            above.addWidget(button)
        self.grid = PageGrid(*self.sections.values())
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, 0, 0)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(self.flags)
        column.addWidget(self.grid, 1)
        return content

    def _connect(self) -> None:
        for method, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, method=method: self.show_method.emit(method))
        self.wall.opened.connect(self._open_patch)
        self.wall.pointed.connect(self._tell_patch)
        self.photo.tray_wanted.connect(self._open_in_tray)
        self.photo.close_wanted.connect(self._close_photo)
        self.similar.clicked.connect(lambda index: self._go_to_similar(self.similar.rows()[index.row()]))
        self.similar.opened.connect(self._go_to_similar)
        self.feeds.opened.connect(self._go_to_listener)

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show the page so far."""
        if isinstance(payload, UnitPage) and self.selection.model is not None:
            self._show(payload, self.selection.model, ended=False)

    def show_result(self, result: Result) -> None:
        """Show a finished (or stopped) run."""
        if isinstance(result.payload, UnitPage):
            self._show(result.payload, result.model, ended=True)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, page: UnitPage, model: ModelInfo, *, ended: bool) -> None:
        before, self._page = self._page, page
        if before is None or (before.layer, before.channel) != (page.layer, page.channel):
            self.grid.verticalScrollBar().setValue(0)
            self._close_photo()
        self.title.setText(f"{page.layer}   channel {page.channel} of {page.n_channels}")
        self.flags.setText(_flags(page))
        self._show_own(page, ended=ended)
        if before is None or before.strongest is not page.strongest:
            self.wall.set_tiles(_tiles(page))
        self._show_folder(page, ended=ended)
        self._show_others(page, model)
        self.grid.lay_out()
        self.stage.show_content()

    def _show_own(self, page: UnitPage, *, ended: bool) -> None:
        drawn = weights_picture(page.kernel)
        self.weights.set_image(to_qimage(drawn) if drawn is not None else None, smooth=False)
        self.sections["weights"].show_body(there=drawn is not None, words=page.note("weights") or _of_weights(page))
        grown = page.synthetic
        there = bool(grown.picture.size)
        self.synthetic.set_image(to_qimage(grown.picture) if there else None, smooth=True)
        self.curve.set_trace(grown.trace)
        words = page.note("synthetic")
        if grown.dead:
            words = "Nothing made it respond: four noises, and 16 steps with ReLUs unblocked"
        elif not there and not words:
            words = "not made" if ended else "…"
        self.sections["synthetic"].show_body(there=there, words=words)

    def _show_folder(self, page: UnitPage, *, ended: bool) -> None:
        record = page.record
        there = bool(len(page.strongest.images))
        words = ""
        if page.folder is None:
            words = _ASK_FOR_FOLDER
        elif not there and not ended:
            words = f"{len(record.paths)} pictures read so far…" if record.paths else "The pictures come next…"
        elif page.note("projected"):
            words = f"Not traced back: {page.note('projected')}"
        self.sections["strongest"].show_body(there=there, words=words)
        self.histogram.set_counts(record.counts, record.edges)
        fires = f"mean {value(record.mean)}; fires in {percent(record.firing)} of {len(record.paths)} pictures"
        counted = bool(len(record.counts))
        self.sections["record"].show_body(there=counted, words=fires if counted else "")
        self.rates.set_columns(_rates(page), keep=True)
        if record.groups and self.rates.header().sortIndicatorSection() < 0:
            # What fires everywhere differs in how much.
            self.rates.sort_by("fires in" if np.ptp(record.rates) > 0 else "largest")
        self.sections["rates"].show_body(there=bool(record.groups))

    def _show_others(self, page: UnitPage, model: ModelInfo) -> None:
        alike, feeds = page.alike, page.feeds
        self.similar.set_columns(_similar(page), keep=True)
        words = page.note("alike")
        if len(alike.channels) and not len(alike.correlation) and not words:
            words = "By their weights alone; a folder tells which answer alike"
        self.sections["alike"].show_body(there=bool(len(alike.channels)), words=words)
        names = [model.class_name(index) if feeds.classes else str(index) for index in feeds.channels.tolist()]
        head = "class" if feeds.classes else "channel"
        weights = [("+" if weight > 0 else "") + value(round(weight, 3)) for weight in feeds.weights.tolist()]
        self.feeds.set_columns([
            Column(head, names, stretches=True),
            Column("weight", weights, feeds.weights, "L2 norm of its kernel, with the sign of its sum", True, True),
        ])  # fmt: skip
        self.sections["feeds"].show_body(there=bool(len(feeds.channels)), words=f"in {feeds.layer}" if names else "")

    # ----------------------------------------------------------------------------------- what happens here

    def _tell_patch(self, number: int | None) -> None:
        if number is None or self._page is None:
            self.status.emit("")
        else:
            self.status.emit(self._path(number))

    def _path(self, number: int) -> str:
        assert self._page is not None
        return self._page.record.paths[int(self._page.strongest.pictures[number])]

    def _open_patch(self, number: int) -> None:
        """Show the photo that a patch is of, with the part marked; a second time puts it away."""
        if self._page is None or self._open == number:
            self._close_photo()
            return
        self._open = number
        x, y, width, height = (float(side) for side in self._page.strongest.boxes[number])
        if not self.photo.show_part(self._path(number), (x, y, width, height)):
            self.status.emit("This picture can no longer be read.")
            self._close_photo()
            return
        # Only once it is laid out does it have a place.
        QTimer.singleShot(0, self.photo, lambda: self.grid.ensureWidgetVisible(self.photo))

    def _close_photo(self) -> None:
        self._open = None
        self.photo.hide()

    def _open_in_tray(self) -> None:
        if self._open is not None:
            self.open_image.emit(self._path(self._open))

    def _go_to_similar(self, row: int) -> None:
        page = self._page
        if page is not None and self.selection.layer == page.layer:
            self.selection.set_channel(int(page.alike.channels[row]))
            self.show_method.emit("unit")

    def _go_to_listener(self, row: int) -> None:
        page = self._page
        if page is not None and self.selection.model is not None and self.selection.model.find(page.feeds.layer):
            self.selection.set_layer(page.feeds.layer)
            self.selection.set_channel(int(page.feeds.channels[row]))
            self.show_method.emit("unit")


def _flags(page: UnitPage) -> str:
    """What the page says at first sight."""
    said = [page.kind]
    record = page.record
    if page.dead:
        said.append(f"dead: fires in none of {len(record.paths)} pictures")
    elif record.paths:
        said.append(f"fires in {percent(record.firing)} of {len(record.paths)} pictures")
    if page.alike.duplicate >= 0:
        said.append(f"duplicate of channel {page.alike.duplicate}")
    if page.skipped:
        said.append(f"{len(page.skipped)} left out")
    return "  ·  ".join(said)


def _of_weights(page: UnitPage) -> str:
    weights = page.kernel
    if not weights.values.size:
        return ""
    count, height, width = weights.values.shape
    of = "" if weights.layer == page.layer else f"of {weights.layer}; "
    what = f"{height}×{width} in colour" if weights.colours else f"{count} slices {height}×{width}"
    return f"{of}{what}; norm {value(weights.norm)}, number {weights.rank} of {weights.count}"


def _tiles(page: UnitPage) -> list[WallTile]:
    strongest = page.strongest
    tiles = []
    for row, image in enumerate(strongest.images):
        traced = projected_picture(strongest, row)
        picture = int(strongest.pictures[row])
        label = page.record.labels[picture]
        words = f"{Path(page.record.paths[picture]).name}{f' ({label})' if label else ''}: "
        below = to_qimage(np.ascontiguousarray(traced)) if traced is not None else None
        number = value(float(strongest.values[row]))
        tiles.append(WallTile(to_qimage(image), number, words + number, below))
    return tiles


def _rates(page: UnitPage) -> list[Column]:
    record = page.record
    tip = f"Of {len(record.paths)} pictures"
    return [
        Column("label", record.groups, stretches=True),
        Column("fires in", [percent(float(rate)) for rate in record.rates], record.rates, tip, True, True),
        Column(
            "largest",
            [value(round(float(peak), _FINITE)) for peak in record.group_peaks],
            record.group_peaks,
            "The channel's largest value in a picture, on average",
            bar=True,
        ),
    ]


def _similar(page: UnitPage) -> list[Column]:
    alike = page.alike
    columns = [Column("channel", [str(channel) for channel in alike.channels.tolist()], alike.channels)]
    for title, numbers, tip in (
        ("answers", alike.correlation, f"Correlation of their averages over each of {alike.pictures} pictures"),
        ("weights", alike.cosine, "Cosine of the filters"),
    ):
        if len(numbers):
            texts = [value(round(float(number), 2)) for number in numbers]
            columns.append(Column(title, texts, numbers, tip, bar=True, stretches=True))
    return columns


def _link(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button


def _column(*parts: QWidget) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    for part in parts:
        column.addWidget(part)
    return box
