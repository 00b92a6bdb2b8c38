"""Which points are near and which a frame holds, against looking at every one of them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPolygonF

from convviz_gui.gui.latent.scatter_places import Bounds, Places, places_of
from convviz_gui.gui.latent.scatter_select import Combine, combined, in_polygon, in_rectangle


def clumps(count: int, seed: int = 0) -> np.ndarray:
    """Points in tight groups, one of them far away, some at one place, some nowhere."""
    rng = np.random.default_rng(seed)
    xy = rng.normal(0, 5, (9, 2))[rng.integers(0, 9, count)] + rng.normal(0, 0.2, (count, 2))
    xy[: count // 50] = xy[0]
    xy[count // 2] = [4000.0, -900.0]
    xy[count // 3 :: 97] = np.nan
    return xy.astype(np.float32)


def star(corners: int, scale: float = 6.0) -> np.ndarray:
    """A line that crosses itself many times."""
    turn = np.linspace(0, 10 * np.pi, corners, endpoint=False)
    reach = scale * (0.6 + 0.4 * np.sin(2.3 * turn))
    return np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)


def odd(xy: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Even-odd rule, an edge after another, in float64."""
    x, y = xy.astype(np.float64).T
    inside = np.zeros(len(xy), np.bool_)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay != by:
            spans = (min(ay, by) <= y) & (y < max(ay, by))
            inside ^= spans & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return inside


@pytest.mark.parametrize("indexed", [False, True], ids=["plain", "indexed"])
@pytest.mark.parametrize("corners", [3, 7, 400])
def test_a_lasso_holds_what_it_surrounds_an_odd_number_of_times(corners: int, indexed: bool) -> None:
    xy = clumps(30_000)
    places = places_of(xy)
    places = places.indexed() if indexed else places
    dimmed = np.arange(len(xy)) % 5 == 0
    rows = in_polygon(places, star(corners), dimmed)
    np.testing.assert_array_equal(rows, np.flatnonzero(odd(xy, star(corners)) & ~dimmed))
    assert 100 < len(rows) < len(xy)


def test_a_lasso_agrees_with_qt() -> None:
    xy, corners = clumps(2_000, seed=4), star(23)
    polygon = QPolygonF([QPointF(*corner) for corner in corners])
    held = [
        row
        for row, place in enumerate(xy.tolist())
        if np.isfinite(place).all() and polygon.containsPoint(QPointF(*place), Qt.FillRule.OddEvenFill)
    ]
    assert in_polygon(places_of(xy), corners, np.zeros(len(xy), np.bool_)).tolist() == held


@pytest.mark.parametrize("corners", [[], [[0, 0]], [[0, 0], [1, 1]], [[0, 0], [1, 0], [2, 0]]])
def test_a_line_surrounds_nothing(corners: list[list[float]]) -> None:
    places = places_of(np.zeros((5, 2), np.float32))
    assert not len(in_polygon(places, np.array(corners, np.float64).reshape(-1, 2), np.zeros(5, np.bool_)))


@pytest.mark.parametrize("box", [(-1, -1, 1, 1), (-50, -50, 50, 50), (3999, -901, 4001, -899), (9, 9, 9, 9)])
def test_a_rectangle_holds_what_is_in_it_however_it_is_found(box: tuple[float, ...]) -> None:
    xy = clumps(30_000)
    x0, y0, x1, y1 = box
    dimmed = np.arange(len(xy)) % 7 == 3
    wanted = np.flatnonzero((xy[:, 0] >= x0) & (xy[:, 0] <= x1) & (xy[:, 1] >= y0) & (xy[:, 1] <= y1) & ~dimmed)
    for places in (places_of(xy), places_of(xy).indexed()):
        np.testing.assert_array_equal(in_rectangle(places, Bounds(*box), dimmed), wanted)


def brute_nearest(xy: np.ndarray, x: float, y: float, reach: float, dimmed: np.ndarray) -> int:
    gap = np.hypot(*(xy.astype(np.float64) - [x, y]).T)
    gap[dimmed | np.isnan(gap)] = np.inf
    return int(np.argmin(gap)) if gap.min() <= reach else -1


@pytest.mark.parametrize("indexed", [False, True], ids=["plain", "indexed"])
def test_the_nearest_point_is_found(indexed: bool) -> None:
    xy = clumps(40_000)
    places = places_of(xy).indexed() if indexed else places_of(xy)
    dimmed = np.arange(len(xy)) % 3 == 0
    rng = np.random.default_rng(1)
    found = 0
    for x, y in [*rng.uniform(-12, 12, (150, 2)), *xy[rng.integers(0, len(xy), 50)], [3999.9, -900.0], [1e9, 1e9]]:
        if np.isfinite(x) and np.isfinite(y):
            row = brute_nearest(xy, x, y, 0.4, dimmed)
            assert places.nearest(float(x), float(y), (0.4, 0.4), dimmed) == row
            found += row >= 0
    assert found > 40


def test_the_way_to_the_next_point_is_the_shortest() -> None:
    xy = clumps(5_000)
    places, dimmed = places_of(xy).indexed(), np.arange(len(xy)) % 4 == 0
    for row in np.flatnonzero(np.isfinite(xy).all(axis=1))[::211]:
        for direction in ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)):
            away = xy.astype(np.float64) - xy[row]
            along, across = away @ direction, np.abs(away @ [direction[1], -direction[0]])
            far = np.where((along > 0) & (across <= along) & ~dimmed, along + 2 * across, np.inf)
            wanted = int(np.argmin(far)) if np.isfinite(far).any() else -1
            got = places.towards(int(row), direction, dimmed, 1e-3)
            assert got == wanted or far[got] == far[wanted]


@pytest.mark.parametrize(
    "xy",
    [np.full((500, 2), 3.0), np.full((500, 2), np.nan), np.zeros((0, 2)), [[1e38, 1e38], [-1e38, 2.0], [0, 0]]],
    ids=["one place", "nowhere", "none", "huge"],
)
def test_odd_places_can_be_indexed(xy: np.ndarray) -> None:
    places: Places = places_of(np.asarray(xy, np.float32)).indexed()
    dimmed = np.zeros(len(places), np.bool_)
    everything = Bounds(-np.inf, -np.inf, np.inf, np.inf)
    known = np.isfinite(np.asarray(xy, np.float32)).all(axis=1)
    np.testing.assert_array_equal(places.within(everything, dimmed), np.flatnonzero(known))
    assert places.nearest(3.0, 3.0, (5.0, 5.0), dimmed) == (
        int(np.flatnonzero(known)[-1 if len(known) == 3 else 0]) if known.any() else -1
    )


def test_frames_replace_add_and_take_away() -> None:
    mask = np.array([0, 1, 1, 1, 0, 0], np.bool_)

    def of(rows: list[int], *, extend: bool) -> tuple[list[int], Combine]:
        result, how = combined(mask, np.array(rows, np.int64), extend=extend)
        return result.tolist(), how

    assert of([0, 2], extend=False) == ([0, 2], Combine.REPLACE)
    assert of([0, 2], extend=True) == ([0, 1, 2, 3], Combine.ADD)
    assert of([1, 3], extend=True) == ([2], Combine.SUBTRACT)
    assert of([], extend=True) == ([1, 2, 3], Combine.ADD)
    assert mask.tolist() == [False, True, True, True, False, False]
