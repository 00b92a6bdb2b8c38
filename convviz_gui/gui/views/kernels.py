"""The weights of a layer, filter by filter."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Kernels, Payload
from convviz_gui.engine.types import LayerNode, ModelInfo, Result, Target
from convviz_gui.gui.charts.histogram import Histogram
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.kernel_header import KernelHeader
from convviz_gui.gui.tiles.kernel_tiles import KernelTiles, Order, Show, TwinTiles
from convviz_gui.gui.tiles.tile_grid import TileGrid
from convviz_gui.gui.views.base import PayloadView

_TWIN = 48


class KernelsView(PayloadView):
    """Shows `Kernels`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._kernels: Kernels | None = None
        self._tiles: KernelTiles | None = None
        self._twins: TwinTiles | None = None
        self._item = 0
        self.header = KernelHeader()
        self.grid = TileGrid("Filters' weights")
        self.name = QLabel()
        self.name.setProperty("role", "section")
        self.picture = Picture("Weights of the filter")
        self.bar = ColourBar("Greys of the weights")
        self.numbers = plain(QLabel(wordWrap=True))
        self.numbers.setProperty("role", "muted")
        self.histogram = Histogram("Histogram of the filter's weights")
        self.twin_heading = QLabel("Nearly the same")
        self.twin_heading.setProperty("role", "section")
        self.twin_heading.setToolTip("Filters with a |cosine| of at least 0.95; with a minus, its negative")
        self.twins = TileGrid("Filters that are nearly the same", side=_TWIN)
        self.activation_button = QToolButton()
        self.activation_button.setText("→ see where it answers in the photo")
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("The page of this channel (U)")
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(UNIT, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.name)
        column.addWidget(self.picture, 3)
        for part in (self.bar, self.numbers, self.histogram, self.twin_heading):
            column.addWidget(part)
        column.addWidget(self.twins, 1)
        for button in (self.activation_button, self.unit_button):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        side.setMinimumWidth(200)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.grid)
        splitter.addWidget(side)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([480, 272])
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        whole.setSpacing(UNIT)
        above = QHBoxLayout()
        above.addWidget(self.header, 1)
        whole.addLayout(above)
        whole.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.header.changed.connect(self._redraw)
        self.header.side_changed.connect(self.grid.set_side)
        self.grid.size_changed.connect(self.header.show_side)
        self.grid.chosen.connect(self._choose)
        self.grid.opened.connect(self._open)
        self.grid.pointed.connect(self._tell)
        self.picture.hovered.connect(self._on_picture)
        self.twins.opened.connect(self._go_to_twin)
        self.twins.chosen.connect(self._go_to_twin)
        self.twins.pointed.connect(self._tell_twin)
        self.activation_button.clicked.connect(lambda: self.show_tab.emit("activations"))
        self.unit_button.clicked.connect(lambda: self.show_method.emit("unit"))
        self.selection.channel_changed.connect(self._on_channel)

    # -------------------------------------------------------------------------------------- PayloadView

    def target(self, target: Target) -> Target:
        """The same; raises `EngineError` naming the nearest layer with weights if the one chosen has none."""
        model = self.selection.model
        node = model.find(target.layer) if model is not None and target.layer is not None else None
        if model is not None and node is not None and not _may_have_filters(node):
            near = _nearest(model, node)
            hint = f"the nearest that has is {near.id}" if near is not None else "no layer of this network has"
            raise EngineError(f"{node.id} ({node.kind}) has no filters of its own; {hint}")
        return target

    def show_preview(self, payload: Payload) -> None:
        """There is none: weights come at once."""

    def show_result(self, result: Result) -> None:
        """Show a layer's weights."""
        if isinstance(result.payload, Kernels):
            kernels, before = result.payload, self._kernels
            self._kernels = kernels
            count = len(kernels.weights)
            same = before is not None and before.layer == kernels.layer and len(before.weights) == count
            here = self.selection.layer == kernels.layer
            self._item = min(self.selection.channel, count - 1) if here else self._item if same else 0
            self.header.show_kernels(kernels)
            self._redraw(keep=same)
            self.stage.show_content()

    # ------------------------------------------------------------------------------------------ showing

    def _redraw(self, *, keep: bool = True) -> None:
        if self._kernels is None:
            return
        header = self.header
        by_norm = header.order() is Order.NORM
        self._tiles = KernelTiles(self._kernels, header.shown(), header.scale(), header.channel.value(), norms=by_norm)
        self.grid.set_source(self._tiles, header.order().order(self._kernels), keep=keep)
        self.grid.select(self._item, show=not keep)
        self._show_filter()

    def _show_filter(self) -> None:
        if self._kernels is None or self._tiles is None:
            return
        item, limit = self._item, float(self._tiles.limits[self._item])
        self.name.setText(f"Filter {item}")
        self.picture.setAccessibleName(f"{self._kernels.layer} weights {item}")
        self.picture.set_image(self._tiles.image(item), smooth=False)
        weights = self._kernels.weights[item]
        self.picture.set_values(weights.reshape(-1, weights.shape[2]))
        self.bar.set_scale(-limit, limit, COLORMAPS["grey"])
        self.numbers.setText(self._tiles.describe(item).partition(": ")[2])
        self.histogram.set_values(weights)
        self._twins = TwinTiles(self._tiles, item)
        self.twins.set_source(self._twins)
        # The picture must not change its size with every choice.
        for part in (self.twin_heading, self.twins):
            part.setVisible(len(self._kernels.duplicates) > 0)
        found = self._twins.count
        self.twin_heading.setText(f"Nearly the same: {found}" if found else "None is nearly the same")

    # ----------------------------------------------------------------------------------- what happens here

    def _choose(self, item: int) -> None:
        self._item = item
        self._show_filter()
        if self._kernels is not None and self.selection.layer == self._kernels.layer:
            self.selection.set_channel(item)

    def _open(self, item: int) -> None:
        self._choose(item)
        self.picture.setFocus()

    def _go_to_twin(self, row: int) -> None:
        if self._twins is not None and row < self._twins.count:
            other = self._twins.others[row]
            self.grid.select(other, show=True)
            self._choose(other)

    def _on_channel(self) -> None:
        kernels, channel = self._kernels, self.selection.channel
        if kernels is None or kernels.layer != self.selection.layer or channel == self._item:
            return
        if channel < len(kernels.weights):
            self._item = channel
            self.grid.select(channel, show=True)
            self._show_filter()

    def _tell(self, item: int | None) -> None:
        self.status.emit("" if item is None or self._tiles is None else self._tiles.describe(item))

    def _tell_twin(self, row: int | None) -> None:
        self.status.emit("" if row is None or self._twins is None else self._twins.describe(row))

    def _on_picture(self, at: tuple[float, float] | None) -> None:
        shown = self.header.shown()
        if at is None or self._kernels is None or shown is Show.SLICES:
            self.bar.point_at(None)
            self.status.emit("")
            return
        weights, (x, y) = self._kernels.weights[self._item], (int(at[0]), int(at[1]))
        if shown is Show.SLICE:
            number = float(weights[self.header.channel.value(), y, x])
            self.bar.point_at(number)
            self.status.emit(f"(y {y}, x {x})  {value(number)}")
            return
        names = dict.fromkeys(zip(("red", "green", "blue"), self._kernels.colours, strict=True))
        grey = set(self._kernels.colours) == {0}
        written = [f"{name} {value(float(weights[at, y, x]))}" for name, at in names if at >= 0]
        self.status.emit(f"(y {y}, x {x})  {value(float(weights[0, y, x])) if grey else '   '.join(written)}")


def _may_have_filters(node: LayerNode) -> bool:
    """As far as the tree tells: parameters of its own that are not a norm's."""
    inside = [child for child in node.children if child.name != "parametrizations"]
    return node.n_params > 0 and not inside and "Norm" not in node.kind


def _nearest(model: ModelInfo, node: LayerNode) -> LayerNode | None:
    known = [one for one in model.layers() if one.id and _may_have_filters(one)]
    depth = np.inf if node.depth is None else node.depth
    return min(known, key=lambda one: (abs((one.depth or 0) - depth), (one.depth or 0) > depth), default=None)
