"""What is marked among the points, and where that is on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from convviz_gui.engine.palette import towards
from convviz_gui.engine.payloads import BoolArray, IntArray, Located
from convviz_gui.gui.latent.scatter_items import Diamond, Marks
from convviz_gui.gui.latent.scatter_places import Bounds, Places
from convviz_gui.gui.latent.scatter_raster import Window
from convviz_gui.gui.latent.scatter_scene import UNSELECTED, Scene
from convviz_gui.gui.latent.scatter_thumbs import CANDIDATES, Tile, placed

_RINGS, _RING_FROM, _RING_ROOM = 300, 2.5, 3.0
_DIAMOND_REACH = 10.0
_SCATTER = np.uint64(2654435761)


@dataclass(slots=True)
class Marking:
    """Rows of what is marked: `selected` i64 ascending, `located` pictures beside the points."""

    chosen: int = -1
    neighbours: tuple[int, ...] = ()
    hovered: int = -1
    selected: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    located: tuple[Located, ...] = ()

    def clear(self) -> None:
        """Mark nothing among the points."""
        self.chosen, self.neighbours, self.hovered = -1, (), -1
        self.selected = np.zeros(0, np.int64)

    def marks(self, places: Places, window: Window, radius: float, *, plane: bool) -> Marks:
        """What is marked in a window in logical pixels; pictures beside the points have a place only in the plane."""

        def at(rows: Iterable[int]) -> tuple[QPointF, ...]:
            known = (row for row in rows if places.known(row))
            return tuple(QPointF(*window.pixel(float(places.x[row]), float(places.y[row]))) for row in known)

        diamonds = tuple(
            Diamond(QPointF(*window.pixel(*_xy(one))), at(one.neighbours.tolist()))
            for one in (self.located if plane else ())
            if np.isfinite(one.xy).all()
        )
        ringed = self._ringed(places, window, radius) if radius >= _RING_FROM else []
        chosen, hovered = at((self.chosen,)), at((self.hovered,))
        return Marks(
            chosen[0] if chosen else None,
            at(self.neighbours),
            hovered[0] if hovered else None,
            at(ringed),
            diamonds,
        )

    def located_at(self, window: Window, place: QPointF) -> int:
        """Number of the picture beside the points whose diamond is there, or -1."""
        for number, one in enumerate(self.located):
            away = QPointF(*window.pixel(*_xy(one))) - place
            if away.manhattanLength() <= _DIAMOND_REACH:
                return number
        return -1

    def bounds(self, places: Places) -> Bounds:
        """A rectangle around all points and pictures beside them."""
        x0, y0, x1, y1 = places.bounds
        for one in self.located:
            if np.isfinite(one.xy).all():
                x, y = _xy(one)
                x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
        return Bounds(x0, y0, x1, y1)

    def tiles(self, scene: Scene, places: Places, window: Window, side: int) -> list[Tile]:
        """Which points in a window in logical pixels are shown as pictures, those that chose a place first first.

        What is marked chooses first, then what is selected. `places` are the scene's, with an index if there is one.
        """
        reach = side / 2
        left, top = window.point(-reach, -reach)
        right, bottom = window.point(window.width + reach, window.height + reach)
        rows = places.within(Bounds(left, bottom, right, top), scene.dimmed)
        if not len(rows) or len(rows) > CANDIDATES:
            return []
        x, y = (column.astype(np.float64) for column in window.columns(places.x[rows], places.y[rows]))
        # In an order of their own, whatever that of the files: neighbours in it are often alike.
        rank = (rows.astype(np.uint64) * _SCATTER % np.uint64(2**32)).astype(np.int64)
        if scene.depth is not None:
            # In space what is near hides what is far.
            rank = ((1 - scene.depth[rows].astype(np.float64)) * 2**30).astype(np.int64)
        if scene.selected is not None:
            rank[scene.selected[rows]] -= 2**32
        for first, wanted in enumerate((self.chosen, *self.neighbours)):
            rank[rows == wanted] = first - 2**40
        return [
            Tile(row, QPointF(float(x[at]), float(y[at])), _rim(scene, row), _faint(scene.selected, row))
            for at in placed(x, y, side, rank).tolist()
            for row in (int(rows[at]),)
        ]

    def outlines(self, accent: QColor, ink: QColor) -> dict[int, QColor]:
        """Lines around the tiles of what is marked."""
        return dict.fromkeys(self.neighbours, accent) | {row: ink for row in (self.chosen, self.hovered) if row >= 0}

    def _ringed(self, places: Places, window: Window, radius: float) -> list[int]:
        if not len(self.selected) > 0:
            return []
        x, y = places.x[self.selected], places.y[self.selected]
        seen = self.selected[(x >= window.x0) & (x <= window.x1) & (y >= window.y0) & (y <= window.y1)]
        if len(seen) > _RINGS:
            return []
        # Rings on top of each other would hide the colours of a crowd; the others are fainter in any case.
        at = np.stack([places.x[seen], places.y[seen]], 1) * [
            window.width / (window.x1 - window.x0),
            window.height / (window.y1 - window.y0),
        ]
        gaps = np.linalg.norm(at[:, None] - at[None], axis=2) + np.diag(np.full(len(at), np.inf))
        return [int(row) for row in seen[(gaps > 2.0 * radius + _RING_ROOM).all(1)]]


def selected_mask(rows: IntArray, count: int) -> BoolArray | None:
    """`rows` as bool [count]; None if there are none."""
    if not len(rows):
        return None
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def _xy(one: Located) -> tuple[float, float]:
    return float(one.xy[0]), float(one.xy[1])


def _faint(selected: BoolArray | None, row: int) -> bool:
    return selected is not None and not bool(selected[row])


def _rim(scene: Scene, row: int) -> QColor:
    colour = scene.palette[scene.rows[row]][None]
    if _faint(scene.selected, row):
        colour = towards(colour, scene.ground, UNSELECTED)
    return QColor(*colour[0].tolist())
