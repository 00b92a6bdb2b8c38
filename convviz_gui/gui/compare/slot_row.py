"""What is in A or B: a result kept, or the newest one of a tab, and which channel of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.types import Result
from convviz_gui.gui.compare.slots import NAMES, Slot
from convviz_gui.gui.forms.fields import ChoiceBox, IntBox
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT

_EMPTY = "Nothing yet"


class SlotRow(QWidget):
    """A chooser of results, and of the channel where a result has many.

    Signals:
        result_chosen: a `Result` to keep.
        live_chosen: name of the tab to follow.
        item_chosen: row of the channel, tile or kernel.
    """

    result_chosen = Signal(object)
    live_chosen = Signal(str)
    item_chosen = Signal(int)

    def __init__(self, place: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = NAMES[place]
        letter = QLabel(name)
        letter.setProperty("role", "section")
        self.chooser = ChoiceBox()
        self.chooser.setAccessibleName(f"Result in {name}")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(8)
        self.chooser.activated.connect(self._on_chosen)
        self.item = IntBox()
        self.item.setAccessibleName(f"Channel in {name}")
        self.item.setToolTip("Which channel, picture or kernel of the result, from 0")
        self.item.valueChanged.connect(self.item_chosen)
        self.label = plain(QLabel())
        self.label.setProperty("role", "muted")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT // 2)
        grid.setColumnStretch(2, 1)
        grid.addWidget(letter, 0, 0)
        grid.addWidget(self.chooser, 0, 1, 1, 2)
        grid.addWidget(self.item, 1, 1)
        grid.addWidget(self.label, 1, 2)
        self.item.hide()
        self.label.hide()

    def offer(self, slot: Slot, live: list[tuple[str, str]], results: list[tuple[Result, str]]) -> None:
        """Offer tabs to follow, (name, title), and results to keep, (result, name); the slot's own is chosen."""
        chooser = self.chooser
        chooser.blockSignals(True)
        chooser.clear()
        if slot.result is None and not slot.live:
            chooser.addItem(_EMPTY)
        for name, title in live:
            chooser.addItem(f"Newest of {title}", name)
            chooser.setItemData(chooser.count() - 1, f"Follows {title}: photo, class, layer and network", _TIP)
        for number, (result, text) in enumerate(results):
            if number == 0 and live:
                chooser.insertSeparator(chooser.count())
            chooser.addItem(text, result)
            chooser.setItemData(chooser.count() - 1, tip(text), _TIP)
        chooser.setCurrentIndex(self._row_of(slot))
        chooser.setToolTip(tip(chooser.currentText()))
        chooser.blockSignals(False)

    def _row_of(self, slot: Slot) -> int:
        wanted: object = slot.live or slot.result
        for row in range(self.chooser.count()):
            if wanted is not None and self.chooser.itemData(row) is wanted:
                return row
            if slot.live and self.chooser.itemData(row) == slot.live:
                return row
        return 0

    def show_side(self, side: Side | None) -> None:
        """Offer the channels of what is shown."""
        several = side is not None and side.shown.count > 1 and side.shown.item is not None
        self.item.setVisible(several)
        self.label.setVisible(several)
        if side is not None and side.shown.item is not None:
            self.item.blockSignals(True)
            self.item.setRange(0, side.shown.count - 1)
            self.item.setValue(side.shown.item)
            self.item.blockSignals(False)
            self.label.setText(f"{side.shown.label} of {side.shown.count}")

    def _on_chosen(self, row: int) -> None:
        data = self.chooser.itemData(row)
        if isinstance(data, str):
            self.live_chosen.emit(data)
        elif isinstance(data, Result):
            self.result_chosen.emit(data)


_TIP = Qt.ItemDataRole.ToolTipRole
