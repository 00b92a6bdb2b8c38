"""Reviews from elsewhere: of a dataset that was moved, of a copy of it, or of a table that was exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.desk.review import Wanted
from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.desk.review_history import History, Record
from convviz_gui.engine.desk.review_journal import journal_path, read_journal, reviews_dir
from convviz_gui.engine.desk.review_matching import adopted
from convviz_gui.engine.errors import EngineError

_NEEDED = ("path", "decision")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A review of another place that knows `count` pictures of this dataset by their content."""

    path: Path
    sources: tuple[str, ...]
    count: int


def reviews_elsewhere(sources: tuple[str, ...], digests: Sequence[str]) -> list[Elsewhere]:
    """Reviews of other datasets that are about pictures with these contents, the one that knows most first."""
    own = journal_path(sources)
    others: list[tuple[Path, tuple[str, ...], set[str]]] = []
    for path in sorted(reviews_dir().glob("*.jsonl")):
        if path == own:
            continue
        try:
            contents = read_journal(path)
        except (OSError, EngineError):  # what cannot be read is of no help
            continue
        records = History(contents.entries).records.values()
        others.append((path, contents.sources, {one.digest for one in records if one.decision and one.digest}))
    wanted: set[str] = set().union(*(known for _, _, known in others))
    # Not a set of them all: made in one go, a million would keep every other thread waiting.
    here = {digest for digest in digests if digest in wanted} if wanted else set()
    found = (Elsewhere(path, there, len(known & here)) for path, there, known in others)
    return sorted((one for one in found if one.count), key=lambda one: -one.count)


def decisions_from(
    path: Path, sources: tuple[str, ...], paths: Sequence[str], digests: Sequence[str] = ()
) -> list[Wanted]:
    """What a journal, or a table that `write_review` wrote, decided about the pictures of this dataset.

    Raises:
        EngineError: the file is neither, or damaged, or about none of these pictures.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise EngineError(f"{path.name} is not an ordinary file", "Choose a journal or a CSV file that ConvViz wrote")
    if path.suffix.lower() == ".jsonl":
        contents = read_journal(path)
        records, others = History(contents.entries).records, contents.sources
        if not records:
            raise EngineError(f"{path.name} holds no review", "Choose a journal or a CSV file that ConvViz wrote")
    else:
        records, others = _from_table(path), ()
    found = adopted(records, others, paths, digests, sources)
    if not found:
        raise EngineError(f"{path.name} decides about none of these pictures", "Choose the review of this dataset")
    return found


def _from_table(path: Path) -> dict[str, Record]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise EngineError(f"{path.name} is not text in UTF-8", "Save it anew as CSV in UTF-8") from None
    # newline: line breaks inside quoted notes are their own.
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in _NEEDED if name not in (rows.fieldnames or ())]:
        hint = "Choose a CSV file that was exported from a review"
        raise EngineError(f"{path.name} has no column named {missing[0]!r}", hint)
    records = {}
    try:
        for row in rows:
            records[row["path"]] = Record(row.get("digest") or "", _decision(row, f"{path.name}, line {rows.line_num}"))
    except csv.Error as error:
        raise EngineError(f"{path.name} is damaged: {error}", "Export it again") from None
    return records


def _decision(row: dict[str, str], place: str) -> Decision:
    word, label, note = ((row.get(name) or "").strip() for name in ("decision", "new_label", "note"))
    try:
        verdict = Verdict(word or Verdict.UNDECIDED.value)
        return Decision(verdict, label if verdict is Verdict.RELABEL else "", note)
    except ValueError:
        hint = "Decisions are keep, exclude, and relabel with a new_label"
        raise EngineError(f"{place}: {word!r} is no decision, or lacks its new label", hint) from None
