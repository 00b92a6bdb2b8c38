"""Every channel of a layer at once, one of them beside the photo, and how sparse each layer is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import DIVERGING
from convviz_gui.engine.payloads import Maps, Payload
from convviz_gui.engine.types import ImageInput, Result
from convviz_gui.gui.charts.depth_chart import DepthChart
from convviz_gui.gui.charts.vector_chart import VectorChart
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import reading
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import photo_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.channel_panel import ChannelPanel
from convviz_gui.gui.tiles.channel_tiles import ChannelTiles
from convviz_gui.gui.tiles.grid_header import GridHeader
from convviz_gui.gui.tiles.tile_grid import TileGrid
from convviz_gui.gui.views.base import PayloadView


class ActivationsView(PayloadView):
    """Shows `Maps`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._maps: Maps | None = None
        self._tiles: ChannelTiles | None = None
        self._image: ImageInput | None = None
        self._channel = 0
        self.header = GridHeader()
        self.grid = TileGrid("Channels")
        link = PictureLink(self)
        self.photo = Picture("Photo", link)
        self.photo.setToolTip("Click a place to ask which channels fire there")
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "muted")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.map = Picture("Channel", link)
        self.vector = VectorChart()
        self.bar = ColourBar("Colours of the channel")
        self.panel = ChannelPanel()
        self.chart = DepthChart()
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        seen = QVBoxLayout()
        seen.setSpacing(UNIT // 2)
        seen.addWidget(self.photo, 1)
        seen.addWidget(self.caption)
        # As high as the colour bar, so that photo and map stand on one line.
        self.caption.setFixedHeight(self.bar.sizeHint().height())
        coloured = QVBoxLayout()
        coloured.setSpacing(UNIT // 2)
        coloured.addWidget(self.map, 1)
        coloured.addWidget(self.vector, 1)
        coloured.addWidget(self.bar)
        close_up = QWidget()
        row = QHBoxLayout(close_up)
        row.setContentsMargins(0, UNIT, 0, UNIT)
        row.setSpacing(2 * UNIT)
        row.addLayout(seen, 1)
        row.addLayout(coloured, 1)
        row.addWidget(self.panel)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.grid)
        self.splitter.addWidget(close_up)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([320, 260])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.chart)
        return content

    def _connect(self) -> None:
        self.header.changed.connect(self._redraw)
        self.header.side_changed.connect(self.grid.set_side)
        self.grid.size_changed.connect(self.header.show_side)
        self.grid.chosen.connect(self._choose)
        self.grid.opened.connect(self._open)
        everything = QAction("Everything about this channel", self.grid)
        everything.triggered.connect(lambda: self.show_method.emit("unit"))
        self.grid.addAction(everything)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.grid.pointed.connect(self._tell_tile)
        self.photo.hovered.connect(self._on_photo)
        self.photo.clicked.connect(self._ask)
        self.map.hovered.connect(self._on_map)
        self.vector.chosen.connect(self._choose_in_chart)
        self.vector.pointed.connect(self._tell_tile)
        self.panel.filter_wanted.connect(lambda: self.show_tab.emit("filters"))
        self.panel.unit_wanted.connect(lambda: self.show_method.emit("unit"))
        self.chart.layer_chosen.connect(self.selection.set_layer)
        self.selection.channel_changed.connect(self._on_channel)
        self.selection.overview_changed.connect(self._on_overview)
        self._on_overview()

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        if isinstance(payload, Maps):
            self._show(payload, self.selection.image)

    def show_result(self, result: Result) -> None:
        """Show a finished run."""
        if isinstance(result.payload, Maps):
            self._show(result.payload, result.run.image)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, maps: Maps, image: ImageInput | None) -> None:
        same_layer = self._maps is not None and self._maps.layer == maps.layer
        same_layer = same_layer and self._maps is not None and len(self._maps.maps) == len(maps.maps)
        self._maps = maps
        if self.selection.layer == maps.layer:
            self._channel = self.selection.channel
        elif not same_layer:
            self._channel = 0
        self._channel = min(self._channel, len(maps.maps) - 1)
        self.header.show_maps(maps)
        self.chart.set_current(maps.layer)
        self._show_photo(image)
        self._redraw(keep=same_layer)
        self.stage.show_content()

    def _show_photo(self, image: ImageInput | None) -> None:
        assert self._maps is not None
        frame = QRectF(*(float(number) for number in self._maps.box))
        if image is None:
            self.photo.set_image(None, smooth=True)
        elif image is not self._image or frame != self.photo.layers.frame:
            self.photo.set_image(photo_qimage(image), smooth=True, frame=frame)
        self._image = image
        self.caption.setText(image.name if image else "")

    def _redraw(self, *, keep: bool = True) -> None:
        """Draw grid and close-up as the header says."""
        if self._maps is None:
            return
        header = self.header
        symmetric = header.colours.name() == DIVERGING
        self._tiles = ChannelTiles(
            self._maps, header.scaling(), header.colours.table(), symmetric=symmetric, sort=header.sort()
        )
        self.grid.set_source(self._tiles, header.sort().order(self._maps), keep=keep)
        self.grid.select(self._channel, show=not keep)
        self._show_channel()

    def _show_channel(self) -> None:
        if self._maps is None or self._tiles is None:
            return
        channel, scale, is_vector = self._channel, self._tiles.scale, self._tiles.is_vector
        self.map.setVisible(not is_vector)
        self.vector.setVisible(is_vector)
        if is_vector:
            self.vector.set_values(self._maps.maps[:, 0, 0], channel)
        self.map.setAccessibleName(f"{self._maps.layer} channel {channel}")
        self.map.set_image(self._tiles.image(channel), smooth=False)
        self.map.set_values(self._maps.maps[channel])
        self.bar.set_scale(float(scale.lo[channel]), float(scale.hi[channel]), self.header.colours.table())
        self.panel.show_channel(self._maps, channel)

    # ----------------------------------------------------------------------------------- what happens here

    def _choose(self, channel: int) -> None:
        self._channel = channel
        self._show_channel()
        if self._maps is not None and self.selection.layer == self._maps.layer:
            self.selection.set_channel(channel)

    def _choose_in_chart(self, channel: int) -> None:
        self.grid.select(channel, show=True)
        self._choose(channel)

    def _open(self, channel: int) -> None:
        self._choose(channel)
        grid, close_up = self.splitter.sizes()
        if close_up == 0:
            self.splitter.setSizes([grid // 2, grid // 2])
        self.map.setFocus()

    def _on_channel(self) -> None:
        maps, channel = self._maps, self.selection.channel
        if maps is None or self.selection.layer != maps.layer or channel == self._channel:
            return
        if channel < len(maps.maps):
            self._channel = channel
            self.grid.select(channel, show=True)
            self._show_channel()

    def _on_overview(self) -> None:
        self.chart.set_overview(self.selection.overview)

    def _tell_tile(self, channel: int | None) -> None:
        self.status.emit("" if channel is None or self._tiles is None else self._tiles.describe(channel))

    def _ask(self, at: tuple[float, float]) -> None:
        """Go on to which channels fire at a place of the photo."""
        if self._maps is not None:
            x, y, width, height = (float(number) for number in self._maps.box)
            u, v = (at[0] - x) / width, (at[1] - y) / height
            if 0 <= u < 1 and 0 <= v < 1:
                self.selection.set_point((u, v))
                self.show_method.emit("ask")

    def _on_map(self, at: tuple[float, float] | None) -> None:
        self._tell_value(at)

    def _on_photo(self, at: tuple[float, float] | None) -> None:
        if at is None or self._maps is None:
            self._tell_value(None)
            return
        place = place_in_crop(at, self._maps.box)
        if place is None:
            self._tell_value(None)
            self.status.emit(OUTSIDE)
            return
        rows, columns = self._maps.maps.shape[1:]
        self._tell_value((place[0] * columns, place[1] * rows))

    def _tell_value(self, at: tuple[float, float] | None) -> None:
        if at is None or self._maps is None:
            self.bar.point_at(None)
            self.status.emit("")
            return
        x, y = at
        number = float(self._maps.maps[self._channel, int(y), int(x)])
        self.bar.point_at(number)
        self.status.emit(reading(y, x, number))
