"""Below the scores: a button that has the map checked, and then the verdict."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.payloads import Trust
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.tabs.run_bar import progress_text, show_part
from convviz_gui.gui.trust.level_mark import LevelMark
from convviz_gui.gui.trust.trust_details import TrustDetails

ASK = "Can it be believed?"
_TIP = (
    "Check the map (Ctrl+T): does taking away what it marks hurt the score more than chance or a centred blob would, "
    "and does the map change when the network forgets what it learned?"
)


class TrustBox(QWidget):
    """Nothing, the question, the check under way, or the verdict. `details` is put where there is room for charts.

    Signals:
        check_wanted, stop_wanted: the button was pressed.
        details_wanted: the charts were unfolded.
    """

    check_wanted = Signal()
    stop_wanted = Signal()
    details_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checking = False
        self.trust: Trust | None = None
        self.details = TrustDetails()
        self.details.hide()
        self.known = _words()
        self.known.setProperty("role", "muted")
        self.button = QPushButton(ASK)
        self.button.clicked.connect(self._on_clicked)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the check")
        self.note = ElidedLabel()
        self.note.setProperty("role", "muted")
        self.note.setFont(numbers_font(self.note.font()))
        self.mark = LevelMark()
        self.verdict = _words()
        self.why = QToolButton()
        self.why.setText("Why")
        self.why.setCheckable(True)
        self.why.setToolTip("The curves and numbers behind the verdict")
        self.why.toggled.connect(self._on_why)
        self._lay_out()
        self.show_nothing()

    def _lay_out(self) -> None:
        self._answer = QWidget()
        row = QHBoxLayout(self._answer)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.verdict, 1)
        row.addWidget(self.why, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        for widget in (self._answer, self.known, self.button, self.progress, self.note):
            column.addWidget(widget)

    @property
    def checking(self) -> bool:
        """True while a check is under way."""
        return self._checking

    def show_nothing(self) -> None:
        """There is no map on screen."""
        self._show(question=False, checking=False, trust=None)

    def show_question(self, known: str = "", note: str = "") -> None:
        """There is a map that was not checked; `known` is what is known of its method."""
        self.known.setText(known)
        self.note.setText(note)
        self._show(question=True, checking=False, trust=None)

    def show_checking(self) -> None:
        """A check was asked for."""
        self.progress.setRange(0, 0)
        self.note.setText("")
        self._show(question=True, checking=True, trust=None)

    def show_progress(self, message: Progressed) -> None:
        """Tell how far the check is."""
        show_part(self.progress, message.done, message.total)
        self.note.setText(progress_text(message))

    def show_trust(self, trust: Trust) -> None:
        """Show the verdict."""
        self.mark.set_level(trust.level)
        self.verdict.setText(trust.verdict[0])
        self.details.show_trust(trust)
        self._show(question=False, checking=False, trust=trust)

    def _show(self, *, question: bool, checking: bool, trust: Trust | None) -> None:
        self._checking, self.trust = checking, trust
        self.setVisible(question or trust is not None)
        self.button.setVisible(question)
        self.button.setText("Stop checking" if checking else ASK)
        self.button.setToolTip("What was measured so far is dropped" if checking else _TIP)
        self.progress.setVisible(checking)
        self.note.setVisible(checking or (question and bool(self.note.text())))
        self.known.setVisible(question and bool(self.known.text()))
        self._answer.setVisible(trust is not None)
        self.details.setVisible(trust is not None and self.why.isChecked())

    def _on_why(self, unfolded: bool) -> None:
        self.details.setVisible(unfolded and self.trust is not None)
        if unfolded:
            self.details_wanted.emit()

    def _on_clicked(self) -> None:
        (self.stop_wanted if self._checking else self.check_wanted).emit()


def _words() -> QLabel:
    label = plain(QLabel())
    label.setWordWrap(True)
    return label
