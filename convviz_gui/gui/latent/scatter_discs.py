"""Antialiased discs in numpy. No Qt here. Pixels are device pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray

PHASES = 4
"""A disc is drawn at this many sub-pixel places in each direction, so that moving points do not jump."""

_ODD = np.uint32(0x00FF00FF)

Packed = NDArray[np.uint32]
"""Colours as 0xAARRGGBB, premultiplied by their alpha."""

Colours = NDArray[np.unsignedinteger]
"""Rows of a palette."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """Discs at every sub-pixel place.

    `core` i64 [S, 2]: dy, dx of pixels that lie in the disc whatever its phase. `fringe` i64 [T, 2]: the pixels around
    them; `cover`, `fill` f32 [PHASES², T] in 0…1: how much of each is disc, and how much disc without rim.
    """

    margin: int
    core: NDArray[np.int64]
    fringe: NDArray[np.int64]
    cover: FloatArray
    fill: FloatArray

    @property
    def size(self) -> int:
        """Pixels written for each point."""
        return len(self.core) + len(self.fringe)


@lru_cache(maxsize=32)
def stamps(radius: float, rim: float) -> Stamps:
    """Discs of a radius, their `rim` included."""
    margin = int(np.ceil(radius + 1.0))
    span = np.arange(-margin, margin + 1)
    offsets = np.stack([grid.ravel() for grid in np.meshgrid(span, span, indexing="ij")], axis=-1)
    phase = (np.arange(PHASES) + 0.5) / PHASES
    shifts = np.stack([grid.ravel() for grid in np.meshgrid(phase, phase, indexing="ij")], axis=-1)
    distance = np.linalg.norm(offsets[None] + 0.5 - shifts[:, None], axis=-1)
    cover = np.clip(radius + 0.5 - distance, 0.0, 1.0).astype(np.float32)
    fill = np.clip(radius - rim + 0.5 - distance, 0.0, 1.0).astype(np.float32)
    core = fill.min(axis=0) == 1.0
    fringe = ~core & (cover.max(axis=0) > 0.0)
    return Stamps(margin, offsets[core], offsets[fringe], cover[:, fringe], fill[:, fringe])


def pack(rgb: FloatArray, alpha: FloatArray) -> Packed:
    """RGB f32 […, 3] in 0…255 and alpha f32 […] in 0…1 as premultiplied 0xAARRGGBB (little-endian bytes B, G, R, A)."""
    premultiplied = np.concatenate([rgb[..., ::-1] * alpha[..., None], alpha[..., None] * 255.0], axis=-1)
    return np.ascontiguousarray(np.round(premultiplied).astype(np.uint8)).view(np.uint32)[..., 0]


def over(top: Packed, below: Packed) -> Packed:
    """`top` laid over `below`, both [N]."""
    through = np.uint32(255) - (top >> np.uint32(24))
    # Two channels at a time; as colours are premultiplied, no sum is more than 255.
    return top + (_parts(below & _ODD, through) | (_parts(below >> np.uint32(8) & _ODD, through) << np.uint32(8)))


def _parts(channels: Packed, share: Packed) -> Packed:
    """`share` 255ths of each of two channels, rounded."""
    product = channels * share + np.uint32(0x800080)
    return (product + (product >> np.uint32(8) & _ODD)) >> np.uint32(8) & _ODD


def draw_discs(
    places: FloatArray,
    rows: Colours,
    palette: ByteArray,
    ground: tuple[int, int, int],
    shape: tuple[int, int],
    discs: Stamps,
) -> Packed:
    """Discs at `places` f32 [N, 2], no farther outside than they reach, in colours `palette[rows]`: u32 `shape`."""
    height, width = shape
    # A border as wide as a disc spares every clip at the edge.
    border = 2 * discs.margin
    stride = width + 2 * border
    corner = np.floor(places).astype(np.int64)
    start = (corner[:, 1] + border) * stride + corner[:, 0] + border

    phase = np.minimum((places - corner) * PHASES, PHASES - 1).astype(np.int64)
    soft = _fringe_colours(palette, ground, discs)[rows, phase[:, 1] * PHASES + phase[:, 0]]
    core = start[:, None] + discs.core @ np.array([stride, 1])
    fringe = start[:, None] + discs.fringe @ np.array([stride, 1])
    plain = np.broadcast_to(_opaque(palette)[rows][:, None], core.shape)
    hides = soft >= np.uint32(0xFF000000)

    # What does not hide is sent to element 0, in the border. Of several writes to one element numpy keeps the last:
    # the point on top.
    where = np.concatenate([core, np.where(hides, fringe, 0)], axis=1)
    rank = np.arange(1, len(places) + 1, dtype=np.int32)[:, None]
    on_top = np.zeros((height + 2 * border) * stride, np.int32)
    on_top[where] = rank
    canvas = np.zeros(on_top.size, np.uint32)
    canvas[where] = np.concatenate([plain, soft], axis=1)
    _blend(canvas, fringe, soft, ~hides & (soft > 0) & (rank > on_top[fringe]))
    inner = slice(border, -border)
    return np.ascontiguousarray(canvas.reshape(-1, stride)[inner, inner])


def _opaque(palette: ByteArray) -> Packed:
    return pack(palette.astype(np.float32), np.ones(len(palette), np.float32))


def _fringe_colours(palette: ByteArray, ground: tuple[int, int, int], discs: Stamps) -> Packed:
    """Edges of every disc in every colour: u32 [P, PHASES², T], the rim in the ground's colour."""
    fill = discs.fill[None, :, :, None]
    rgb = palette[:, None, None, :] * fill + np.array(ground, np.float32) * (1.0 - fill)
    cover = np.broadcast_to(discs.cover, (len(palette), *discs.cover.shape))
    return pack(rgb.astype(np.float32), cover)


def _blend(canvas: Packed, where: NDArray[np.int64], colour: Packed, wanted: BoolArray) -> None:
    """Lay soft pixels over `canvas`; where several fall on one pixel the last is taken, which the eye cannot tell."""
    # Flat: numpy takes ten times as long to pick from two dimensions.
    chosen = np.flatnonzero(wanted)
    layer = np.zeros(canvas.size, np.uint32)
    layer[where.ravel()[chosen]] = colour.ravel()[chosen]
    touched = np.flatnonzero(layer)
    canvas[touched] = over(layer[touched], canvas[touched])
