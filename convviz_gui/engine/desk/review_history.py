"""A review as the sum of its entries: what is decided now, what can be undone, and what can be redone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from convviz_gui.engine.desk.review_entries import Base, Decision, Entry, Known, Redo, Step, Undo

UNDOABLE = 20_000
"""Steps that stay undoable when a journal is written anew; what is older is kept as decisions alone."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a picture; `digest` is "" if its content's is not known."""

    digest: str
    decision: Decision


class History:
    """Entries replayed in order. `records` maps a path to its `Record`; `done` and `undone` are steps, latest last."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.records: dict[str, Record] = {}
        # By number, in order: an undo that another window wrote may mean any of them.
        self.done: dict[str, Step] = {}
        self.undone: dict[str, Step] = {}
        for entry in entries:
            self.apply(entry)

    def apply(self, entry: Entry) -> None:
        """Go one entry further; an undo or redo of what is not there does nothing."""
        match entry:
            case Step():
                self._set((change.path, change.digest, change.now) for change in entry.changes)
                self.done[entry.id] = entry
                self.undone.clear()
            case Undo():
                if step := self.done.pop(entry.id, None):
                    # What was changed again since, in another window, stays as it is.
                    self._set((c.path, c.digest, c.was) for c in step.changes if self.decision(c.path) == c.now)
                    self.undone[step.id] = step
            case Redo():
                if step := self.undone.pop(entry.id, None):
                    self._set((c.path, c.digest, c.now) for c in step.changes if self.decision(c.path) == c.was)
                    self.done[step.id] = step
            case Base():
                self._set(entry.decisions)
            case Known():
                for path, digest in entry.digests:
                    if (record := self.records.get(path)) is not None and not record.digest:
                        self.records[path] = Record(digest, record.decision)

    def decision(self, path: str) -> Decision:
        """What is decided about a picture; an empty decision if nothing is."""
        record = self.records.get(path)
        return record.decision if record is not None else Decision()

    def _set(self, decisions: Iterable[tuple[str, str, Decision]]) -> None:
        for path, digest, decision in decisions:
            known = self.records.get(path)
            self.records[path] = Record(digest or (known.digest if known is not None else ""), decision)


def compacted(entries: list[Entry]) -> list[Entry]:
    """The shortest entries with the same outcome: the same decisions, and the same steps to undo and to redo."""
    history = History(entries)
    done, undone = list(history.done.values()), list(history.undone.values())
    old = max(len(done) - UNDOABLE, 0)
    short: list[Entry] = []
    bases = [entry for entry in entries if isinstance(entry, Base)]
    if bases or old:
        base = History([*bases, *done[:old]]).records
        short.append(Base(tuple((path, record.digest, record.decision) for path, record in base.items())))
    short += done[old:]
    # Undone ones are done first and then undone, the latest first, so that their order is what it was.
    short += reversed(undone)
    short += [Undo(step.id, step.by) for step in undone]
    if known := _missing_digests(History(short), history):
        short.append(known)
    # Steps of two windows may have crossed in ways that a shorter story does not tell.
    return short if len(short) < len(entries) and _same(History(short), history) else entries


def _missing_digests(short: History, full: History) -> Known | None:
    missing = tuple(
        (path, record.digest)
        for path, record in full.records.items()
        if record.digest and path in short.records and not short.records[path].digest
    )
    return Known(missing) if missing else None


def _same(one: History, other: History) -> bool:
    def seen(history: History) -> dict[str, Record]:
        return {path: record for path, record in history.records.items() if record.decision}

    stacks = (list(one.done)[-UNDOABLE:], list(one.undone)) == (list(other.done)[-UNDOABLE:], list(other.undone))
    return stacks and seen(one) == seen(other)
