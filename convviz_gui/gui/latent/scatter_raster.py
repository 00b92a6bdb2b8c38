"""Points to picture in numpy: antialiased discs while there is room for them, density when there is not.

No Qt here. Coordinates called pixels are device pixels of the picture, x right and y down, with (0, 0) its corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray

PHASES = 4
"""A disc is drawn at this many sub-pixel places in each direction, so that moving points do not jump."""

STAMP_BUDGET = 2_500_000
"""Pixels written in disc mode at most; more points than that are drawn as density."""

Packed = NDArray[np.uint32]
"""Colours as 0xAARRGGBB, premultiplied by their alpha."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the plane that is seen, x0…x1 and y0…y1 with y up, and its size in device pixels."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: float
    height: float

    def to_pixels(self, xy: FloatArray) -> FloatArray:
        """Places f32 [N, 2] of points f32 [N, 2] in the picture; NaN stays NaN."""
        # In float64 until the origin is taken away: a deep zoom would lose its digits otherwise.
        scale = np.array([self.width / (self.x1 - self.x0), -self.height / (self.y1 - self.y0)])
        places: FloatArray = ((xy - np.array([self.x0, self.y1])) * scale).astype(np.float32)
        return places


def disc_radius(n_points: float) -> float:
    """Radius of a disc in logical pixels when about `n_points` share the view: 5 for a few, 1 for very many.

    Rounded to half pixels, so that a gentle zoom does not make every disc breathe.
    """
    radius = 5.0 - 1.35 * (np.log10(max(n_points, 1.0)) - 2.5)
    return float(np.clip(np.round(2 * radius) / 2, 1.0, 5.0))


def splat(
    pixels: FloatArray,
    colour: ByteArray,
    palette: ByteArray,
    *,
    width: int,
    height: int,
    radius: float,
    rim: float = 0.0,
    ground: tuple[int, int, int] = (0, 0, 0),
    sample: float = 1.0,
) -> Packed:
    """Draw points into a picture of their own.

    Args:
        pixels: f32 [N, 2] places; later points lie on top. NaN is left out.
        colour: u8 [N], row of `palette`.
        palette: u8 [P, 3] sRGB, P ≤ 256.
        radius: of a disc in device pixels, its rim included.
        rim: width in device pixels of an edge in the colour `ground` that keeps neighbouring discs apart.
        sample: the fraction of all points that these are; a sample is drawn in the manner of the whole.

    Returns:
        u32 [height, width], premultiplied 0xAARRGGBB, which is Qt's fastest format with transparency.
    """
    reach = radius + 1.0
    x, y = pixels[:, 0], pixels[:, 1]
    # Comparisons with NaN are false.
    seen = np.flatnonzero((x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach))
    places, rows = pixels[seen], colour[seen]
    stamps = _stamps(radius, rim)
    if len(seen) / sample * (len(stamps.core) + len(stamps.fringe)) <= STAMP_BUDGET:
        return _draw_discs(places, rows, palette, ground, (height, width), stamps)
    return _draw_density(places, rows, palette, (height, width))


@dataclass(frozen=True, slots=True)
class _Stamps:
    """Discs at every sub-pixel place.

    `core` i64 [S, 2]: dy, dx of pixels that lie in the disc whatever its phase. `fringe` i64 [T, 2]: the pixels around
    them; `cover`, `fill` f32 [PHASES², T] in 0…1: how much of each is disc, and how much disc without rim.
    """

    margin: int
    core: NDArray[np.int64]
    fringe: NDArray[np.int64]
    cover: FloatArray
    fill: FloatArray


@lru_cache(maxsize=32)
def _stamps(radius: float, rim: float) -> _Stamps:
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
    return _Stamps(margin, offsets[core], offsets[fringe], cover[:, fringe], fill[:, fringe])


def _pack(rgb: FloatArray, alpha: FloatArray) -> Packed:
    """RGB f32 […, 3] in 0…255 and alpha f32 […] in 0…1 as premultiplied 0xAARRGGBB (little-endian bytes B, G, R, A)."""
    premultiplied = np.concatenate([rgb[..., ::-1] * alpha[..., None], alpha[..., None] * 255.0], axis=-1)
    return np.ascontiguousarray(np.round(premultiplied).astype(np.uint8)).view(np.uint32)[..., 0]


def _opaque(palette: ByteArray) -> Packed:
    return _pack(palette.astype(np.float32), np.ones(len(palette), np.float32))


def _draw_discs(
    places: FloatArray,
    rows: ByteArray,
    palette: ByteArray,
    ground: tuple[int, int, int],
    shape: tuple[int, int],
    stamps: _Stamps,
) -> Packed:
    height, width = shape
    # A border as wide as a disc spares every clip at the edge.
    border = 2 * stamps.margin
    stride = width + 2 * border
    corner = np.floor(places).astype(np.int64)
    start = (corner[:, 1] + border) * stride + corner[:, 0] + border

    phase = np.minimum((places - corner) * PHASES, PHASES - 1).astype(np.int64)
    soft = _fringe_colours(palette, ground, stamps)[rows, phase[:, 1] * PHASES + phase[:, 0]]
    core = start[:, None] + stamps.core @ np.array([stride, 1])
    fringe = start[:, None] + stamps.fringe @ np.array([stride, 1])
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


def _fringe_colours(palette: ByteArray, ground: tuple[int, int, int], stamps: _Stamps) -> Packed:
    """Edges of every disc in every colour: u32 [P, PHASES², T], the rim in the ground's colour."""
    fill = stamps.fill[None, :, :, None]
    rgb = palette[:, None, None, :] * fill + np.array(ground, np.float32) * (1.0 - fill)
    cover = np.broadcast_to(stamps.cover, (len(palette), *stamps.cover.shape))
    return _pack(rgb.astype(np.float32), cover)


def _blend(canvas: Packed, where: NDArray[np.int64], colour: Packed, wanted: BoolArray) -> None:
    """Lay soft pixels over `canvas`; where several fall on one pixel the last is taken, which the eye cannot tell."""
    layer = np.zeros(canvas.size, np.uint32)
    layer[where[wanted]] = colour[wanted]
    touched = np.flatnonzero(layer)
    top = layer[touched].view(np.uint8).reshape(-1, 4).astype(np.uint16)
    below = canvas[touched].view(np.uint8).reshape(-1, 4).astype(np.uint16)
    mixed = np.minimum(top + (below * (255 - top[:, 3:]) + 127) // 255, 255).astype(np.uint8)
    canvas[touched] = mixed.view(np.uint32)[:, 0]


def _draw_density(places: FloatArray, rows: ByteArray, palette: ByteArray, shape: tuple[int, int]) -> Packed:
    """The more points a pixel holds the more opaque, on a logarithmic scale; its colour is that of one of them.

    With points in random order classes that share a place are dithered: a mean colour would be in no legend.
    """
    height, width = shape
    corner = np.floor(places).astype(np.int64)
    x, y = corner[:, 0], corner[:, 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    where = (y * width + x)[inside]
    count = np.bincount(where, minlength=height * width)
    row = np.zeros(height * width, np.uint8)
    row[where] = rows[inside]
    lit = np.flatnonzero(count)
    packed = np.zeros(height * width, np.uint32)
    if not len(lit):
        return packed.reshape(shape)
    # One point alone is already plainly visible; the fullest pixel is opaque.
    depth = np.log(count[lit]) / max(np.log(count.max()), 1.0)
    packed[lit] = _pack(palette[row[lit]].astype(np.float32), (0.45 + 0.55 * depth).astype(np.float32))
    return packed.reshape(shape)
