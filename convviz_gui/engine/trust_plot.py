"""The curves of a check as a picture, for where there is no window to draw them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convviz_gui.engine.payloads import ByteArray, FloatArray, Trust

_PANEL, _HIGH, _GAP, _MARGIN = 300, 220, 56, 40
_TEXT, _LINE = 14, 20
_SUPERSAMPLE = 2
_MAP, _CENTRE, _RANDOM, _BAND, _GRID = "#0b6bcb", "#b3560f", "#77787e", "#dcdce0", "#d6d6d9"
_WIDE = 3 * _PANEL + 2 * _GAP + 2 * _MARGIN


def trust_picture(trust: Trust) -> ByteArray:
    """Deletion, insertion and likeness over the stages side by side, the verdict below; u8 [H, W, 3]."""
    lines = [line for sentence in trust.verdict for line in textwrap.wrap(sentence, 130)]
    height = _MARGIN + _LINE + _HIGH + 3 * _LINE + len(lines) * _LINE + _MARGIN
    canvas = Image.new("RGB", (_WIDE * _SUPERSAMPLE, height * _SUPERSAMPLE), "white")
    pen = _Pen(ImageDraw.Draw(canvas))
    ends = [trust.deletion, trust.insertion, trust.random_deletion, trust.random_insertion]
    ends += [trust.centre_deletion, trust.centre_insertion]
    values = np.concatenate([part.ravel() for part in ends])
    lo, hi = (0.0, 1.0) if trust.measure == "probability" else (float(values.min()), float(values.max()))
    for number, way in enumerate(("deletion", "insertion")):
        curves = [getattr(trust, f"{start}{way}") for start in ("random_", "centre_", "")]
        pen.begin(number, f"{way.capitalize()}: {trust.measure} of what is explained", lo, hi)
        pen.band(trust.fractions, curves[0])
        pen.curve(trust.fractions, curves[0].mean(axis=0), _RANDOM)
        pen.curve(trust.fractions, curves[1], _CENTRE)
        pen.curve(trust.fractions, curves[2], _MAP)
        pen.below("0", "part of the pixels", "1")
    pen.begin(2, "Likeness of the map with shuffled weights", min(0.0, _least(trust.spearman)), 1.0)
    if trust.layers:
        at = np.linspace(0, 1, len(trust.layers), dtype=np.float32)
        pen.curve(at, trust.spearman, _RANDOM)
        pen.curve(at, trust.ssim, _MAP)
    pen.below("last layer", "", "all layers")
    pen.legend(0, (("the map", _MAP), ("centred blob", _CENTRE), ("random orders", _RANDOM)))
    pen.legend(2, (("SSIM", _MAP), ("Spearman", _RANDOM)))
    for i, line in enumerate(lines):
        pen.text(_MARGIN, height - _MARGIN + (i - len(lines)) * _LINE, line, "black")
    return np.asarray(canvas.reduce(_SUPERSAMPLE))


def _least(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else 0.0


class _Pen:
    """Draws into panels side by side; places are in unmagnified pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw
        self._font = ImageFont.load_default(_TEXT * _SUPERSAMPLE)
        self._left, self._top = 0, _MARGIN + _LINE
        self._range = (0.0, 1.0)

    def begin(self, panel: int, title: str, lo: float, hi: float) -> None:
        """Go on in another panel, whose vertical axis reaches from `lo` to `hi`."""
        self._left = _MARGIN + panel * (_PANEL + _GAP)
        self._range = (lo, hi if hi > lo else lo + 1)
        self.text(self._left, self._top - _LINE - 4, title, "black")
        for end in (0, _HIGH):
            self._draw.line(_scaled([(self._left, self._top + end), (self._left + _PANEL, self._top + end)]), _GRID, 2)
        self.text(self._left - 6, self._top, f"{self._range[1]:.3g}", _RANDOM, "ra")
        self.text(self._left - 6, self._top + _HIGH, f"{self._range[0]:.3g}", _RANDOM, "rs")

    def _points(self, at: FloatArray, values: FloatArray) -> list[tuple[float, float]]:
        lo, hi = self._range
        places = zip(at.tolist(), values.tolist(), strict=True)
        return [
            (self._left + x * _PANEL, self._top + _HIGH * (1 - (y - lo) / (hi - lo)))
            for x, y in places
            if np.isfinite(y)
        ]

    def curve(self, at: FloatArray, values: FloatArray, colour: str) -> None:
        """A line with a mark at each value; what is not finite is left out."""
        points = self._points(at, values)
        self._draw.line(_scaled(points), colour, 2 * _SUPERSAMPLE, "curve")
        for x, y in points:
            self._draw.ellipse(_scaled([(x - 2, y - 2), (x + 2, y + 2)]), colour)

    def band(self, at: FloatArray, values: FloatArray) -> None:
        """From the lowest to the highest of several curves [R, S]."""
        upper, lower = (self._points(at, ends) for ends in (values.max(axis=0), values.min(axis=0)))
        self._draw.polygon(_scaled(upper + lower[::-1]), _BAND)

    def below(self, left: str, middle: str, right: str) -> None:
        """Words under the panel's lower edge."""
        y = self._top + _HIGH + 4
        for x, word, anchor in ((0, left, "la"), (_PANEL / 2, middle, "ma"), (_PANEL, right, "ra")):
            self.text(self._left + x, y, word, _RANDOM, anchor)

    def legend(self, panel: int, entries: Sequence[tuple[str, str]]) -> None:
        """Names in the colours of their lines, below a panel."""
        x = float(_MARGIN + panel * (_PANEL + _GAP))
        for name, colour in entries:
            self.text(x, self._top + _HIGH + _LINE + 4, name, colour)
            x += self._font.getlength(name) / _SUPERSAMPLE + 16

    def text(self, x: float, y: float, words: str, colour: str, anchor: str = "la") -> None:
        """Words at a place."""
        # The font has no true minus sign.
        words = words.replace("−", "-")
        self._draw.text((x * _SUPERSAMPLE, y * _SUPERSAMPLE), words, colour, self._font, anchor)


def _scaled(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x * _SUPERSAMPLE, y * _SUPERSAMPLE) for x, y in points]
