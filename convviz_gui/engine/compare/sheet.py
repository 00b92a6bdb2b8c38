"""A comparison as one picture: A, B and their difference, each with the scale it is drawn by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.compare.colours import difference_picture, side_picture, table_for
from convviz_gui.engine.compare.comparison import Comparison, largest
from convviz_gui.engine.compare.shown import Shown
from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.render import colourise

_SIDE, _WIDEST = 320, 640
"""Pixels that a map's longer side is enlarged to, by a whole number; larger ones are shrunk to `_WIDEST`."""
_NARROWEST = 240
_PAD, _BAR, _LINE = 12, 10, 18
_GROUND, _INK, _MUTED = (255, 255, 255), (26, 26, 26), (96, 96, 96)


def comparison_sheet(found: Comparison) -> ByteArray:
    """A, B and the difference beside each other with titles and colour bars, u8 [H, W, 3]."""
    a, b = found.a.shown, found.b.shown
    parts = [
        _Part("A", found.a.title, _sized(side_picture(found, a, found.ranges[0])), _bar(found, a, 0)),
        _Part("B", found.b.title, _sized(side_picture(found, b, found.ranges[1])), _bar(found, b, 1)),
    ]
    if found.difference is not None:
        top = largest(found.difference)
        bar = (-top, top, COLORMAPS[DIVERGING], found.unit)
        parts.append(_Part("A − B", "red: A is larger, blue: B is", _sized(difference_picture(found)), bar))
    lines_above = max(len(part.lines()) for part in parts)
    panels = [_panel(part, lines_above) for part in parts]
    below = [*found.caveats, _scale_words(found)]
    below += [f"No difference is shown. {found.reason}."] if found.reason else []
    width = sum(panel.width for panel in panels) + _PAD * (len(panels) + 1)
    lines = [line for text in below for line in _wrapped(text, width - 2 * _PAD)]
    height = max(panel.height for panel in panels) + 2 * _PAD + _LINE * len(lines) + _PAD
    sheet = Image.new("RGB", (width, height), _GROUND)
    x = _PAD
    for panel in panels:
        sheet.paste(panel, (x, _PAD))
        x += panel.width + _PAD
    _write(sheet, _PAD, height - _PAD - _LINE * len(lines), lines, _MUTED)
    return np.asarray(sheet)


_Bar = tuple[float, float, ByteArray, str]


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    title: str
    picture: ByteArray
    bar: _Bar | None

    @property
    def width(self) -> int:
        return max(int(self.picture.shape[1]), _NARROWEST)

    def lines(self) -> list[str]:
        return _wrapped(self.title, self.width)


def _bar(found: Comparison, shown: Shown, place: int) -> _Bar | None:
    return None if shown.is_picture else (*found.ranges[place], table_for(found, shown), shown.unit)


def _scale_words(found: Comparison) -> str:
    if found.a.shown.is_picture and found.b.shown.is_picture:
        return "Pictures are shown as they are; numbers are of their brightness."
    return "One scale for both." if found.locked else "Each by its own maximum: shades do not compare."


def _panel(part: _Part, lines_above: int) -> Image.Image:
    height, width = part.picture.shape[:2]
    top = _LINE * (1 + lines_above) + 4
    panel = Image.new("RGB", (part.width, top + height + (_BAR + 2 * _LINE + 8 if part.bar else 0)), _GROUND)
    _write(panel, 0, 0, [part.name], _INK)
    _write(panel, 0, _LINE, part.lines(), _MUTED)
    panel.paste(Image.fromarray(part.picture), ((part.width - width) // 2, top))
    if part.bar is not None:
        _paint_bar(panel, top + height + 6, part.bar)
    return panel


def _paint_bar(panel: Image.Image, y: int, bar: _Bar) -> None:
    lo, hi, table, unit = bar
    ramp: FloatArray = np.linspace(lo, hi, panel.width, dtype=np.float32)
    panel.paste(Image.fromarray(np.repeat(colourise(ramp[None], lo, hi, table), _BAR, axis=0)), (0, y))
    draw, font = ImageDraw.Draw(panel), _font()
    y += _BAR + 2
    for x, number, anchor in ((0, lo, "la"), (panel.width // 2, (lo + hi) / 2, "ma"), (panel.width, hi, "ra")):
        draw.text((x, y), f"{number:.4g}", fill=_INK, font=font, anchor=anchor)
    draw.text((0, y + _LINE), _drawable(unit), fill=_MUTED, font=font)


def _sized(picture: ByteArray) -> ByteArray:
    longest = max(picture.shape[:2])
    if longest > _WIDEST:
        size = tuple(max(1, round(side * _WIDEST / longest)) for side in (picture.shape[1], picture.shape[0]))
        return np.asarray(Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.BOX))
    factor = max(1, math.ceil(_SIDE / longest))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(13)


def _drawable(text: str) -> str:
    """Without the signs that Pillow's own font has no shape for."""
    return text.replace("−", "-").replace("×", "x")


def _wrapped(text: str, room: int) -> list[str]:
    font, lines = _font(), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _write(sheet: Image.Image, x: int, y: int, lines: list[str], colour: tuple[int, int, int]) -> None:
    draw, font = ImageDraw.Draw(sheet), _font()
    for number, line in enumerate(lines):
        draw.text((x, y + number * _LINE), _drawable(line), fill=colour, font=font)
