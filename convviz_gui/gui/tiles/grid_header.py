"""Over the grid of channels: what layer it is, and how its channels are sorted, scaled, coloured and sized."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import DIVERGING
from convviz_gui.engine.payloads import Maps
from convviz_gui.engine.scaling import Scaling
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.words import shape
from convviz_gui.gui.pictures.colour_combo import ColourCombo
from convviz_gui.gui.tiles.channel_tiles import Sort
from convviz_gui.gui.tiles.tile_grid import LARGEST, SIDE, SMALLEST

_FEWEST_LETTERS = 5


class GridHeader(QWidget):
    """Title and display choices.

    Signals:
        changed: sorting, scaling or colours are to be others.
        side_changed: tiles are to have another size, in logical pixels.
    """

    changed = Signal()
    side_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.blank = QLabel()
        self.blank.setProperty("role", "muted")
        self.sort_combo = QComboBox()
        self.scale_combo = QComboBox()
        self.colours = ColourCombo(("viridis", "inferno", "cividis", "turbo", "jet", "grey", DIVERGING))
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self._fill()
        self._arrange()

    def _fill(self) -> None:
        for sort in Sort:
            self.sort_combo.addItem(f"by {sort}", sort)
        for scaling in Scaling:
            self.scale_combo.addItem(scaling.value, scaling)
            self.scale_combo.setItemData(self.scale_combo.count() - 1, scaling.help, Qt.ItemDataRole.ToolTipRole)
        self.scale_combo.setToolTip("\n".join(f"{scaling.value}: {scaling.help}" for scaling in Scaling))
        self.sort_combo.setAccessibleName("Sort")
        self.sort_combo.setToolTip("Order of the channels; the largest come first")
        self.scale_combo.setAccessibleName("Scale")
        self.size_slider.setRange(SMALLEST, LARGEST)
        self.size_slider.setValue(SIDE)
        self.size_slider.setAccessibleName("Size of tiles")
        self.size_slider.setToolTip("Size of tiles (Ctrl+wheel)")
        self.size_slider.setFixedWidth(88)
        for combo in (self.sort_combo, self.scale_combo, self.colours):
            combo.setMinimumContentsLength(_FEWEST_LETTERS)
        for combo in (self.sort_combo, self.scale_combo, self.colours):
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.size_slider.valueChanged.connect(self.side_changed)

    def _arrange(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(2 * UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.blank)
        below = QHBoxLayout()
        below.setSpacing(UNIT)
        self._labels: list[QLabel] = []
        for text, combo in (("Sort", self.sort_combo), ("Scale", self.scale_combo), ("Colours", self.colours)):
            label = QLabel(text)
            label.setProperty("role", "muted")
            self._labels.append(label)
            below.addWidget(label)
            below.addWidget(combo)
        below.addStretch()
        below.addWidget(self.size_slider)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addLayout(above)
        column.addLayout(below)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        # Labels and slider give way, so they must not keep the page from becoming narrower.
        combos = (self.sort_combo, self.scale_combo, self.colours)
        width = sum(combo.minimumSizeHint().width() + UNIT for combo in combos)
        return QSize(width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        combos = (self.sort_combo, self.scale_combo, self.colours)
        needed = sum(combo.sizeHint().width() + UNIT for combo in combos)
        slider = self.size_slider.width() + UNIT
        labels = sum(label.sizeHint().width() + UNIT for label in self._labels)
        # What the choices are called goes first (their tooltips say it too), then the slider (Ctrl+wheel does it too).
        for label in self._labels:
            label.setVisible(self.width() >= needed + slider + labels)
        self.size_slider.setVisible(self.width() >= needed + slider)

    def sort(self) -> Sort:
        """The chosen order."""
        return Sort(self.sort_combo.currentData())

    def scaling(self) -> Scaling:
        """The chosen scaling."""
        return Scaling(self.scale_combo.currentData())

    def show_maps(self, maps: Maps) -> None:
        """Name the layer and count its blank channels."""
        channels, height, width = maps.maps.shape
        is_vector = (height, width) == (1, 1)
        dims = (channels,) if is_vector else (channels, height, width)
        self.title.setText(f"{maps.layer}   {shape(dims)}")
        blank = int(maps.blank.sum())
        self.blank.setText("" if is_vector else f"{blank} of {channels} blank")
        # A single number has no contrast of its own.
        self.scale_combo.setEnabled(not is_vector)

    def show_side(self, side: int) -> None:
        """Tell the size that tiles have now."""
        self.size_slider.blockSignals(True)
        self.size_slider.setValue(side)
        self.size_slider.blockSignals(False)
