"""From numbers to u8 pictures, in numpy: used by the window and by export, so that both draw the same.

Maps are interpolated as floats and coloured afterwards; colours are never interpolated in place of values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.colormaps import NOT_A_NUMBER
from convviz_gui.engine.payloads import ByteArray, FloatArray

DIMMED = 0.45
"""What is left of the light of the photo outside the crop."""


BAND = 1_000_000
"""Pixels of a photo that are worked on at a time."""


def colour_index(values: FloatArray, lo: float, hi: float) -> ByteArray:
    """Place values in a colour table: `lo` is 0, `hi` 255, outside is clipped, NaN is 0; lo = hi gives 128.

    Args:
        values: any shape, in the units of `lo` and `hi`.
    """
    if not hi > lo:
        return np.full(values.shape, 128, np.uint8)
    scaled = (values - np.float32(lo)) * np.float32(255 / (hi - lo)) + np.float32(0.5)
    return to_bytes(scaled)


def to_bytes(scaled: FloatArray) -> ByteArray:
    """Clip to 0…255 in place and cut off fractions; NaN becomes 0."""
    # Unlike maximum and clip, fmax takes the number where the other is NaN.
    np.fmax(scaled, 0, out=scaled)
    np.fmin(scaled, 255, out=scaled)
    return scaled.astype(np.uint8)


def colourise(values: FloatArray, lo: float, hi: float, table: ByteArray) -> ByteArray:
    """Colour a map.

    Args:
        values: f32 [h, w].
        lo, hi: the values that get the first and the last colour.
        table: u8 [256, 3], one of `colormaps.COLORMAPS`.

    Returns:
        u8 [h, w, 3]; what is not finite has the colour `NOT_A_NUMBER`.
    """
    colours: ByteArray = table[colour_index(values, lo, hi)]
    colours[~np.isfinite(values)] = NOT_A_NUMBER
    return colours


def sample_map(values: FloatArray, rows: NDArray[Any], columns: NDArray[Any]) -> FloatArray:
    """Bilinear interpolation at the crossings of `rows` [H] and `columns` [W].

    Args:
        values: f32 [h, w].
        rows, columns: positions in units of map cells, where cell i covers i…i+1 and its value stands at i + 0.5;
            beyond the outermost values the map is constant.

    Returns:
        f32 [H, W].
    """
    top, bottom, down = _neighbours(rows, values.shape[0])
    left, right, along = _neighbours(columns, values.shape[1])
    lines = values[top] + (values[bottom] - values[top]) * down[:, None]
    return lines[:, left] + (lines[:, right] - lines[:, left]) * along


def _neighbours(positions: NDArray[Any], n: int) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    at = np.clip(positions - 0.5, 0, n - 1)
    before = np.floor(at).astype(np.intp)
    return before, np.minimum(before + 1, n - 1), (at - before).astype(np.float32)


def resize_map(values: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Resize f32 [h, w] to `size` (H, W), as torch's bilinear `interpolate` with align_corners=False does."""
    h, w = values.shape
    return sample_map(values, _centres(size[0], h), _centres(size[1], w))


def _centres(n: int, span: float) -> NDArray[Any]:
    return (np.arange(n) + 0.5) * (span / n)


def mosaic(tiles: ByteArray, columns: int, margin: int = 5, background: int = 0) -> ByteArray:
    """Stitch tiles into a grid, row by row, as the chapter does: margins between tiles, none around them.

    Args:
        tiles: u8 [N, h, w, 3], N ≥ 1.
        columns: tiles a row.
        margin: pixels between two tiles.
        background: grey of margins and of places left over in the last row, 0…255.

    Returns:
        u8 [H, W, 3].
    """
    n, h, w, _ = tiles.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (h + margin) - margin, columns * (w + margin) - margin, 3), background, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = (i // columns) * (h + margin), (i % columns) * (w + margin)
        sheet[y : y + h, x : x + w] = tile
    return sheet


def overlay(photo: ByteArray, heat: FloatArray, box: FloatArray, table: ByteArray, opacity: float = 0.4) -> ByteArray:
    """Draw a class map on the photo, exactly where the model looked: (1 − opacity) · photo + opacity · colour.

    Args:
        photo: u8 [height, width, 3].
        heat: f32 [H, W] in 0…1; it covers the crop.
        box: x, y, width, height of the crop in the photo's pixels, fractions included.
        table: u8 [256, 3].
        opacity: 0…1.

    Returns:
        u8 [height, width, 3]; outside the crop dimmed to `DIMMED` of its light, the crop outlined in white.
    """
    height, width = photo.shape[:2]
    x, y, box_width, box_height = (float(value) for value in box)
    rows, columns = _inside(y, box_height, height), _inside(x, box_width, width)
    heat_columns = (np.arange(width)[columns] + 0.5 - x) * (heat.shape[1] / box_width)
    picture = np.empty_like(photo)
    for band in _bands(slice(0, height), width):
        picture[band] = (photo[band] * np.float32(DIMMED) + np.float32(0.5)).astype(np.uint8)
    for band in _bands(rows, width):
        heat_rows = (np.arange(height)[band] + 0.5 - y) * (heat.shape[0] / box_height)
        colours = colourise(sample_map(heat, heat_rows, heat_columns), 0.0, 1.0, table)
        mixed = photo[band, columns] * np.float32(1 - opacity) + colours * np.float32(opacity) + np.float32(0.5)
        picture[band, columns] = mixed.astype(np.uint8)
    if rows.start > 0 or columns.start > 0 or rows.stop < height or columns.stop < width:
        _outline(picture, rows, columns, max(1, round(max(height, width) / 500)))
    return picture


def _inside(start: float, length: float, n: int) -> slice:
    # A pixel belongs to the crop if its centre does.
    return slice(max(math.ceil(start - 0.5), 0), min(math.ceil(start + length - 0.5), n))


def _bands(rows: slice, width: int) -> Iterator[slice]:
    """Parts of `rows`: at full size, a large photo's intermediate values would need twelve times its memory."""
    step = max(1, BAND // width)
    for start in range(rows.start, rows.stop, step):
        yield slice(start, min(start + step, rows.stop))


def _outline(picture: ByteArray, rows: slice, columns: slice, thickness: int) -> None:
    top, left = max(rows.start - thickness, 0), max(columns.start - thickness, 0)
    bottom, right = rows.stop + thickness, columns.stop + thickness
    picture[top : rows.start, left:right] = 255
    picture[rows.stop : bottom, left:right] = 255
    picture[top:bottom, left : columns.start] = 255
    picture[top:bottom, columns.stop : right] = 255


def outlined(photo: ByteArray, field: FloatArray, at: tuple[float, float] | None = None) -> ByteArray:
    """The photo u8 [height, width, 3] with a frame around `field` (x, y, width, height) and a cross at a point."""
    height, width = photo.shape[:2]
    x, y, box_width, box_height = (float(value) for value in field)
    picture, thickness = photo.copy(), max(1, round(max(height, width) / 300))
    _outline(picture, _inside(y, box_height, height), _inside(x, box_width, width), thickness)
    if at is not None:
        column, row, arm = int(at[0]), int(at[1]), 4 * thickness
        for value, wide in ((0, thickness), (255, thickness // 2)):
            picture[max(row - wide, 0) : row + wide + 1, max(column - arm, 0) : column + arm + 1] = value
            picture[max(row - arm, 0) : row + arm + 1, max(column - wide, 0) : column + wide + 1] = value
    return picture
