"""Which pictures of a dataset the records of a review are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from convviz_gui.engine.desk.review import Wanted
from convviz_gui.engine.desk.review_history import Record
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.files import signature


@dataclass(frozen=True, slots=True)
class Matching:
    """`rows` maps the path of a record to the row of its picture; records of pictures that are gone are not in it.

    `changed` are rows of pictures whose content is another one than was decided about, `moved` the (path of the record,
    row) of those that were found by their content.
    """

    rows: dict[str, int] = field(default_factory=dict)
    changed: tuple[int, ...] = ()
    moved: tuple[tuple[str, int], ...] = ()


def is_gone(path: str) -> bool:
    """True if nothing is at a path any more, in an archive or outside."""
    try:
        signature(path)
    except (OSError, ValueError, EngineError):
        return True
    return False


def match(
    records: Mapping[str, Record],
    paths: Sequence[str],
    digests: Sequence[str] = (),
    gone: Callable[[str], bool] = is_gone,
) -> Matching:
    """Find the pictures of records: by path, and where what was there is `gone`, by the content's digest.

    Goes through all N paths once, without copying them; through the digests only if a picture is missed. Of several
    pictures with the content of one that was moved, the first that no record is about is taken.
    """
    if not records:
        return Matching()
    at_path = {path: row for row, path in enumerate(paths) if path in records}
    known = len(digests) == len(paths)
    changed = {row for path, row in at_path.items() if known and _differ(digests[row], records[path].digest)}
    found = {path: row for path, row in at_path.items() if row not in changed}
    missed: dict[str, list[str]] = {}
    for path, record in records.items() if known else ():
        # A part of a dataset, as is shown while it is read, must not have its copies taken for what is not read yet.
        if path not in found and record.digest and record.decision and (path in at_path or gone(path)):
            missed.setdefault(record.digest, []).append(path)
    moved = []
    if missed:
        taken = set(found.values())
        for row, digest in enumerate(digests):
            if row not in taken and (waiting := missed.get(digest)):
                moved.append((waiting.pop(0), row))
    found.update(moved)
    return Matching(found, tuple(sorted(changed.difference(found.values()))), tuple(moved))


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def adopted(
    records: Mapping[str, Record],
    sources: Sequence[str],
    paths: Sequence[str],
    digests: Sequence[str],
    into: Sequence[str],
) -> list[Wanted]:
    """What another review decided, for the pictures of this dataset that it is about.

    Found as by `match`, and else by their path inside the dataset's folder: a copy of a dataset on another disk has the
    same. `sources` are the other's folders, `into` this one's, as `sources_of` gives them.
    """
    decided = {path: record for path, record in records.items() if record.decision}
    matching = match(decided, paths, digests, lambda _path: True)
    found = {row: decided[path] for path, row in matching.rows.items()}
    left = set(decided) - set(matching.rows)
    if left and len(sources) == len(into):
        elsewhere = {_moved(path, sources, into): path for path in left}
        for row, path in enumerate(paths):
            record = decided.get(elsewhere.get(path, ""))
            if record is not None and row not in found and not _differ(_digest(digests, row), record.digest):
                found[row] = record
    return [
        (paths[row], _digest(digests, row) or record.digest, record.decision) for row, record in sorted(found.items())
    ]


def _digest(digests: Sequence[str], row: int) -> str:
    return digests[row] if row < len(digests) else ""


def _moved(path: str, sources: Iterable[str], into: Iterable[str]) -> str:
    for old, new in zip(sources, into, strict=True):
        if path.startswith(old.rstrip(os.sep) + os.sep):
            return new + path[len(old.rstrip(os.sep)) :]
    return ""
