"""A weights file alone: the engine says which networks it may be of, and the first that fits is chosen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.types import Candidate, Candidates, ModelSpec
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.opening import fit_words
from convviz_gui.gui.opening.page import NAMES_FILTER, WEIGHTS_FILTER, FileField, Page, Walker, muted, say
from convviz_gui.gui.opening.recogniser import Recogniser

SETTLE = 300
"""Milliseconds after the last key before a path that is typed is looked at."""


class WeightsPage(Page):
    """File, candidates, what does not fit, class names.

    Signals:
        another_wanted: the user names the network himself; the path of the file.
    """

    another_wanted = Signal(str)

    def __init__(self, recogniser: Recogniser, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recogniser = recogniser
        self._found: Candidates | None = None
        self._asked = ""
        self._hasty = False
        self.file = FileField("Weights file", "A .safetensors file, or a .pth state dict or checkpoint", WEIGHTS_FILTER)
        self.state = muted("Choose a file: which network it belongs to is found out by itself.")
        self.list = _list()
        self.fit = muted()
        self.fit.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.partial = QCheckBox()
        self.partial.setToolTip("What does not fit stays random, and the network's header says so ever after")
        self.names = FileField("Class names file", "Class names: a text or JSON file (optional)", NAMES_FILTER)
        self.another = QPushButton("Another network…")
        self.another.setToolTip("Name the network yourself, in the library")
        self.another.setAutoDefault(False)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._lay_out()
        self._connect()
        self._show_fit()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.file)
        row = QHBoxLayout()
        row.addWidget(self.state, 1)
        row.addWidget(self.another, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        column.addWidget(self.fit)
        column.addWidget(self.partial)
        column.addWidget(self._names_row())
        column.addStretch(0)
        self._column = column

    def _names_row(self) -> QWidget:
        heading = QLabel("Class names")
        heading.setProperty("role", "section")
        self._naming = QWidget()
        inner = QVBoxLayout(self._naming)
        inner.setContentsMargins(0, UNIT, 0, 0)
        inner.setSpacing(UNIT)
        inner.addWidget(heading)
        inner.addWidget(self.names)
        return self._naming

    def _connect(self) -> None:
        Walker(self.file.edit, self.list)
        self.file.changed.connect(self._on_path)
        self.file.edit.returnPressed.connect(self._on_return)
        self._settle.timeout.connect(self._ask)
        self.list.currentItemChanged.connect(lambda *_: self._show_fit())
        self.list.itemDoubleClicked.connect(lambda *_: self._on_double_click())
        self.partial.toggled.connect(self.changed)
        self.names.changed.connect(self.changed)
        self.another.clicked.connect(lambda: self.another_wanted.emit(self.path()))
        self._recogniser.progressed.connect(self._on_progress)
        self._recogniser.found.connect(self._on_found)
        self._recogniser.failed.connect(self._on_failed)
        self._recogniser.stopped.connect(self._on_stopped)

    # ---------------------------------------------------------------------------------------- the dialog's side

    def set_file(self, path: str) -> None:
        """Take a file and ask at once what it is of."""
        self.file.set_text(path)
        self._ask()

    def path(self) -> str:
        """The file's absolute path; "" for none."""
        return str(Path(self.file.text()).expanduser().absolute()) if self.file.text() else ""

    def spec(self) -> ModelSpec | None:
        candidate = self.candidate()
        if candidate is None or not (candidate.fits or self.partial.isChecked()):
            return None
        names = str(Path(self.names.text()).expanduser().absolute()) if self.names.text() else None
        return ModelSpec(candidate.model, self.path(), partial=not candidate.fits, class_names=names)

    def note(self) -> str:
        candidate = self.candidate()
        if candidate is not None and self.spec() is None:
            return "It does not fit completely: choose another network, or load what fits."
        return "" if candidate is not None or self._asked else "Only tensors are read; what would run code is refused."

    def take_focus(self) -> None:
        if self.list.topLevelItemCount():
            self.list.setFocus()
        else:
            self.file.edit.setFocus()

    def candidate(self) -> Candidate | None:
        """The network chosen in the list."""
        item = self.list.currentItem()
        if item is None or self._found is None:
            return None
        return self._found.candidates[self.list.indexOfTopLevelItem(item)]

    # ------------------------------------------------------------------------------------------------ asking

    def _on_path(self) -> None:
        self._settle.start()
        self._forget()

    def _ask(self) -> None:
        self._settle.stop()
        path = self.path()
        self.names.near = str(Path(path).parent) if path else ""
        self._forget()
        if path and (self._hasty or Path(path).exists() or path == self._asked):
            self._asked = path
            self._say(f"Looking at {Path(path).name}…")
            self._recogniser.ask(path)
        elif path:
            self._say("There is no such file yet.")

    def _forget(self) -> None:
        """What was found of another path counts no more."""
        if self._asked:
            self._asked = ""
            self._recogniser.stop()
        self._found = None
        self.list.clear()
        self._show_fit()

    def _on_double_click(self) -> None:
        if self.spec() is not None:
            self.submitted.emit()

    def _on_return(self) -> None:
        if not self._asked and self.file.text():
            # Whoever presses Enter wants to be told what is wrong with the path.
            self._hasty = True
            self._ask()
            self._hasty = False

    def _on_progress(self, note: str) -> None:
        if self._asked and self._found is None:
            self._say(f"{note[:1].upper()}{note[1:]}…")

    def _on_found(self, found: Candidates) -> None:
        if found.weights != self._asked:
            return
        self._found = found
        self.list.clear()
        for candidate in found.candidates:
            library, _, name = candidate.model.partition(":")
            item = QTreeWidgetItem(self.list, [name or candidate.model, library, fit_words.short(candidate)])
            item.setToolTip(2, tip(fit_words.sentences(candidate)))
        self._say(_verdict(found))
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        self._show_fit()

    def _on_failed(self, problem: Problem) -> None:
        if self._asked:
            self._say(str(problem), warning=True)

    def _on_stopped(self) -> None:
        if self._asked and self._found is None:
            self._asked = ""
            self._say("It was not looked at to the end. Press Enter to do so.")

    # ------------------------------------------------------------------------------------------------ showing

    def _say(self, text: str, *, warning: bool = False) -> None:
        say(self.state, text, warning=warning)
        self.changed.emit()

    def _show_fit(self) -> None:
        candidate = self.candidate()
        listed = self._found is not None and bool(self._found.candidates)
        self.list.setVisible(listed)
        self._naming.setVisible(listed)
        # Where there is no list, the room it would take stays free below.
        self._column.setStretch(self._column.count() - 1, 0 if listed else 1)
        self.fit.setText(fit_words.sentences(candidate) if candidate is not None else "")
        self.another.setVisible(bool(self.file.text()))
        self.partial.setVisible(candidate is not None and not candidate.fits)
        self.partial.setChecked(False)
        if candidate is not None:
            self.partial.setText(fit_words.partial(candidate))
        self.changed.emit()


def _verdict(found: Candidates) -> str:
    name = Path(found.weights).name
    if not found.candidates:
        return f"{name} is of no network that is known here. Name the network yourself, or open your own code with it."
    classes = "" if found.n_classes is None else f" for {found.n_classes:,} class{'es' if found.n_classes != 1 else ''}"
    fitting = sum(candidate.fits for candidate in found.candidates)
    if not fitting:
        return f"{name}{classes}: no network fits completely. The closest:"
    if fitting == 1:
        return f"{name}{classes}: one network fits completely. Enter opens it."
    return f"{name}{classes}: {fitting} networks fit completely; the first is the likeliest. Enter opens it."


def _list() -> QTreeWidget:
    view = QTreeWidget()
    view.setAccessibleName("Networks that the file may be of")
    view.setHeaderLabels(["Network", "Library", "Fit"])
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setAllColumnsShowFocus(True)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setMinimumHeight(10 * UNIT)
    header = view.header()
    header.setStretchLastSection(True)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
    header.resizeSection(0, 36 * UNIT)
    header.resizeSection(1, 14 * UNIT)
    return view
