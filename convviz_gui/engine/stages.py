"""Runs of several stages, whose progress is told as that of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import Payload

T = TypeVar("T")

TOTAL = 1000
"""Steps that the whole run is told to have."""


def stage(steps: Steps[T], span: tuple[int, int], preview: Callable[[], Payload] | None = None) -> Steps[T]:
    """The same steps, their progress mapped into `span` of `TOTAL`; `preview` is for those without one of their own."""
    first, last = span
    try:
        while True:
            update = next(steps)
            part = update.done / update.total if update.total else 0.0
            yield Update(first + int((last - first) * part), TOTAL, update.note, update.preview or preview)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()


def as_one(steps: Steps[T], done: int, total: int, note: str = "") -> Steps[T]:
    """The same steps, all told as step `done` of `total`: for those whose number nobody knows."""
    try:
        while True:
            update = next(steps)
            yield Update(done, total, note or update.note)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
