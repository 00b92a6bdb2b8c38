"""What a review is made of: decisions, steps that change them, and how both are written down. No torch, no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is to become of a picture. The order is that of `CODES`."""

    UNDECIDED = "undecided"
    KEEP = "keep"
    RELABEL = "relabel"
    EXCLUDE = "exclude"


CODES: dict[Verdict, int] = {verdict: code for code, verdict in enumerate(Verdict)}
"""Small numbers for arrays: 0 undecided, 1 keep, 2 relabel, 3 exclude."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one picture. `label` is the new label of a relabelled one and "" else."""

    verdict: Verdict = Verdict.UNDECIDED
    label: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if bool(self.label) != (self.verdict is Verdict.RELABEL):
            raise ValueError("a new label and nothing else makes a relabelling")

    def __bool__(self) -> bool:
        """True if anything is decided or noted."""
        return self.verdict is not Verdict.UNDECIDED or bool(self.note)

    def with_note(self, note: str) -> Decision:
        """The same decision with another note; "?" stands in it for what is not valid Unicode."""
        return Decision(self.verdict, self.label, note.encode("utf-8", "replace").decode().strip())


@dataclass(frozen=True, slots=True)
class Change:
    """One picture's decision before and after; `digest` is of the file's content, "" if it is not known."""

    path: str
    digest: str
    was: Decision
    now: Decision


@dataclass(frozen=True, slots=True)
class Step:
    """What is undone at once: changes made together, in session `by`, at an ISO time."""

    id: str
    by: str
    at: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """The step of that number is undone."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class Redo:
    """An undone step is done again."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class Base:
    """Decisions made so long ago that they cannot be undone step by step any more: (path, digest, decision)."""

    decisions: tuple[tuple[str, str, Decision], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Digests of files' contents that came to be known after the decisions: (path, digest)."""

    digests: tuple[tuple[str, str], ...]


Entry = Step | Undo | Redo | Base | Known


def to_line(entry: Entry) -> bytes:
    """An entry as one line of JSON in ASCII, its line break included."""
    match entry:
        case Step():
            changes = [[c.path, c.digest, _facts(c.was), _facts(c.now)] for c in entry.changes]
            facts: dict[str, object] = {"step": entry.id, "by": entry.by, "at": entry.at, "do": changes}
        case Undo():
            facts = {"undo": entry.id, "by": entry.by}
        case Redo():
            facts = {"redo": entry.id, "by": entry.by}
        case Base():
            facts = {"base": [[path, digest, _facts(decision)] for path, digest, decision in entry.decisions]}
        case Known():
            facts = {"known": dict(entry.digests)}
    return json.dumps(facts, separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> Entry:
    """The entry in a line. Raises `ValueError` if it is damaged or of an unknown kind."""
    facts = json.loads(line)
    try:
        match facts:
            case {"step": str(id_), "by": str(by), "at": str(at), "do": list(changes)}:
                made = tuple(Change(_text(p), _text(d), _decision(was), _decision(now)) for p, d, was, now in changes)
                return Step(id_, by, at, made)
            case {"undo": str(id_), "by": str(by)}:
                return Undo(id_, by)
            case {"redo": str(id_), "by": str(by)}:
                return Redo(id_, by)
            case {"base": list(decisions)}:
                return Base(tuple((_text(path), _text(digest), _decision(now)) for path, digest, now in decisions))
            case {"known": dict(digests)}:
                return Known(tuple((path, _text(digest)) for path, digest in digests.items()))
    except TypeError as error:
        raise ValueError(str(error)) from error
    raise ValueError("an entry of an unknown kind")


def _facts(decision: Decision) -> dict[str, str]:
    """Only what is said, for short lines."""
    facts = {"verdict": decision.verdict.value} if decision.verdict is not Verdict.UNDECIDED else {}
    return facts | {key: text for key, text in (("label", decision.label), ("note", decision.note)) if text}


def _decision(facts: object) -> Decision:
    if not isinstance(facts, Mapping):
        raise ValueError("a decision is no object")
    verdict = Verdict(_text(facts.get("verdict", Verdict.UNDECIDED.value)))
    return Decision(verdict, _text(facts.get("label", "")), _text(facts.get("note", "")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    value.encode()  # half a letter could be neither shown nor exported
    return value
