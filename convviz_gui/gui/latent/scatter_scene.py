"""All that a picture of the points depends on, and the picture. No Qt here: a scene can be drawn in any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.palette import towards
from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray
from convviz_gui.gui.latent.scatter_discs import Packed
from convviz_gui.gui.latent.scatter_places import NOWHERE, Places
from convviz_gui.gui.latent.scatter_raster import Window, splat

RIM = 0.2
"""Edge around each disc in the colour of the ground, as a part of the disc's radius."""

UNSELECTED = 0.72
"""How far what is not selected goes towards the ground while something is."""

DEPTHS, DEEPEST = 4, 0.55
"""Steps of the depth cue, and how far the farthest goes towards the ground."""

_NO_PLACES = Places(np.zeros(0, np.float32), np.zeros(0, np.float32), None, NOWHERE, 0.0)


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of a scene: `radius` of discs in logical pixels, of which each has `ratio` device pixels."""

    window: Window
    ratio: float
    radius: float


@dataclass(slots=True)
class _Stack:
    """What lies over what: the order of drawing i64 [N], and how many of the first are background."""

    order: NDArray[np.int64]
    behind: int


@dataclass(slots=True)
class _Drawn:
    """Points in the order of drawing."""

    x: FloatArray
    y: FloatArray
    colour: NDArray[np.unsignedinteger]
    behind: int


@dataclass(frozen=True, slots=True)
class Scene:
    """N points and how they look. Never changed: another scene is made with `moved`, `coloured`, `with_selection`.

    `rows` u8 [N] point into `palette` u8 [P, 3]; a point of more `height` u8 [N] lies over one of less; those `dimmed`
    bool [N] are background. `selected` bool [N], None while nothing is. `depth` f32 [N] in 0…1, 1 nearest, None in the
    plane.
    """

    places: Places = _NO_PLACES
    rows: ByteArray = field(default_factory=lambda: np.zeros(0, np.uint8))
    palette: ByteArray = field(default_factory=lambda: np.zeros((1, 3), np.uint8))
    ground: tuple[int, int, int] = (255, 255, 255)
    height: ByteArray = field(default_factory=lambda: np.zeros(0, np.uint8))
    dimmed: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    selected: BoolArray | None = None
    depth: FloatArray | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    _kept: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.places)

    def moved(self, places: Places, depth: FloatArray | None = None) -> Scene:
        """The same points at other places; fresh ones, in the first colour, if they are not as many."""
        if len(places) != len(self):
            blank = np.zeros(len(places), np.uint8)
            return Scene(places, blank, self.palette, self.ground, blank, blank.astype(np.bool_), None, depth)
        plane = depth is None and self.depth is None
        with self._lock:
            kept = {"stack": self._kept["stack"]} if plane and "stack" in self._kept else {}
        return replace(self, places=places, depth=depth, _lock=threading.RLock(), _kept=kept)

    def coloured(
        self,
        rows: ByteArray,
        palette: ByteArray,
        ground: tuple[int, int, int],
        height: ByteArray,
        dimmed: BoolArray,
    ) -> Scene:
        """The same points in other colours."""
        return replace(
            self,
            rows=rows,
            palette=palette,
            ground=ground,
            height=height,
            dimmed=dimmed,
            _lock=threading.RLock(),
            _kept={},
        )

    def with_selection(self, selected: BoolArray | None) -> Scene:
        """The same points with others selected."""
        return replace(self, selected=selected, _lock=threading.RLock(), _kept={})

    def draw(self, view: View) -> Packed:
        """The picture of the points in a window, premultiplied 0xAARRGGBB u32 [h, w]; transparent between them."""
        window, drawn = view.window, self._prepared()
        width, height = (max(int(np.ceil(side)), 1) for side in (window.width, window.height))
        x, y = window.columns(drawn.x, drawn.y)
        return splat(
            x,
            y,
            drawn.colour,
            self._shades(),
            width=width,
            height=height,
            radius=view.radius * view.ratio,
            rim=RIM * view.radius * view.ratio if view.radius > 2.0 else 0.0,
            ground=self.ground,
            behind=drawn.behind,
            grain=max(round(view.ratio), 1),
        )

    # What follows is worked out once, by the thread that first needs it.

    def _prepared(self) -> _Drawn:
        with self._lock:
            if not isinstance(kept := self._kept.get("drawn"), _Drawn):
                stack = self._stacked()
                order, places = stack.order, self.places
                kept = _Drawn(places.x[order], places.y[order], self._colours()[order], stack.behind)
                self._kept["drawn"] = kept
            return kept

    def _stacked(self) -> _Stack:
        if not isinstance(kept := self._kept.get("stack"), _Stack):
            behind = self.dimmed if self.selected is None else self.dimmed | ~self.selected
            front = ~behind
            if self.depth is None:
                # Else in random order, so that no class hides another just by its place in the alphabet.
                order = _shuffled(len(self))
                # Two-byte keys are sorted in a few milliseconds.
                key = self.height.astype(np.uint16) | front.astype(np.uint16) << 8
                order = order[np.argsort(key[order], kind="stable")]
            else:
                near = np.nan_to_num(self.depth * np.float32(32767)).astype(np.uint16)
                order = np.argsort(near | front.astype(np.uint16) << 15, kind="stable")
            kept = _Stack(order, int(np.count_nonzero(behind)))
            self._kept["stack"] = kept
        return kept

    def _colours(self) -> NDArray[np.unsignedinteger]:
        """Row of `_shades` of each point."""
        if self.selected is None and self.depth is None:
            return self.rows
        count = len(self.palette)
        colours = self.rows.astype(np.uint16)
        if self.selected is not None:
            colours += (~self.selected).astype(np.uint16) * np.uint16(count)
            count *= 2
        if self.depth is not None:
            step = np.nan_to_num((1 - self.depth) * np.float32(DEPTHS - 1e-3)).astype(np.uint16)
            colours += step * np.uint16(count)
        return colours

    def _shades(self) -> ByteArray:
        """The palette; after it, if something is selected, the same fainter; and all that again for each depth."""
        shades = self.palette
        if self.selected is not None:
            shades = np.concatenate([shades, towards(shades, self.ground, UNSELECTED)])
        if self.depth is not None:
            faint = [towards(shades, self.ground, DEEPEST * step / (DEPTHS - 1)) for step in range(DEPTHS)]
            shades = np.concatenate(faint)
        return shades


@lru_cache(maxsize=2)
def _shuffled(count: int) -> NDArray[np.int64]:
    order = np.random.default_rng(0).permutation(count)
    order.setflags(write=False)
    return order.astype(np.int64, copy=False)
