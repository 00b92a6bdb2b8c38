"""From reaches to what the outside is told of a layer: its receptive field, and which of its axes are places."""

from __future__ import annotations

import math
from enum import Enum

from convviz_gui.engine.network.receptive.reach import (
    EPS,
    Axis,
    IrregularError,
    Kind,
    Reach,
    Step,
    is_flat,
    linear,
    reshaped,
    size_of,
)
from convviz_gui.engine.types import ReceptiveField, TokenGrid


class Layout(Enum):
    """How a layer's output [B, ...] holds the picture."""

    CHANNELS_FIRST = "[B, C, h, w]"
    CHANNELS_LAST = "[B, h, w, C]"
    OTHER = "tokens, windows and the like"
    UNKNOWN = "no axis tells where in the picture it lies"


def layout(reach: Reach) -> Layout:
    """Which axes of a tensor with four are rows and columns of the picture."""
    if any(step.listed for axis in reach.axes for step in axis):
        return Layout.OTHER
    if not any(step.is_place for axis in reach.axes for step in axis):
        return Layout.UNKNOWN
    if len(reach.axes) == 4 and not any(step.is_place for step in reach.axes[0]):
        # Channels may hold places, too: the pixels of a patch.
        if _is_map(*reach.axes[2:]):
            return Layout.CHANNELS_FIRST
        if _is_map(*reach.axes[1:3]):
            return Layout.CHANNELS_LAST
    return Layout.OTHER


def _is_map(rows: Axis, cols: Axis) -> bool:
    fits = not any(step.cols for step in rows) and not any(step.rows for step in cols)
    return fits and all(any(step.is_place for step in axis) or size_of(axis) == 1 for axis in (rows, cols))


def receptive_field(reach: Reach, places: tuple[int, int] | None) -> ReceptiveField | None:
    """The field of a tensor's positions; `places` are its axes of rows and of columns, if any.

    None if positions differ in no regular way.
    """
    for at, axis in enumerate(reach.axes):
        if any(step.kind is Kind.VARIES for step in axis):
            return None
        if places is None or at not in places:
            if places is None and size_of(axis) > 1 and _moves(axis):
                return None
            reach = reach.widened(axis)
    steps = [Step(1), Step(1)]
    for which, at in enumerate(places or ()):
        reach, steps[which] = linear(reach, at)
    if steps[0].cols or steps[1].rows or any(step.kind is Kind.VARIES for step in steps):
        return None
    strides = tuple(step.rows + step.cols if step.kind is Kind.MOVES else 0.0 for step in steps)
    return _told(reach, (strides[0], strides[1]))


def receptive_field_of_tokens(reach: Reach, grid: TokenGrid) -> ReceptiveField | None:
    """The field of the places in tokens [B, N, C]; None if they differ in no regular way."""
    batch, _, channels = (size_of(axis) for axis in reach.axes)
    if not grid.before:
        try:
            return receptive_field(reshaped(reach, (batch, grid.height, grid.width, channels)), (1, 2))
        except IrregularError:
            return None
    return receptive_field(reach, None)


def _moves(axis: Axis) -> bool:
    return not is_flat(axis) and any(step.kind is Kind.MOVES for step in axis)


def _told(reach: Reach, stride: tuple[float, float]) -> ReceptiveField:
    start, extent = [0.0, 0.0], [0, 0]
    for d in range(2):
        low, high = reach.low[d], reach.high[d]
        if not stride[d]:
            low, high = max(low, 0.0), min(high, reach.picture[d] - 1.0)
        start[d], extent[d] = round(low, 6), math.floor(high - low + EPS) + 1
    whole = not any(stride) and tuple(extent) == reach.picture
    return ReceptiveField(
        size=(extent[0], extent[1]),
        stride=stride,
        start=(start[0], start[1]),
        gated=reach.gated and not whole,
        whole=whole,
    )
