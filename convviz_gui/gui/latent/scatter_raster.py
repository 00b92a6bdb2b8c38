"""Points to picture in numpy: antialiased discs while there is room for them, density when there is not.

No Qt here. Coordinates called pixels are device pixels of the picture, x right and y down, with (0, 0) its corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray, IntArray
from convviz_gui.gui.latent.scatter_discs import Colours, Packed, draw_discs, over, pack, stamps

STAMP_BUDGET = 1_200_000
"""Pixels written in disc mode at most; more points than that are drawn as density."""

_FAINTEST = 0.45
_DOT = (
    (0.25, ((-1, -1), (1, -1), (-1, 1), (1, 1))),
    (0.65, ((0, -1), (-1, 0), (1, 0), (0, 1))),
    (1.0, ((0, 0),)),
)
"""Opacity of the pixels of a small disc, the faintest first, and where they are."""

_LEVELS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the plane that is seen, x0…x1 and y0…y1 with y up, and its size in device pixels."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: float
    height: float

    def columns(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places f32 [N], f32 [N] in the picture of points `x`, `y` f32 [N]; NaN stays NaN."""
        return (
            _scaled(x, self.x0, self.width / (self.x1 - self.x0)),
            _scaled(y, self.y1, -self.height / (self.y1 - self.y0)),
        )

    def to_pixels(self, xy: FloatArray) -> FloatArray:
        """Places f32 [N, 2] of points f32 [N, 2] in the picture; NaN stays NaN."""
        return np.stack(self.columns(xy[:, 0], xy[:, 1]), axis=1)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """The place of one point in the picture."""
        across, up = self.width / (self.x1 - self.x0), self.height / (self.y1 - self.y0)
        return (x - self.x0) * across, (self.y1 - y) * up

    def shows(self, other: Window) -> bool:
        """True if it shows the same as the other one, to a thousandth of a pixel, in as many pixels."""
        if (self.width, self.height) != (other.width, other.height):
            return False
        near = 1e-3 * (self.x1 - self.x0) / self.width
        ends = ((self.x0, other.x0), (self.x1, other.x1), (self.y0, other.y0), (self.y1, other.y1))
        return all(abs(mine - theirs) <= near for mine, theirs in ends)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """The point at a place in the picture."""
        across, up = (self.x1 - self.x0) / self.width, (self.y1 - self.y0) / self.height
        return self.x0 + x * across, self.y1 - y * up


def _scaled(values: FloatArray, origin: float, scale: float) -> FloatArray:
    """(values − origin) · scale in float32, right to the last digit also where values are close to a large origin."""
    near = np.float32(origin)
    # What float32 leaves of a difference of close numbers is exact; what the origin itself lost is added afterwards.
    with np.errstate(over="ignore"):
        moved: FloatArray = values.astype(np.float32, copy=False) - near
        moved *= np.float32(scale)
        moved += np.float32((float(near) - origin) * scale)
    return moved


def disc_radius(n_points: float) -> float:
    """Radius of a disc in logical pixels when about `n_points` share the view: 5 for a few, 1 for very many.

    Rounded to half pixels, so that a gentle zoom does not make every disc breathe.
    """
    radius = 5.0 - 1.35 * (np.log10(max(n_points, 1.0)) - 2.5)
    return float(np.clip(np.round(2 * radius) / 2, 1.0, 5.0))


def splat(
    x: FloatArray,
    y: FloatArray,
    colour: Colours,
    palette: ByteArray,
    *,
    width: int,
    height: int,
    radius: float,
    rim: float = 0.0,
    ground: tuple[int, int, int] = (0, 0, 0),
    behind: int = 0,
    grain: int = 1,
) -> Packed:
    """Draw points into a picture of their own.

    Args:
        x, y: f32 [N] places; later points lie on top. NaN is left out.
        colour: [N], row of `palette`.
        palette: u8 [P, 3] sRGB.
        radius: of a disc in device pixels, its rim included.
        rim: width in device pixels of an edge in the colour `ground` that keeps neighbouring discs apart.
        behind: so many points at the beginning are a background: their number does not make those before them denser.
        grain: side of a dot of the density in device pixels.

    Returns:
        u32 [height, width], premultiplied 0xAARRGGBB, which is Qt's fastest format with transparency.
    """
    discs = stamps(radius, rim)
    reach = radius + 1.0
    seen = _seen(x, y, (-reach, width + reach), (-reach, height + reach))
    if seen is not None:
        x, y, colour = x[seen], y[seen], colour[seen]
        behind = int(np.searchsorted(seen, behind))
    if len(x) * discs.size <= STAMP_BUDGET:
        return draw_discs(np.stack([x, y], axis=1), colour, palette, ground, (height, width), discs)
    shape = -(-height // grain), -(-width // grain)
    if grain > 1:
        x, y = x * np.float32(1 / grain), y * np.float32(1 / grain)
    drawn = _draw_density(x[behind:], y[behind:], colour[behind:], palette, shape)
    if behind:
        below = _draw_density(x[:behind], y[:behind], colour[:behind], palette, shape)
        both = np.flatnonzero(below)
        flat = drawn.reshape(-1)
        flat[both] = over(flat[both], below.reshape(-1)[both])
    if grain > 1:
        drawn = drawn.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]
    return np.ascontiguousarray(drawn)


def _draw_density(
    x: FloatArray,
    y: FloatArray,
    rows: Colours,
    palette: ByteArray,
    shape: tuple[int, int],
) -> Packed:
    """The more points a pixel holds the more opaque, on a logarithmic scale; its colour is that of one of them.

    With points in random order classes that share a place are dithered: a mean colour would be in no legend. A point
    that no other is near is drawn as a small disc: what lies apart is what people look for.
    """
    height, width = shape
    inside = _seen(x, y, (0, width), (0, height))
    if inside is not None:
        x, y, rows = x[inside], y[inside], rows[inside]
    where: IntArray = y.astype(np.int32).astype(np.int64)
    where *= width
    where += x.astype(np.int32)
    count = np.bincount(where, minlength=height * width)
    row = np.zeros(height * width, rows.dtype)
    row[where] = rows
    lit = np.flatnonzero(count)
    packed = np.zeros(height * width, np.uint32)
    if not len(lit):
        return packed.reshape(shape)
    # One point alone is already plainly visible; the fullest pixel is opaque.
    full = max(float(np.log(count[lit].max())), 1.0)
    depth = np.log(count[lit].astype(np.float32)) * np.float32((_LEVELS - 1) / full)
    packed[lit] = _inks(palette)[row[lit], np.round(depth).astype(np.int64)]
    lonely = _lonely(count.reshape(shape))
    return _with_dots(packed.reshape(shape), lonely, row[lonely], palette) if len(lonely) else packed.reshape(shape)


def _seen(x: FloatArray, y: FloatArray, across: tuple[float, float], down: tuple[float, float]) -> IntArray | None:
    """Which points lie from the first to before the second of each; None for all of them."""
    ends = ((x, across), (y, down))
    # The least and the greatest are found ten times as fast as all that lie between; they are no number if any is none.
    if len(x) and all(values.min() >= low and values.max() < high for values, (low, high) in ends):
        return None
    return np.flatnonzero((x >= across[0]) & (x < across[1]) & (y >= down[0]) & (y < down[1]))


def _with_dots(packed: Packed, where: IntArray, rows: Colours, palette: ByteArray) -> Packed:
    """`packed` [h, w] with a small disc at each flat place, around which it is empty."""
    height, width = packed.shape
    wide = np.zeros((height + 2, width + 2), np.uint32)
    wide[1:-1, 1:-1] = packed
    middle = (where // width + 1) * (width + 2) + where % width + 1
    flat = wide.reshape(-1)
    for alpha, steps in _DOT:
        inks = pack(palette.astype(np.float32), np.full(len(palette), alpha, np.float32))[rows]
        for dx, dy in steps:
            flat[middle + dy * (width + 2) + dx] = inks
    return np.ascontiguousarray(wide[1:-1, 1:-1])


def _inks(palette: ByteArray) -> Packed:
    """Every colour at every opacity: u32 [P, _LEVELS]."""
    alpha = np.linspace(_FAINTEST, 1.0, _LEVELS, dtype=np.float32)
    shape = (len(palette), _LEVELS)
    rgb = np.broadcast_to(palette[:, None].astype(np.float32), (*shape, 3))
    return pack(rgb, np.broadcast_to(alpha, shape))


def _lonely(count: IntArray) -> IntArray:
    """Flat places of the pixels that hold points while none beside them does; `count` i64 [h, w]."""
    lit = np.pad((count > 0).astype(np.uint8), 1)
    wide = lit[:, :-2] + lit[:, 1:-1] + lit[:, 2:]
    around = wide[:-2] + wide[1:-1] + wide[2:]
    return np.flatnonzero((around == 1) & (count > 0))
