"""What of a folder's pictures each channel of a layer answers to."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import ByteArray, FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Patches:
    """k pictures for each of C channels of a layer, cut where the channel's value is largest.

    `channels` i64 [C]. `which`: "top", "lowest" or "median", what the pictures are ranked by (`units.top_k.Which`).
    `values` f32 [C, k]: the largest value of the channel's map in the picture, raw. `positions` i64 [C, k, 2]: its row
    and column in the map. `pictures` i64 [C, k]: rows of `paths` and `labels`, which hold the N pictures read. `boxes`
    f32 [C, k, 4]: x, y, width, height in the photo's pixels, upright, of what the position sees, cut at the edges of
    the network's crop and of the photo. `images` u8 [C, k, s, s, 3]: that part of the photo, in shape, in the middle of
    a square of grey 128. Where there were fewer than k pictures: NaN, −1, −1, 0 and grey.

    `sees`: "part" of the picture by the layer's receptive field; "whole": every position sees all of the crop, which
    is shown; "unknown": nobody can tell, and the crop is shown. `field_size` (height, width) in pixels of the input, 0
    where unknown. `gated`: the whole picture scales channels besides. `final` is False for previews, which have some of
    the channels only. `reduced_to` is the batch that a lack of memory forced, or 0.
    """

    layer: str
    folder: str
    which: str
    channels: IntArray = field(repr=False, compare=False)
    images: ByteArray = field(repr=False, compare=False)
    values: FloatArray = field(repr=False, compare=False)
    positions: IntArray = field(repr=False, compare=False)
    pictures: IntArray = field(repr=False, compare=False)
    boxes: FloatArray = field(repr=False, compare=False)
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    sees: str
    field_size: tuple[int, int]
    gated: bool = False
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0
