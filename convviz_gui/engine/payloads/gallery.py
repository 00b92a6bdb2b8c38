"""Synthetic pictures of channels."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, ByteArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Gallery:
    """Synthetic pictures of N channels. `images` u8 [N, H, W, 3], `channels` i64 [N].

    `trace` f32 [N, steps]: the target's loss at every step (NaN for steps not taken yet). `dead` bool [N]: the channel
    could not be made to respond. `done` i64 [N]: steps taken. `reduced_to` is the batch that a
    lack of memory forced, or 0.
    """

    layer: str
    channels: IntArray = field(repr=False, compare=False)
    images: ByteArray = field(repr=False, compare=False)
    trace: FloatArray = field(repr=False, compare=False)
    dead: BoolArray = field(repr=False, compare=False)
    done: IntArray = field(repr=False, compare=False)
    reduced_to: int = 0
