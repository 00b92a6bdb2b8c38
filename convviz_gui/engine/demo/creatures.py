"""The living things of Toybox: cat and dog (one face, two kinds of ears), fish, butterfly."""

from __future__ import annotations

import numpy as np

from .brush import Brush, ellipse, smooth
from .palette import Palette

_CAT_EAR = [(-0.68, -0.02), (-0.76, -0.52), (-0.64, -0.98), (-0.30, -0.76), (-0.02, -0.42)]
_CAT_EAR_INSIDE = [(-0.60, -0.26), (-0.66, -0.52), (-0.60, -0.80), (-0.42, -0.66), (-0.24, -0.47)]
_DOG_EAR = [(-0.34, -0.48), (-0.60, -0.56), (-0.86, -0.34), (-0.97, 0.06), (-0.86, 0.36), (-0.71, 0.30), (-0.63, -0.04)]
_DOG_EAR_INSIDE = [(-0.66, -0.34), (-0.80, -0.20), (-0.87, 0.06), (-0.81, 0.22), (-0.74, 0.14), (-0.70, -0.10)]
_HEAD = [(0, -0.52), (0.40, -0.42), (0.64, -0.08), (0.64, 0.26), (0.40, 0.56), (0, 0.68), (-0.40, 0.56)]
_HEAD += [(-0.64, 0.26), (-0.64, -0.08), (-0.40, -0.42)]


def cat(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A face with upright, pointed ears."""
    brush.stencil(255)
    _both_sides(brush, _CAT_EAR, _CAT_EAR_INSIDE, palette)
    brush.stencil(0)
    _face(brush, palette, rng)


def dog(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """The cat's face with ears that hang down."""
    brush.stencil(0)
    _face(brush, palette, rng)
    brush.stencil(255)
    _both_sides(brush, _DOG_EAR, _DOG_EAR_INSIDE, palette)


def _both_sides(
    brush: Brush, ear: list[tuple[float, float]], inside: list[tuple[float, float]], palette: Palette
) -> None:
    for side in (1.0, -1.0):
        brush.shape(smooth(np.asarray(ear) * (side, 1.0)), palette.main_dark)
        brush.fill(smooth(np.asarray(inside) * (side, 1.0)), palette.second)


def _face(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """Everything a cat and a dog share; the ears are the only thing that tells them apart."""
    gaze_x, gaze_y, eye, patch, smile, cheek = rng.random(6).tolist()
    brush.shape(smooth(_HEAD), palette.main)
    if patch < 0.4:
        brush.fill(ellipse(0.27, -0.06, 0.23, 0.27), palette.main_dark)
    brush.fill(smooth([(0, -0.46), (0.13, -0.43), (0.02, -0.12), (-0.11, -0.43)]), palette.main_light)
    if cheek < 0.6:
        for x in (-0.46, 0.46):
            brush.fill(ellipse(x, 0.2, 0.12, 0.08, 16), palette.accent)
    brush.shape(smooth([(0, 0.14), (0.30, 0.28), (0.22, 0.54), (0, 0.60), (-0.22, 0.54), (-0.30, 0.28)]), palette.paper,
                outline=0.025)  # fmt: skip
    size = 0.13 + 0.05 * eye
    for x in (-0.27, 0.27):
        brush.shape(ellipse(x, -0.04, size, size * 1.15), palette.paper, outline=0.03)
        px, py = x + 0.05 * (gaze_x * 2 - 1), -0.03 + 0.05 * (gaze_y * 2 - 1)
        brush.fill(ellipse(px, py, size * 0.62, size * 0.72, 20), palette.ink)
        brush.fill(ellipse(px + 0.035, py - 0.045, size * 0.26, n=12), palette.paper)
    brush.stroke([(0, 0.28), (0, 0.42)], 0.035)
    bow = 0.05 + 0.05 * smile
    for side in (1.0, -1.0):
        brush.stroke([(0, 0.41), (0.07 * side, 0.41 + bow), (0.16 * side, 0.40 + bow * 0.5)], 0.035)
        brush.stroke([(0.22 * side, 0.34), (0.58 * side, 0.28 + 0.06 * smile)], 0.022)
        brush.stroke([(0.22 * side, 0.42), (0.57 * side, 0.44 + 0.06 * smile)], 0.022)
    brush.shape(smooth([(-0.12, 0.2), (0, 0.18), (0.12, 0.2), (0, 0.33)]), palette.second_dark, outline=0.03)


def fish(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A fish with a forked tail, fins, and stripes or scales."""
    depth, tail, stripes, mouth = rng.random(4).tolist()
    d = 0.38 + 0.14 * depth
    t = 0.36 + 0.12 * tail
    brush.shape(smooth([(-0.42, 0), (-0.72, -t * 0.7), (-0.96, -t), (-0.80, 0), (-0.96, t), (-0.72, t * 0.7)], 4),
                palette.second)  # fmt: skip
    for k in (-0.35, 0.0, 0.35):
        brush.stroke([(-0.62, k * t), (-0.84, k * t * 1.9)], 0.03, palette.second_dark)
    brush.shape(smooth([(-0.25, -d * 0.8), (0.0, -d - 0.24), (0.24, -d - 0.16), (0.36, -d * 0.7)]), palette.second)
    brush.shape(smooth([(-0.1, d * 0.8), (-0.06, d + 0.2), (0.1, d + 0.12), (0.2, d * 0.8)]), palette.second)
    body = [(0.93, 0.02), (0.62, -d * 0.74), (0.2, -d), (-0.25, -d * 0.72), (-0.56, -0.1), (-0.56, 0.1)]
    body += [(-0.25, d * 0.72), (0.2, d), (0.62, d * 0.74)]
    brush.shape(smooth(body), palette.main)
    brush.fill(smooth([(0.7, 0.3 * d), (0.2, 0.42 * d), (-0.4, 0.25 * d), (-0.1, 0.68 * d), (0.25, 0.84 * d)]),
               palette.main_light)  # fmt: skip
    if stripes < 0.5:
        for x, h in ((0.12, 0.86), (-0.12, 0.72), (-0.34, 0.46)):
            brush.stroke([(x, -h * d), (x - 0.07, 0), (x, h * d)], 0.09, palette.accent)
    else:
        for x, y in ((0.14, -0.5), (-0.06, -0.15), (0.14, 0.2), (-0.22, -0.42), (-0.22, 0.12), (-0.02, 0.5)):
            brush.fill(ellipse(x, y * d, 0.075, n=12), palette.accent)
    brush.stroke([(0.38, -0.72 * d), (0.29, 0), (0.38, 0.72 * d)], 0.045, palette.main_dark)
    brush.shape(smooth([(0.2, 0.06), (-0.06, 0.0), (-0.14, 0.16), (0.06, 0.22)]), palette.second, outline=0.035)
    brush.shape(ellipse(0.58, -0.12, 0.13), palette.paper, outline=0.035)
    brush.fill(ellipse(0.61, -0.11, 0.07, n=16), palette.ink)
    brush.fill(ellipse(0.635, -0.14, 0.028, n=10), palette.paper)
    brush.stroke([(0.88, 0.12), (0.78, 0.15 + 0.04 * mouth), (0.70, 0.12)], 0.04)


def butterfly(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """Four spotted wings around a slim body with antennae."""
    up, low, spot, band = rng.random(4).tolist()
    u, v = 0.86 + 0.1 * up, 0.58 + 0.16 * low
    for side in (1.0, -1.0):
        lower = [(0.04, 0.0), (0.42, 0.06), (v, 0.36), (v * 0.86, 0.74), (0.36, 0.78), (0.1, 0.42)]
        upper = [(0.04, 0.06), (0.12, -0.32), (0.5, -0.74), (u, -0.74), (u, -0.3), (0.62, 0.08)]
        _wing(brush, lower, side, palette.second, palette.second_dark, 0.7)
        _wing(brush, upper, side, palette.main, palette.main_light if band < 0.5 else palette.main_dark, 0.66)
        brush.fill(ellipse(side * u * 0.72, -0.44, 0.1 + 0.06 * spot, n=16), palette.accent)
        brush.fill(ellipse(side * v * 0.66, 0.48, 0.08 + 0.05 * spot, n=16), palette.accent)
        brush.fill(ellipse(side * u * 0.93, -0.66, 0.04, n=10), palette.paper)
        brush.stroke([(0.02 * side, -0.4), (0.12 * side, -0.66), (0.28 * side, -0.82)], 0.04)
        brush.fill(ellipse(0.29 * side, -0.83, 0.05, n=12), brush.ink)
    brush.shape(smooth([(0, -0.36), (0.09, -0.1), (0.07, 0.3), (0, 0.62), (-0.07, 0.3), (-0.09, -0.1)]),
                palette.second_dark, outline=0.045)  # fmt: skip
    brush.shape(ellipse(0, -0.38, 0.11, n=18), palette.second_dark, outline=0.045)


def _wing(
    brush: Brush,
    outline: list[tuple[float, float]],
    side: float,
    colour: tuple[int, int, int],
    inner: tuple[int, int, int],
    shrink: float,
) -> None:
    points = np.asarray(outline) * (side, 1.0)
    brush.shape(smooth(points), colour)
    middle = points.mean(axis=0) * (0.94, 1.0)
    brush.fill(smooth((points - middle) * shrink + middle), inner)
