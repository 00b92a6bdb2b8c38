"""A small antialiased drawing surface: shapes in unit coordinates, painted three times too large and reduced."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SUPERSAMPLE = 3

Points: TypeAlias = NDArray[np.float64] | Sequence[tuple[float, float]]
Rgb: TypeAlias = tuple[int, int, int]


class Brush:
    """Paints one thing whose own coordinates span the unit disk, y downwards, onto a transparent square layer.

    Args:
        radius: The unit disk's radius in pixels of the finished layer.
        linear: f64 [2, 2], the rotation, mirroring and shear applied to every point.
        ink: Colour of every outline; also of the transparent surroundings, so that edges never get a fringe.
        outline: Width of the outlines as a share of the radius.
    """

    def __init__(self, radius: float, linear: NDArray[np.float64], ink: Rgb, outline: float = 0.06) -> None:
        self.side = int(np.ceil(radius * 1.16)) * 2 + 2
        full = self.side * SUPERSAMPLE
        self._matrix = linear.T * (radius * SUPERSAMPLE)
        self._centre = full / 2
        self._unit = radius * SUPERSAMPLE
        # RGBX: reducing RGBA would premultiply and divide, four passes that matching surroundings make needless.
        self._layer = Image.new("RGBX", (full, full), (*ink, 0))
        self._draw = ImageDraw.Draw(self._layer)
        self._stencil: Image.Image | None = None
        self._marks: ImageDraw.ImageDraw | None = None
        self._stencil_value = 0
        self.ink = ink
        self.outline = outline

    def shape(self, points: Points, fill: Rgb, *, corners: bool = False, outline: float | None = None) -> None:
        """Fill a closed polygon and outline it; ``corners`` rounds the outline's joints (for few, sharp corners)."""
        flat = self._place(points)
        self._draw.polygon(flat, fill=fill)
        width = self._width(self.outline if outline is None else outline)
        if width:
            self._line([*flat, *flat[:4]], self.ink, width, corners)
        if self._marks is not None:
            self._marks.polygon(flat, fill=self._stencil_value)
            if width:
                loop = [*flat, *flat[:4]]
                self._marks.line(loop, fill=self._stencil_value, width=width, joint="curve" if corners else None)

    def fill(self, points: Points, colour: Rgb) -> None:
        """Fill a closed polygon without an outline."""
        self._draw.polygon(self._place(points), fill=colour)

    def stroke(self, points: Points, width: float, colour: Rgb | None = None, *, corners: bool = False) -> None:
        """Draw an open line; ``width`` is a share of the radius, the colour is the ink unless given."""
        self._line(self._place(points), colour or self.ink, self._width(width), corners)

    def stencil(self, value: int) -> None:
        """From here on also record where shapes are painted: ``value`` 255 marks, 0 covers what was marked."""
        if self._stencil is None:
            self._stencil = Image.new("L", self._layer.size, 0)
            self._marks = ImageDraw.Draw(self._stencil)
        self._stencil_value = value

    def layer(self) -> NDArray[np.uint8]:
        """The finished picture, antialiased: u8 [side, side, 4], RGB and coverage."""
        return np.asarray(self._layer.reduce(SUPERSAMPLE))

    def marked(self) -> NDArray[np.uint8] | None:
        """Coverage u8 [side, side] of what the stencil marked, or None if no stencil was started."""
        return None if self._stencil is None else np.asarray(self._stencil.reduce(SUPERSAMPLE))

    def _place(self, points: Points) -> list[float]:
        placed = np.asarray(points, dtype=np.float64) @ self._matrix + self._centre
        flat: list[float] = placed.ravel().tolist()
        return flat

    def _line(self, flat: list[float], colour: Rgb, width: int, corners: bool) -> None:
        self._draw.line(flat, fill=colour, width=max(width, 1), joint="curve" if corners else None)

    def _width(self, share: float) -> int:
        return round(share * self._unit)


@lru_cache(maxsize=64)
def _circle(n: int) -> NDArray[np.float64]:
    angle = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ellipse(cx: float, cy: float, rx: float, ry: float | None = None, n: int = 28) -> NDArray[np.float64]:
    """An ellipse as a polygon f64 [n, 2]; a circle when ``ry`` is left out."""
    return _circle(n) * (rx, rx if ry is None else ry) + (cx, cy)


def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float, n: int = 14) -> NDArray[np.float64]:
    """Points f64 [n, 2] of an elliptic arc between two angles in degrees, clockwise on screen from 3 o'clock."""
    angle = np.linspace(np.deg2rad(start), np.deg2rad(end), n)
    return np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    """The four corners of an upright rectangle."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


@lru_cache(maxsize=64)
def _spline_weights(n: int, pieces: int) -> NDArray[np.float64]:
    t = np.arange(pieces) / pieces
    basis = 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], axis=1
    )
    weights = np.zeros((n, pieces, n))
    for knot in range(n):
        for k in range(4):
            weights[knot, :, (knot + k - 1) % n] += basis[:, k]
    return weights.reshape(n * pieces, n)


def smooth(points: Points, pieces: int = 5) -> NDArray[np.float64]:
    """The closed Catmull-Rom curve through ``points`` as a polygon f64 [len(points) * pieces, 2]."""
    knots = np.asarray(points, dtype=np.float64)
    return _spline_weights(len(knots), pieces) @ knots
