"""Over the grid of filters: which layer, what is blank or alike, and how the filters are shown."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from convviz_gui.engine.kernel_tiles import KernelScale
from convviz_gui.engine.payloads import Kernels
from convviz_gui.gui.forms.fields import IntBox
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.words import shape
from convviz_gui.gui.tiles.kernel_tiles import Order, Show
from convviz_gui.gui.tiles.tile_grid import LARGEST, SIDE, SMALLEST


class KernelHeader(QWidget):
    """Title and display choices.

    Signals:
        changed: what is shown, its scale or its order are to be others.
        side_changed: tiles are to have another size, in logical pixels.
    """

    changed = Signal()
    side_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.show_combo, self.scale_combo, self.order_combo = QComboBox(), QComboBox(), QComboBox()
        self.channel = IntBox()
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self._fill()
        self._arrange()

    def _fill(self) -> None:
        self.show_combo.setAccessibleName("Show")
        self.scale_combo.setAccessibleName("Scale")
        for scale in KernelScale:
            self.scale_combo.addItem(scale.value, scale)
            self.scale_combo.setItemData(self.scale_combo.count() - 1, scale.help, Qt.ItemDataRole.ToolTipRole)
        self.scale_combo.setToolTip("\n".join(f"{scale.value}: {scale.help}" for scale in KernelScale))
        for order in Order:
            self.order_combo.addItem(f"by {order}", order)
        self.order_combo.setAccessibleName("Sort")
        self.order_combo.setToolTip("Order of the filters; the largest norm comes first")
        self.channel.setAccessibleName("Input channel")
        self.channel.setToolTip("Whose slices are shown: the channel that goes into the layer")
        self.size_slider.setRange(SMALLEST, LARGEST)
        self.size_slider.setValue(SIDE)
        self.size_slider.setAccessibleName("Size of tiles")
        self.size_slider.setToolTip("Size of tiles (Ctrl+wheel)")
        self.size_slider.setFixedWidth(88)
        for combo in (self.show_combo, self.scale_combo, self.order_combo):
            combo.setMinimumContentsLength(8)
            combo.currentIndexChanged.connect(self._on_choice)
        self.channel.valueChanged.connect(lambda _: self.changed.emit())
        self.size_slider.valueChanged.connect(self.side_changed)

    def _arrange(self) -> None:
        below = QHBoxLayout()
        below.setSpacing(UNIT)
        self._labels: list[QLabel] = []
        for text, part in (("Show", self.show_combo), ("Scale", self.scale_combo), ("Sort", self.order_combo)):
            label = QLabel(text)
            label.setProperty("role", "muted")
            self._labels.append(label)
            below.addWidget(label)
            below.addWidget(part)
            if part is self.show_combo:
                below.addWidget(self.channel)
        below.addStretch()
        below.addWidget(self.size_slider)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addLayout(below)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        # Labels and slider give way, so they must not keep the page from becoming narrower.
        combos = (self.show_combo, self.scale_combo, self.order_combo)
        width = sum(combo.minimumSizeHint().width() + UNIT for combo in combos)
        return QSize(width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        parts = [self.show_combo, self.scale_combo, self.order_combo]
        needed = sum(part.sizeHint().width() + UNIT for part in parts)
        needed += self.channel.sizeHint().width() + UNIT if self.shown() is Show.SLICE else 0
        slider = self.size_slider.width() + UNIT
        labels = sum(label.sizeHint().width() + UNIT for label in self._labels)
        for label in self._labels:
            label.setVisible(self.width() >= needed + slider + labels)
        self.size_slider.setVisible(self.width() >= needed + slider)

    def _on_choice(self) -> None:
        self.channel.setVisible(self.shown() is Show.SLICE)
        self._make_room()
        self.changed.emit()

    def shown(self) -> Show:
        """What tiles show."""
        chosen = self.show_combo.currentData()
        return Show(chosen) if chosen is not None else Show.SLICES

    def scale(self) -> KernelScale:
        """The chosen scale."""
        return KernelScale(self.scale_combo.currentData())

    def order(self) -> Order:
        """The chosen order."""
        return Order(self.order_combo.currentData())

    def show_kernels(self, kernels: Kernels) -> None:
        """Name the layer, count what is blank or alike, and offer the ways in which its filters can be shown."""
        n, channels, height, width = kernels.weights.shape
        dims = (n, channels) if (height, width) == (1, 1) else (n, channels, height, width)
        self.title.setText(f"{kernels.layer}   {kernels.kind}   {shape(dims)}")
        blank, pairs = int(kernels.blank.sum()), kernels.n_duplicates
        facts = [f"{blank} of {n} blank", f"{pairs} near-duplicate {'pair' if pairs == 1 else 'pairs'}"]
        facts += [f"{kernels.groups} groups"] if kernels.groups > 1 else []
        self.facts.setText("  ·  ".join([*facts, *([kernels.how] if kernels.how else [])]))
        offered = [Show.COLOURS] if kernels.colours else []
        offered += [Show.SLICES, Show.SLICE] if (height, width) != (1, 1) else [Show.SLICES]
        self._offer(offered)
        self.channel.blockSignals(True)
        self.channel.setRange(0, channels - 1)
        self.channel.blockSignals(False)
        self.channel.setVisible(self.shown() is Show.SLICE)
        self._make_room()

    def _offer(self, offered: list[Show]) -> None:
        if offered == [self.show_combo.itemData(i) for i in range(self.show_combo.count())]:
            return
        before = self.shown()
        self.show_combo.blockSignals(True)
        self.show_combo.clear()
        for show in offered:
            self.show_combo.addItem(show.value, show)
            self.show_combo.setItemData(self.show_combo.count() - 1, show.help, Qt.ItemDataRole.ToolTipRole)
        self.show_combo.setToolTip("\n".join(f"{show.value}: {show.help}" for show in offered))
        # A layer that sees the picture is looked at in colour first.
        wanted = before if before in offered and Show.COLOURS not in offered else offered[0]
        self.show_combo.setCurrentIndex(offered.index(wanted))
        self.show_combo.setEnabled(len(offered) > 1)
        self.show_combo.blockSignals(False)

    def show_side(self, side: int) -> None:
        """Tell the size that tiles have now."""
        self.size_slider.blockSignals(True)
        self.size_slider.setValue(side)
        self.size_slider.blockSignals(False)
