"""Many pictures on one sheet, for files: what shows nothing says so in words."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.masking import masked
from convviz_gui.engine.payloads import ByteArray, Gallery, Maps
from convviz_gui.engine.render import mosaic
from convviz_gui.engine.scaling import Scaling, scale_channels

LEAST_TILE = 48
"""Pixels a side below which an activation tile is enlarged, each value a square."""
MARGIN = 5
"""Pixels between two tiles, as in the chapter."""
NOT_MADE = "not made"
"""Of a picture that was not begun when the run was stopped."""
_GROUND, _INK = 64, 224
_WARNING_GROUND, _WARNING_INK = (253, 241, 224), (143, 74, 0)
_SMALLEST_CAPTION, _LARGEST_CAPTION = 11, 32


def filter_sheet(gallery: Gallery, *, transparent: bool = False) -> ByteArray:
    """The chapter's n×n grid, u8 [H, W, 3]; "dead" or "not made" stands where a channel has no picture.

    With `transparent`, what did not matter of pictures that tell it fades into a white ground.
    """
    tiles = gallery.images.copy()
    if transparent and gallery.transparency is not None:
        for tile, how_much in zip(tiles, gallery.transparency, strict=True):
            tile[:] = masked(tile, how_much)
    for item in np.flatnonzero(gallery.dead | (gallery.done == 0)):
        tiles[item] = word_tile("dead" if gallery.dead[item] else NOT_MADE, *tiles.shape[1:3])
    return mosaic(tiles, _columns(len(tiles)), MARGIN)


def channel_sheet(maps: Maps) -> ByteArray:
    """All channels of a layer, each scaled by itself, u8 [H, W, 3]; "blank" stands where a channel found nothing."""
    tiles: ByteArray = COLORMAPS["viridis"][scale_channels(maps, Scaling.PER_CHANNEL)]
    factor = math.ceil(LEAST_TILE / max(tiles.shape[1:3]))
    tiles = tiles.repeat(factor, axis=1).repeat(factor, axis=2)
    tiles[maps.blank] = word_tile("blank", *tiles.shape[1:3])
    return mosaic(tiles, _columns(len(tiles)), MARGIN)


def word_tile(word: str, height: int, width: int) -> ByteArray:
    """A grey tile u8 [height, width, 3] with a word in its middle."""
    tile = Image.new("RGB", (width, height), (_GROUND,) * 3)
    font = ImageFont.load_default(max(width / max(len(word), 8), 6))
    ImageDraw.Draw(tile).text((width / 2, height / 2), word, fill=(_INK,) * 3, font=font, anchor="mm")
    return np.asarray(tile)


def captioned(picture: ByteArray, text: str) -> ByteArray:
    """The picture u8 [H, W, 3] with a strip below it that warns of something, in as many lines as it needs.

    The picture itself stays in the upper left corner, pixel for pixel; one too narrow for a word gets a margin on its
    right.
    """
    height, width = picture.shape[:2]
    size = min(max(width / 48, _SMALLEST_CAPTION), _LARGEST_CAPTION)
    font, pad, line = ImageFont.load_default(size), round(size / 2), round(size * 1.4)
    room = max(width - 2 * pad, *(math.ceil(font.getlength(word)) for word in text.split()))
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    sheet = Image.new("RGB", (max(width, room + 2 * pad), height + line * len(lines) + pad), _WARNING_GROUND)
    sheet.paste(Image.fromarray(picture), (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, words in enumerate(lines):
        draw.text((pad, height + pad / 2 + number * line), words, fill=_WARNING_INK, font=font)
    return np.asarray(sheet)


def named(picture: ByteArray, name: str) -> ByteArray:
    """The picture u8 [H, W, 3] with a line below it that names it; too long a name is cut in its middle."""
    height, width = picture.shape[:2]
    size = min(max(width / 20, _SMALLEST_CAPTION), _LARGEST_CAPTION)
    font = ImageFont.load_default(size)
    kept = len(name)
    line = name
    while kept > 2 and font.getlength(line) > width:
        kept -= 1
        line = f"{name[: kept // 2]}..{name[len(name) - (kept - kept // 2) :]}"
    sheet = Image.new("RGB", (width, height + round(size * 1.8)), (255,) * 3)
    sheet.paste(Image.fromarray(picture), (0, 0))
    ImageDraw.Draw(sheet).text((width / 2, height + size * 0.3), line, fill=(_GROUND,) * 3, font=font, anchor="ma")
    return np.asarray(sheet)


def _columns(n: int) -> int:
    return math.ceil(math.sqrt(n))
