"""Short questions over the desk: which label, and what to note. Enter answers, Esc does not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

_WIDTH, _HEIGHT = 300, 236
_MOST = 100
_AWAY = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
"""Another window or a menu has the keyboard for a while; the question stays."""

_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}


class Prompt(QFrame):
    """A line to type into over the page.

    Signals:
        answered: the text.
        dismissed: the question is gone, answered or not.
    """

    answered = Signal(str)
    dismissed = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("prompt")
        self.setFixedWidth(_WIDTH)
        self.title = plain(QLabel(title))
        self.title.setProperty("role", "section")
        self.line = QLineEdit()
        self.line.setAccessibleName(title)
        self.line.installEventFilter(self)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        self.column.setSpacing(UNIT // 2)
        self.column.addWidget(self.title)
        self.column.addWidget(self.line)
        self.hide()

    def ask(self, text: str = "") -> None:
        """Come up with the keyboard."""
        self.line.setText(text)
        self.line.selectAll()
        self.show()
        self.raise_()
        self.line.setFocus()

    def stand_on(self, corner: QPoint) -> None:
        """Put the lower left corner there, but stay inside the page."""
        self.adjustSize()
        self.move(corner.x(), max(corner.y() - self.height(), 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._takes(event):
            return True
        if isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut and event.reason() not in _AWAY:
            self._leave()
        return super().eventFilter(watched, event)

    def _takes(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                answer = self.answer()
                self._leave()
                if answer is not None:
                    self.answered.emit(answer)
                return True
            case Qt.Key.Key_Escape:
                self._leave()
                return True
        return False

    def answer(self) -> str | None:
        """What Enter means; None if it means nothing."""
        return self.line.text().strip()

    def _leave(self) -> None:
        if self.isVisible():
            self.hide()
            self.dismissed.emit()


class NoteBox(Prompt):
    """Asks for a note."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Note", parent)
        self.line.setPlaceholderText("What is to be remembered; empty takes it away")


class LabelChooser(Prompt):
    """Asks for a label: typing narrows the list down, Enter takes the first, which is the suggestion.

    A text that is no label yet can be taken as a new one, from the end of the list.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__("New label", parent)
        self.line.setPlaceholderText("Type to find a label")
        self._labels: Sequence[str] = ()
        self._offered: list[str] = []
        self._model = QStringListModel(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setAccessibleName("Labels")
        self.list.setUniformItemSizes(True)
        self.list.setSpacing(1)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.clicked.connect(self._on_click)
        self.column.addWidget(self.list, 1)
        self.setFixedHeight(_HEIGHT)
        self.line.textChanged.connect(self._narrow)

    def choose(self, likely: Sequence[str], labels: Sequence[str]) -> None:
        """Ask; `likely` come first, in their order, and then the other `labels`."""
        first = dict.fromkeys(filter(None, likely))
        self._labels = [*first, *(label for label in labels if label not in first)]
        self.ask()
        self._narrow("")

    def answer(self) -> str | None:
        """The label that stands out in the list."""
        place = self.list.currentIndex().row()
        return self._offered[place] if 0 <= place < len(self._offered) else None

    def offered(self) -> list[str]:
        """The labels in the list, a new one last."""
        return list(self._offered)

    def _narrow(self, text: str) -> None:
        typed = text.strip()
        wanted = typed.casefold()
        found = [label for label in self._labels if wanted in label.casefold()] if wanted else list(self._labels)
        # What begins so comes before what has it inside; the sort keeps the order otherwise.
        found.sort(key=lambda label: wanted not in label.casefold().rsplit("/", 1)[-1][: len(wanted)])
        found = found[:_MOST]
        shown = list(found)
        if typed and typed not in self._labels:
            found.append(typed)
            shown.append(f"New label “{typed}”")
        self._offered = found
        self._model.setStringList(shown)
        self.list.setCurrentIndex(self._model.index(0, 0))

    def _takes(self, event: QKeyEvent) -> bool:
        if (step := _STEPS.get(Qt.Key(event.key()))) is not None:
            place = min(max(self.list.currentIndex().row() + step, 0), len(self._offered) - 1)
            self.list.setCurrentIndex(self._model.index(place, 0))
            return True
        return super()._takes(event)

    def _on_click(self) -> None:
        answer = self.answer()
        self._leave()
        if answer is not None:
            self.answered.emit(answer)
