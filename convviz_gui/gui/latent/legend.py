"""What the colours of the map mean, and the choice of what they say: classes to dim and show again, or a scale."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.palette import DISTINCT
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.class_view import ClassView
from convviz_gui.gui.latent.point_colours import Choice, ColourBy, Colouring
from convviz_gui.gui.latent.scale_bar import ScaleBar
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

SEARCHED = 20
"""Classes from which on there is a field to search them."""


class Legend(QWidget):
    """Shows a `Colouring`.

    Signals:
        colour_changed: the user chose another `Choice`.
        dimmed_changed: the classes to dim have changed; read `dimmed`.
        reflowed: the columns have changed, and with them `full_height`.
    """

    colour_changed = Signal(object)
    dimmed_changed = Signal()
    reflowed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colouring: Colouring | None = None
        self._dimmed: frozenset[int] = frozenset()
        self._choices: tuple[Choice, ...] = ()
        self.colour = QComboBox()
        self.colour.setAccessibleName("Colour by")
        self.colour.setToolTip("What the colour of a point says; only what is known of these pictures is offered")
        self.colour.setMinimumContentsLength(8)
        self.colour.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.colour.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.colour.activated.connect(lambda: self.colour_changed.emit(self._choices[self.colour.currentData()]))
        self.note = plain(QLabel(wordWrap=True))
        self.note.hide()
        self.note.setProperty("role", "muted")
        self.search = _Search()
        self.classes = ClassView()
        self.scale = ScaleBar()
        self.shown = plain(QLabel())
        self.shown.setProperty("role", "muted")
        self.show_all = QToolButton()
        self.show_all.setText("Show all")
        self.show_all.setToolTip("Show all classes again (Esc in the list)")
        self._pages = QStackedWidget()
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(UNIT)
        title = QLabel("Colour")
        title.setProperty("role", "section")
        title.setBuddy(self.colour)
        first.addWidget(title)
        first.addWidget(self.colour, 1)
        self._last = QWidget()
        last = QHBoxLayout(self._last)
        last.setContentsMargins(0, 0, 0, 0)
        last.addWidget(self.shown, 1)
        last.addWidget(self.show_all)
        self._last.hide()
        self.search.hide()
        for page in (self.classes, self.scale):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(first)
        column.addWidget(self.note)
        column.addWidget(self.search)
        column.addWidget(self._pages, 1)
        column.addWidget(self._last)

    def _connect(self) -> None:
        self.classes.toggled.connect(lambda group: self.set_dimmed(self._dimmed ^ {group}))
        self.classes.alone.connect(self.show_alone)
        self.classes.all_wanted.connect(lambda: self.set_dimmed(frozenset()))
        self.classes.reflowed.connect(self.reflowed)
        self.classes.customContextMenuRequested.connect(self._menu)
        self.show_all.clicked.connect(lambda: self.set_dimmed(frozenset()))
        self.search.textChanged.connect(self.classes.classes.search)
        self.search.returnPressed.connect(self._show_found)

    # ------------------------------------------------------------------------------------------ the content

    def show_choices(self, choices: Sequence[Choice], chosen: Choice) -> None:
        """Offer these colourings."""
        self._choices = tuple(choices)
        self.colour.clear()
        for number, choice in enumerate(choices):
            if choice.by is ColourBy.COLUMN and number and choices[number - 1].by is not ColourBy.COLUMN:
                self.colour.insertSeparator(self.colour.count())
            self.colour.addItem(choice.title, number)
        self.colour.setCurrentIndex(self.colour.findData(self._choices.index(chosen)))

    def choice(self) -> Choice | None:
        """The colouring that the menu stands on."""
        at = self.colour.currentData()
        return self._choices[at] if at is not None else None

    def choices(self) -> tuple[Choice, ...]:
        """The colourings that are offered."""
        return self._choices

    def show_colouring(self, colouring: Colouring, table: ByteArray) -> None:
        """Show what the colours mean; `table` u8 [P, 3] holds them."""
        before, self._colouring = self._colouring, colouring
        if before is None or colouring.names() != before.names() or colouring.choice != before.choice:
            self._dimmed = frozenset()
            self.search.clear()
        count, note = len(colouring.groups), colouring.note
        if count > DISTINCT:
            note = f"{note} Colours repeat after {DISTINCT} classes: dim some, or show one alone.".strip()
        self.say(note)
        self.search.setVisible(count > SEARCHED)
        self.search.setPlaceholderText(f"Find among {count:,} classes")
        if colouring.scale is not None:
            self.scale.show_scale(table, colouring.scale, colouring.choice.title)
            self._pages.setCurrentWidget(self.scale)
        else:
            self._fill(colouring, table)
            self._pages.setCurrentWidget(self.classes)
        self._show_dimming()

    def say(self, note: str) -> None:
        """Show a sentence under the choice; "" for none."""
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def full_height(self) -> int:
        """Logical pixels in which everything can be seen without scrolling."""
        rest = (self.colour, *(part for part in (self.search, self._last) if part.isVisibleTo(self)))
        height = sum(part.sizeHint().height() + 4 for part in rest)
        if self.note.isVisibleTo(self):
            height += self.note.heightForWidth(max(self.width(), 1)) + 4
        scaled = self._pages.currentWidget() is self.scale
        return height + UNIT + (self.scale.sizeHint().height() if scaled else self.classes.full_height())

    def _fill(self, colouring: Colouring, table: ByteArray) -> None:
        kept = self.classes.currentIndex().row()
        self.classes.classes.set_groups(colouring.groups, table)
        if self.search.text():
            self.classes.classes.search(self.search.text())
        self.classes.setCurrentIndex(self.classes.classes.index(kept))
        self.classes.fit_columns()

    # ------------------------------------------------------------------------------------------ the dimming

    def dimmed(self) -> frozenset[int]:
        """Places in `Colouring.groups` of the classes that are dimmed."""
        return self._dimmed

    def set_dimmed(self, groups: frozenset[int]) -> None:
        """Dim these classes and no others."""
        if groups != self._dimmed:
            self._dimmed = groups
            self._show_dimming()
            self.dimmed_changed.emit()

    def show_alone(self, *groups: int) -> None:
        """Dim all classes but these; where that is so already, show all."""
        count = len(self._colouring.groups) if self._colouring is not None else 0
        others = frozenset(range(count)) - set(groups)
        self.set_dimmed(frozenset() if others == self._dimmed else others)

    def _show_found(self) -> None:
        if self.search.text().strip() and self.classes.classes.shown():
            self.show_alone(*self.classes.classes.shown())

    def _show_dimming(self) -> None:
        self.classes.classes.set_dimmed(self._dimmed)
        self.classes.viewport().update()
        count = len(self._colouring.groups) if self._colouring is not None else 0
        self.shown.setText(f"{count - len(self._dimmed):,} of {count:,} shown")
        if self._last.isVisibleTo(self) != bool(self._dimmed):
            self._last.setVisible(bool(self._dimmed))
            self.reflowed.emit()

    def _menu(self, place: QPoint) -> None:
        index = self.classes.indexAt(place)
        menu = QMenu(self)
        if index.isValid():
            group = self.classes.classes.group(index.row())
            menu.addAction("Show only this class", lambda: self.show_alone(group))
        menu.addAction("Show all classes", lambda: self.set_dimmed(frozenset()))
        menu.exec(self.classes.viewport().mapToGlobal(place))
        menu.deleteLater()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self.classes.viewport().update()
        super().changeEvent(event)


class _Search(QLineEdit):
    """Escape clears it."""

    def __init__(self) -> None:
        super().__init__()
        self.setClearButtonEnabled(True)
        self.setAccessibleName("Find a class")
        self.setToolTip("Part of a class's name; Enter shows what was found alone")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
