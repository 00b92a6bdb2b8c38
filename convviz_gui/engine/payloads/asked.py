"""What answers at one place of the photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Asked:
    """The k channels that fire most at a place of the photo, first the one that is first by `sort`.

    Row i is channel `channels[i]` i64 of `layers[i]`, at the position `units[i]` i64 [2] (row, column) of its map.
    `values` f32 is the raw value there, `mean` and `top` f32 the channel's mean and largest value in this photo.
    `contrast` f32 is (value − mean) / standard deviation of the channel's own map (0 where the map is constant), and
    `share` f32 is value / largest value (0 where the largest is not above 0): both tell "here" from "everywhere".
    `fields` f32 [k, 4] is what that position sees, x, y, width, height in the photo's pixels, and `known` bool [k] is
    False where that could not be told and is taken for all of the crop. `box` f32 [4] is the crop.

    `point` is the place as (u, v) of the crop in 0…1. `layer` is the one that was asked, or "" for all of them;
    `asked` is how many channels there were to choose from.
    """

    layer: str
    sort: str
    point: tuple[float, float]
    layers: tuple[str, ...] = field(repr=False)
    units: IntArray = field(repr=False, compare=False)
    channels: IntArray = field(repr=False, compare=False)
    values: FloatArray = field(repr=False, compare=False)
    mean: FloatArray = field(repr=False, compare=False)
    top: FloatArray = field(repr=False, compare=False)
    contrast: FloatArray = field(repr=False, compare=False)
    share: FloatArray = field(repr=False, compare=False)
    fields: FloatArray = field(repr=False, compare=False)
    known: BoolArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    asked: int = 0
