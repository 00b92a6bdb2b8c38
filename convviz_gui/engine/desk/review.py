"""What the user decides about the pictures of a dataset, kept in memory and on its way to a journal.

A `Review` never touches the disk, and never a file of the user's: `pending` is what a `Journal` must write, and
`absorb` takes what it found.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from convviz_gui.engine.desk.review_entries import Base, Change, Decision, Entry, Known, Redo, Step, Undo
from convviz_gui.engine.desk.review_history import History, Record
from convviz_gui.engine.desk.review_journal import Contents

Wanted = tuple[str, str, Decision]
"""A picture's path, its content's digest ("" if not known), and what is decided about it."""


class Review:
    """Decisions on the pictures of one dataset, with undo and redo without end.

    A decision belongs to a path and to the content that was there: it does not hold for other content at that path.
    Undo goes back through the steps of this window and of earlier ones, never through those that another window makes
    meanwhile.
    """

    def __init__(self, contents: Contents | None = None) -> None:
        self.session = secrets.token_hex(6)
        self._saved: list[Entry] = list(contents.entries) if contents is not None else []
        self._pending: list[Entry] = []
        self._history = History(self._saved)
        self._before = frozenset(self._history.done) | frozenset(self._history.undone)

    @property
    def records(self) -> Mapping[str, Record]:
        """Everything known, by path; decisions may be empty where they were taken back."""
        return self._history.records

    @property
    def saved(self) -> tuple[Entry, ...]:
        """What the journal holds."""
        return tuple(self._saved)

    @property
    def pending(self) -> tuple[Entry, ...]:
        """What is not on the disk yet."""
        return tuple(self._pending)

    def decision(self, path: str, digest: str = "") -> Decision:
        """What is decided about a picture; empty if nothing is, or if it was about other content."""
        record = self.records.get(path)
        if record is None or (digest and record.digest and digest != record.digest):
            return Decision()
        return record.decision

    def decide(self, wanted: Iterable[Wanted]) -> Step | None:
        """Decide about pictures in one step; None if nothing changes by it."""
        changes = []
        for path, digest, now in wanted:
            was = self.decision(path, digest)
            if was != now:
                changes.append(Change(path, digest, was, now))
        if not changes:
            return None
        at = datetime.now(UTC).isoformat(timespec="seconds")
        step = Step(secrets.token_hex(8), self.session, at, tuple(changes))
        self._add(step)
        return step

    def can_undo(self) -> bool:
        """True if there is a step to take back."""
        return self._last(self._history.done) is not None

    def can_redo(self) -> bool:
        """True if there is an undone step."""
        return self._last(self._history.undone) is not None

    def undo(self) -> Step | None:
        """Take the latest step back; None if there is none."""
        step = self._last(self._history.done)
        if step is not None:
            self._add(Undo(step.id, self.session))
        return step

    def redo(self) -> Step | None:
        """Do the step again that was undone last; None if there is none."""
        step = self._last(self._history.undone)
        if step is not None:
            self._add(Redo(step.id, self.session))
        return step

    def learn(self, digests: Iterable[tuple[str, str]]) -> None:
        """Remember the digests of contents that were not known when their pictures were decided about."""
        new = tuple((path, digest) for path, digest in digests if digest and not self.records[path].digest)
        if new:
            self._add(Known(new))

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Pictures stand elsewhere now, with the content they had: (old path, new path); undo does not reach back."""
        gone, here = [], []
        for old, new in moves:
            record = self.records[old]
            gone.append((old, record.digest, Decision()))
            here.append((new, record.digest, record.decision))
        if here:
            self._add(Base((*gone, *here)))

    def absorb(self, found: Contents, written: int) -> bool:
        """The first `written` pending entries are on the disk, after what others wrote; True if they wrote anything."""
        done, self._pending = self._pending[:written], self._pending[written:]
        others = found.whole or bool(found.entries)
        self._saved = [*([] if found.whole else self._saved), *found.entries, *done]
        if others:
            self._history = History([*self._saved, *self._pending])
        return others

    def _add(self, entry: Entry) -> None:
        self._history.apply(entry)
        self._pending.append(entry)

    def _last(self, steps: dict[str, Step]) -> Step | None:
        ours = (step for step in reversed(steps.values()) if step.by == self.session or step.id in self._before)
        return next(ours, None)
