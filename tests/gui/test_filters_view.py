"""The filters tab with real arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.render import mosaic
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.gallery_tiles import named, stitched
from convviz_gui.gui.views.filters import FiltersView
from tests.gui.views_data import gallery, result, selection


@pytest.fixture
def chosen() -> Selection:
    return selection()


@pytest.fixture
def view(qtbot: QtBot, chosen: Selection) -> FiltersView:
    made = FiltersView(chosen)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def colour(view: FiltersView, row: int) -> list[int]:
    middle = view.grid.visualRect(view.grid.model().index(row, 0)).center()
    drawn = to_array(view.grid.viewport().grab().toImage())
    return [int(value) for value in drawn[middle.y() - 12, middle.x()]]


def test_tiles_have_the_channels_numbers_and_pictures(view: FiltersView) -> None:
    view.show_result(result(gallery()))
    assert [view.grid.model().index(row, 0).data() for row in range(6)] == ["0", "2", "4", "6", "8", "10"]
    assert colour(view, 2) == [0, 100, 0]


def test_dead_and_waiting_are_told(view: FiltersView) -> None:
    view.show_result(result(gallery()))
    tips = [view.grid.model().index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(6)]
    assert "dead" in tips[1]
    assert "not made" in tips[5]
    view.show_preview(gallery())
    view.show_result(result(gallery()))
    assert "not made" in view.grid.model().index(5, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert view.progress.text() == "4 of 6 formed, 1 dead"
    view.grid.select(1)
    view.grid.chosen.emit(1)
    assert view.panel.picture.layers.base is None, "noise is not shown as if it were a finding"
    assert "dead" in view.panel.note.text()


def test_pictures_form_live(view: FiltersView) -> None:
    first = gallery()
    view.show_preview(first)
    later = first.images.copy()
    later[2] = 222
    done = first.done.copy()
    done[2] += 1
    view.show_preview(dataclasses.replace(first, images=later, done=done))
    assert colour(view, 2) == [222, 222, 222]
    assert colour(view, 3) == [0, 130, 0]


def test_the_large_picture_follows_the_run(view: FiltersView) -> None:
    first = gallery()
    view.show_preview(first)
    later, done = first.images.copy(), first.done.copy()
    later[0], done[0] = 77, 11
    view.show_preview(dataclasses.replace(first, images=later, done=done))
    shown = view.panel.picture.layers.base
    assert shown is not None
    assert (to_array(shown.image) == 77).all()


def test_click_shows_picture_and_curve_and_chooses_the_channel(
    view: FiltersView, chosen: Selection, qtbot: QtBot
) -> None:
    view.show_result(result(gallery()))
    place = view.grid.visualRect(view.grid.model().index(3, 0)).center()
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.channel == 6
    assert view.panel.title.text() == "Channel 6"
    np.testing.assert_array_equal(view.panel.curve.trace(), gallery().trace[3])


def test_filters_of_another_layer_leave_the_channel_alone(view: FiltersView, chosen: Selection) -> None:
    chosen.set_layer("conv2")
    view.show_result(result(gallery()))
    view.grid.chosen.emit(3)
    assert chosen.channel == 0


def test_a_channel_chosen_elsewhere_is_shown(view: FiltersView, chosen: Selection) -> None:
    view.show_result(result(gallery()))
    chosen.set_channel(8)
    assert view.grid.current_item() == 4
    assert view.panel.title.text() == "Channel 8"
    chosen.set_channel(3)
    assert view.panel.title.text() == "Channel 8", "there is no picture of channel 3"


def test_the_chosen_channel_is_current_when_the_pictures_come(view: FiltersView, chosen: Selection) -> None:
    chosen.set_channel(4)
    view.show_result(result(gallery()))
    assert view.grid.current_item() == 2


def test_the_stitched_grid_is_the_chapters(view: FiltersView) -> None:
    whole = gallery(9)
    whole = dataclasses.replace(whole, dead=np.zeros(9, bool), done=np.full(9, 10))
    np.testing.assert_array_equal(to_array(stitched(whole)), mosaic(whole.images, 3, 5))
    view.show_result(result(whole))
    copy = next(action for action in view.grid.actions() if action.text() == "Copy grid")
    copy.trigger()
    assert QGuiApplication.clipboard().image().width() == 3 * 24 + 2 * 5


def test_the_stitched_grid_names_the_dead() -> None:
    def tile(sheet: np.ndarray, item: int) -> np.ndarray:
        return sheet[item // 3 * 29 : item // 3 * 29 + 24, item % 3 * 29 : item % 3 * 29 + 24]

    sheet = to_array(stitched(gallery()))
    assert len(np.unique(tile(sheet, 1).reshape(-1, 3), axis=0)) > 3
    assert len(np.unique(tile(sheet, 2).reshape(-1, 3), axis=0)) == 1


def test_one_filter_alone(view: FiltersView) -> None:
    one = dataclasses.replace(gallery(1), done=np.full(1, 10))
    view.show_result(result(one))
    assert view.title.text().endswith("1 filter")
    assert stitched(one).width() == 24


def test_way_back_to_the_activations(view: FiltersView, qtbot: QtBot) -> None:
    view.show_result(result(gallery()))
    with qtbot.waitSignal(view.show_tab) as shown:
        view.panel.back.click()
    assert shown.args == ["activations"]


def test_after_an_empty_state_the_next_pictures_are_all_there(view: FiltersView) -> None:
    view.show_result(result(gallery()))
    view.show_message("What do the channels look for?", "Show the filters")
    assert not view.stage.shows_content()
    view.show_preview(gallery())
    assert view.stage.shows_content()
    assert colour(view, 3) == [0, 130, 0]


# --------------------------------------------------------------------------------- pictures of more than channels


def of_classes() -> Gallery:
    how_much = np.zeros((6, 24, 24), np.float32)
    how_much[:, :, 12:] = 3.0
    names = ("cat", "<b>dog</b>", "car", "a very long name of a class indeed", "tree", "house")
    return dataclasses.replace(
        gallery(),
        layer="",
        objective="class",
        labels=names,
        channels=np.arange(6),
        transparency=how_much,
        spectrum_of="mean of 12 pictures of the folder",
    )


def test_classes_have_their_names_and_leave_the_channel_alone(view: FiltersView, chosen: Selection) -> None:
    view.show_result(result(of_classes()))
    index = view.grid.model().index(1, 0)
    assert index.data() == "<b>dog</b>"
    assert "&lt;b&gt;" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert view.title.text() == "Class scores   6 pictures"
    view.grid.chosen.emit(3)
    assert chosen.channel == 0
    assert view.panel.title.text() == "Class a very long name of a class indeed"
    assert view.panel.back.isHidden()
    assert view.panel.unit_button.isHidden()
    assert view.panel.origin.text() == "Spectrum: mean of 12 pictures of the folder"
    view.show_result(result(gallery()))
    assert not view.panel.back.isHidden()
    assert view.panel.origin.isHidden()


def test_what_did_not_matter_fades_into_the_ground(view: FiltersView) -> None:
    view.show_result(result(of_classes()))
    assert not view.fade.isHidden()
    view.fade.setChecked(True)
    shown = view.panel.picture.layers.base
    assert shown is not None
    pixels = to_array(shown.image)
    ground = view.palette().window().color().lightness()
    assert (pixels[:, :12] == ground).all()
    np.testing.assert_array_equal(pixels[:, 12:], of_classes().images[0][:, 12:])
    view.fade.setChecked(False)
    shown = view.panel.picture.layers.base
    assert shown is not None
    np.testing.assert_array_equal(to_array(shown.image), of_classes().images[0])
    view.show_result(result(gallery()))
    assert view.fade.isHidden()


def test_variants_and_silence_are_said_in_words() -> None:
    variants = dataclasses.replace(gallery(2), labels=("7 · 1", "7 · 2"), negative=True)
    assert named(variants, 1) == "What silences channel 7 · 2"
    layer = dataclasses.replace(gallery(1), labels=("layer",), objective="layer")
    assert named(layer, 0) == "The layer"
