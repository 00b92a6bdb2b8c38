"""The input tab: the crop on the photo, the tensor as it is, and its numbers under the cursor."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Seen
from convviz_gui.engine.preprocess import as_colours, prepare
from convviz_gui.engine.render import DIMMED
from convviz_gui.engine.types import ImageInput, Preprocess, Result, Run
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.views.input import InputView
from tests.gui.views_data import model, photo, selection, wheel

CROPPED = Preprocess((40, 40), 40, "bilinear", (0.5, 0.4, 0.3), (0.25, 0.2, 0.1), "found in a test")
FITTED = dataclasses.replace(CROPPED, resize="fit", channel_order="bgr", source="edited")


def shown(preprocess: Preprocess, image: ImageInput | None = None, *, edited: bool = False) -> Result:
    image = image or photo()
    tensor, box = prepare(image.pixels, preprocess)
    picture, clipped = as_colours(tensor, preprocess)
    info = dataclasses.replace(model(), preprocess=preprocess, found_preprocess=CROPPED if edited else None)
    return Result(Run("input", image=image), Seen(tensor, picture, box, clipped), (), info, 0.01)


@pytest.fixture
def view(qtbot: QtBot) -> InputView:
    made = InputView(selection())
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(shown(CROPPED))
    return made


def on_photo(view: InputView, x: float, y: float) -> np.ndarray:
    at = view.photo.to_widget(QPointF(x, y)).toPoint()
    return to_array(view.photo.grab().toImage())[at.y(), at.x()].astype(float)


def test_the_photo_is_dimmed_where_it_is_cut_off(view: InputView) -> None:
    # The portrait photo, 180 × 100, is cut to the middle 100 × 100.
    assert on_photo(view, 25, 90) == pytest.approx([240, 120, 120], abs=2)
    assert on_photo(view, 25, 20) == pytest.approx(DIMMED * np.array([240, 120, 120]), abs=2)
    view.show_result(shown(FITTED))
    assert on_photo(view, 25, 20) == pytest.approx([240, 120, 120], abs=2)


def test_the_picture_is_the_tensor_pixel_for_pixel(view: InputView) -> None:
    base = view.tensor.layers.base
    assert base is not None
    seen = shown(CROPPED).payload
    assert isinstance(seen, Seen)
    np.testing.assert_array_equal(to_array(base.image), seen.picture)
    assert not view.tensor.layers.smooth


def test_the_tensors_own_numbers_are_under_the_cursor(view: InputView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    qtbot.mouseMove(view.tensor, view.tensor.to_widget(QPointF(3.5, 7.5)).toPoint())
    # Red is (240/255 − 0.5)/0.25, green (120/255 − 0.4)/0.2, blue (120/255 − 0.3)/0.1.
    assert said[-1] == "(y 7, x 3)  red 1.765   green 0.3529   blue 1.706"
    mark = view.photo.mark()
    assert mark is not None
    assert (mark.x(), mark.y()) == pytest.approx((3.5 / 40 * 100, 40 + 7.5 / 40 * 100), abs=1)
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(91.2, 91.4)).toPoint())
    assert said[-1] == "(y 20, x 36)  red −0.1176   green 0.3529   blue 1.706"
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(50, 10)).toPoint())
    assert said[-1].startswith("outside the crop")


def test_margins_are_no_part_of_the_photo(view: InputView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.show_result(shown(FITTED))
    view.status.connect(said.append)
    qtbot.mouseMove(view.tensor, view.tensor.to_widget(QPointF(2.5, 20.5)).toPoint())
    assert said[-1].endswith("margin: not in the photo")
    assert "blue 0" in said[-1]
    qtbot.mouseMove(view.tensor, view.tensor.to_widget(QPointF(20.5, 20.5)).toPoint())
    assert "margin" not in said[-1]


def test_a_channel_by_itself_with_its_scale(view: InputView) -> None:
    view.header.channels.setCurrentIndex(3)
    assert view.bar.labels() == ("−1.706", "0", "1.706")
    view.header.channels.setCurrentIndex(0)
    assert view.bar.labels() == ()
    view.show_result(shown(FITTED))
    names = [view.header.channels.itemText(row) for row in range(view.header.channels.count())]
    assert names == ["Colours", "0 blue", "1 green", "2 red"]


def test_the_chosen_channel_stays_for_the_next_photo(view: InputView) -> None:
    view.header.channels.setCurrentIndex(2)
    view.show_result(shown(CROPPED, photo(120, 160, "other")))
    assert view.header.channel() == 1
    grey = dataclasses.replace(CROPPED, mean=(0.5,), std=(0.5,))
    view.show_result(shown(grey))
    assert view.header.channel() is None, "a channel that is not there any more is not looked at"


@pytest.mark.parametrize("channels", [1, 2, 4, 30])
def test_any_number_of_channels(view: InputView, channels: int) -> None:
    preprocess = dataclasses.replace(CROPPED, mean=(0.5,) * channels, std=(0.25,) * channels)
    view.show_result(shown(preprocess))
    for row in range(view.header.channels.count()):
        view.header.channels.setCurrentIndex(row)
    assert view.header.title.text() == f"40 × 40 pixels, {channels} channel{'s' if channels > 1 else ''}"
    assert len(view.numbers.text()) < 200


def test_facts(view: InputView) -> None:
    assert "shorter side of 40" in view.header.facts.text()
    assert "found in a test" in view.header.facts.text()
    assert "red −0.118 … 0.824 … 1.76" in view.numbers.text()
    assert not view.header.edited.isVisible()
    view.show_result(shown(FITTED, edited=True))
    assert view.header.edited.isVisible()
    assert "shorter side of 40" in view.header.edited.toolTip()


def test_linked_zoom(view: InputView) -> None:
    wheel(view.tensor, view.tensor.to_widget(QPointF(20, 20)), 4)
    assert view.tensor.scale() * 40 == pytest.approx(view.photo.scale() * 100, rel=1e-6)


def test_the_button_asks_for_the_form(view: InputView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.preprocessing_wanted):
        view.header.button.click()
