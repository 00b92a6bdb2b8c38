"""The directory while it is written: what is there already, what is missing, and the manifest that ends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from convviz_gui.engine.embedded.manifest import (
    MANIFEST,
    UNFINISHED,
    Description,
    Manifest,
    Part,
    read_manifest,
    write_manifest,
)
from convviz_gui.engine.embedded.parts import check_part, is_ours, part_name
from convviz_gui.engine.embedded.plan import Plan
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import Skipped

_LOCK = ".writing.lock"
Done = dict[int, tuple[Part, tuple[Skipped, ...]]]
"""Parts that are written, by number: facts, and what was left out of them."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the directory if need be; while inside, no other process writes features into it.

    Raises `EngineError` if one does already, or the directory cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise EngineError(
            f"Another convviz embed is writing to {folder}", "Wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise EngineError(
            f"Cannot write to {folder}: {error.strerror or error}", "Choose another folder (--out DIR)"
        ) from None
    try:
        yield
    finally:
        lock.release()


def begun(folder: Path) -> Manifest | None:
    """What an earlier run said it would write, or wrote; None in a directory without features.

    Raises:
        EngineError: what is there was written by something else, or by a newer version.
    """
    for name in (MANIFEST, UNFINISHED):
        if (folder / name).exists():
            return read_manifest(folder / name)
    foreign = [path.name for path in sorted(folder.glob("part-*.parquet")) if not is_ours(path)]
    if foreign:
        raise EngineError(f"{folder} holds {foreign[0]}, which convviz embed did not write", "Choose another --out")
    return None


def check_same(before: Manifest, description: Description, folder: Path) -> None:
    """Raise `EngineError` if features of another kind are in the directory."""
    old = before.description
    if old.key == description.key:
        return
    names = {"digest": "weights", "dimension": "features' length", "n_classes": "number of classes"}
    differing = [
        names.get(name, name)
        for name in ("digest", "layer", "preprocess", "precision", "store", "thumbnails", "dimension", "n_classes")
        if getattr(old, name) != getattr(description, name)
    ]
    raise EngineError(
        f"{folder} holds features of {old.model}, layer {old.layer!r}, made otherwise ({', '.join(differing)})",
        "Choose another --out, or give the same options as before",
    )


def look(plan: Plan) -> Steps[Done]:
    """The parts that are there, whole, and about the same pictures; every byte of them is read."""
    done: Done = {}
    for number in range(plan.n_parts):
        if (plan.folder / part_name(number)).exists():
            yield Update(number, plan.n_parts, "reading what is there")
            found = check_part(plan.folder, number)
            if found is not None and found[0] == plan.slice(number).key:
                done[number] = found[1:]
    return done


def begin(plan: Plan) -> None:
    """Say what is going to be written, before the first part is; an earlier manifest is not true any more."""
    for left in plan.folder.glob(".*.parquet.*.part"):
        left.unlink(missing_ok=True)
    write_manifest(plan.folder / UNFINISHED, _manifest(plan))
    (plan.folder / MANIFEST).unlink(missing_ok=True)


def collected(plan: Plan, done: Mapping[int, tuple[Part, tuple[Skipped, ...]]]) -> Manifest:
    """The manifest of a directory in which all parts are. Raises `EngineError` if there is no row in any of them."""
    parts = [done[number] for number in range(plan.n_parts)]
    skipped = (*plan.listing.skipped, *(left for _, some in parts for left in some))
    if not any(part.rows for part, _ in parts):
        first = skipped[0].reason if skipped else ""
        raise EngineError(
            f"None of the {len(plan.listing.paths)} pictures could be read, the first because: {first}",
            "Choose a folder with JPEG or PNG pictures",
        )
    return replace(_manifest(plan), parts=tuple(part for part, _ in parts), skipped=skipped)


def finish(folder: Path, made: Manifest) -> None:
    """Write the manifest, last of all; parts of an earlier run that are none of it go."""
    for path in folder.glob("part-*.parquet"):
        if path.name not in {part.file for part in made.parts} and is_ours(path):
            path.unlink(missing_ok=True)
    write_manifest(folder / MANIFEST, made)
    (folder / UNFINISHED).unlink(missing_ok=True)


def is_complete(plan: Plan, before: Manifest | None, done: Done) -> bool:
    """True if the directory is finished and nothing would be written."""
    if before is None or not before.parts or not (plan.folder / MANIFEST).exists():
        return False
    return len(done) == plan.n_parts and before.parts == tuple(done[number][0] for number in range(plan.n_parts))


def _manifest(plan: Plan) -> Manifest:
    return Manifest(plan.description, plan.sources, plan.rows_per_part, plan.n_parts, plan.command)
