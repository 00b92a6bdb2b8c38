"""Textured backgrounds: a two-colour pattern, soft light, grain, and sometimes scattered confetti."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .palette import hsv

Field: TypeAlias = NDArray[np.float32]
Pattern: TypeAlias = Callable[[Field, Field, np.random.Generator], Field]


def background(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """A textured background of a random pattern and colours: f32 [3, size, size], about 0 to 255, not clipped."""
    pattern = PATTERNS[int(rng.integers(len(PATTERNS)))]
    x, y = _turned_axes(rng, size)
    mix = pattern(x, y, rng)
    mix += _noise(rng, size, 5) * 0.5 - 0.25
    first, second = _two_colours(rng)
    picture = first + np.clip(mix, 0.0, 1.0) * (second - first)
    if rng.random() < 0.4:
        picture = _confetti(picture, rng)
    grain = rng.standard_normal((size, size), dtype=np.float32)
    picture += grain * np.float32(1.0 + 5.0 * float(rng.random()) ** 2)
    return picture


def _two_colours(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    hue, turn, s1, s2, v1, dv = rng.random(6).tolist()
    value = 0.3 + 0.65 * v1
    step = (0.12 + 0.3 * dv) * (1 if value < 0.6 else -1)
    first = hsv(hue, 0.12 + 0.6 * s1, value)
    second = hsv(hue + 0.12 * (turn - 0.5) + (0.5 if turn > 0.8 else 0.0), 0.12 + 0.6 * s2, value + step)
    return np.asarray(first, np.float32)[:, None, None], np.asarray(second, np.float32)[:, None, None]


@lru_cache(maxsize=8)
def _axes(size: int) -> tuple[Field, Field]:
    line = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    return line[None, :], line[:, None]


def _turned_axes(rng: np.random.Generator, size: int) -> tuple[Field, Field]:
    angle, dx, dy = rng.random(3).tolist()
    c, s = np.float32(np.cos(2 * np.pi * angle)), np.float32(np.sin(2 * np.pi * angle))
    x, y = _axes(size)
    return c * x - s * y + np.float32(dx), s * x + c * y + np.float32(dy)


def _noise(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Smooth value noise in 0..1, f32 [size, size], with about ``cells`` blobs along a side."""
    coarse = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    return np.array(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)


def _edge(signed: Field, softness: float) -> Field:
    clipped: Field = np.clip(signed / np.float32(softness) + np.float32(0.5), 0.0, 1.0)
    return clipped


def _triangle_wave(phase: Field) -> Field:
    wave: Field = np.abs(phase - np.floor(phase) - np.float32(0.5)) * np.float32(2.0)
    return wave


def _gradient(x: Field, y: Field, rng: np.random.Generator) -> Field:
    bend = np.float32(rng.uniform(-0.6, 0.6))
    return (x + bend * y * y) * np.float32(0.5) + np.float32(0.3)


def _radial(x: Field, y: Field, rng: np.random.Generator) -> Field:
    return np.sqrt(x * x + y * y) * np.float32(rng.uniform(0.5, 1.1))


def _rings(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count = rng.uniform(2.0, 6.0)
    return _edge(_triangle_wave(np.sqrt(x * x + y * y) * np.float32(count)) - np.float32(0.5), 0.06 * count)


def _stripes(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count = rng.uniform(1.5, 7.0)
    balance = np.float32(rng.uniform(0.3, 0.7))
    return _edge(_triangle_wave(x * np.float32(count)) - balance, 0.06 * count) + np.float32(0) * y


def _waves(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count, swing, pace = rng.uniform(2.0, 6.0), rng.uniform(0.05, 0.25), rng.uniform(3.0, 9.0)
    bent = x + np.float32(swing) * np.sin(y * np.float32(pace))
    return _edge(_triangle_wave(bent * np.float32(count)) - np.float32(0.5), 0.08 * count)


def _zigzag(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count, teeth = rng.uniform(2.0, 6.0), rng.uniform(1.5, 4.0)
    bent = x + _triangle_wave(y * np.float32(teeth)) * np.float32(0.5 / teeth)
    return _edge(_triangle_wave(bent * np.float32(count)) - np.float32(0.5), 0.08 * count)


def _checks(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count = rng.uniform(1.0, 4.0)
    a = _edge(_triangle_wave(x * np.float32(count)) - np.float32(0.5), 0.06 * count)
    b = _edge(_triangle_wave(y * np.float32(count)) - np.float32(0.5), 0.06 * count)
    return a + b - 2 * a * b


def _plaid(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count, other = rng.uniform(1.0, 3.5), rng.uniform(1.0, 3.5)
    a = _edge(_triangle_wave(x * np.float32(count)) - np.float32(0.6), 0.06 * count)
    b = _edge(_triangle_wave(y * np.float32(other)) - np.float32(0.6), 0.06 * other)
    return np.float32(0.5) * (a + b)


def _dots(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count = np.float32(rng.uniform(1.5, 5.0))
    radius = np.float32(rng.uniform(0.2, 0.38))
    u, v = x * count, y * count
    u = u + np.float32(0.5) * np.mod(np.floor(v), 2)
    u, v = u - np.floor(u) - np.float32(0.5), v - np.floor(v) - np.float32(0.5)
    return _edge(radius - np.sqrt(u * u + v * v), 0.03 * float(count))


def _bricks(x: Field, y: Field, rng: np.random.Generator) -> Field:
    count = np.float32(rng.uniform(2.0, 5.0))
    v = y * count
    u = x * count * np.float32(0.5) + np.float32(0.5) * np.mod(np.floor(v), 2)
    joint = np.minimum(np.float32(1) - _triangle_wave(v), 2 * (np.float32(1) - _triangle_wave(u)))
    return _edge(np.float32(0.85) - np.float32(1) + joint, 0.06 * float(count))


def _clouds(x: Field, y: Field, rng: np.random.Generator) -> Field:
    size = np.broadcast_shapes(x.shape, y.shape)[0]
    return _noise(rng, size, 4) * np.float32(0.6) + _noise(rng, size, 11) * np.float32(0.4)


def _camouflage(x: Field, y: Field, rng: np.random.Generator) -> Field:
    size = np.broadcast_shapes(x.shape, y.shape)[0]
    blobs = _noise(rng, size, int(rng.integers(6, 16)))
    low = _edge(blobs - np.float32(0.38), 0.05)
    return np.float32(0.5) * (low + _edge(blobs - np.float32(0.6), 0.05))


def _speckle(x: Field, y: Field, rng: np.random.Generator) -> Field:
    size = np.broadcast_shapes(x.shape, y.shape)[0]
    return _noise(rng, size, int(rng.integers(24, 56)))


PATTERNS: tuple[Pattern, ...] = (
    _gradient,
    _radial,
    _rings,
    _stripes,
    _waves,
    _zigzag,
    _checks,
    _plaid,
    _dots,
    _bricks,
    _clouds,
    _camouflage,
    _speckle,
)


def _confetti(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Scatter small plain shapes, so that an outlined colourful spot alone says nothing about a class."""
    size = picture.shape[1]
    layer = Image.new("RGBX", (2 * size, 2 * size), (128, 128, 128, 0))
    draw = ImageDraw.Draw(layer)
    count = int(rng.integers(5, 16))
    numbers = rng.random((count, 7))
    for cx, cy, scale, turn, kind, hue, tone in numbers.tolist():
        radius = (0.015 + 0.05 * scale) * 2 * size
        x, y = cx * 2 * size, cy * 2 * size
        colour = hsv(hue, 0.3 + 0.6 * tone, 0.95 - 0.5 * tone * scale)
        if kind < 0.35:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        elif kind < 0.6:
            draw.regular_polygon((x, y, radius), 3 + int(turn * 3), rotation=turn * 360, fill=colour)
        elif kind < 0.8:
            dx, dy = 1.6 * radius * np.cos(6.3 * turn), 1.6 * radius * np.sin(6.3 * turn)
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=colour, width=max(2, int(radius * 0.5)))
        else:
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(box, outline=colour, width=max(2, int(radius * 0.4)))
    small = np.asarray(layer.reduce(2)).transpose(2, 0, 1).astype(np.float32, order="C")
    alpha = small[3] * np.float32(1 / 255)
    scattered: NDArray[np.float32] = picture + alpha * (small[:3] - picture)
    return scattered
