"""A calm strip above the tabs that says what went wrong and what to do; it never stands in the way."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.errors import Problem
from convviz_gui.gui.look.theme import UNIT

LINES = 2
"""Problems written out; more are counted, and all are in the details."""

Remedy = tuple[str, Callable[[], object]]
"""What a button says and does about a problem."""


class Notices(QFrame):
    """Problems by topic ("files", a lane's name): a topic's new problems replace its old ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.text.setAccessibleName("Problem")
        self._remedies: dict[str, Remedy] = {}
        self.remedy = QPushButton()
        self.remedy.clicked.connect(self._on_remedy)
        details = QPushButton("Details…")
        details.clicked.connect(self.show_details)
        self.dismiss_button = QToolButton()
        self.dismiss_button.setText("✕")
        self.dismiss_button.setAccessibleName("Dismiss")
        self.dismiss_button.setToolTip("Dismiss (Esc)")
        self.dismiss_button.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(UNIT)
        row.addWidget(self.text, 1)
        row.addWidget(self.remedy, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(details, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.dismiss_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def tell(self, topic: str, *problems: Problem, remedy: Remedy | None = None) -> None:
        """Show problems, the newest topic first, and a button that does something about them."""
        self._problems.pop(topic, None)
        self._problems = {topic: problems, **self._problems}
        self._remedies.pop(topic, None)
        if remedy is not None:
            self._remedies[topic] = remedy
        self._refresh()

    def settle(self, topic: str) -> None:
        """The topic's problems are over."""
        self._remedies.pop(topic, None)
        if self._problems.pop(topic, None) is not None:
            self._refresh()

    def dismiss(self) -> None:
        """Forget all problems."""
        self._problems.clear()
        self._remedies.clear()
        self._refresh()

    def _on_remedy(self) -> None:
        topic, (_, do) = next(iter(self._remedies.items()))
        self.settle(topic)
        do()

    def details(self) -> str:
        """Everything known of the problems, as text to copy."""
        return "\n\n".join(f"{problem}\n{problem.detail}".strip() for problem in self.problems())

    def show_details(self) -> None:
        """Show the details in a window of their own, to read and copy."""
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("What went wrong")
        dialog.resize(80 * UNIT, 50 * UNIT)
        text = QPlainTextEdit(self.details())
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text.toPlainText()))
        buttons.rejected.connect(dialog.close)
        column = QVBoxLayout(dialog)
        column.addWidget(text)
        column.addWidget(buttons)
        dialog.show()

    def problems(self) -> list[Problem]:
        """What is shown, the newest topic first. One cause can make several lanes fail; it is told once."""
        found = {str(problem): problem for problems in self._problems.values() for problem in problems}
        return list(found.values())

    def _refresh(self) -> None:
        problems = self.problems()
        lines = [str(problem) for problem in problems[:LINES]]
        if len(problems) > LINES:
            lines.append(f"… and {len(problems) - LINES} more")
        self.text.setText("\n".join(lines))
        self.remedy.setText(next(iter(self._remedies.values()))[0] if self._remedies else "")
        self.remedy.setVisible(bool(self._remedies))
        self.setVisible(bool(lines))
