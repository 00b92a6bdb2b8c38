"""The review of one dataset and its journal, written behind the window's back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from convviz_gui.engine.desk.review import Review
from convviz_gui.engine.desk.review_journal import Contents, Journal, journal_path
from convviz_gui.engine.errors import Problem, problem_from
from convviz_gui.gui.desk.clerk import Clerk

_AGAIN_MS = 5000


class Book(QObject):
    """Opens a review and saves every change.

    Signals:
        opened: `review` is what was decided earlier.
        grown: another window has decided something.
        state_changed: `words`, `trouble` or `saving` are others.
    """

    opened = Signal()
    grown = Signal()
    state_changed = Signal()

    def __init__(self, sources: tuple[str, ...], clerk: Clerk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sources = sources
        self.review = Review()
        self.is_open = False
        self.saving = False
        self.trouble = ""
        self.remark = ""
        self._clerk = clerk
        self._journal: Journal | None = None
        self._sent: _Errand | None = None
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self.save)
        self._open()

    @property
    def words(self) -> str:
        """How safe the decisions are, in words; "" where there are none."""
        if self.trouble:
            return self.trouble
        if self.saving or self.review.pending:
            return "Saving…"
        return "Saved" if self.review.saved else ""

    def save(self) -> None:
        """Put what is pending on the disk, soon; what cannot be written is tried again."""
        pending = self.review.pending
        if self._journal is None or self.saving or not pending:
            self.state_changed.emit()
            return
        self.saving = True
        self._sent = _Errand(self._journal, self.review)
        self._clerk.do(self._sent, lambda value: self._saved(value, len(pending)))
        self.state_changed.emit()

    def last_errand(self) -> Callable[[], object] | None:
        """What is still to be written when the window closes, after what is on its way; None if nothing is."""
        return _Errand(self._journal, self.review, self._sent) if self._journal and self.review.pending else None

    def _open(self) -> None:
        try:
            path = journal_path(self.sources)
            self._journal = Journal(path, self.sources)
            if not path.exists():
                self.is_open = True
                return
        except OSError as error:
            self._refuse(problem_from(error))
            return
        self._clerk.do(self._journal.open, self._opened)

    def _opened(self, value: object) -> None:
        if isinstance(value, Contents):
            self.review = Review(value)
            self.remark = value.remark
            self.is_open = True
        elif isinstance(value, Problem):
            self._refuse(value)
        self.opened.emit()
        self.state_changed.emit()

    def _refuse(self, problem: Problem) -> None:
        """Decisions can be made and exported, but not saved: what is there must not be overwritten."""
        self._journal = None
        self.is_open = True
        self.trouble = f"Not saved: {problem.title}. {problem.hint}"

    def _saved(self, value: object, count: int) -> None:
        self.saving, self._sent = False, None
        if isinstance(value, Contents):
            self.trouble = ""
            others = self.review.absorb(value, count)
            self.remark = value.remark or self.remark
            if others:
                self.grown.emit()
            if self.review.pending:
                self.save()
        elif isinstance(value, Problem):
            self.trouble = f"Not saved yet: {value.title}. It is kept in memory and tried again"
            self._again.start()
        self.state_changed.emit()


class _Errand:
    """Writes what is pending now; what the errand `before` it has written by then is not written again."""

    def __init__(self, journal: Journal, review: Review, before: _Errand | None = None) -> None:
        self._journal = journal
        self._saved, self._pending = review.saved, review.pending
        self._before = before
        self._done = False

    def __call__(self) -> Contents:
        written = len(self._before._pending) if self._before is not None and self._before._done else 0
        saved, pending = (*self._saved, *self._pending[:written]), self._pending[written:]
        found = self._journal.exchange(saved, pending)
        self._done = True
        return found
