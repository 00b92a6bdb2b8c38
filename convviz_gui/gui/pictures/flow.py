"""Cards of one width side by side, in as many rows as show them largest."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.stage_card import StageCard

NARROWEST = 160
"""Logical pixels of a card; where more rows are needed than fit, they scroll."""
_NEARLY = 0.85
"""Of the largest possible size, what is as good if it saves rows."""


def arrangement(n: int, room: tuple[int, int], aspect: float, caption: int, gap: int) -> tuple[int, int]:
    """How many cards a row, and how wide their pictures are, so that `n` are shown as large as may be.

    Args:
        room: width and height there is.
        aspect: height of a picture divided by its width.
        caption: height below a picture.
        gap: between two cards.
    """
    found: list[tuple[float, int, int]] = []
    for columns in range(1, n + 1):
        rows = -(-n // columns)
        wide = (room[0] - gap * (columns - 1)) / columns
        high = ((room[1] - gap * (rows - 1)) / rows - caption) / aspect
        if wide < NARROWEST and columns > 1:
            break
        # What does not fit is scrolled: then in as few rows as may be.
        fits = high >= NARROWEST
        found.append((min(wide, high) if fits else columns * 1e-3, columns, int(min(wide, high) if fits else wide)))
    largest = max(size for size, _, _ in found)
    # A strip is read from left to right: a few pixels less are worth a row less.
    _, columns, width = max((each for each in found if each[0] >= _NEARLY * largest), key=lambda each: each[1])
    return columns, width


class Flow(QScrollArea):
    """Lays cards out anew whenever there is another amount of room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[StageCard] = []
        self._aspect = 1.0
        self._page = QWidget()
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2 * UNIT)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def set_cards(self, cards: Sequence[StageCard], aspect: float) -> None:
        """Show these cards and no others; `aspect` is height by width of their pictures."""
        for card in self._cards:
            self._grid.removeWidget(card)
            if card not in cards:
                card.hide()
        self._cards, self._aspect = list(cards), aspect
        self._lay_out()
        for card in cards:
            card.show()  # only now that it stands on the page

    def columns(self) -> int:
        """How many cards stand in a row."""
        return min(self._grid.columnCount(), len(self._cards))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._lay_out()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(NARROWEST + 2 * UNIT, NARROWEST)

    def _lay_out(self) -> None:
        if not self._cards:
            return
        room = self.viewport().size()
        gap = self._grid.spacing()
        caption = self._cards[0].caption_height()
        columns, width = arrangement(len(self._cards), (room.width(), room.height()), self._aspect, caption, gap)
        for place, card in enumerate(self._cards):
            card.picture.setFixedHeight(round(width * self._aspect))
            card.setFixedWidth(width)
            self._grid.addWidget(card, place // columns, place % columns)
