"""Run and Stop, how far a run is and how long it will take, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.types import Score
from convviz_gui.gui.look import words
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT, numbers_font

WAIT_BEFORE_BAR = 200
"""Milliseconds under which a wait is not worth a word."""

_WHOLE = 1000


class RunBar(QWidget):
    """One button that runs or stops, a thin progress bar and a line of words.

    Signals:
        run_wanted, stop_wanted: the button was pressed.
    """

    run_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._running = False
        self.button = QPushButton("Run")
        self.button.setProperty("primary", True)
        self.button.clicked.connect(self._on_clicked)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.note = ElidedLabel()
        self.note.setProperty("role", "muted")
        self.note.setFont(numbers_font(self.note.font()))
        self._scores = QVBoxLayout()
        self._scores.setSpacing(2)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(WAIT_BEFORE_BAR)
        self._delay.timeout.connect(self._show_waiting)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.button)
        column.addWidget(self.progress)
        column.addWidget(self.note)
        column.addLayout(self._scores)
        # The bar keeps its room, so that nothing jumps when a run begins.
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()

    def set_live(self, live: bool) -> None:
        """A live method runs by itself, so its button is no call to action."""
        self.button.setProperty("primary", not live)
        self.button.setToolTip("Runs by itself when layer, class or photo change (Space)" if live else "Space")
        self.button.style().polish(self.button)

    @property
    def running(self) -> bool:
        """True between `show_started` and the end of the run."""
        return self._running

    def show_started(self) -> None:
        """A run was asked for."""
        self._running = True
        self._delay.start()

    def show_progress(self, message: Progressed) -> None:
        """Tell how far the run is."""
        if self._delay.isActive():
            return
        show_part(self.progress, message.done, message.total)
        self.note.setText(progress_text(message))

    def show_ended(self, note: str, scores: tuple[Score, ...] = ()) -> None:
        """The run is over; `note` says how."""
        self._running = False
        self._delay.stop()
        self.button.setText("Run")
        self.progress.hide()
        self.note.setText(note)
        self.show_scores(scores)

    def show_scores(self, scores: tuple[Score, ...]) -> None:
        """Show the numbers worth saying beside the result on screen."""
        while (item := self._scores.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for score in scores:
            self._scores.addWidget(_score_row(score))

    def _show_waiting(self) -> None:
        self.button.setText("Stop")
        self.progress.setRange(0, 0)
        self.progress.show()

    def _on_clicked(self) -> None:
        (self.stop_wanted if self.button.text() == "Stop" else self.run_wanted).emit()


def show_part(bar: QProgressBar, done: int, total: int) -> None:
    """Show `done` of `total`; with a total of 0 the bar is on its way without an end."""
    # A download counts bytes, which need not fit into Qt's 32 bits.
    # Qt would paint the bar, and all that waits to be painted with it, before `setValue` returns.
    bar.setUpdatesEnabled(False)
    bar.setRange(0, _WHOLE if total else 0)
    bar.setValue(_WHOLE * done // total if total else 0)
    bar.setUpdatesEnabled(True)


def progress_text(message: Progressed) -> str:
    """ "step 12 of 30 · 40 % · 3 s left"."""
    parts = [message.note] if message.note else []
    if message.total > 0:
        parts.append(f"{100 * message.done // message.total} %")
    if message.seconds_left is not None and message.seconds_left >= 0.5:
        parts.append(f"{words.duration(round(message.seconds_left))} left")
    return " · ".join(parts)


def _score_row(score: Score) -> QWidget:
    row = QWidget()
    row.setToolTip(score.help)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    text = f"−{score.text[1:]}" if score.text.startswith("-") else score.text
    label, value = plain(QLabel(score.label)), plain(QLabel(text))
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    value.setFont(numbers_font(value.font()))
    layout.addWidget(label, 1)
    layout.addWidget(value)
    return row
