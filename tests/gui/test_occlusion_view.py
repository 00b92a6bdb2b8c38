"""The occlusion view with real arrays: what is drawn, outlined and said, from the first window to the last."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.occluding.windows import Windows
from convviz_gui.engine.payloads import Occlusion
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.views.occlusion import OcclusionView
from tests.gui.views_data import BOX, result, selection

HOW = "recomputed only what the patch reaches: 12 % of the multiplications of whole passes"
TABLE = COLORMAPS["blue-red"]


def occlusion(*, done: int = 9, zero: bool = False) -> Occlusion:
    """Windows of 32 pixels, 16 apart, over 64×64: the first lowers the score by 4, the last raises it by 2."""
    drop, ready = np.zeros((3, 3), np.float32), np.zeros((3, 3), np.bool_)
    ready.flat[:done] = True
    if not zero:
        drop[0, 0], drop[2, 2] = 4, -2
    drop[~ready] = 0
    return Occlusion(
        drop=drop,
        heat=Windows((64, 64), 32, 16).heat(drop, ready),
        done=ready,
        box=BOX,
        logits=np.array([0.0, 5.0, 1.0], np.float32),
        score=5.0,
        class_index=1,
        patch=32,
        stride=16,
        fill="mean",
        how=HOW,
    )


@pytest.fixture
def view(qtbot: QtBot) -> OcclusionView:
    made = OcclusionView(selection())
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(result(occlusion()))
    return made


def cells(view: OcclusionView) -> np.ndarray:
    base = view.grid.layers.base
    assert base is not None
    return to_array(base.image)


def on_photo(view: OcclusionView, x: float, y: float) -> np.ndarray:
    at = view.photo.to_widget(QPointF(x, y)).toPoint()
    return to_array(view.photo.grab().toImage())[at.y(), at.x()].astype(float)


def point(view: OcclusionView, picture: str, x: float, y: float) -> None:
    widget = getattr(view, picture)
    QTest.mouseMove(widget, widget.to_widget(QPointF(x, y)).toPoint())


def test_every_window_is_a_cell_on_a_scale_around_zero(view: OcclusionView) -> None:
    shown = cells(view)
    assert shown.shape[:2] == (3, 3)
    assert shown[0, 0].tolist() == TABLE[255].tolist()
    assert shown[1, 1].tolist() == TABLE[128].tolist()
    assert shown[2, 2].tolist() == TABLE[64].tolist()
    assert view.bar.labels() == ("−4", "0", "4")
    assert view.header.title.text() == "dog  ·  98 %"
    assert view.header.facts.text() == "score 5  ·  largest drop 4  ·  9 windows"
    assert view.header.how.text() == HOW.capitalize()
    assert view.header.warning.isHidden()


def test_the_photo_shows_through_where_nothing_matters(view: OcclusionView) -> None:
    view.header.slider.setValue(100)
    # The crop is x 10…90, y 50…130 of the photo: a quarter of a window is 20 of its pixels.
    assert on_photo(view, 15, 55) == pytest.approx(TABLE[255].astype(float), abs=3)
    assert on_photo(view, 85, 55) == pytest.approx([120] * 3, abs=2)
    view.header.slider.setValue(0)
    assert on_photo(view, 15, 55) == pytest.approx([240, 120, 120], abs=2)


def test_windows_not_computed_are_grey_and_said(view: OcclusionView) -> None:
    view.show_preview(occlusion(done=4))
    assert cells(view)[2, 0].tolist() == [128] * 3
    assert cells(view)[1, 0].tolist() == TABLE[128].tolist()
    assert "4 of 9 windows" in view.header.facts.text()
    assert "grey: not computed" in view.on_grid.text()
    assert view.header.warning.isHidden()
    view.show_result(result(occlusion(done=4)))
    assert view.header.warning.text() == "Stopped after 4 of 9 windows: grey ones are not computed."


def test_a_map_without_any_change_says_so(view: OcclusionView) -> None:
    view.show_result(result(occlusion(zero=True)))
    assert "no window changes the score of dog" in view.header.warning.text()
    assert view.bar.labels() == ()
    assert view.photo.layers.overlay is None


def test_a_cell_outlines_its_window_on_the_photo(view: OcclusionView) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    point(view, "grid", 2.5, 0.5)
    # 16 pixels of the input are 20 of the photo.
    assert view.photo.layers.boxes == (QRectF(50, 50, 40, 40),)
    point(view, "grid", 0.5, 0.5)
    assert view.photo.layers.boxes == (QRectF(10, 50, 40, 40),)
    assert said[-1] == "window 0, 0  (y 0–31, x 0–31)  drop 4: score 5 → 1"
    view.grid.leaveEvent(None)  # type: ignore[arg-type]
    assert view.photo.layers.boxes == ()
    assert said[-1] == ""


def test_a_pixel_outlines_the_windows_over_it(view: OcclusionView) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    point(view, "photo", 40.7, 55.7)  # x 24, y 4 of the input
    assert view.grid.layers.boxes == (QRectF(0, 0, 1, 1), QRectF(1, 0, 1, 1))
    assert said[-1] == "(y 4, x 24)  2  mean drop of 2 windows"
    point(view, "photo", 50, 20)
    assert said[-1] == "outside the crop: the model did not see this"
    assert view.grid.layers.boxes == ()


def test_the_cursor_is_at_the_same_place_in_both(view: OcclusionView) -> None:
    point(view, "grid", 1.5, 1.5)  # the middle of the middle window: the middle of the crop
    mark = view.photo.mark()
    assert mark is not None
    assert (mark.x(), mark.y()) == (pytest.approx(50, abs=1), pytest.approx(90, abs=1))


def test_a_second_class_is_named(view: OcclusionView) -> None:
    view.show_result(result(dataclasses.replace(occlusion(), against=0)))
    assert view.header.title.text().startswith("dog rather than cat")


def test_values_can_be_copied(view: OcclusionView) -> None:
    view.grid.values_action.trigger()
    rows = QGuiApplication.clipboard().text().splitlines()
    assert [len(row.split("\t")) for row in rows] == [3, 3, 3]
