"""Points to picture, against a brute-force painter and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from convviz_gui.engine.palette import categorical
from convviz_gui.gui.latent import scatter_raster
from convviz_gui.gui.latent.scatter_discs import over
from convviz_gui.gui.latent.scatter_raster import Packed, Window, disc_radius, splat

RED, BLUE = (255, 0, 0), (0, 0, 255)
PALETTE = np.array([RED, BLUE], np.uint8)


def channels(words: Packed) -> np.ndarray:
    """Premultiplied A, R, G, B as float [4, h, w]."""
    return np.stack([(words >> shift) & 0xFF for shift in (24, 16, 8, 0)]).astype(float)


def draw(places: list[tuple[float, float]], rows: list[int], **options: object) -> np.ndarray:
    settings: dict[str, object] = {"width": 60, "height": 40, "radius": 4.0, **options}
    x, y = np.array(places, np.float32).reshape(-1, 2).T
    return channels(splat(x, y, np.array(rows, np.uint8), PALETTE, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("radius", [1.0, 2.5, 4.0, 7.0])
@pytest.mark.parametrize("place", [(30.0, 20.0), (30.25, 19.6), (29.9, 20.9)])
def test_a_disc_has_the_area_and_centre_of_a_disc(radius: float, place: tuple[float, float]) -> None:
    alpha = draw([place], [0], radius=radius)[0] / 255
    y, x = np.indices(alpha.shape) + 0.5
    # At radius 1 one step of the coverage ramp is a large part of the whole.
    assert alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.12 if radius == 1.0 else 0.03)
    # A place is rounded to an eighth of a pixel.
    assert (alpha * x).sum() / alpha.sum() == pytest.approx(place[0], abs=0.16)
    assert (alpha * y).sum() / alpha.sum() == pytest.approx(place[1], abs=0.16)


def test_a_crowd_looks_as_if_painted_one_after_another() -> None:
    rng = np.random.default_rng(3)
    places, rows = rng.uniform(0, 64, (120, 2)).astype(np.float32), rng.integers(0, 12, 120).astype(np.uint8)
    palette, ground, fine = categorical(12, dark=False), (255, 255, 255), 8
    got = channels(splat(*places.T, rows, palette, width=64, height=64, radius=5.0, rim=1.0, ground=ground))
    shown = got[1:] + (255 - got[0])  # over white

    y, x = (np.indices((64 * fine, 64 * fine)) + 0.5) / fine
    wanted = np.full((64 * fine, 64 * fine, 3), 255.0)
    for place, row in zip(places, rows, strict=True):
        distance = np.hypot(x - place[0], y - place[1])
        wanted[distance <= 5.0] = ground
        wanted[distance <= 4.0] = palette[row]
    wanted = wanted.reshape(64, fine, 64, fine, 3).mean(axis=(1, 3))
    difference = np.abs(shown.transpose(1, 2, 0) - wanted)
    # Places are rounded to an eighth of a pixel, and soft edges on soft edges are simplified.
    assert difference.mean() < 6.5
    assert np.quantile(difference, 0.99) < 60.0


def test_the_later_point_lies_on_top() -> None:
    first, second = draw([(20, 20), (22, 20)], [0, 1]), draw([(20, 20), (22, 20)], [1, 0])
    assert first[:, 19, 21].tolist() == [255, *BLUE]
    assert second[:, 19, 21].tolist() == [255, *RED]


def test_points_outside_are_cut_off_and_do_not_come_back_on_the_other_side() -> None:
    picture = draw([(-2.0, 20.0), (62.0, 5.0), (30.0, -3.0), (500.0, 500.0)], [0, 0, 0, 0])[0]
    assert picture[18:22, 0].all()
    assert not picture[14:26, 40:].any()
    assert picture[5, 59] > 0
    assert picture[0, 29] > 0
    assert not picture[30:].any()


def test_what_is_not_a_number_is_left_out() -> None:
    alone = draw([(20, 20)], [0])
    np.testing.assert_array_equal(draw([(np.nan, 5), (20, 20), (5, np.nan), (np.inf, 3)], [1, 0, 1, 1]), alone)
    assert not draw([], []).any()


def test_too_many_points_are_drawn_as_density(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter_raster, "STAMP_BUDGET", 0)
    rng = np.random.default_rng(0)
    places, rows = rng.normal((30, 20), 6, (4000, 2)), rng.integers(0, 2, 4000)
    alpha, *rgb = draw(places.tolist(), rows.tolist())
    column, row = np.floor(places).astype(int).T
    inside = (column >= 0) & (column < 60) & (row >= 0) & (row < 40)
    count = np.zeros((40, 60), int)
    np.add.at(count, (row[inside], column[inside]), 1)
    lit = np.pad(count > 0, 1)
    beside = sum(lit[1 + dy : 41 + dy, 1 + dx : 61 + dx].astype(int) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    alone = (count > 0) & (beside == 1)
    spread = np.pad(alone, 1)
    dotted = np.any([spread[1 + dy : 41 + dy, 1 + dx : 61 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)
    assert alone.any()
    assert (alpha[alone] == 255).all(), "what lies apart is a small disc"
    np.testing.assert_array_equal((alpha > 0)[~dotted], (count > 0)[~dotted])
    order = np.argsort(count[~dotted], kind="stable")
    assert (np.diff(alpha[~dotted][order]) >= 0).all(), "more points must not look thinner"
    assert alpha.max() == 255
    assert alpha[count == 1].min() > 100, "a single point must be seen"
    assert not np.logical_and(rgb[0] > 0, rgb[2] > 0).any(), "only colours of the legend appear"


def test_density_of_nothing_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter_raster, "STAMP_BUDGET", -1)
    assert not draw([], []).any()


def test_a_deep_zoom_keeps_its_digits() -> None:
    xy = np.array([[100.0, 50.0], [100.00001, 50.0]], np.float32)
    x0 = float(xy[0, 0]) - 1e-3
    places = Window(x0, x0 + 2e-3, 49.0, 51.0, 1000, 800).to_pixels(xy)
    wanted = (xy[:, 0].astype(np.float64) - x0) / 2e-3 * 1000
    np.testing.assert_allclose(places[:, 0], wanted, atol=0.01)
    np.testing.assert_allclose(places[:, 1], [400, 400], atol=0.01)


def test_discs_shrink_as_points_become_more() -> None:
    sizes = [disc_radius(n) for n in np.logspace(0, 7, 60)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 5.0
    assert sizes[-1] == 1.0
    assert disc_radius(20_000) >= 2.0


def test_laying_over_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    alpha = rng.integers(0, 256, (2, 5000))
    colours = np.round(rng.integers(0, 256, (2, 5000, 3)) * alpha[..., None] / 255).astype(np.int64)
    top, below = (
        (a << 24 | c[:, 0] << 16 | c[:, 1] << 8 | c[:, 2]).astype(np.uint32)
        for a, c in zip(alpha, colours, strict=True)
    )
    got = channels(over(top, below)[None])[:, 0]
    wanted = [
        channels(top[None])[channel, 0] + channels(below[None])[channel, 0] * (255 - alpha[0]) / 255
        for channel in range(4)
    ]
    np.testing.assert_allclose(got, wanted, atol=0.51)
