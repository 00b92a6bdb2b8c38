"""The library: some 3,000 networks, one search field, a list and the chosen one beside it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.types import ModelSpec
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.opening.entry_detail import FROM_FILE, EntryDetail
from convviz_gui.gui.opening.library_model import FAMILY, HERE, INPUT, LIBRARY, LICENCE, PARAMS, Filter, LibraryModel
from convviz_gui.gui.opening.page import Page, Walker

_SIZES = (("Any size", None), ("≤ 5 M", 5 * 10**6), ("≤ 30 M", 30 * 10**6), ("≤ 100 M", 10**8), ("≤ 1 G", 10**9))
_INPUTS = (
    ("Any input", None),
    ("≤ 160 px", (1, 160)),
    ("161–256 px", (161, 256)),
    ("257–384 px", (257, 384)),
    ("> 384 px", (385, 10**6)),
)


class LibraryPage(Page):
    """Search field, filters, list and detail. The arrows walk the list while the search field keeps the cursor."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries = LibraryModel(self)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name, family, library or licence")
        self.search.setAccessibleName("Search networks")
        self.search.setToolTip("Words in any order, e.g. “resnet 50”, “convnext tiny mit”. ↑ ↓ walk the list")
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self.params = _combo("Size", "How many parameters at most", [title for title, _ in _SIZES])
        self.input = _combo("Input size", "Side of the picture the network takes", [title for title, _ in _INPUTS])
        self.here = QCheckBox("On this machine")
        self.here.setToolTip("Only networks whose published weights need no download")
        self.published = QCheckBox("With weights")
        self.published.setToolTip("Only networks whose trained weights are published")
        self.found = QLabel()
        self.found.setProperty("role", "muted")
        self.found.setFont(numbers_font(self.found.font()))
        self.view = _view()
        self.view.setModel(self.entries)
        self.detail = EntryDetail()
        self._lay_out()
        self._size_columns()
        self._connect()
        self._filter()

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(UNIT * 3 // 2)
        for widget in (self.params, self.input, self.here, self.published):
            filters.addWidget(widget)
        filters.addStretch(1)
        filters.addWidget(self.found)
        left = QVBoxLayout()
        left.setSpacing(UNIT)
        left.addWidget(self.search)
        left.addLayout(filters)
        left.addWidget(self.view, 1)
        beside = QScrollArea()
        beside.setWidgetResizable(True)
        beside.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        beside.setFixedWidth(32 * UNIT)
        beside.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        beside.setWidget(self.detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * UNIT)
        row.addLayout(left, 1)
        row.addWidget(beside)

    def _size_columns(self) -> None:
        header = self.view.header()
        header.setStretchLastSection(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        metrics = self.view.fontMetrics()
        samples = (
            (FAMILY, "vision_transfo"),
            (PARAMS, "Params__"),
            (INPUT, "Input__"),
            (LICENCE, "Apple research"),
            (LIBRARY, "torchvision"),
            (HERE, "Here_"),
        )
        for column, widest in samples:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, metrics.horizontalAdvance(widest) + 2 * UNIT)

    def _connect(self) -> None:
        Walker(self.search, self.view)
        self.search.textChanged.connect(self._on_text)
        self.params.currentIndexChanged.connect(self._filter)
        self.input.currentIndexChanged.connect(self._filter)
        self.here.toggled.connect(self._filter)
        self.published.toggled.connect(self._filter)
        self.view.selectionModel().currentRowChanged.connect(self._on_current)
        self.view.doubleClicked.connect(self._on_double_click)
        self.entries.modelReset.connect(self._on_reset)
        self.detail.changed.connect(self.changed)

    # ---------------------------------------------------------------------------------------- the dialog's side

    def spec(self) -> ModelSpec | None:
        return self.detail.spec()

    def note(self) -> str:
        if self.entries.rowCount() == 0:
            return "No network is like that: take away a word or a filter."
        if self.detail.spec() is None:
            return "Choose the weights file." if self.detail.choice() == FROM_FILE else "Choose a network."
        return ""

    def take_focus(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def show_spec(self, spec: ModelSpec) -> None:
        """Start from a network that was open, or, with an empty source, from its weights file alone."""
        self.detail.show_spec(spec)
        row = self.entries.row_of(spec.source)
        if row >= 0:
            self._go_to(row)
        self.changed.emit()

    def set_here(self, sources: frozenset[str]) -> None:
        """Tell whose published weights are on this machine."""
        self.entries.set_here(sources)
        self._on_current(self.view.currentIndex())

    # ------------------------------------------------------------------------------------------------ inside

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        # A network's name is worth more than a column that stands in the detail too.
        for column, narrowest in ((FAMILY, 120 * UNIT), (LICENCE, 108 * UNIT), (LIBRARY, 90 * UNIT)):
            self.view.setColumnHidden(column, self.width() < narrowest)

    def _on_text(self) -> None:
        # The best match comes first again: an order chosen before would bury it.
        self.view.header().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._filter()
        self._go_to(0)

    def _on_double_click(self) -> None:
        if self.detail.spec() is not None:
            self.submitted.emit()

    def _filter(self) -> None:
        self.entries.show_only(
            Filter(
                self.search.text(),
                _SIZES[self.params.currentIndex()][1],
                _INPUTS[self.input.currentIndex()][1],
                self.here.isChecked(),
                self.published.isChecked(),
            )
        )

    def _on_reset(self) -> None:
        """The rows are others: stay with the chosen network if it is among them."""
        n_rows = self.entries.rowCount()
        self.found.setText(f"{n_rows:,} networks" if n_rows != 1 else "1 network")
        row = self.entries.row_of(self.detail.entry_source())
        self._go_to(max(row, 0))

    def _go_to(self, row: int) -> None:
        if self.entries.rowCount() == 0:
            self.detail.show_entry(None)
            self.changed.emit()
            return
        index = self.entries.index(row, 0)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)

    def _on_current(self, current: QModelIndex) -> None:
        entry = self.entries.entry(current)
        if entry is not None:
            self.detail.show_entry(entry, here=self.entries.is_here(entry))
            self.changed.emit()


def _combo(name: str, tip: str, titles: list[str]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(tip)
    combo.addItems(titles)
    return combo


def _view() -> QTreeView:
    view = QTreeView()
    view.setAccessibleName("Networks")
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setAllColumnsShowFocus(True)
    view.setFont(numbers_font(view.font()))
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setMinimumHeight(12 * UNIT)
    return view
