"""The made and rooted things of Toybox: car, truck, sailboat, house, tree, mushroom, flower, umbrella."""

from __future__ import annotations

import numpy as np

from .brush import Brush, arc, ellipse, rectangle, smooth
from .palette import Palette


def car(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A saloon from the side: a rounded body, a cabin with two windows, two wheels."""
    roof, nose, wheel = rng.random(3).tolist()
    top = -0.5 - 0.12 * roof
    front = 0.94
    cabin = [(-0.66, -0.04), (-0.46, top + 0.04), (0.16, top), (0.46 + 0.1 * nose, -0.04)]
    brush.shape(cabin, palette.main, corners=True)
    brush.shape([(-0.52, -0.06), (-0.38, top + 0.13), (-0.1, top + 0.11), (-0.1, -0.06)], palette.paper, outline=0.04)
    brush.shape([(0.0, -0.06), (0.0, top + 0.11), (0.12, top + 0.11), (0.36 + 0.1 * nose, -0.06)], palette.paper,
                outline=0.04)  # fmt: skip
    body = [(-0.92, 0.0), (-0.6, -0.1), (0.5, -0.1), (front - 0.06, 0.02), (front, 0.3), (0.7, 0.4)]
    body += [(-0.6, 0.4), (-0.95, 0.32)]
    brush.shape(smooth(body, 4), palette.main)
    brush.fill([(-0.86, 0.2), (0.86, 0.2), (0.84, 0.32), (-0.84, 0.32)], palette.second)
    brush.fill([(-0.8, -0.02), (0.6, -0.02), (0.66, 0.04), (-0.82, 0.04)], palette.main_light)
    brush.stroke([(-0.05, -0.08), (-0.05, 0.34)], 0.035)
    brush.stroke([(-0.22, 0.1), (-0.12, 0.1)], 0.05)
    brush.shape(ellipse(front - 0.12, 0.1, 0.08, 0.09, 14), palette.accent, outline=0.035)
    for x in (-0.54, 0.54):
        _wheel(brush, x, 0.4, 0.21 + 0.05 * wheel, palette)


def truck(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A lorry from the side: a tall box behind a cab, three wheels."""
    load, stripe, wheel, height = rng.random(4).tolist()
    top = -0.56 - 0.14 * height
    brush.shape(rectangle(-0.94, 0.26, 0.94, 0.42), palette.second_dark, corners=True)
    brush.shape(rectangle(-0.94, top, 0.3, 0.3), palette.main, corners=True)
    brush.fill(rectangle(-0.88, top + 0.06, 0.24, top + 0.16), palette.main_light)
    if stripe < 0.5:
        for x in (-0.66, -0.32, 0.02):
            brush.stroke([(x, top + 0.12), (x, 0.26)], 0.04, palette.main_dark)
    else:
        brush.fill(rectangle(-0.9, -0.12, 0.26, 0.06), palette.accent)
        brush.fill(ellipse(-0.32, -0.04, 0.16 + 0.05 * load), palette.paper)
    cab = [(0.34, 0.3), (0.34, -0.4), (0.7, -0.4), (0.86, -0.04), (0.95, 0.0), (0.95, 0.3)]
    brush.shape(cab, palette.second, corners=True)
    brush.shape([(0.46, -0.02), (0.46, -0.28), (0.64, -0.28), (0.76, -0.02)], palette.paper, outline=0.04)
    brush.stroke([(0.44, 0.1), (0.54, 0.1)], 0.045)
    brush.shape(ellipse(0.88, 0.16, 0.055, n=14), palette.accent, outline=0.03)
    for x in (-0.68, -0.22, 0.62):
        _wheel(brush, x, 0.44, 0.18 + 0.04 * wheel, palette)


def _wheel(brush: Brush, x: float, y: float, radius: float, palette: Palette) -> None:
    brush.shape(ellipse(x, y, radius), palette.ink, outline=0.03)
    brush.fill(ellipse(x, y, radius * 0.58, n=18), palette.paper)
    brush.fill(ellipse(x, y, radius * 0.26, n=12), palette.second_dark)


def sailboat(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A hull with a mast, a mainsail, a jib and a pennant."""
    lean, jib, stripes, keel = rng.random(4).tolist()
    brush.stroke([(0, 0.4), (0, -0.95)], 0.09, palette.ink)
    brush.stroke([(0, 0.4), (0, -0.92)], 0.035, palette.accent)
    mast = 0.06
    main_sail = [(mast, -0.86), (0.4 + 0.08 * lean, -0.3), (0.72 + 0.1 * lean, 0.26), (mast, 0.26)]
    brush.shape(main_sail, palette.paper, corners=True)
    if stripes < 0.6:
        brush.fill([(mast + 0.05, -0.16), (0.45, -0.16), (0.56 + 0.06 * lean, 0.02), (mast + 0.05, 0.02)], palette.main)
    brush.shape([(-mast, -0.72), (-0.3, -0.22), (-0.5 - 0.16 * jib, 0.26), (-mast, 0.26)], palette.second, corners=True)
    brush.stroke([(-0.14, -0.3), (-0.22, 0.12)], 0.05, palette.second_dark)
    brush.shape([(0.03, -0.95), (0.32, -0.87), (0.03, -0.78)], palette.accent, outline=0.035, corners=True)
    deep = 0.74 + 0.1 * keel
    hull = [(-0.88, 0.36), (0.92, 0.36), (0.74, 0.62), (0.5, deep), (-0.46, deep), (-0.7, 0.62)]
    brush.shape(hull, palette.main, corners=True)
    brush.fill([(-0.78, 0.42), (0.84, 0.42), (0.78, 0.51), (-0.72, 0.51)], palette.main_light)
    for x in (-0.3, 0.0, 0.3):
        brush.shape(ellipse(x, 0.62, 0.06, n=14), palette.paper, outline=0.03)


def house(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """Walls, a pitched roof with tiles, a door, windows and a chimney."""
    pitch, door, chimney, round_window = rng.random(4).tolist()
    peak = -0.74 - 0.18 * pitch
    cx = 0.34 + 0.14 * chimney
    brush.shape(rectangle(cx, peak + 0.08, cx + 0.2, -0.1), palette.second_dark, corners=True)
    brush.shape(rectangle(-0.64, -0.12, 0.64, 0.8), palette.main, corners=True)
    brush.fill(rectangle(-0.6, 0.66, 0.6, 0.76), palette.main_dark)
    brush.shape([(-0.88, -0.06), (0, peak), (0.88, -0.06)], palette.second, corners=True)
    slope = (-0.06 - peak) / 0.88
    for y in (-0.22, -0.38):
        half = (y - peak) / slope - 0.12
        brush.stroke([(-half, y), (half, y)], 0.035, palette.second_dark)
    if round_window < 0.5:
        brush.shape(ellipse(0, -0.34, 0.12, n=18), palette.paper, outline=0.045)
    dx = -0.44 if door < 0.5 else 0.12
    brush.shape([(dx, 0.78), (dx, 0.28), (dx + 0.06, 0.2), (dx + 0.26, 0.2), (dx + 0.32, 0.28), (dx + 0.32, 0.78)],
                palette.accent, outline=0.05)  # fmt: skip
    brush.fill(ellipse(dx + 0.25, 0.5, 0.035, n=10), palette.ink)
    wx = 0.08 if door < 0.5 else -0.48
    brush.shape(rectangle(wx, 0.1, wx + 0.38, 0.46), palette.paper, outline=0.05, corners=True)
    brush.stroke([(wx + 0.19, 0.1), (wx + 0.19, 0.46)], 0.035)
    brush.stroke([(wx, 0.28), (wx + 0.38, 0.28)], 0.035)


def tree(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A trunk with branches under a crown of rounded lobes, with or without fruit."""
    width, fruit, *lobes = rng.random(10).tolist()
    w = 0.11 + 0.05 * width
    trunk = [(-w, -0.1), (-w, 0.55), (-w - 0.14, 0.94), (w + 0.14, 0.94), (w, 0.55), (w, -0.1)]
    brush.shape(trunk, palette.second_dark, corners=True)
    brush.stroke([(-0.3 * w, 0.4), (-0.4 * w, 0.82)], 0.04, palette.second)
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    reach = 0.47 + 0.1 * np.asarray(lobes)
    ring = np.stack([np.cos(angle) * reach * 1.1, np.sin(angle) * reach * 0.86 - 0.3], axis=1)
    for x, y in ring.tolist():
        brush.shape(ellipse(x, y, 0.25, n=20), palette.main_dark if y > -0.3 else palette.main)
    brush.fill(ellipse(0, -0.3, 0.56, 0.46), palette.main)
    for x, y in ring[1:4].tolist():
        brush.fill(ellipse(x, y, 0.2, n=16), palette.main_dark)
    brush.fill(ellipse(0, -0.34, 0.5, 0.34), palette.main)
    for x, y in ring[5:8].tolist():
        brush.fill(ellipse(x * 0.82, y + 0.1, 0.13, 0.11, 14), palette.main_light)
    if fruit < 0.5:
        for x, y in ((-0.34, -0.2), (0.02, -0.42), (0.34, -0.16), (-0.08, -0.02), (-0.24, -0.56), (0.32, -0.5)):
            brush.shape(ellipse(x, y, 0.075, n=14), palette.accent, outline=0.03)


def mushroom(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A bulging stem under a spotted cap with gills."""
    cap, stem, spots, skirt = rng.random(4).tolist()
    w = 0.2 + 0.1 * stem
    foot = [(-w, -0.05), (-w * 0.95, 0.4), (-w * 1.5, 0.78), (0, 0.92), (w * 1.5, 0.78), (w * 0.95, 0.4), (w, -0.05)]
    brush.shape(smooth(foot, 4), palette.paper)
    brush.fill(smooth([(w * 0.35, 0.2), (w * 0.75, 0.2), (w * 1.2, 0.75), (w * 0.4, 0.84)]), palette.second)
    if skirt < 0.5:
        brush.shape(smooth([(-w, 0.2), (0, 0.26), (w, 0.2), (w * 1.4, 0.38), (0, 0.42), (-w * 1.4, 0.38)], 4),
                    palette.paper, outline=0.04)  # fmt: skip
    top = -0.86 + 0.16 * cap
    brush.shape(smooth([(-0.86, 0.0), (0, -0.12), (0.86, 0.0), (0.5, 0.16), (0, 0.2), (-0.5, 0.16)], 4), palette.second)
    for x in (-0.5, -0.25, 0.0, 0.25, 0.5):
        brush.stroke([(x * 0.8, 0.02), (x * 1.1, 0.15 - 0.1 * x * x)], 0.03, palette.second_dark)
    dome = [(-0.9, 0.02), (-0.82, -0.4), (-0.45, top + 0.12), (0, top), (0.45, top + 0.12), (0.82, -0.4), (0.9, 0.02)]
    brush.shape(smooth([*dome, (0.45, -0.03), (0, -0.04), (-0.45, -0.03)]), palette.main)
    brush.fill(smooth([(-0.72, -0.22), (-0.62, -0.46), (-0.4, -0.62), (-0.54, -0.4)]), palette.main_light)
    r = 0.1 + 0.06 * spots
    for x, y, k in ((0.0, -0.5, 1.25), (0.48, -0.38, 1.0), (-0.4, -0.24, 0.9), (0.2, -0.18, 0.7), (0.68, -0.12, 0.6)):
        brush.shape(ellipse(x, y, r * k, r * k * 0.85, 18), palette.paper, outline=0.03)


def flower(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """Five to eight petals around a seeded heart, on a stem with two leaves."""
    count = 5 + int(rng.integers(4))
    turn, long, heart, sway = rng.random(4).tolist()
    bend = 0.16 * (sway - 0.5)
    stem = [(0, -0.2), (bend, 0.35), (0, 0.95)]
    brush.stroke(stem, 0.17, palette.ink, corners=True)
    for side, y in ((1.0, 0.52), (-1.0, 0.66)):
        leaf = np.asarray([(0.02, 0.12), (0.16, -0.12), (0.5, -0.22), (0.4, 0.04)]) * (side, 1.0) + (bend * 0.6, y)
        brush.shape(smooth(leaf), palette.second)
        brush.stroke(leaf[[0, 2]] * 0.8 + leaf.mean(axis=0) * 0.2, 0.03, palette.second_dark)
    brush.stroke(stem, 0.08, palette.second_dark)
    cy, reach = -0.36, 0.36 + 0.06 * long
    wide = 1.9 / count + 0.02
    for k in range(count):
        angle = 2 * np.pi * (k + turn) / count
        c, s = np.cos(angle), np.sin(angle)
        turned = np.asarray([[c, s], [-s, c]])
        petal = ellipse(reach * 0.86, 0.0, reach * 0.6, wide * 0.56, 20)
        brush.shape(petal @ turned + (0, cy), palette.main)
        brush.fill(ellipse(reach * 0.78, 0.0, reach * 0.34, wide * 0.28, 14) @ turned + (0, cy), palette.main_light)
    r = 0.17 + 0.05 * heart
    brush.shape(ellipse(0, cy, r), palette.accent)
    for k in range(5):
        x, y = r * 0.52 * np.cos(k * 1.2566), r * 0.52 * np.sin(k * 1.2566)
        brush.fill(ellipse(x, cy + y, 0.035, n=8), palette.second_dark)


def umbrella(brush: Brush, palette: Palette, rng: np.random.Generator) -> None:
    """A canopy of coloured panels with a scalloped rim, a shaft and a hooked handle."""
    hook, flat, tip = rng.random(3).tolist()
    side = 1.0 if hook < 0.5 else -1.0
    handle = np.concatenate([[(0.0, -0.1), (0.0, 0.68)], arc(0.16 * side, 0.72, -0.16 * side, 0.18, 0, 180, 10)])
    brush.stroke(handle, 0.19, palette.ink, corners=True)
    brush.stroke(handle, 0.09, palette.accent, corners=True)
    top, rim = -0.82 + 0.12 * flat, 0.16
    brush.stroke([(0, top), (0, top - 0.1 - 0.06 * tip)], 0.1)
    dome = arc(0, rim, 0.93, rim - top, 180, 360, 24)
    scallops = [arc(x, rim, 0.2325, 0.1, 0, -180, 8) for x in (0.6975, 0.2325, -0.2325, -0.6975)]
    brush.shape(np.concatenate([dome, *scallops]), palette.main)
    for x0, x1, colour in ((-0.465, 0.0, palette.second), (0.465, 0.93, palette.second)):
        brush.fill(_panel(x0, x1, top, rim), colour)
    brush.fill(smooth([(-0.62, -0.24), (-0.52, -0.46), (-0.32, -0.62), (-0.44, -0.42)]), palette.main_light)
    for x in (-0.465, 0.0, 0.465):
        brush.stroke(_rib(x, top, rim), 0.035)


def _rib(x: float, top: float, rim: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A seam from the tip to the rim at ``x``: a quarter of an ellipse."""
    angle = np.linspace(-np.pi / 2, 0.0, 8)
    return np.stack([x * np.cos(angle), rim + (rim - top) * np.sin(angle)], axis=1)


def _panel(x0: float, x1: float, top: float, rim: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    bottom = arc((x0 + x1) / 2, rim, (x1 - x0) / 2 * 0.9, 0.085, 180, 360, 8)
    return np.concatenate([_rib(x0 * 0.97, top + 0.03, rim), bottom, _rib(x1 * 0.97, top + 0.03, rim)[::-1]])
