"""The numbers of one channel: statistics, histogram, and the way to its filter."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Maps
from convviz_gui.gui.charts.histogram import Histogram
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent

_ROWS = {
    "max": "Largest value",
    "mean": "Average over all positions",
    "std": "Standard deviation over all positions",
    "sparsity": "Share of silent positions: 0 after a ReLU, else below 1 % of the layer's largest value",
}


class ChannelPanel(QWidget):
    """Shows one channel of `Maps`.

    Signals:
        filter_wanted: the user wants to see what the channel looks for.
        unit_wanted: the user wants to see everything about the channel.
    """

    filter_wanted = Signal()
    unit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setProperty("role", "section")
        self.numbers = {name: QLabel() for name in _ROWS}
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(2)
        rows.setHorizontalSpacing(UNIT)
        for name, label in self.numbers.items():
            heading = QLabel(name)
            heading.setProperty("role", "muted")
            for part in (heading, label):
                part.setToolTip(_ROWS[name])
            label.setFont(numbers_font(label.font()))
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            rows.addRow(heading, label)
        self.blank = QLabel("Blank: nothing found in this photo")
        self.blank.setProperty("role", "muted")
        self.blank.setWordWrap(True)
        self.histogram = Histogram("Histogram of the channel's values")
        self.filter_button = QToolButton()
        self.filter_button.setText("→ see its filter")
        self.filter_button.setToolTip("What this channel looks for")
        self.filter_button.clicked.connect(self.filter_wanted)
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("Weights, strongest pictures, rates, neighbours: the page of this channel (U)")
        self.unit_button.clicked.connect(self.unit_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.title)
        column.addLayout(rows)
        column.addWidget(self.blank)
        column.addWidget(self.histogram)
        column.addWidget(self.filter_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.unit_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.setMinimumWidth(144)

    def show_channel(self, maps: Maps, channel: int) -> None:
        """Show a channel; for vectors the histogram is of the whole layer, with the channel marked."""
        self.title.setText(f"Channel {channel}")
        is_vector = maps.maps.shape[1:] == (1, 1)
        self.numbers["max"].setText(value(float(maps.max[channel])))
        self.numbers["mean"].setText(value(float(maps.mean[channel])))
        self.numbers["std"].setText(value(float(maps.std[channel])))
        self.numbers["sparsity"].setText(percent(float(maps.sparsity[channel])))
        self.blank.setVisible(bool(maps.blank[channel]) and not is_vector)
        if is_vector:
            self.histogram.set_values(maps.maps, float(maps.maps[channel, 0, 0]))
        else:
            self.histogram.set_values(maps.maps[channel])
