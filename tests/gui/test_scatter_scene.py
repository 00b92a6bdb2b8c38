"""The picture of the points: selection, depth, pictures in place of points, and turning."""

from __future__ import annotations

import numpy as np
import pytest

from convviz_gui.gui.latent import scatter_raster
from convviz_gui.gui.latent.scatter_places import places_of
from convviz_gui.gui.latent.scatter_raster import Window
from convviz_gui.gui.latent.scatter_scene import Scene, View
from convviz_gui.gui.latent.scatter_space import Space
from convviz_gui.gui.latent.scatter_thumbs import LEAST, MOST, placed, tile_side

PALETTE = np.array([[255, 0, 0], [0, 0, 255], [250, 240, 240]], np.uint8)
VIEW = View(Window(0, 60, 0, 40, 60, 40), 1.0, 4.0)


def scene(xy: list[list[float]], rows: list[int], *, dimmed: list[int] = [], depth: list[float] | None = None) -> Scene:  # noqa: B006
    mask = np.zeros(len(xy), np.bool_)
    mask[dimmed] = True
    near = None if depth is None else np.array(depth, np.float32)
    made = Scene().moved(places_of(np.array(xy, np.float32)), near)
    return made.coloured(np.array(rows, np.uint8), PALETTE, (255, 255, 255), (~mask).astype(np.uint8), mask)


def colour(shown: np.ndarray, x: int, y: int) -> list[int]:
    word = int(shown[39 - y, x])
    return [word >> shift & 255 for shift in (16, 8, 0)]


def chosen(count: int, rows: list[int]) -> np.ndarray:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def test_what_is_not_selected_is_fainter_and_below() -> None:
    made = scene([[20, 20], [22, 20], [40, 20]], [0, 1, 1])
    for selected, other in ((0, 1), (1, 0)):
        shown = made.with_selection(chosen(3, [selected])).draw(VIEW)
        assert colour(shown, 21, 20) == PALETTE[[0, 1, 1][selected]].tolist(), "selected lies on top"
        x = [18, 24][other]
        assert min(colour(shown, x, 20)) > 120, "the other is nearly the ground"
    assert colour(made.with_selection(None).draw(VIEW), 40, 20) == PALETTE[1].tolist()


def test_dimmed_points_stay_below_even_if_selected() -> None:
    made = scene([[20, 20], [21, 20]], [2, 1], dimmed=[0]).with_selection(chosen(2, [0, 1]))
    assert colour(made.draw(VIEW), 20, 20) == PALETTE[1].tolist()


def test_a_background_does_not_make_what_is_before_it_denser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter_raster, "STAMP_BUDGET", 0)
    crowd = [[30.5, 20.5]] * 500
    one = [[10.5, 20.5], [30.5, 20.5]]
    rows, dimmed = [2] * 500 + [1, 1], list(range(500))
    # Others beside them, so that neither is alone.
    beside = [[11.5, 20.5], [31.5, 20.5]]
    with_crowd = scene([*crowd, *one, *beside], [*rows, 1, 1], dimmed=dimmed).draw(VIEW)
    alone = scene([*one, *beside], [1, 1, 1, 1]).draw(VIEW)

    def blueness(shown: np.ndarray, x: int) -> float:
        """How much of the ground, or of the background, the blue point lets through."""
        word = int(shown[39 - 20, x])
        return (word & 255) - (word >> 16 & 255)

    assert blueness(alone, 10) == blueness(alone, 30) > 100
    assert blueness(with_crowd, 30) == pytest.approx(blueness(alone, 30), abs=12)


def test_of_two_at_one_place_the_nearer_is_seen_and_the_farther_is_fainter() -> None:
    for near in (0, 1):
        depth = [1.0, 0.0] if near == 0 else [0.0, 1.0]
        shown = scene([[20, 20], [20, 20]], [0, 1], depth=depth).draw(VIEW)
        assert colour(shown, 20, 20) == PALETTE[near].tolist()
    far = scene([[20, 20]], [0], depth=[0.0]).draw(VIEW)
    assert colour(far, 20, 20)[0] == 255
    assert 100 < colour(far, 20, 20)[1] < 200


def test_density_has_the_same_dots_on_a_fine_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter_raster, "STAMP_BUDGET", 0)
    rng = np.random.default_rng(0)
    made = scene(rng.uniform(0, 40, (900, 2)).tolist(), rng.integers(0, 2, 900).tolist())
    plain = made.draw(VIEW)
    fine = made.draw(View(Window(0, 60, 0, 40, 120, 80), 2.0, 4.0))
    np.testing.assert_array_equal(fine, plain.repeat(2, axis=0).repeat(2, axis=1))


def test_other_colours_and_places_are_drawn_and_the_old_scene_stays() -> None:
    made = scene([[20, 20], [40, 20]], [0, 1])
    before = made.draw(VIEW)
    moved = made.moved(places_of(np.array([[20, 30], [40, 20]], np.float32)))
    assert colour(moved.draw(VIEW), 20, 30) == PALETTE[0].tolist()
    assert colour(moved.draw(VIEW), 20, 20) == [0, 0, 0]
    np.testing.assert_array_equal(made.draw(VIEW), before)
    assert len(made.moved(places_of(np.zeros((3, 2), np.float32))).draw(VIEW)) == 40


# --------------------------------------------------------------------------------------------------- space


def test_turning_keeps_distances_and_stays_in_view() -> None:
    rng = np.random.default_rng(0)
    xyz = rng.normal([100, -7, 3], [5, 2, 1], (400, 3)).astype(np.float32)
    xyz[7] = np.nan
    space = Space(xyz)
    middle = (np.nanmin(xyz, axis=0) + np.nanmax(xyz, axis=0)) / 2
    for step in range(40):
        space.turn(0.3 * step, -0.1)
        places, near = space.seen()
        seen = np.stack([places.x, places.y, (near - 0.5) * 2 * space.reach], axis=1)
        wanted = (xyz - middle) @ space.turned_to.T
        np.testing.assert_allclose(seen, wanted, atol=2e-4)
        assert np.nanmax(np.hypot(places.x, places.y)) <= places.bounds.x1 * 1.0001
        np.testing.assert_allclose(space.turned_to @ space.turned_to.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(space.turned_to) > 0, "never a mirror image"
    assert not places.known(7)


def test_dragging_right_rolls_what_is_in_front_to_the_right_and_down_downwards() -> None:
    for by, axis, sign in (((0.1, 0.0), 0, 1), ((0.0, 0.1), 1, -1)):
        space = Space(np.array([[0, 0, 1], [0, 0, -1]], np.float32))
        space.turned_to = np.eye(3)
        space.turn(*by)
        places, near = space.seen()
        assert near[0] > near[1]
        assert sign * (places.x, places.y)[axis][0] > 0


@pytest.mark.parametrize("xyz", [np.full((4, 3), 2.0), np.full((3, 3), np.nan), np.eye(3) * 1e30])
def test_odd_spaces_do_no_harm(xyz: np.ndarray) -> None:
    places, near = Space(xyz.astype(np.float32)).seen()
    assert np.isfinite(places.bounds).all()
    assert len(near) == len(xyz)


# -------------------------------------------------------------------------------------------------- tiles


@pytest.mark.parametrize("side", [20.0, 48.0, 96.0])
def test_tiles_do_not_overlap_and_only_give_way_to_what_came_first(side: float) -> None:
    rng = np.random.default_rng(int(side))
    x, y, rank = rng.uniform(-50, 900, 600), rng.uniform(-50, 700, 600), rng.permutation(600)
    x[:30], y[:30] = 100.0, 100.0
    kept = placed(x, y, side, rank)
    overlap = (np.abs(x[:, None] - x) < side) & (np.abs(y[:, None] - y) < side)
    # As the rule says, one after another.
    wanted: list[int] = []
    for point in np.argsort(rank).tolist():
        if not overlap[point, wanted].any():
            wanted.append(point)
    assert kept.tolist() == wanted
    assert len(kept) > 20


def test_tiles_grow_with_the_room_and_vanish_in_a_crowd() -> None:
    sides = [tile_side(crowd, 900 * 700) for crowd in (1, 100, 150, 200, 1_000, 1e6)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == MOST
    assert sides[-1] == 0
    assert all(side == 0 or side >= LEAST for side in sides)
