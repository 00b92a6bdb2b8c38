"""Colours of classes that stay apart for people who do not see all colours.

Two lists of sixteen, one for light and one for dark grounds, found by farthest-point search in OKLab (Ottosson 2020)
over normal sight and simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009). They differ in lightness
as well as in hue. Any prefix is a good palette. After sixteen the colours repeat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ON_LIGHT = (
    "#0b6bcb #f5af20 #ba0d01 #2bd1fe #5d0f71 #ab7d8b #220ebe #908ffe "
    "#f86111 #755067 #760a03 #a5c19c #a53d9f #ed71c4 #43a447 #471ff5"
).split()
ON_DARK = (
    "#4da3ff #ee1401 #efec5f #8e44a3 #df9e93 #64eefc #124efb #e65bba "
    "#a9c719 #b36670 #b71971 #4e7e16 #b8deab #93c3ef #b19e51 #0e919c"
).split()
DISTINCT = len(ON_LIGHT)
"""How many classes get a colour of their own."""


def categorical(n: int, *, dark: bool) -> NDArray[np.uint8]:
    """Colours of `n` classes as u8 [n, 3] sRGB; class i has the colour of class i + `DISTINCT`."""
    table = np.array([rgb(code) for code in (ON_DARK if dark else ON_LIGHT)], np.uint8)
    return table[np.arange(n) % DISTINCT]


def rgb(code: str) -> tuple[int, int, int]:
    """ "#rrggbb" as three values in 0…255."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def towards(colours: NDArray[np.uint8], ground: tuple[int, int, int], amount: float) -> NDArray[np.uint8]:
    """`colours` u8 [n, 3] mixed with `ground`: `amount` 0 leaves them, 1 makes them vanish."""
    mixed = colours * (1.0 - amount) + np.array(ground, np.float64) * amount
    return np.round(mixed).astype(np.uint8)
