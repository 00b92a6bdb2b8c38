"""Colours drawn from one distribution for every class, so that colour never gives a class away."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from .brush import Rgb

_HARMONIES = (0.08, 0.33, 0.42, 0.5, 0.58, 0.67, 0.92)


@dataclass(frozen=True, slots=True)
class Palette:
    """The paints of one thing: two colours, an accent, a near-white, a near-black, and shades of the first two."""

    main: Rgb
    main_dark: Rgb
    main_light: Rgb
    second: Rgb
    second_dark: Rgb
    accent: Rgb
    paper: Rgb
    ink: Rgb


def random_palette(rng: np.random.Generator) -> Palette:
    """Draw a harmonious palette: any hue, partner hues at fixed distances from it."""
    hue, saturation, value, paper_hue = rng.random(4).tolist()
    turns = rng.integers(0, len(_HARMONIES), 2)
    saturation, value = 0.35 + 0.6 * saturation, 0.55 + 0.45 * value
    second = hue + _HARMONIES[int(turns[0])]
    accent = hue + _HARMONIES[int(turns[1])]
    wobble = rng.random(4).tolist()
    second_value = 0.55 + 0.45 * wobble[1]
    return Palette(
        main=hsv(hue, saturation, value),
        main_dark=hsv(hue - 0.02, min(1.0, saturation + 0.12), value * 0.72),
        main_light=hsv(hue + 0.02, saturation * 0.5, min(1.0, value * 1.25)),
        second=hsv(second, 0.3 + 0.6 * wobble[0], second_value),
        second_dark=hsv(second - 0.02, 0.45 + 0.5 * wobble[0], second_value * 0.7),
        accent=hsv(accent, 0.55 + 0.45 * wobble[2], 0.75 + 0.25 * wobble[3]),
        paper=hsv(paper_hue, 0.08, 0.97),
        ink=hsv(hue + 0.5 * wobble[3], 0.55, 0.12 + 0.14 * wobble[2]),
    )


def hsv(hue: float, saturation: float, value: float) -> Rgb:
    """An 8-bit RGB colour from hue (any real, in turns), saturation and value (each 0 to 1)."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)
