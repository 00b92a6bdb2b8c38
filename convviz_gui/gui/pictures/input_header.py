"""Over what the model saw: the tensor's shape, how it was made and where that came from, and what is shown of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from convviz_gui.engine.preprocess_rules import channel_names, in_words
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT, numbers_font

_COLOURS = "Colours"


class InputHeader(QWidget):
    """Title, facts, and the choice of a channel.

    Signals:
        channel_changed: the whole picture or another channel is to be shown; see `channel`.
        preprocessing_wanted: the button was pressed.
    """

    channel_changed = Signal()
    preprocessing_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.edited = QLabel("edited")
        self.edited.setProperty("role", "warning")
        self.edited.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.edited.hide()
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setFont(numbers_font(self.facts.font()))
        self.channels = QComboBox()
        self.channels.setAccessibleName("Channel shown")
        self.channels.setMinimumContentsLength(6)
        self.channels.setToolTip("The picture that the tensor is, or one of its channels as plain numbers")
        self.button = QPushButton("Preprocessing…")
        self.button.setToolTip(
            "How photos are prepared for this network: size, crop, mean, standard deviation, colours"
        )
        self._arrange()
        self.channels.currentIndexChanged.connect(lambda _: self.channel_changed.emit())
        self.button.clicked.connect(self.preprocessing_wanted)

    def _arrange(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(UNIT)
        label = QLabel("Show")
        label.setProperty("role", "muted")
        first.addWidget(self.title, 1)
        for widget in (self.edited, label, self.channels, self.button):
            first.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addLayout(first)
        column.addWidget(self.facts)

    def channel(self) -> int | None:
        """The channel to show by itself, or None for the picture."""
        row = self.channels.currentIndex()
        return row - 1 if row > 0 else None

    def show_model(self, model: ModelInfo) -> None:
        """Say what goes into this network and how it is made."""
        preprocess = model.preprocess
        height, width = preprocess.size
        self.title.setText(f"{height} × {width} pixels, {_channels(preprocess.channels)}")
        found = model.found_preprocess
        source = f"  ·  {preprocess.source}" if preprocess.source and found is None else ""
        self.facts.setText(in_words(preprocess) + source)
        self.edited.setVisible(found is not None)
        self.edited.setToolTip(tip(f"Found was: {in_words(found)}") if found is not None else "")
        self._offer([f"{i} {name}" for i, name in enumerate(channel_names(preprocess))])

    def _offer(self, channels: list[str]) -> None:
        wanted = [_COLOURS, *channels]
        if wanted == [self.channels.itemText(row) for row in range(self.channels.count())]:
            return
        self.channels.blockSignals(True)
        self.channels.clear()
        self.channels.addItems(wanted)
        self.channels.blockSignals(False)


def _channels(n: int) -> str:
    return "1 channel" if n == 1 else f"{n} channels"
