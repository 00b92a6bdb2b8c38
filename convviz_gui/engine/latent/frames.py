"""A projection under way, as updates that show the points where they are by then."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, Points
from convviz_gui.engine.projections.process import Frame

Move = Callable[[FloatArray], FloatArray]


def showing(points: Points, frames: Generator[Frame, None, FloatArray], move: Move | None = None) -> Steps[FloatArray]:
    """Pass frames on as `points` with newer places; until the first, those they have. Returns the last places.

    Args:
        move: what is done to the places f32 [N, 2] of every frame before they are shown.
    """
    try:
        while True:
            frame = next(frames)
            if frame.xy is not None:
                points = replace(points, xy=frame.xy if move is None else move(frame.xy))
            yield Update(frame.done, frame.total, frame.note, _preview(points))
    except StopIteration as stop:
        xy: FloatArray = stop.value
        return xy if move is None else move(xy)
    finally:
        frames.close()


def _preview(points: Points) -> Callable[[], Points]:
    return lambda: points
