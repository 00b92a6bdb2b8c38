"""What is decided about each picture on the map, for every page; decisions are saved as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from convviz_gui.engine.datasets import natural
from convviz_gui.engine.desk.review import Wanted
from convviz_gui.engine.desk.review_entries import CODES, Decision, Step, Verdict
from convviz_gui.engine.desk.review_history import Record
from convviz_gui.engine.desk.review_import import Elsewhere, decisions_from, reviews_elsewhere
from convviz_gui.engine.desk.review_journal import sources_of
from convviz_gui.engine.desk.review_matching import Matching, match
from convviz_gui.engine.errors import Problem
from convviz_gui.engine.payloads import IntArray, Points
from convviz_gui.gui.desk.book import Book
from convviz_gui.gui.desk.clerk import Clerk


class ReviewKeeper(QObject):
    """Decisions by row of the points that are shown.

    Signals:
        changed: decisions are others; `verdicts` and `decision` tell them.
        state_changed: whether they are saved, and what can be undone, is another.
        told: one sentence for the user.
    """

    changed = Signal()
    state_changed = Signal()
    told = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.clerk = Clerk(self)
        self.book: Book | None = None
        self.points: Points | None = None
        self.ready = False
        self.labels: tuple[str, ...] = ()
        self.recent: tuple[str, ...] = ()
        self.changed_files = 0
        self._verdicts: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._decisions: dict[int, Decision] = {}
        self._noted: set[int] = set()
        self._rows: dict[str, int] = {}
        self._labelled: Iterable[str] = ()
        # Of datasets that were shown before: what could not be saved of them is still tried.
        self._books: dict[tuple[str, ...], Book] = {}
        if app := QCoreApplication.instance():
            app.aboutToQuit.connect(self.close)

    @property
    def verdicts(self) -> NDArray[np.uint8]:
        """What is decided, u8 [N]: 0 undecided, 1 keep, 2 relabel, 3 exclude (`CODES`). Not to be written to."""
        return self._verdicts

    @property
    def words(self) -> str:
        """Whether decisions are saved, in words."""
        return self.book.words if self.book is not None else ""

    @property
    def trouble(self) -> bool:
        """True if decisions are not saved."""
        return self.book is not None and bool(self.book.trouble)

    def show(self, points: Points) -> None:
        """Take other pictures, or more that is known of the same."""
        known = self.points
        same = known is not None and known.paths == points.paths and known.folder == points.folder
        self.points = points
        sources = sources_of(points.folder, points.others)
        if self.book is None or self.book.sources != sources:
            self._turn_to(sources)
        elif same and self.ready and (not len(points.digests) or known is None or len(known.digests)):
            return
        self.ready = False
        self._forget(len(points.paths))
        self._collect_labels(points.labels)
        self._match()

    def decision(self, row: int) -> Decision:
        """What is decided about a picture."""
        return self._decisions.get(row, Decision())

    def verdict_words(self) -> NDArray[np.str_]:
        """The verdict on each picture in a word, "" where there is none; empty while nothing is decided."""
        decided = self._verdicts if self._verdicts.any() else self._verdicts[:0]
        words: NDArray[np.str_] = _VERDICTS[decided]
        return words

    def reviewed(self) -> IntArray:
        """Rows i64, ascending, about which anything is decided or noted."""
        decided = np.flatnonzero(self._verdicts)
        noted = np.fromiter(self._noted, np.int64, len(self._noted))
        return np.union1d(decided, noted).astype(np.int64)

    def decisions(self) -> dict[int, Decision]:
        """A copy of all decisions and notes, by row."""
        return {row: one for row, one in self._decisions.items() if one}

    def decide(self, rows: Iterable[int], verdict: Verdict, label: str = "") -> int:
        """Decide about pictures in one step; their notes stay. To relabel with the label it has is to keep a picture.

        Returns how many decisions are others by it.
        """
        wanted = []
        if verdict is Verdict.RELABEL:
            self.recent = tuple(dict.fromkeys((label, *self.recent)))[:_RECENT]
            self.labels = self.labels if label in self.labels else (*self.labels, label)
        for row in rows:
            keep = verdict is Verdict.RELABEL and label == self._label(row)
            now = Decision(Verdict.KEEP) if keep else Decision(verdict, label)
            wanted.append((row, now.with_note(self.decision(row).note)))
        return self._do(wanted)

    def note(self, rows: Iterable[int], text: str) -> int:
        """Write a note on pictures in one step; "" takes it away."""
        return self._do([(row, self.decision(row).with_note(text)) for row in rows])

    def can_undo(self) -> bool:
        """True if there is a step to take back."""
        return self.ready and self.book is not None and self.book.review.can_undo()

    def can_redo(self) -> bool:
        """True if there is a step to do again."""
        return self.ready and self.book is not None and self.book.review.can_redo()

    def undo(self) -> list[int]:
        """Take the last step back; rows of its pictures, those that are not shown left out."""
        return self._after(self.book.review.undo() if self.book is not None and self.ready else None)

    def redo(self) -> list[int]:
        """Do the step that was undone last again; rows of its pictures."""
        return self._after(self.book.review.redo() if self.book is not None and self.ready else None)

    def take_over(self, path: Path) -> None:
        """Import what another review, or an exported table, decided; `told` says how it went."""
        points, book = self.points, self.book
        if points is None or book is None:
            return
        errand = lambda: decisions_from(path, book.sources, points.paths, points.digests)  # noqa: E731
        self.clerk.do(errand, lambda value: self._imported(value, book, path.name))

    def look_elsewhere(self, then: Callable[[list[Elsewhere]], None]) -> None:
        """Ask for reviews of other places that know these pictures, the best first."""
        points, book = self.points, self.book
        if points is None or book is None or not len(points.digests):
            return

        def deliver(value: object) -> None:
            if isinstance(value, list) and self.book is book:
                then([one for one in value if isinstance(one, Elsewhere)])

        self.clerk.do(lambda: reviews_elsewhere(book.sources, points.digests), deliver)

    @Slot()
    def close(self) -> None:
        """Save what is not saved yet, and wait for it."""
        for book in self._books.values():
            if errand := book.last_errand():
                self.clerk.do(errand, lambda _value: None)
        self.clerk.close()

    # ------------------------------------------------------------------------------------------ inside

    def _turn_to(self, sources: tuple[str, ...]) -> None:
        if sources not in self._books:
            book = Book(sources, self.clerk, self)
            book.opened.connect(lambda: self._match() if self.book is book else None)
            book.grown.connect(lambda: self._match() if self.book is book else None)
            book.state_changed.connect(lambda: self.state_changed.emit() if self.book is book else None)
            self._books[sources] = book
        self.book = self._books[sources]

    def _collect_labels(self, labels: Iterable[str]) -> None:
        self._labelled = labels

        def then(value: object) -> None:
            # Another dataset may have come meanwhile.
            if isinstance(value, tuple) and self._labelled is labels:
                self.labels = value

        if len(self._verdicts) <= _FEW:
            then(_labels(labels))
        else:
            self.clerk.do(lambda: _labels(labels), then)

    def _match(self) -> None:
        book, points = self.book, self.points
        if book is None or points is None or not book.is_open:
            return
        records = dict(book.review.records)
        if not records:
            self._matched(Matching(), book, points, records)
            return
        self.clerk.do(
            lambda: match(records, points.paths, points.digests),
            lambda value: self._matched(value, book, points, records),
        )

    def _matched(self, value: object, book: Book, points: Points, asked: Mapping[str, Record]) -> None:
        if book is not self.book:
            return
        if points is not self.points:
            if self.ready:  # the same pictures, of which more is known
                self._match()
            return
        matching = value if isinstance(value, Matching) else Matching()
        if isinstance(value, Problem):
            self.told.emit(str(value))
        records = book.review.records
        # What another window wrote is matched while the user goes on deciding.
        meanwhile = {path: row for path, row in self._rows.items() if path in records and path not in asked}
        self._forget(len(points.paths))
        self._rows.update({**matching.rows, **meanwhile})
        if matching.moved:
            book.review.move([(old, points.paths[row]) for old, row in matching.moved])
            self._rows.update((points.paths[row], row) for _, row in matching.moved)
        if len(points.digests) == len(points.paths):
            book.review.learn([(path, points.digests[row]) for path, row in matching.rows.items() if path in records])
        self.changed_files = sum(1 for row in matching.changed if records[points.paths[row]].decision)
        for path, row in self._rows.items():
            if records[path].decision:
                self._put(row, records[path].decision)
        self.ready = True
        if book.review.pending:
            book.save()
        self._tell(book)
        self.changed.emit()
        self.state_changed.emit()

    def _forget(self, count: int) -> None:
        self._decisions, self._rows, self._noted = {}, {}, set()
        self._verdicts = np.zeros(count, np.uint8)

    def _put(self, row: int, decision: Decision) -> None:
        self._decisions[row] = decision
        self._verdicts[row] = CODES[decision.verdict]
        (self._noted.add if decision.note else self._noted.discard)(row)

    def _tell(self, book: Book) -> None:
        if book.remark:
            self.told.emit(f"{book.remark}.")
            book.remark = ""
        if self.changed_files:
            count = self.changed_files
            what = "1 picture has" if count == 1 else f"{count:,} pictures have"
            self.told.emit(f"{what} changed since the review, so what was decided does not count.")

    def _label(self, row: int) -> str:
        assert self.points is not None
        return self.points.labels[row] if row < len(self.points.labels) else ""

    def _do(self, wanted: list[tuple[int, Decision]]) -> int:
        if not self.ready or self.points is None or self.book is None:
            return 0
        paths, digests = self.points.paths, self.points.digests
        step = self.book.review.decide(
            (paths[row], digests[row] if row < len(digests) else "", now) for row, now in wanted
        )
        self._rows.update((paths[row], row) for row, _ in wanted)
        return len(step.changes) if step is not None and self._after(step) else 0

    def _imported(self, value: object, book: Book, name: str) -> None:
        if isinstance(value, Problem):
            self.told.emit(str(value))
            return
        wanted: list[Wanted] = value if isinstance(value, list) else []
        step = book.review.decide(wanted)
        book.save()
        count = len(step.changes) if step is not None else 0
        self.told.emit(f"{count:,} decisions taken over from {name}; Ctrl+Z takes them back.")
        if book is self.book:
            self._match()

    def _after(self, step: Step | None) -> list[int]:
        """Show what a step, or its undoing, has left, and save it."""
        if step is None or self.book is None:
            return []
        rows = []
        for change in step.changes:
            row = self._rows.get(change.path)
            if row is None:
                continue
            self._put(row, self.book.review.records[change.path].decision)
            rows.append(row)
        self.book.save()
        self.changed.emit()
        return rows


_RECENT = 5
_VERDICTS = np.array(["" if verdict is Verdict.UNDECIDED else verdict.value for verdict in CODES])
_FEW = 20_000
"""Pictures up to which going through all takes no time worth a thread."""


def _labels(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({label for label in labels if label}, key=natural))
