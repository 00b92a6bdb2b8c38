"""Titled sections on a page that scrolls, in as many columns as there is room for."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

WIDE = 840
"""Logical pixels from which on there are three columns instead of two."""


class Section(QWidget):
    """A heading, a body, and a quiet sentence in its place or below it.

    Args:
        title: the heading.
        tip: what the section shows and how it is read.
        body: what it shows.
        whole: takes a row of the page for itself.
    """

    def __init__(self, title: str, tip: str, body: QWidget, *, whole: bool = False) -> None:
        super().__init__()
        self.whole = whole
        self.body = body
        self.heading = QLabel(title)
        self.heading.setProperty("role", "section")
        self.heading.setToolTip(tip)
        self.words = plain(QLabel(wordWrap=True))
        self.words.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        for part in (self.heading, body, self.words):
            column.addWidget(part)
        column.addStretch(1)

    def show_body(self, *, there: bool, words: str = "") -> None:
        """Show the body if it is `there`, and words below it or instead of it; without either the section is gone."""
        self.body.setVisible(there)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.setVisible(there or bool(words))


@dataclass(frozen=True, slots=True)
class _Spot:
    row: int
    column: int
    span: int


class PageGrid(QScrollArea):
    """Sections in reading order; those that are hidden leave no gap."""

    def __init__(self, *sections: Section) -> None:
        super().__init__()
        self._sections = sections
        self._laid: tuple[object, ...] = ()
        page = QWidget()
        for section in sections:
            # Also while they have no place on it: what has no parent would be a window of its own.
            section.setParent(page)
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(0, 0, UNIT, UNIT)
        self._grid.setHorizontalSpacing(3 * UNIT)
        self._grid.setVerticalSpacing(2 * UNIT)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def columns(self) -> int:
        """How many columns there are at this width."""
        return 3 if self.width() >= WIDE else 2

    def lay_out(self) -> None:
        """Put the sections that are shown where they belong."""
        shown = [section for section in self._sections if not section.isHidden()]
        columns = self.columns()
        laid = (columns, *shown)
        if laid == self._laid:
            return
        self._laid = laid
        for section in self._sections:
            self._grid.removeWidget(section)
        for section, spot in zip(*_spots(shown, columns), strict=True):
            self._grid.addWidget(section, spot.row, spot.column, 1, spot.span)
        last = self._grid.rowCount()
        for row in range(last + 1):
            self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(last, 1)
        for column in range(3):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.lay_out()


def _spots(sections: list[Section], columns: int) -> tuple[list[Section], list[_Spot]]:
    """Sections and where they stand: one that would be left alone beside a gap changes places with the next."""
    order, spots = list(sections), list[_Spot]()
    row = column = 0
    for number in range(len(order)):
        if not column and number + 1 < len(order) and order[number + 1].whole and not order[number].whole:
            order[number], order[number + 1] = order[number + 1], order[number]
        section = order[number]
        if section.whole and column:
            row, column = row + 1, 0
        spots.append(_Spot(row, column, columns if section.whole else 1))
        column += columns if section.whole else 1
        if column >= columns:
            row, column = row + 1, 0
    return order, spots
