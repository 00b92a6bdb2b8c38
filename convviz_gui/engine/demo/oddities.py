"""Pictures that belong to no class of Toybox, to be found as outliers in the latent space."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .palette import hsv
from .toybox import CLASSES, draw

Pixels: TypeAlias = NDArray[np.uint8]


def _random_hue(rng: np.random.Generator, saturation: float, value: float) -> tuple[int, int, int]:
    return hsv(float(rng.random()), saturation, value)


def static(rng: np.random.Generator, size: int) -> Pixels:
    """Television snow: every pixel drawn on its own."""
    return rng.integers(0, 256, (size, size, 3), dtype=np.uint8)


def page(rng: np.random.Generator, size: int) -> Pixels:
    """A page of glyphs in lines, in no alphabet."""
    big = 2 * size
    picture = Image.new("RGB", (big, big), _random_hue(rng, 0.06, 0.97))
    pen = ImageDraw.Draw(picture)
    ink = _random_hue(rng, 0.5, 0.2)
    step = big / 12
    for row in range(11):
        for column in range(11 if rng.random() < 0.8 else int(rng.integers(3, 9))):
            if rng.random() < 0.14:
                continue
            knots = rng.random((4, 2)) * (0.62 * step, 0.72 * step) + ((column + 0.7) * step, (row + 0.65) * step)
            pen.line(knots.ravel().tolist(), fill=ink, width=3, joint="curve")
    return np.asarray(picture.reduce(2))


def stars(rng: np.random.Generator, size: int) -> Pixels:
    """A night sky: black, with stars of many magnitudes and the faint band of a galaxy."""
    big = 2 * size
    picture = Image.new("RGB", (big, big), (6, 7, 14))
    pen = ImageDraw.Draw(picture)
    tilt, shift = rng.uniform(-0.8, 0.8), rng.uniform(0.3, 0.7)
    for x, y, drift, glow, tint in rng.normal(0.0, 1.0, (420, 5)).tolist():
        along = (0.5 + 0.4 * x) * big
        across = (shift + tilt * 0.4 * x + 0.16 * y) * big if drift > -0.3 else rng.uniform(0, big)
        radius = 0.6 + 0.9 * max(glow, 0.0) ** 1.5
        light = min(255, int(110 + 70 * abs(glow)))
        colour = (light, light, min(255, int(light * (1.0 + 0.15 * tint))))
        pen.ellipse((along - radius, across - radius, along + radius, across + radius), fill=colour)
    return np.asarray(picture.reduce(2))


def kaleidoscope(rng: np.random.Generator, size: int) -> Pixels:
    """A picture folded about its diagonals and axes until the thing is a pattern."""
    pixels = draw(int(rng.integers(len(CLASSES))), rng, size).pixels
    quarter = pixels[size // 4 : size // 4 + size // 2, size // 4 : size // 4 + size // 2]
    upper = np.triu(np.ones(quarter.shape[:2], dtype=np.uint8))[..., None]
    folded = np.where(upper, quarter, quarter.transpose(1, 0, 2))
    half = np.concatenate([folded, folded[:, ::-1]], axis=1)
    return np.ascontiguousarray(np.concatenate([half, half[::-1]]))


def blocks(rng: np.random.Generator, size: int) -> Pixels:
    """A square code of black and white modules with three finder marks."""
    count = 21
    code = rng.integers(0, 2, (count, count))
    finder = np.ones((8, 8), dtype=int)
    finder[:7, :7] = 0
    finder[1:6, 1:6] = 1
    finder[2:5, 2:5] = 0
    code[:8, :8], code[:8, -8:], code[-8:, :8] = finder, finder[:, ::-1], finder[::-1]
    framed = np.pad(code, 2, constant_values=1).astype(np.uint8) * 235 + 10
    return np.asarray(Image.fromarray(framed).resize((size, size), Image.Resampling.BOX).convert("RGB"))


def collage(rng: np.random.Generator, size: int) -> Pixels:
    """Nine pictures of different classes in one."""
    third = -(-size // 3)
    labels = rng.permutation(len(CLASSES))[:9].tolist()
    tiles = [draw(label, rng, third).pixels for label in labels]
    rows = [np.concatenate(tiles[k : k + 3], axis=1) for k in (0, 3, 6)]
    return np.ascontiguousarray(np.concatenate(rows)[:size, :size])


def fractal(rng: np.random.Generator, size: int) -> Pixels:
    """A Julia set, coloured by the number of steps to escape."""
    line = np.linspace(-1.45, 1.45, size)
    z = line[None, :] + 1j * line[:, None]
    angle = float(rng.uniform(0.0, 2 * np.pi))
    c = 0.7885 * np.exp(1j * angle)
    steps = np.zeros((size, size))
    inside = np.ones((size, size), dtype=bool)
    for _ in range(40):
        z = np.where(inside, z * z + c, z)
        inside &= np.abs(z) < 4.0
        steps += inside
    hue = float(rng.random())
    ramp = np.asarray([hsv(hue + 0.02 * k, 0.85, 0.15 + 0.85 * (k / 40) ** 0.4) for k in range(41)], np.uint8)
    coloured: Pixels = ramp[steps.astype(int)]
    return coloured


def chart(rng: np.random.Generator, size: int) -> Pixels:
    """A bar chart with axes and a curve."""
    big = 2 * size
    picture = Image.new("RGB", (big, big), _random_hue(rng, 0.04, 0.98))
    pen = ImageDraw.Draw(picture)
    for k in range(1, 7):
        pen.line((0.12 * big, k * big / 8, 0.95 * big, k * big / 8), fill=(205, 208, 214), width=2)
    heights = rng.uniform(0.15, 0.75, 9).tolist()
    for k, height in enumerate(heights):
        x = (0.15 + 0.088 * k) * big
        pen.rectangle((x, (0.88 - height) * big, x + 0.06 * big, 0.88 * big), fill=_random_hue(rng, 0.7, 0.8))
    curve = [((0.18 + 0.088 * k) * big, (0.8 - 0.7 * h) * big) for k, h in enumerate(reversed(heights))]
    pen.line(curve, fill=(40, 40, 48), width=5, joint="curve")
    pen.line((0.12 * big, 0.05 * big, 0.12 * big, 0.88 * big, 0.95 * big, 0.88 * big), fill=(20, 20, 24), width=4)
    return np.asarray(picture.reduce(2))


ODDITIES: tuple[Callable[[np.random.Generator, int], Pixels], ...] = (
    static,
    page,
    stars,
    kaleidoscope,
    blocks,
    collage,
    fractal,
    chart,
)
"""Each draws u8 [size, size, 3] from a generator and a size."""
