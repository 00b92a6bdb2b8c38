"""From a question to a gallery: pictures of all targets, some at a time, streamed as they form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.optim.adam import Optimiser
from convviz_gui.engine.optim.growing import Growing, with_fitting_batch
from convviz_gui.engine.optim.probe import Probe, probe
from convviz_gui.engine.optim.questions import AskingParams, Question
from convviz_gui.engine.optim.synthesis import Aim, Canvas, Looking, Synthesis
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session

MOST_BYTES = 2 * 2**30
"""A gallery larger than this is refused before it is begun."""


@dataclass(frozen=True, slots=True)
class Brush:
    """How pictures are made.

    Args:
        size: side of the pictures in pixels.
        canvases: starts for pictures by (number, variant), on the session's device; all but the first are for those
            that do not answer to the ones before.
        looking: how the network looks at them; it may take one size only, `Probe.fit`.
        optimiser: a fresh one.
        sizes: the smallest and the largest size (h, w) at which the network sees them.
        views: how many views a step has.
        transparent: whether the gallery tells how much each pixel mattered.
        facts: further fields of `Gallery`.
    """

    size: int
    steps: int
    canvases: Sequence[Callable[[Sequence[tuple[int, int]]], Canvas]]
    looking: Callable[[Probe], Looking]
    optimiser: Callable[[], Optimiser]
    sizes: Sequence[tuple[int, int]]
    views: int = 1
    transparent: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


def painted(
    session: Session, params: AskingParams, question: Question, brush: Brush, default_batch: int
) -> Steps[Gallery]:
    """Make the pictures; a target's depend on the seed, the target and its variants alone.

    Where a picture has one view a step, several are in one pass of the network; else several views of one are.
    Where memory is too small for the `default_batch`, all begin again with half of it.

    Raises `EngineError` for what would be too large a gallery, and for what cannot be climbed.
    """
    _check(len(question.numbers) * params.diversity, brush)
    grow = partial(_grown, session, params, question, brush)
    return (yield from with_fitting_batch(session, params.batch, default_batch, brush.size, grow))


def _check(n: int, brush: Brush) -> None:
    n_bytes = n * brush.size**2 * (3 + 4 * brush.transparent)
    if n_bytes > MOST_BYTES:
        title = f"{n} pictures of {brush.size}×{brush.size} pixels would take {n_bytes / 2**30:.1f} GB"
        raise EngineError(title, "Ask for fewer channels or variants, or make them smaller")


def _grown(session: Session, params: AskingParams, question: Question, brush: Brush, at_once: int) -> Steps[Gallery]:
    group = params.diversity
    which = [(number, variant) for number in question.numbers for variant in range(group)]
    total = len(which) * brush.steps
    yield Update(0, total, "preparing the network")
    half = params.precision == "bfloat16"
    preprocess = session.info.preprocess
    asked = probe(session.model, question.layer, question.beside, preprocess, session.device, brush.sizes, half)
    shown = group if brush.views > 1 else max(at_once // group, 1) * group
    work = Growing(
        question.layer or "",
        [number for number, _ in which],
        brush.steps,
        brush.size,
        transparent=brush.transparent,
        objective=params.objective,
        negative=params.negative,
        labels=_labels(question, group),
        **brush.facts,
    )
    for first in range(0, len(which), shown):
        rows = range(first, min(first + shown, len(which)))
        aim = Aim(
            question.objective([which[row][0] for row in rows]),
            -1.0 if params.negative else 1.0,
            group,
            params.diversity_weight,
        )
        starts = [partial(canvas, [which[row] for row in rows]) for canvas in brush.canvases]
        made = Synthesis(
            starts[0](),
            brush.looking(asked),
            asked,
            aim,
            brush.optimiser(),
            shown,
            max(at_once // shown, 1),
        )
        if not params.negative:
            for _ in made.wake(starts[1:]):
                yield Update(first * brush.steps, total, "looking for a start", work.gallery)
        yield from _climbed(made, work, rows, brush.steps, len(which))
    return work.gallery()


def _climbed(made: Synthesis, work: Growing, rows: range, steps: int, n: int) -> Steps[None]:
    """Take all steps of some pictures."""
    note = f"picture {rows.start + 1}" + (f"–{rows.stop}" if len(rows) > 1 else "") + f" of {n}"
    step, last = 0, [0.0] * len(rows)
    for losses in made.climb(steps):
        if losses is not None:
            last = losses.tolist()
            work.record(rows, step, losses.cpu().numpy())
            step += 1
        done = rows.start * steps + len(rows) * step
        yield Update(done, n * steps, note, partial(_drawn, work, rows, made) if step else None)
    work.draw(rows, made.pictures(), made.opacities())
    for place, answered in enumerate(made.answered.tolist()):
        if not answered:
            work.bury(rows[place], last[place])


def _drawn(work: Growing, rows: range, made: Synthesis) -> Gallery:
    """The gallery with some pictures as they are now."""
    work.draw(rows, made.pictures(), made.opacities())
    return work.gallery()


def _labels(question: Question, group: int) -> tuple[str, ...]:
    """Names of all pictures, or none if their numbers say it."""
    if group == 1:
        return question.labels
    names = question.labels or tuple(map(str, question.numbers))
    return tuple(f"{name} · {variant + 1}" for name in names for variant in range(group))
