"""`convviz review`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from convviz_gui.cli.terminal import DONE, name, say
from convviz_gui.engine.errors import EngineError, one_line

if TYPE_CHECKING:
    from convviz_gui.engine.desk.queues import Queue
    from convviz_gui.engine.desk.review import Wanted
    from convviz_gui.engine.desk.review_desk import ReviewDesk
    from convviz_gui.engine.desk.review_entries import Decision

_QUEUES = ("outliers", "suspects", "duplicates", "leaks", "ambiguous", "all", "reviewed")
_COLUMNS = ("score", "decision", "label", "new_label", "path", "note")
_MORE = {"suspects": ("suggested",), "duplicates": ("duplicate_of",), "leaks": ("duplicate_of",)}
"""What a list tells besides, at the end of a line, so that the others stay where they are."""
_NONE = "–"
_LISTS = ("remaining", "kept", "excluded", "relabelled", "undecided")


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "folder", metavar="DIR", type=name, nargs="+", help="the dataset; with several, each is a split"
    )
    parser.add_argument("--result", metavar="DIR", type=name, help="what `convviz run latent` wrote about it: rankings")
    parser.add_argument("--json", action="store_true", help="print JSON")
    deciding = parser.add_argument_group("deciding; a FILE is a path, or a path inside DIR; all is undone as one step")
    for word, what in (
        ("keep", "these are right as they are"),
        ("exclude", "leave these out of the dataset"),
        ("undecide", "take the decision about these back"),
    ):
        deciding.add_argument(f"--{word}", metavar="FILE", type=name, nargs="+", action="extend", default=[], help=what)
    deciding.add_argument(
        "--relabel", metavar=("LABEL", "FILE"), type=name, nargs="+", action="append", default=[], help="a new label"
    )
    deciding.add_argument(
        "--note", metavar=("TEXT", "FILE"), nargs="+", action="append", default=[], help="a note; '' takes it away"
    )
    deciding.add_argument("--undo", metavar="N", nargs="?", type=int, const=1, default=0, help="take N steps back (1)")
    deciding.add_argument(
        "--redo", metavar="N", nargs="?", type=int, const=1, default=0, help="do N undone steps again"
    )
    deciding.add_argument(
        "--import", metavar="FILE", type=name, dest="imported", help="a CSV file of --export-csv, or another journal"
    )
    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--list", metavar="LIST", nargs="?", const="reviewed", choices=_QUEUES, help=f"{', '.join(_QUEUES)} (reviewed)"
    )
    reading.add_argument("--most", metavar="N", type=int, default=50, help="lines of a list at most (50)")
    reading.add_argument(
        "--export-csv", metavar="FILE", type=name, help="a table of all pictures, decisions and scores"
    )
    reading.add_argument("--export-files", metavar="FILE", type=name, help="a list of files, one a line")
    reading.add_argument("--which", choices=_LISTS, default="remaining", help="of --export-files (remaining)")
    reading.add_argument(
        "--export-table", metavar="FILE", type=name, help="path,label,split without the excluded: opens as a dataset"
    )
    parser.set_defaults(command=_review)


def _review(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.desk.review_desk import ReviewDesk

    for flag, number in (("--undo", options.undo), ("--redo", options.redo), ("--most", options.most)):
        if number < 0:
            raise EngineError(f"{flag} cannot be {number}", "Give a whole number from 1")
    desk = ReviewDesk(options.folder[0], options.folder[1:], options.result)
    if desk.remark:
        say(desk.remark)
    # Everything is looked up before anything is decided.
    wanted = _wanted(desk, options)
    _step_back(desk, options.undo, options.redo)
    changed = desk.decide(wanted)
    _export(desk, options)
    if options.list is not None:
        _list(desk, options)
    elif options.json:
        print(json.dumps(_summary(desk) | {"changed": changed}, indent=1))
    else:
        print(_sentence(_summary(desk)))
    return DONE


def _wanted(desk: ReviewDesk, options: argparse.Namespace) -> list[Wanted]:
    from convviz_gui.engine.desk.review_entries import Decision, Verdict

    found: dict[int, Decision] = {}
    current = desk.decisions()
    notes = {row: decision.note for row, decision in current.items()}
    asked = [(Verdict.KEEP, "", options.keep), (Verdict.EXCLUDE, "", options.exclude)]
    asked += [(Verdict.UNDECIDED, "", options.undecide)]
    asked += [(Verdict.RELABEL, label.strip(), files) for label, *files in options.relabel]
    for verdict, label, files in asked:
        if verdict is Verdict.RELABEL and not files:
            raise EngineError("--relabel says no file", "Give the new label and then the files: --relabel cat 1.jpg")
        if verdict is Verdict.RELABEL and not label:
            raise EngineError("--relabel gives a blank label", "Give the label and then the files: --relabel cat 1.jpg")
        for file in files:
            row, decision = desk.row(file), Decision(verdict, label)
            if found.get(row, decision) != decision:
                raise EngineError(f"{file} is decided about twice, differently", "Name it in one option only")
            found[row] = decision
    for text, *files in options.note:
        if not files:
            raise EngineError("--note says no file", "Give the note and then the files: --note 'a drawing' 1.jpg")
        for file in files:
            row = desk.row(file)
            found.setdefault(row, current.get(row, Decision()))
            notes[row] = text
    wanted = [desk.wanted(row, decision.with_note(notes.get(row, ""))) for row, decision in found.items()]
    return [*_imported(desk, options), *wanted]


def _imported(desk: ReviewDesk, options: argparse.Namespace) -> list[Wanted]:
    if options.imported is None:
        return []
    from convviz_gui.engine.desk.review_import import decisions_from

    return decisions_from(Path(options.imported), desk.sources, desk.points.paths, desk.points.digests)


def _step_back(desk: ReviewDesk, undo: int, redo: int) -> None:
    for _ in range(undo):
        if desk.review.undo() is None:
            raise EngineError("There is nothing to undo", "See what is decided with --list")
    for _ in range(redo):
        if desk.review.redo() is None:
            raise EngineError("There is nothing to do again", "Only what was undone last can be done again")
    desk.save()


def _export(desk: ReviewDesk, options: argparse.Namespace) -> None:
    from convviz_gui.engine.desk.review_export import FileList, write_cleaned, write_files, write_review

    decisions = desk.decisions()
    if options.export_csv is not None:
        say(f"{write_review(Path(options.export_csv), desk.points, decisions):,} rows in {options.export_csv}")
    if options.export_files is not None:
        count = write_files(Path(options.export_files), desk.points, decisions, FileList(options.which))
        say(f"{count:,} files in {options.export_files}")
    if options.export_table is not None:
        count = write_cleaned(Path(options.export_table), desk.points, decisions)
        say(f"{count:,} pictures in {options.export_table}, which opens as a dataset")


def _list(desk: ReviewDesk, options: argparse.Namespace) -> None:
    import numpy as np

    from convviz_gui.engine.desk.queues import QueueKind, queue

    decisions = desk.decisions()
    found = queue(desk.points, QueueKind(options.list), options.most, np.array(sorted(decisions), np.int64))
    if found.why and found.kind is not QueueKind.REVIEWED and options.result is None:
        raise EngineError(
            f"The list of {found.kind.value} is not known without a latent space",
            "Give the folder of one: convviz run latent … --out DIR, then --result DIR",
        )
    if found.why:
        say(found.why)
    rows = [_facts(desk, found, place, decisions) for place in range(len(found.rows))]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    columns = (*_COLUMNS, *_MORE.get(options.list, ()))
    if rows:
        say(", ".join(column.replace("_", " ") for column in columns))
    for row in rows:
        # What a list is about is never blank: that would look as if it had been forgotten.
        print("\t".join(one_line(row[key] or ("" if key in _COLUMNS else _NONE)) for key in columns))
    if options.list == "suspects" and not all(row["suggested"] for row in rows):
        say(f"{_NONE}: no other label is likely enough to be suggested; below 0.5 its own is the likelier one")
    if found.total > len(rows):
        say(f"{len(rows):,} of {found.total:,}; --most says how many")


def _facts(desk: ReviewDesk, found: Queue, place: int, decisions: dict[int, Decision]) -> dict[str, str]:
    """One line of a list; "" for what is not known."""
    from convviz_gui.engine.desk.review_entries import Decision

    points, row = desk.points, int(found.rows[place])
    decision = decisions.get(row, Decision())
    return {
        "path": points.paths[row],
        "label": points.labels[row],
        "decision": decision.verdict.value,
        "new_label": decision.label,
        "note": decision.note,
        "score": f"{float(found.scores[place]):.6g}" if place < len(found.scores) else "",
        "suggested": points.suggested[row] if row < len(points.suggested) else "",
        "duplicate_of": points.paths[int(found.partners[place])] if place < len(found.partners) else "",
    }


def _summary(desk: ReviewDesk) -> dict[str, object]:
    from collections import Counter

    from convviz_gui.engine.desk.review_entries import Verdict

    decisions = desk.decisions().values()
    counts = Counter(decision.verdict for decision in decisions)
    pictures = len(desk.points.paths)
    counts[Verdict.UNDECIDED] = pictures - sum(counts[one] for one in Verdict if one is not Verdict.UNDECIDED)
    return {
        "sources": list(desk.sources),
        "journal": str(desk.journal.path),
        "pictures": pictures,
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "notes": sum(1 for decision in decisions if decision.note),
    }


def _sentence(summary: dict[str, object]) -> str:
    parts = (f"{summary[word]:,} {word}" for word in ("keep", "relabel", "exclude", "undecided"))
    return f"{summary['pictures']:,} pictures: {', '.join(parts)}"
