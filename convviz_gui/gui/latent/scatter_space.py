"""Points in space and the direction from which they are seen. No Qt here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.latent.scatter_places import Bounds, Places, columns

START = (0.45, -0.55)
"""The turn about the upright and about the level axis, in radians, with which one begins: no axis is seen end-on."""


class Space:
    """N points f32 [N, 3] seen from far away in parallel, so that equal distances look equal near and far.

    The third axis comes out of the screen, the second points up.
    """

    def __init__(self, xyz: FloatArray) -> None:
        self._x, self._y, self._z = (np.array(xyz[:, axis], np.float32) for axis in range(3))
        axes = (self._x, self._y, self._z)
        finite = np.isfinite(self._x) & np.isfinite(self._y) & np.isfinite(self._z)
        known = axes if finite.all() else tuple(axis[finite] for axis in axes)
        self._reach = 1.0
        if len(known[0]):
            middle = [(float(axis.min()) + float(axis.max())) / 2 for axis in known]
            for axis, at in zip(axes, middle, strict=True):
                axis -= np.float32(at)
            known = axes if finite.all() else tuple(axis[finite] for axis in axes)
            # As parts of the largest: float32 squares overflow from 1e19 on.
            size = max(float(np.abs(axis).max()) for axis in known) or 1.0
            square = sum((axis / np.float32(size)) ** 2 for axis in known)
            self._reach = float(np.sqrt(np.max(square))) * size or 1.0
        self._crowd: float | None = None
        self.turned_to: NDArray[np.float64] = np.eye(3)
        self.reset()

    def __len__(self) -> int:
        return len(self._x)

    @property
    def reach(self) -> float:
        """Distance of the farthest point from the middle, about which everything turns."""
        return self._reach

    def reset(self) -> None:
        """Look as in the beginning."""
        self.turned_to = np.eye(3)
        self.turn(*START)

    def turn(self, right: float, down: float) -> None:
        """Turn by radians about the screen's upright axis, then about its level one, as if a ball were rolled."""
        about_y = np.array([[np.cos(right), 0, np.sin(right)], [0, 1, 0], [-np.sin(right), 0, np.cos(right)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(down), -np.sin(down)], [0, np.sin(down), np.cos(down)]])
        turned = about_x @ about_y @ self.turned_to
        # Rounding adds up over thousands of small turns.
        u, _, v = np.linalg.svd(turned)
        self.turned_to = u @ v

    def seen(self) -> tuple[Places, FloatArray]:
        """The points as they are seen, and how near they are, f32 [N] in 0…1.

        The bounds hold them however they are turned, and the crowd is that of the first look: nothing breathes.
        """
        x, y, z = (self._along(row) for row in self.turned_to)
        around = Bounds(-self._reach, -self._reach, self._reach, self._reach)
        places = columns(x, y, around, self._crowd)
        self._crowd = places.crowd
        near = z
        near *= np.float32(0.5 / self._reach)
        near += np.float32(0.5)
        return places, np.clip(near, 0.0, 1.0, out=near)

    def axes(self) -> NDArray[np.float64]:
        """Where the three axes point on the screen: f64 [3, 2], x right and y up, of length 1 at most."""
        return self.turned_to[:2].T

    def _along(self, row: NDArray[np.float64]) -> FloatArray:
        a, b, c = row.astype(np.float32)
        sum_: FloatArray = self._x * a
        sum_ += self._y * b
        sum_ += self._z * c
        return sum_
