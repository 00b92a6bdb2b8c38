"""Toybox: small pictures of twelve drawn things, whose truth (class, object, ears) is known to the pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from . import creatures, things
from .backgrounds import background
from .brush import Brush
from .palette import Palette, random_palette

Painter: TypeAlias = Callable[[Brush, Palette, np.random.Generator], None]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_PAINTERS: dict[str, Painter] = {
    "cat": creatures.cat,
    "dog": creatures.dog,
    "car": things.car,
    "truck": things.truck,
    "sailboat": things.sailboat,
    "house": things.house,
    "tree": things.tree,
    "mushroom": things.mushroom,
    "fish": creatures.fish,
    "butterfly": creatures.butterfly,
    "flower": things.flower,
    "umbrella": things.umbrella,
}

CLASSES: tuple[str, ...] = tuple(_PAINTERS)
"""Class names; a label is an index into this tuple."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sample:
    """One drawn picture and its truth; all arrays are read-only.

    Attributes:
        pixels: u8 [size, size, 3], RGB.
        mask: bool [size, size], True where the thing covers at least half of the pixel (its shadow is not part of it).
        ears: bool [size, size], the same for the visible ears of a cat or dog; None for every other class.
        label: Index into ``CLASSES``.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    ears: NDArray[np.bool_] | None
    label: int


def samples(n: int, seed: int) -> Iterator[Sample]:
    """Yield ``n`` samples whose labels cycle through the classes; the same seed gives the same bytes."""
    for index in range(n):
        yield draw(index % len(CLASSES), np.random.default_rng((seed, index)))


def draw(label: int, rng: np.random.Generator, size: int = 128) -> Sample:
    """Draw one thing of class ``label`` at random size, place, turn and colours.

    Cat and dog drawn from equal generators differ only where one of them has ears (and in the ears' soft shadow).

    Raises:
        IndexError: ``label`` is not an index into ``CLASSES``.
    """
    painter = _PAINTERS[CLASSES[label]]
    backdrop = background(rng, size)
    radius = float(rng.uniform(0.22, 0.42)) * size
    place = rng.uniform(0.86 * radius, size - 0.86 * radius, 2)
    palette = random_palette(rng)
    brush = Brush(radius, _random_linear(rng), palette.ink, float(rng.uniform(0.045, 0.08)))
    light = float(rng.uniform(0.0, 2 * np.pi))
    painter(brush, palette, rng)
    corner = np.round(place - brush.side / 2).astype(int)
    x, y = int(corner[0]), int(corner[1])
    pixels, coverage = _compose(backdrop, brush.layer(), x, y, light)
    marked = brush.marked()
    return Sample(
        pixels=_frozen(pixels),
        mask=_frozen(coverage >= 128),
        ears=None if marked is None else _frozen(_paste(marked, x, y, size) >= 128),
        label=label,
    )


def _random_linear(rng: np.random.Generator) -> NDArray[np.float64]:
    """Rotation by up to 35 degrees, mirroring, a little shear and stretch; f64 [2, 2]."""
    turn, mirror, shear, stretch = rng.random(4).tolist()
    angle = np.deg2rad(70.0 * (turn - 0.5))
    c, s = np.cos(angle), np.sin(angle)
    k = 0.88 + 0.24 * stretch
    flip = -1.0 if mirror < 0.5 else 1.0
    shape = np.asarray([[flip * min(k, 1.0), 0.2 * (shear - 0.5)], [0.0, min(1 / k, 1.0)]])
    linear: NDArray[np.float64] = np.asarray([[c, -s], [s, c]]) @ shape
    return linear


def _compose(
    backdrop: NDArray[np.float32], layer: NDArray[np.uint8], x: int, y: int, light: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Lay the thing on the backdrop with a soft shadow and rounded shading; returns pixels and coverage."""
    size = backdrop.shape[1]
    whole = _paste(layer, x, y, size)
    coverage = np.ascontiguousarray(whole[..., 3])
    soft = np.asarray(Image.fromarray(coverage).filter(ImageFilter.BoxBlur(size / 32)), dtype=np.float32)
    dx, dy = round(np.cos(light) * size / 40), round(np.sin(light) * size / 40)
    shadow, lit = _shifted(soft, dx, dy), _shifted(soft, -dx, -dy)
    alpha = coverage * np.float32(1 / 255)
    shaded = whole[..., :3].transpose(2, 0, 1).astype(np.float32, order="C")
    shaded += (lit - shadow) * np.float32(0.28)
    ground = backdrop * (np.float32(1) - shadow * np.float32(0.42 / 255))
    shaded -= ground
    shaded *= alpha
    ground += shaded + np.float32(0.5)
    pixels = np.clip(ground, 0, 255, out=ground).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0)), coverage


def _shifted(field: NDArray[np.float32], dx: int, dy: int) -> NDArray[np.float32]:
    height, width = field.shape
    moved = np.zeros_like(field)
    moved[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = field[
        max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
    ]
    return moved


def _paste(small: NDArray[np.uint8], x: int, y: int, size: int) -> NDArray[np.uint8]:
    """A square frame of ``size`` pixels that is zero but for ``small``, cut to fit, at column x and row y."""
    side = small.shape[0]
    whole = np.zeros((size, size, *small.shape[2:]), np.uint8)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, size), min(y + side, size)
    whole[y0:y1, x0:x1] = small[y0 - y : y1 - y, x0 - x : x1 - x]
    return whole


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    array.setflags(write=False)
    return array
