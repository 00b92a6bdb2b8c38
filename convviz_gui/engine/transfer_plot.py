"""A transfer check as a picture, for where there is no window to draw it."""

from __future__ import annotations

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convviz_gui.engine.desk.transfer_words import guessing, measure, part, verdict
from convviz_gui.engine.label_places import apart
from convviz_gui.engine.payloads import RAW_PIXELS, ByteArray, Judged, Transfer

_WIDE, _HIGH, _LEFT, _RIGHT, _TOP = 960, 300, 70, 130, 70
_TEXT, _LINE = 14, 20
_SUPERSAMPLE = 2
_PROBE, _KNN, _QUIET, _GRID = "#0b6bcb", "#b3560f", "#77787e", "#e4e4e7"
_LONGEST = 34


def transfer_picture(transfer: Transfer) -> ByteArray:
    """Accuracy over layers by neighbours and by probe, with what both are held against; u8 [H, W, 3]."""
    return _Chart(transfer).drawn()


class _Chart:
    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._balanced = transfer.uneven
        self._font = ImageFont.load_default(_TEXT * _SUPERSAMPLE)
        self._lines = textwrap.wrap(verdict(transfer), 120)
        self._names = [name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}" for name in transfer.layers]
        longest = max((self._font.getlength(name) for name in self._names), default=0) / _SUPERSAMPLE
        self._below = round(longest) + 16
        height = _TOP + _HIGH + self._below + _LINE * (len(self._lines) + 1)
        self._canvas = Image.new("RGB", (_WIDE * _SUPERSAMPLE, height * _SUPERSAMPLE), "white")
        self._pen = ImageDraw.Draw(self._canvas)

    def drawn(self) -> ByteArray:
        transfer, bottom = self._transfer, _TOP + _HIGH
        kind = "Balanced accuracy" if self._balanced else "Accuracy"
        self._text(_LEFT, 12, f"{kind} by layer, {len(transfer.paths):,} pictures, {transfer.scored_by}", "black")
        for value in (0, 0.25, 0.5, 0.75, 1):
            self._line([(_LEFT, self._y(value)), (_WIDE - _RIGHT, self._y(value))], _GRID, 1)
            self._text(_LEFT - 8, self._y(value), part(value), _QUIET, "rm")
        self._against()
        for judged, colour in ((transfer.knn, _KNN), (transfer.probe, _PROBE)):
            self._rows(judged, colour)
        x = _LEFT
        for name, colour in (("linear probe", _PROBE), (f"{transfer.neighbours} nearest neighbours", _KNN)):
            self._text(x, 38, name, colour)
            x += round(self._font.getlength(name) / _SUPERSAMPLE) + 24
        for number, name in enumerate(self._names):
            self._turned(self._x(number), bottom + 8, name)
        for number, line in enumerate(self._lines):
            self._text(_LEFT, bottom + self._below + number * _LINE, line, "black")
        return np.asarray(self._canvas.reduce(_SUPERSAMPLE))

    def _x(self, number: int) -> float:
        count = len(self._names)
        return _LEFT + (number + 0.5) * (_WIDE - _LEFT - _RIGHT) / max(count, 1)

    @staticmethod
    def _y(value: float) -> float:
        return _TOP + _HIGH * (1 - value)

    def _rows(self, judged: Judged, colour: str) -> None:
        values, intervals = measure(judged, balanced=self._balanced)
        places = [(self._x(number), self._y(float(value))) for number, value in enumerate(values[1:])]
        self._line(places, colour, 2)
        for (x, y), (low, high) in zip(places, intervals[1:].tolist(), strict=True):
            self._line([(x, self._y(low)), (x, self._y(high))], colour, 1)
            self._pen.ellipse(_scaled([(x - 3, y - 3), (x + 3, y + 3)]), colour)

    def _against(self) -> None:
        transfer, pixels = self._transfer, RAW_PIXELS
        lines = [(guessing(transfer, balanced=self._balanced), "commonest label", _QUIET)]
        for judged, colour in ((transfer.knn, _KNN), (transfer.probe, _PROBE)):
            lines.append((float(measure(judged, balanced=self._balanced)[0][0]), pixels, colour))
        heights = [self._y(value) for value, _, _ in lines]
        places = apart(heights, _LINE - 3, _TOP, _TOP + _HIGH)
        for y, at, (_, name, colour) in zip(heights, places, lines, strict=True):
            for x in range(_LEFT, _WIDE - _RIGHT, 12):
                self._line([(x, y), (x + 6, y)], colour, 1)
            self._text(_WIDE - _RIGHT + 8, at, name, colour, "lm")

    def _line(self, places: list[tuple[float, float]], colour: str, width: int) -> None:
        self._pen.line(_scaled(places), colour, width * _SUPERSAMPLE)

    def _text(self, x: float, y: float, words: str, colour: str, anchor: str = "la") -> None:
        # The font has no true minus sign, and no narrow spaces.
        self._pen.text((x * _SUPERSAMPLE, y * _SUPERSAMPLE), words.replace("−", "-"), colour, self._font, anchor)

    def _turned(self, x: float, y: float, words: str) -> None:
        """Words that run upwards to the axis."""
        size = (max(round(self._font.getlength(words)), 1), _LINE * _SUPERSAMPLE)
        strip = Image.new("L", size)
        ImageDraw.Draw(strip).text((0, 0), words, 255, self._font)
        mask = strip.rotate(90, expand=True)
        self._canvas.paste(_QUIET, (round((x - _LINE / 2) * _SUPERSAMPLE), round(y * _SUPERSAMPLE)), mask)


def _scaled(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x * _SUPERSAMPLE, y * _SUPERSAMPLE) for x, y in places]
