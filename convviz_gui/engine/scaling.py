"""How the activations of many channels become comparable greys: three ways, and what each grey stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray, Maps, frozen
from convviz_gui.engine.render import to_bytes


class Scaling(StrEnum):
    """What the darkest and the brightest shade of a channel's picture stand for."""

    PER_CHANNEL = "per channel"
    PER_LAYER = "per layer"
    CHAPTER = "chapter"

    @property
    def help(self) -> str:
        """What it does and when to choose it, in one sentence."""
        return {
            Scaling.PER_CHANNEL: "Each channel from its own minimum to its maximum: most contrast, not comparable.",
            Scaling.PER_LAYER: "All from the layer's minimum to its maximum: comparable with each other.",
            Scaling.CHAPTER: "The chapter's recipe: minus mean, over standard deviation, × 64 + 128, clipped.",
        }[self]


@dataclass(frozen=True, slots=True)
class ChannelScale:
    """byte = clip(⌊(value − offset) / divisor · gain + bias⌋, 0, 255), for each of C channels.

    `lo` and `hi` f32 [C] are the values drawn in the first and the last colour. Where `divisor` is 0 (a constant
    channel) every byte is 128.
    """

    lo: FloatArray
    hi: FloatArray
    offset: FloatArray
    divisor: FloatArray
    gain: float
    bias: float

    def bytes(self, values: FloatArray, channel: int) -> ByteArray:
        """Scale one map f32 [h, w] of that channel to u8 [h, w]; NaN becomes 0."""
        if self.divisor[channel] == 0:
            return np.full(values.shape, 128, np.uint8)
        scaled: FloatArray = (values - self.offset[channel]) / self.divisor[channel]
        scaled *= np.float32(self.gain)
        scaled += np.float32(self.bias)
        return to_bytes(scaled)


def channel_scale(maps: Maps, scaling: Scaling, symmetric: bool = False) -> ChannelScale:
    """Work out the scale of every channel.

    Args:
        maps: C channels; values that are not finite are left out of account.
        scaling: which recipe.
        symmetric: make lo = −hi, for a diverging colour table; the chapter's recipe has no such form and ignores it.
    """
    if scaling is Scaling.CHAPTER:
        mean, std = maps.mean, maps.std
        spread = np.where(std > 0, std, 0).astype(np.float32)
        return ChannelScale(mean - 2 * spread, mean + spread * np.float32(127 / 64), mean, spread, 64.0, 128.0)
    lo, hi = _extremes(maps.maps)
    if scaling is Scaling.PER_LAYER:
        lo, hi = np.full_like(lo, lo.min()), np.full_like(hi, hi.max())
    if symmetric:
        hi = np.maximum(np.abs(lo), np.abs(hi))
        lo = -hi
    return ChannelScale(lo, hi, lo, hi - lo, 255.0, 0.5)


def _extremes(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    flat = values.reshape(len(values), -1)
    lo, hi = flat.min(axis=1), flat.max(axis=1)
    for channel in np.flatnonzero(~np.isfinite(lo) | ~np.isfinite(hi)):
        finite = flat[channel][np.isfinite(flat[channel])]
        lo[channel], hi[channel] = (finite.min(), finite.max()) if finite.size else (0, 0)
    return lo, hi


def scale_channels(maps: Maps, scaling: Scaling) -> ByteArray:
    """All channels of a layer as u8 [C, h, w]."""
    scale = channel_scale(maps, scaling)
    scaled = [scale.bytes(values, channel) for channel, values in enumerate(maps.maps)]
    return frozen(np.stack(scaled))
