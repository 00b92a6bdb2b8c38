"""The networks of the library as a table: searched, filtered and sorted without a proxy, some 3,000 rows at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from convviz_gui.engine.zoo.index import ModelEntry, entries, search
from convviz_gui.gui.look import words
from convviz_gui.gui.opening import licences

Index = QModelIndex | QPersistentModelIndex

COLUMNS = ("Network", "Family", "Params", "Input", "Licence", "Library", "Here")
NAME, FAMILY, PARAMS, INPUT, LICENCE, LIBRARY, HERE = range(len(COLUMNS))

_TIPS = (
    "What the library calls it",
    "Networks of one family are built from the same blocks",
    "Numbers learned in training: more is slower and needs more memory",
    "Side of the picture the network takes, in pixels: photos are resized to it",
    "Of the published weights",
    "Who built it: torchvision, timm, or ConvViz itself",
    "✓: its published weights are on this machine already",
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to keep: at most so many parameters, an input side within (lowest, highest), and the two yes-or-noes."""

    text: str = ""
    most_params: int | None = None
    input_sides: tuple[int, int] | None = None
    here: bool = False
    published: bool = False


class LibraryModel(QAbstractTableModel):
    """Rows are `ModelEntry`s, the best match first unless a column sorts them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._filter = Filter()
        self._here: frozenset[str] = frozenset()
        self._sorting: tuple[int, Qt.SortOrder] | None = None
        self._rows: list[ModelEntry] = []

    def show_only(self, wanted: Filter) -> None:
        """Keep the entries that `wanted` describes."""
        self._filter = wanted
        self._refresh()

    def set_here(self, sources: frozenset[str]) -> None:
        """Tell whose published weights are on this machine."""
        if sources == self._here:
            return
        self._here = sources
        if self._filter.here or self._sorting is not None:
            self._refresh()
        else:
            self.dataChanged.emit(self.index(0, HERE), self.index(len(self._rows) - 1, HERE))

    def is_here(self, entry: ModelEntry) -> bool:
        """True if its published weights need no download."""
        return entry.source in self._here

    def entry(self, index: Index) -> ModelEntry | None:
        """The network of a row."""
        return self._rows[index.row()] if index.isValid() else None

    def row_of(self, source: str) -> int:
        """The row of a network, or −1."""
        return next((row for row, entry in enumerate(self._rows) if entry.source == source), -1)

    def _refresh(self) -> None:
        text = self._filter.text.strip()
        rows = [entry for entry in (search(text) if text else entries()) if self._is_wanted(entry)]
        if self._sorting is not None:
            column, order = self._sorting
            known = [entry for entry in rows if _is_known(entry, column)]
            # What is not known stays at the end, whichever way the column is sorted.
            rest = [entry for entry in rows if not _is_known(entry, column)]
            known.sort(key=self._sort_key(column), reverse=order is Qt.SortOrder.DescendingOrder)
            rows = known + rest
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _is_wanted(self, entry: ModelEntry) -> bool:
        wanted = self._filter
        if wanted.most_params is not None and not 0 < entry.params <= wanted.most_params:
            return False
        if wanted.input_sides is not None:
            lowest, highest = wanted.input_sides
            if not lowest <= entry.input_size <= highest:
                return False
        if wanted.here and not self.is_here(entry):
            return False
        return entry.pretrained or not wanted.published

    def _sort_key(self, column: int) -> Callable[[ModelEntry], Any]:
        keys: dict[int, Callable[[ModelEntry], Any]] = {
            NAME: lambda entry: entry.name.lower(),
            FAMILY: lambda entry: entry.family.lower(),
            PARAMS: lambda entry: entry.params,
            INPUT: lambda entry: entry.input_size,
            LICENCE: lambda entry: licences.short(entry.licence).lower(),
            LIBRARY: lambda entry: entry.library.lower(),
            HERE: lambda entry: not self.is_here(entry),
        }
        return keys[column]

    # Qt's interface -------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        wanted = (column, order) if 0 <= column < len(COLUMNS) else None
        if wanted != self._sorting:
            self._sorting = wanted
            self._refresh()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # noqa: N802
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index)
        if entry is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(entry, index.column())
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (NAME, LICENCE):
            return entry.source if index.column() == NAME else licences.sentence(entry.licence)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == HERE:
            return "on this machine" if self.is_here(entry) else ""
        return _alignment(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _cell(self, entry: ModelEntry, column: int) -> str:
        match column:
            case c if c == NAME:
                return entry.name
            case c if c == FAMILY:
                return entry.family
            case c if c == PARAMS:
                return words.count(entry.params) if entry.params else "–"
            case c if c == INPUT:
                return str(entry.input_size) if entry.input_size else "–"
            case c if c == LICENCE:
                return licences.short(entry.licence) or "–"
            case c if c == LIBRARY:
                return entry.library
            case _:
                return "✓" if self.is_here(entry) else ""


def _is_known(entry: ModelEntry, column: int) -> bool:
    known = {PARAMS: bool(entry.params), INPUT: bool(entry.input_size), LICENCE: bool(entry.licence)}
    return known.get(column, True)


def _alignment(column: int) -> Qt.AlignmentFlag:
    if column in (PARAMS, INPUT):
        return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    side = Qt.AlignmentFlag.AlignHCenter if column == HERE else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
