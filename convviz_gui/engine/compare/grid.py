"""Two maps on one grid: whether places correspond, and the values of both there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.payloads import FloatArray, frozen
from convviz_gui.engine.render import sample_map

_ALIKE = 1e-3
"""Photo pixels by which two crops may differ and still be the same."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Both sides' values f32 [H, W] at the same places.

    `box` is the part of the photo that they cover (x, y, width, height), or None without a photo. `interpolated`
    is True where maps of different size or crop had to be interpolated; else the values are the sides' own.
    """

    a: FloatArray = field(repr=False, compare=False)
    b: FloatArray = field(repr=False, compare=False)
    box: FloatArray | None = field(repr=False, compare=False)
    interpolated: bool


def comparable(a: Side, b: Side) -> str:
    """ "" if places of the two correspond, else in one sentence without a final stop why there is no difference."""
    one, other = a.shown, b.shown
    if one.is_picture != other.is_picture:
        picture, map_ = (one, other) if one.is_picture else (other, one)
        return f"One is a picture ({picture.kind}) and the other a map of numbers ({map_.kind})"
    if (one.box is None) != (other.box is None):
        return "One is of a photo and the other is not, so their places do not correspond"
    if one.box is None or other.box is None:
        if one.kind != other.kind:
            return f"A {one.kind} and a {other.kind} have no places in common"
        if one.values.shape != other.values.shape:
            return f"They have different sizes, {_size(one.values)} and {_size(other.values)}"
        return ""
    if a.photo_size != b.photo_size:
        return f"The photos have different sizes, {_sides(a.photo_size)} and {_sides(b.photo_size)} pixels"
    if _common(one.box, other.box) is None:
        return "The two saw parts of the photo that do not overlap"
    return ""


def caveats(a: Side, b: Side) -> tuple[str, ...]:
    """What to keep in mind where places correspond, in sentences."""
    said = []
    if not same_units(a, b):
        said.append(f"The numbers mean different things: {a.shown.unit} and {b.shown.unit}.")
    if a.shown.box is not None and _pixels(a) != _pixels(b):
        said.append("The photos differ: the same place need not show the same thing.")
    return tuple(said)


def same_units(a: Side, b: Side) -> bool:
    """True if a number of one means what the same number means in the other, so that one scale is right for both."""
    if a.shown.unit != b.shown.unit:
        return False
    # Another network's channel 3 is another channel; scores, losses and colours are what they are everywhere.
    own = a.shown.kind in ("channel", "vector", "kernel")
    return not own or a.digest == b.digest


def on_one_grid(a: Side, b: Side) -> Grid:
    """Both sides at the same places; call it only where they are `comparable`.

    The grid covers what both saw of the photo, as fine as the finer of the two maps there.
    """
    one, other = a.shown, b.shown
    if one.box is None or other.box is None:
        return Grid(one.values, other.values, None, interpolated=False)
    if one.values.shape == other.values.shape and np.abs(one.box - other.box).max() < _ALIKE:
        return Grid(one.values, other.values, one.box, interpolated=False)
    box = _common(one.box, other.box)
    assert box is not None
    rows = max(_cells(s.shown.values.shape[0], s.shown.box, box, 1) for s in (a, b))
    columns = max(_cells(s.shown.values.shape[1], s.shown.box, box, 0) for s in (a, b))
    values = [_sampled(side.shown.values, side.shown.box, box, (rows, columns)) for side in (a, b)]
    return Grid(values[0], values[1], box, interpolated=True)


def _common(one: FloatArray, other: FloatArray) -> FloatArray | None:
    start = np.maximum(one[:2], other[:2])
    size = np.minimum(one[:2] + one[2:], other[:2] + other[2:]) - start
    return frozen(np.concatenate([start, size]).astype(np.float32)) if (size > _ALIKE).all() else None


def _cells(n: int, own: FloatArray | None, box: FloatArray, axis: int) -> int:
    assert own is not None
    return max(1, round(n * float(box[2 + axis] / own[2 + axis])))


def _sampled(values: FloatArray, own: FloatArray | None, box: FloatArray, size: tuple[int, int]) -> FloatArray:
    assert own is not None
    rows = _places(size[0], float(box[1]), float(box[3]), float(own[1]), float(own[3]), values.shape[0])
    columns = _places(size[1], float(box[0]), float(box[2]), float(own[0]), float(own[2]), values.shape[1])
    return frozen(sample_map(values, rows, columns))


def _places(n: int, start: float, length: float, own: float, own_length: float, cells: int) -> NDArray[Any]:
    """The grid's n centres along one side, in cells of a map that begins at `own`."""
    centres = start + (np.arange(n) + 0.5) * (length / n)
    found: NDArray[Any] = (centres - own) * (cells / own_length)
    return found


def _pixels(side: Side) -> str:
    return side.facts.get("Pixels", "")


def _size(values: FloatArray) -> str:
    return f"{values.shape[0]} × {values.shape[1]}"


def _sides(size: tuple[int, int] | None) -> str:
    return f"{size[1]} × {size[0]}" if size is not None else "unknown"
