"""The class map tab with real arrays: the drawing must be right to the pixel."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.render import DIMMED, overlay, resize_map
from convviz_gui.gui.pictures.heat_overlay import raw_maximum, score_and_probability
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.views.class_map import ClassMapView
from tests.gui.views_data import BOX, heat, photo, result, selection


@pytest.fixture
def view(qtbot: QtBot) -> ClassMapView:
    made = ClassMapView(selection())
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(result(heat()))
    return made


def on_screen(view: ClassMapView, x: float, y: float) -> np.ndarray:
    """Colour on the screen at a point of the photo."""
    at = view.photo.to_widget(QPointF(x, y)).toPoint()
    return to_array(view.photo.grab().toImage())[at.y(), at.x()].astype(float)


def test_the_map_lies_on_the_photo_exactly_in_the_crop(view: ClassMapView) -> None:
    # The crop of the portrait photo is x 10…90, y 50…130; the right half of the map is 1, the left 0.
    grey, red = np.array([120, 120, 120]), np.array([240, 120, 120])
    first, last = COLORMAPS["jet"][0], COLORMAPS["jet"][255]
    assert on_screen(view, 30, 90) == pytest.approx(0.6 * red + 0.4 * first, abs=2)
    assert on_screen(view, 80, 90) == pytest.approx(0.6 * grey + 0.4 * last, abs=2)
    assert on_screen(view, 80, 54) == pytest.approx(0.6 * grey + 0.4 * last, abs=2)
    assert on_screen(view, 80, 126) == pytest.approx(0.6 * grey + 0.4 * last, abs=2)
    assert on_screen(view, 95, 90) == pytest.approx(DIMMED * grey, abs=2), "outside the crop the photo is dimmed"
    assert on_screen(view, 80, 46) == pytest.approx(DIMMED * grey, abs=2)
    assert on_screen(view, 80, 134) == pytest.approx(DIMMED * grey, abs=2)


def test_what_is_saved_is_what_the_engine_draws(view: ClassMapView) -> None:
    rng = np.random.default_rng(0)
    smooth = resize_map(rng.random((5, 5)).astype(np.float32), (64, 64))
    smooth /= smooth.max()
    box = np.array([60, 100, 480, 480], np.float32)
    picture = photo(900, 600, "large")
    view.show_result(result(dataclasses.replace(heat(), heat=smooth, box=box), picture))
    ours = to_array(view.photo.composed()).astype(int)
    engine = overlay(picture.pixels, smooth, box, COLORMAPS["jet"], 0.4).astype(int)
    inside = (slice(104, 576), slice(64, 536))
    assert np.abs(ours[inside] - engine[inside]).max() <= 6
    assert np.abs(ours[inside] - engine[inside]).mean() < 1


def test_opacity_mixes_anew_without_a_run(view: ClassMapView) -> None:
    wanted: list[bool] = []
    view.run_wanted.connect(lambda: wanted.append(True))
    view.header.slider.setValue(100)
    assert on_screen(view, 80, 90) == pytest.approx(COLORMAPS["jet"][255].astype(float), abs=2)
    view.header.slider.setValue(0)
    assert on_screen(view, 80, 90) == pytest.approx([120, 120, 120], abs=1)
    assert wanted == []


def test_other_colours(view: ClassMapView) -> None:
    view.header.slider.setValue(100)
    for name in ("viridis", "inferno", "cividis", "turbo"):
        view.header.colours.setCurrentIndex(view.header.colours.findData(name))
        assert on_screen(view, 80, 90) == pytest.approx(COLORMAPS[name][255].astype(float), abs=2)
        assert on_screen(view, 30, 90) == pytest.approx(COLORMAPS[name][0].astype(float), abs=2)


def test_values_are_interpolated_before_they_are_coloured(view: ClassMapView) -> None:
    ramp = np.linspace(0, 1, 8, dtype=np.float32)[None].repeat(8, axis=0)
    view.show_result(result(dataclasses.replace(heat(), heat=ramp)))
    view.header.slider.setValue(100)
    # Half way between two cells JET has a colour that no mixture of the cells' colours gives.
    for x in np.linspace(20, 80, 25):
        value = np.interp((x - 10) / 80 * 8 - 0.5, np.arange(8), ramp[0])
        table = COLORMAPS["jet"].astype(float)
        distance = np.abs(table - on_screen(view, float(x), 90)).max(axis=1)
        assert distance[max(0, int(value * 255) - 6) : int(value * 255) + 8].min() <= 12


def test_no_positive_evidence_is_written_out_and_nothing_is_drawn(view: ClassMapView) -> None:
    view.show_result(result(heat(positive=False)))
    assert view.header.no_evidence.isVisible()
    assert view.header.no_evidence.text() == "No positive evidence for dog at conv2."
    assert on_screen(view, 80, 90) == pytest.approx([120, 120, 120], abs=1)
    assert view.bar.labels() == ()
    assert view.raw_bar.labels() == ("−1", "0", "1"), "the raw map still is there"
    view.show_result(result(heat()))
    assert not view.header.no_evidence.isVisible()


def test_header_tells_class_logit_probability_and_layer(view: ClassMapView) -> None:
    odds = np.exp([0.0, 2.0, 1.0])
    assert view.header.title.text().startswith("dog ")
    assert "logit 2 " in view.header.facts.text()
    assert f"{100 * odds[1] / odds.sum():.0f} %" in view.header.title.text()
    assert "conv2" in view.header.facts.text()


@pytest.mark.parametrize("index", [0, 1])
def test_a_single_logit_is_a_sigmoid(index: int) -> None:
    single = dataclasses.replace(heat(), logits=np.array([1.5], np.float32), class_index=index)
    sign = 1 if index else -1
    assert score_and_probability(single) == pytest.approx((sign * 1.5, 1 / (1 + np.exp(-sign * 1.5))))


def test_colour_bars_have_raw_values(view: ClassMapView) -> None:
    assert view.bar.labels() == ("0", "1", "2")
    assert view.raw_bar.labels() == ("−2", "0", "2")
    assert raw_maximum(heat()) == 2


def test_raw_value_under_the_cursor(view: ClassMapView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    x, y, width, height = (float(number) for number in BOX)
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(x + 0.3 * width, y + 0.9 * height)).toPoint())
    assert said[-1] == "(y 3, x 1)  −1   drawn 0.00"
    qtbot.mouseMove(view.raw, view.raw.to_widget(QPointF(3.5, 0.5)).toPoint())
    assert said[-1] == "(y 0, x 3)  2   drawn 1.00"
    mark = view.photo.mark()
    assert mark is not None
    assert (mark.x(), mark.y()) == pytest.approx((x + width * 3.5 / 4, y + height * 0.5 / 4), abs=1)
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(50, 10)).toPoint())
    assert said[-1].startswith("outside the crop")


def test_raw_map_is_signed_and_keeps_its_cells(view: ClassMapView) -> None:
    base = view.raw.layers.base
    assert base is not None
    drawn = to_array(base.image)
    assert drawn.shape == (4, 4, 3)
    red, blue = drawn[0, 3].astype(int), drawn[0, 0].astype(int)
    assert red[0] > red[2]
    assert blue[2] > blue[0]
