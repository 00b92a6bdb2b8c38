"""The pixel map tab with real arrays: what is drawn, on which scale, and what is said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QStandardItemModel
from pytestqt.qtbot import QtBot

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.depiction import arrays, pictures
from convviz_gui.engine.payloads import Coverage, PixelMap
from convviz_gui.engine.pixel_drawing import Drawn, coloured, drawn_values, end_of_scale
from convviz_gui.engine.types import Score
from convviz_gui.gui.look.words import ordinal
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.views.pixel_map import PixelMapView
from tests.gui.views_data import BOX, model, photo, pixel_map, result, selection


@pytest.fixture
def view(qtbot: QtBot) -> PixelMapView:
    made = PixelMapView(selection())
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(result(pixel_map()))
    return made


def choose(view: PixelMapView, what: Drawn) -> None:
    view.header.show_box.setCurrentIndex(view.header.show_box.findData(what.value))


def cell(view: PixelMapView, row: int, column: int) -> list[int]:
    """Colour of a pixel of the map."""
    base = view.map.layers.base
    assert base is not None
    colour: list[int] = to_array(base.image)[row, column].tolist()
    return colour


def on_photo(view: PixelMapView, x: float, y: float) -> np.ndarray:
    at = view.photo.to_widget(QPointF(x, y)).toPoint()
    return to_array(view.photo.grab().toImage())[at.y(), at.x()].astype(float)


def test_heat_runs_from_0_to_where_it_is_clipped(view: PixelMapView) -> None:
    table = COLORMAPS["inferno"]
    assert cell(view, 5, 40) == table[255].tolist()
    assert cell(view, 5, 10) == table[128].tolist()
    assert view.bar.labels() == ("0", "1", "2")
    assert view.heading.text() == "Largest absolute value over the colours"
    view.header.colours.setCurrentIndex(view.header.colours.findData("viridis"))
    assert cell(view, 5, 40) == COLORMAPS["viridis"][255].tolist()


def test_the_map_lies_on_the_photo_exactly_in_the_crop(view: PixelMapView) -> None:
    # The crop of the portrait photo is x 10…90, y 50…130; the right half is 2, which is the last colour.
    last = COLORMAPS["inferno"][255]
    assert on_photo(view, 80, 90) == pytest.approx(0.5 * np.array([120] * 3) + 0.5 * last, abs=2)
    assert on_photo(view, 80, 54) == pytest.approx(0.5 * np.array([120] * 3) + 0.5 * last, abs=2)
    view.header.slider.setValue(100)
    assert on_photo(view, 80, 90) == pytest.approx(last.astype(float), abs=2)
    view.header.slider.setValue(0)
    assert on_photo(view, 80, 90) == pytest.approx([120] * 3, abs=1)


def test_signed_maps_are_drawn_around_zero_in_two_colours(view: PixelMapView) -> None:
    view.show_result(result(pixel_map(signed=True)))
    table = COLORMAPS["blue-red"]
    assert cell(view, 5, 40) == table[255].tolist()
    assert cell(view, 5, 10) == table[64].tolist()
    assert view.bar.labels() == ("−2", "0", "2")
    assert not view.header.colours.isEnabled()
    assert view.heading.text() == "Sum over the colours: for (red) and against (blue)"
    choose(view, Drawn.ABSOLUTE)
    assert view.bar.labels() == ("0", "1", "2")
    assert view.header.colours.isEnabled()


def test_positive_shows_only_what_raises_the_score(view: PixelMapView) -> None:
    choose(view, Drawn.POSITIVE)
    assert cell(view, 5, 10) == COLORMAPS["inferno"][0].tolist()
    assert cell(view, 5, 40) == COLORMAPS["inferno"][255].tolist()


def test_as_colours_grey_is_zero(view: PixelMapView) -> None:
    choose(view, Drawn.COLOURS)
    assert cell(view, 5, 40) == [255, 128, 128]
    assert cell(view, 5, 10) == [64, 128, 128]
    assert view.bar.labels() == ("−2", "0", "2")
    found = result(pixel_map())
    blue_first = dataclasses.replace(model().preprocess, channel_order="bgr")
    view.show_result(dataclasses.replace(found, model=dataclasses.replace(found.model, preprocess=blue_first)))
    assert cell(view, 5, 40) == [128, 128, 255], "the tensor's first channel is blue there"


def test_without_three_colours_there_is_no_such_picture(view: PixelMapView) -> None:
    choose(view, Drawn.COLOURS)
    one = dataclasses.replace(pixel_map(), attribution=pixel_map().attribution[:1])
    view.show_result(result(one))
    assert view.header.drawn() is Drawn.HEAT
    items = view.header.show_box.model()
    assert isinstance(items, QStandardItemModel)
    assert not items.item(view.header.show_box.findData(Drawn.COLOURS.value)).isEnabled()
    assert set(pictures(result(one))) == {"heat", "overlay"}


def test_the_scale_says_where_it_is_clipped(view: PixelMapView) -> None:
    spiked = np.ones((3, 64, 64), np.float32)
    spiked[:, 0, 0] = 1000
    found = dataclasses.replace(pixel_map(), attribution=spiked, heat=spiked[0])
    view.show_result(result(found))
    assert view.clipped.text() == "clipped at the 99.5th percentile"
    assert view.bar.labels()[-1] == "1"
    view.header.clip.setValue(100)
    assert view.clipped.text() == "not clipped"
    assert view.bar.labels()[-1] == "1000"
    assert cell(view, 5, 5) == COLORMAPS["inferno"][0].tolist()


def test_raw_values_under_the_cursor_whatever_is_clipped(view: PixelMapView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    x, y, width, height = (float(number) for number in BOX)
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(x + 0.3 * width, y + 0.9 * height)).toPoint())
    assert said[-1].startswith("(y 57, x 19)  1   red −1   green 0   blue 0")
    qtbot.mouseMove(view.map, view.map.to_widget(QPointF(40.5, 3.5)).toPoint())
    assert said[-1].startswith("(y 3, x 40)  2   red 2")
    mark = view.photo.mark()
    assert mark is not None
    assert (mark.x(), mark.y()) == pytest.approx((x + width * 40.5 / 64, y + height * 3.5 / 64), abs=1)
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(50, 10)).toPoint())
    assert said[-1].startswith("outside the crop")


def test_pictures_zoom_together(view: PixelMapView) -> None:
    before = view.photo.scale()
    view.map.zoom_by(4)
    assert view.photo.scale() > 2 * before
    view.photo.fit()
    assert view.photo.scale() == before


def test_a_map_that_is_zero_everywhere_is_a_state_of_its_own(view: PixelMapView) -> None:
    view.show_result(result(pixel_map(zero=True)))
    assert view.header.nothing.isVisible()
    assert "dog" in view.header.nothing.text()
    assert "exactly zero" in view.header.nothing.text()
    assert view.bar.labels() == ()
    assert not view.clipped.isVisible()
    assert on_photo(view, 80, 90) == pytest.approx([120] * 3, abs=1), "nothing is laid over the photo"
    for what in Drawn:
        choose(view, what)
    assert view.bar.labels() == ()
    assert set(pictures(result(pixel_map(zero=True)))) == {"heat", "colours"}
    view.show_result(result(pixel_map()))
    assert not view.header.nothing.isVisible()


def test_header_says_what_is_explained_and_how_sure_the_numbers_are(view: PixelMapView) -> None:
    odds = np.exp([0.0, 2.0, 1.0])
    assert view.header.title.text() == f"dog  ·  {100 * odds[1] / odds.sum():.0f} %"
    scores = (
        Score("Logit", 2.0, "2"),
        Score("Completeness gap", -0.01, "-1 %"),
        Score("Coverage", 1.0, "2 of 2 ReLUs handled"),
    )
    view.show_result(dataclasses.replace(result(pixel_map()), scores=scores))
    assert view.header.facts.text() == "logit 2  ·  completeness gap −1 %  ·  2 of 2 ReLUs handled"
    view.show_result(result(dataclasses.replace(pixel_map(), against=0)))
    assert view.header.title.text().startswith("dog rather than cat")
    unit = dataclasses.replace(
        pixel_map(), class_index=None, layer="conv2", channel=3, unit=(4, 5), coverage=Coverage(1, 1)
    )
    view.show_result(result(unit))
    assert view.header.title.text() == "Channel 3 of conv2, row 4, column 5"


def test_a_preview_is_drawn_as_well(view: PixelMapView) -> None:
    view.show_preview(pixel_map(signed=True))
    assert cell(view, 5, 40) == COLORMAPS["blue-red"][255].tolist()


@pytest.mark.parametrize("width", [560, 900])
def test_it_fits_a_narrow_page(view: PixelMapView, width: int) -> None:
    assert view.minimumSizeHint().width() <= 560
    view.resize(width, 480)
    assert view.header.slider.width() >= 24


# ------------------------------------------------------------------------------------------------ in the window


def shown(window: MainWindow, qtbot: QtBot) -> PixelMap:
    """What the tab shows once it is done."""
    tab = window.tabs.current
    qtbot.waitUntil(lambda: not tab.running and tab.result is not None, timeout=60_000)
    assert tab.result is not None
    assert isinstance(tab.result.payload, PixelMap)
    return tab.result.payload


def test_live_methods_follow_class_and_channel_others_wait(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("pixel map")
    tab = ready.tabs.current
    top = shown(ready, qtbot)
    assert top.class_index is not None
    other = (top.class_index + 1) % 3
    ready.selection.set_class(other)
    qtbot.waitUntil(lambda: shown(ready, qtbot).class_index == other, timeout=60_000)

    def choose_method(name: str) -> None:
        tab.panel.chooser.setCurrentIndex(tab.panel.chooser.findData(name))

    choose_method("deconvnet")
    assert shown(ready, qtbot).class_index == other
    tab.panel.target.source.choice.setCurrentIndex(1)
    tab.panel.target.source.choice.activated.emit(1)
    found = shown(ready, qtbot)
    assert (found.layer, found.channel) == (ready.selection.layer, 0)
    ready.selection.set_channel(2)
    qtbot.waitUntil(lambda: shown(ready, qtbot).channel == 2, timeout=60_000)
    assert isinstance(tab.view, PixelMapView)
    assert tab.view.header.title.text() == f"Channel 2 of {ready.selection.layer}"
    choose_method("integrated-gradients")
    assert tab.result is None
    assert not tab.running
    tab.run()
    assert abs(shown(ready, qtbot).completeness_gap) < 0.2
    assert "completeness gap" in tab.view.header.facts.text()


# ------------------------------------------------------------------------------------------------------ in files


def test_files_hold_raw_values_and_the_same_pictures(view: PixelMapView) -> None:
    found = dataclasses.replace(pixel_map(signed=True), completeness_gap=0.01)
    held = arrays(found)
    np.testing.assert_array_equal(held["attribution"], found.attribution)
    np.testing.assert_array_equal(held["heat"], found.heat)
    assert float(held["completeness_gap"]) == 0.01
    assert "completeness_gap" not in arrays(pixel_map())
    made = pictures(result(found, photo()))
    view.show_result(result(found))
    assert made["heat"][5, 40].tolist() == cell(view, 5, 40)
    choose(view, Drawn.COLOURS)
    strip_free = made["colours"][:64, :64]
    assert strip_free[5, 40].tolist() == cell(view, 5, 40)


def test_zeros_do_not_count_for_the_end_of_the_scale() -> None:
    values = np.zeros((100, 100), np.float32)
    values[:2, :2] = [[-4, 1], [2, 3]]
    assert end_of_scale(values, 100) == 4
    assert end_of_scale(values, 50) == 2.5
    assert end_of_scale(np.zeros((3, 3), np.float32)) == 0
    assert drawn_values(pixel_map(), Drawn.POSITIVE).max() == 2
    assert coloured(np.zeros((3, 2, 2), np.float32), 0).tolist() == np.full((2, 2, 3), 128).tolist()


def test_ordinals() -> None:
    assert [ordinal(number) for number in (99.5, 91, 92, 93, 94, 100, 111)] == (
        ["99.5th", "91st", "92nd", "93rd", "94th", "100th", "111th"]
    )
