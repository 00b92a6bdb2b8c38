"""`convviz embed` on this machine: one network, decoding overlapped, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from convviz_gui.engine.datasets import check_apart, list_dataset
from convviz_gui.engine.embedded.components import components_on_disk, write_components
from convviz_gui.engine.embedded.directory import (
    Done,
    alone_in,
    begin,
    begun,
    check_same,
    collected,
    finish,
    is_complete,
    look,
)
from convviz_gui.engine.embedded.gathering import Written, embed_slices
from convviz_gui.engine.embedded.manifest import Description, Manifest, Part
from convviz_gui.engine.embedded.opened import is_large, opened_of
from convviz_gui.engine.embedded.passing import widths
from convviz_gui.engine.embedded.plan import Plan, rows_per_part
from convviz_gui.engine.errors import EngineError, ProblemKind, is_disk_full
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import Skipped
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Embed, Embedded


def embed_dataset(session: Session, command: Embed) -> Steps[Embedded]:
    """Carry out an `Embed`: write what is missing in the directory, the manifest last.

    Whatever ends it, the parts that are there are whole, and the same command goes on with the others.

    Raises:
        EngineError: no dataset, an unusable layer, a directory of other features, or a full disk.
    """
    plan = _plan(session, command)
    with alone_in(plan.folder):
        before = begun(plan.folder)
        if before is not None:
            check_same(before, plan.description, plan.folder)
            if not command.rows_per_part:
                plan = replace(plan, rows_per_part=before.rows_per_part)
        done = yield from look(plan)
        found = len(done)
        if before is not None and is_complete(plan, before, done):
            return _outcome(plan, before, found)
        with _disk_full_said(plan, done):
            begin(plan)
            missing = [number for number in range(plan.n_parts) if number not in done]

            def written(number: int, part: Part, skipped: tuple[Skipped, ...]) -> None:
                done[number] = part, skipped

            yield from _writer(command)(session, plan, missing, command, written)
            made = collected(plan, done)
            opened = opened_of(plan.folder, made)
            if is_large(opened):
                # Whoever opens it sees it at once.
                scores = yield from components_on_disk(opened)
                made = replace(made, map=write_components(opened, scores))
            finish(plan.folder, made)
    return _outcome(plan, made, found)


def _writer(command: Embed) -> Callable[[Session, Plan, list[int], Embed, Written], Steps[None]]:
    if command.engine != "ray":
        return _here
    from convviz_gui.engine.embedded.ray_engine import write_on_cluster

    return write_on_cluster


def _here(session: Session, plan: Plan, missing: list[int], command: Embed, written: Written) -> Steps[None]:
    """All that is missing in one pass, so that decoding never waits for a part to be written."""
    before = plan.n_parts - len(missing)
    steps = embed_slices(session, plan, [plan.slice(number) for number in missing], command.batch, written)
    note = f" ({before} of {plan.n_parts} parts were there)" if before else ""
    try:
        while True:
            update = next(steps)
            yield Update(update.done, update.total, update.note + note)
    except StopIteration:
        pass
    finally:
        steps.close()


def _plan(session: Session, command: Embed) -> Plan:
    # Opened again, the folder would be taken for the features instead of the pictures. Inside it nothing is in the way:
    # no pictures are written, thumbnails neither.
    check_apart((command.folder, *command.splits), command.out, pictures=False)
    listing = list_dataset(command.folder, command.splits)
    info = session.info
    layer = _layer(session, command.layer)
    dimension, n_classes = widths(session, layer)
    described = Description(
        model=info.name,
        source=info.spec.source,
        weights=info.weights,
        trained=info.trained,
        digest=info.digest,
        layer=layer,
        preprocess=info.preprocess,
        precision=command.precision if command.engine == "ray" else info.precision,
        store=command.store,
        dimension=dimension,
        n_classes=n_classes,
        class_names=info.class_names,
        thumbnails=command.thumbnails,
    )
    rows = command.rows_per_part or rows_per_part(len(listing.paths))
    sources = tuple(str(Path(source).absolute()) for source in (command.folder, *command.splits))
    return Plan(Path(command.out).absolute(), described, sources, listing, rows, command.words)


def _layer(session: Session, wanted: str | None) -> str:
    if wanted is not None:
        # "fc@input" names what goes into a layer; the tree has only layers.
        return wanted if "@" in wanted else session.layer(wanted).id
    if session.info.penultimate_layer is None:
        raise EngineError("It cannot be told what this network's classifier looks at", "Choose a layer (--layer ID)")
    return session.info.penultimate_layer


@contextmanager
def _disk_full_said(plan: Plan, done: Done) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise EngineError(
            f"The disk is full or a limit on file sizes is reached; {len(done)} of {plan.n_parts} parts are written",
            "Free some space and start the same command again: it goes on from there",
            ProblemKind.RESOURCE,
        ) from None


def _outcome(plan: Plan, made: Manifest, found: int) -> Embedded:
    return Embedded(str(plan.folder), made.rows, len(made.parts), found, made.skipped)
