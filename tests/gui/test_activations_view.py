"""The activations tab with real arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.activations import ActivationsView
from tests.gui.views_data import BOX, maps, model, photo, result, selection


@pytest.fixture
def chosen() -> Selection:
    return selection()


@pytest.fixture
def view(qtbot: QtBot, chosen: Selection) -> ActivationsView:
    made = ActivationsView(chosen)
    qtbot.addWidget(made)
    made.resize(800, 640)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(result(maps(), chosen.image))
    return made


def order(view: ActivationsView) -> list[int]:
    return [view.grid.item_at(row) for row in range(view.grid.model().rowCount())]


def test_header_names_layer_shape_and_blank_channels(view: ActivationsView) -> None:
    assert view.header.title.text().startswith("conv1")
    assert "16" in view.header.title.text()
    assert view.header.blank.text() == "1 of 8 blank"


def test_sorting_orders_tiles_by_the_statistic(view: ActivationsView) -> None:
    shown = maps()
    assert order(view) == list(range(8))
    for name, key in (("by mean", shown.mean), ("by max", shown.max), ("by sparsity", shown.sparsity)):
        view.header.sort_combo.setCurrentText(name)
        values = key[order(view)]
        assert (np.diff(values) <= 0).all(), name
    assert view.grid.model().index(0, 0).data() == "5  1", "the caption tells what is sorted by"


def test_a_blank_channel_says_so(view: ActivationsView) -> None:
    view.grid.select(5)
    view.selection.set_channel(5)
    assert view.panel.blank.isVisible()
    assert "blank" in view.grid.model().index(5, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_choosing_a_tile_chooses_the_channel_everywhere(view: ActivationsView, chosen: Selection, qtbot: QtBot) -> None:
    place = view.grid.visualRect(view.grid.model().index(3, 0)).center()
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.channel == 3
    assert view.panel.title.text() == "Channel 3"
    assert view.panel.numbers["max"].text() == f"{maps().max[3]:.4g}"


def test_a_channel_chosen_elsewhere_is_shown(view: ActivationsView, chosen: Selection) -> None:
    chosen.set_channel(6)
    assert view.grid.current_item() == 6
    assert view.panel.title.text() == "Channel 6"


def test_the_value_under_the_cursor_is_the_raw_one(view: ActivationsView, chosen: Selection, qtbot: QtBot) -> None:
    chosen.set_channel(2)
    said: list[str] = []
    view.status.connect(said.append)
    at = view.map.to_widget(QPointF(11.5, 4.5)).toPoint()
    qtbot.mouseMove(view.map, at)
    assert said[-1] == f"(y 4, x 11)  {maps().maps[2, 4, 11]:.4g}"


def test_the_cursor_on_the_photo_reads_the_cell_below_it(view: ActivationsView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    x, y, width, height = BOX
    inside = QPointF(x + width * 9.5 / 16, y + height * 3.5 / 16)
    qtbot.mouseMove(view.photo, view.photo.to_widget(inside).toPoint())
    assert said[-1] == f"(y 3, x 9)  {maps().maps[0, 3, 9]:.4g}"
    qtbot.mouseMove(view.photo, view.photo.to_widget(QPointF(50, 10)).toPoint())
    assert said[-1].startswith("outside the crop")


def test_the_close_up_is_the_map_in_the_chosen_colours(view: ActivationsView, chosen: Selection) -> None:
    chosen.set_channel(1)
    view.header.colours.setCurrentIndex(view.header.colours.findData("grey"))
    picture = view.map.layers.base
    assert picture is not None
    drawn = to_array(picture.image)[..., 0].astype(int)
    values = maps().maps[1]
    expected = (values - values.min()) / (values.max() - values.min()) * 255
    assert np.abs(drawn - expected).max() <= 1
    assert view.bar.labels()[0] == f"{values.min():.4g}"
    assert view.bar.labels()[-1] == f"{values.max():.4g}"


def test_diverging_colours_are_symmetric_about_zero(view: ActivationsView) -> None:
    view.header.colours.setCurrentIndex(view.header.colours.findData("blue-red"))
    labels = view.bar.labels()
    assert labels[1] == "0"
    assert labels[0] == "−" + labels[2]


def test_scale_per_layer_is_the_same_for_all_channels(view: ActivationsView, chosen: Selection) -> None:
    view.header.scale_combo.setCurrentText("per layer")
    ends = set()
    for channel in range(8):
        chosen.set_channel(channel)
        ends.add(view.bar.labels())
    assert len(ends) == 1


def test_vectors_have_their_values_written_out(view: ActivationsView, qtbot: QtBot) -> None:
    values = np.array([1.5, -2, 0, 40], np.float32)[:, None, None]
    view.show_result(result(maps(values, "fc")))
    assert not view.map.isVisible()
    assert view.vector.isVisible()
    assert view.header.title.text().split() == ["fc", "4"]
    assert "−2" in view.grid.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    bar = view.vector.bar(3).center().toPoint()
    qtbot.mouseClick(view.vector, Qt.MouseButton.LeftButton, pos=bar)
    assert view.panel.title.text() == "Channel 3"
    assert view.grid.current_item() == 3


def test_not_a_number_is_drawn_in_its_own_colour(view: ActivationsView) -> None:
    values = np.ones((2, 4, 4), np.float32)
    values[0, 0, 0] = np.nan
    values[0, 3, 3] = 5
    view.show_result(result(maps(values)))
    picture = view.map.layers.base
    assert picture is not None
    assert tuple(to_array(picture.image)[0, 0]) == (255, 0, 255)
    assert tuple(to_array(picture.image)[3, 3]) == tuple(COLORMAPS["viridis"][255])


def test_the_chart_marks_the_layer_and_a_click_chooses_one(
    view: ActivationsView, chosen: Selection, qtbot: QtBot
) -> None:
    assert "conv1" in view.chart.accessibleDescription()
    assert "10 %" in view.chart.accessibleDescription()
    place = view.chart.bar(1).center().toPoint()
    qtbot.mouseClick(view.chart, Qt.MouseButton.LeftButton, pos=place)
    assert chosen.layer == "conv2"
    qtbot.keyClick(view.chart, Qt.Key.Key_Right)
    assert chosen.layer == "conv2", "arrows walk from the layer that is shown, which is still conv1"


def test_taller_bars_are_sparser(view: ActivationsView) -> None:
    drawn = to_array(view.chart.grab().toImage())[..., 0].astype(int)
    ground = drawn[-3, -3]
    heights = []
    for i in range(3):
        column = view.chart.bar(i)
        line = drawn[int(column.top()) + 1 : int(column.bottom()) - 1, int(column.left()) + 2]
        heights.append((np.abs(line - ground) > 20).mean())
    assert heights == pytest.approx([0.1, 0.5, 0.9], abs=0.05)


def test_see_its_filter_goes_to_the_filters(view: ActivationsView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.show_tab) as shown:
        view.panel.filter_button.click()
    assert shown.args == ["filters"]


def test_photo_and_channel_zoom_together(view: ActivationsView) -> None:
    view.map.zoom_by(4)
    width = float(BOX[2])
    assert view.photo.scale() * width == pytest.approx(view.map.scale() * 16)


def test_another_photo_is_shown_with_its_own_crop(view: ActivationsView) -> None:
    other = photo(300, 400, "other")
    view.show_result(result(maps(), other))
    assert view.photo.layers.bounds().width() == 400


def test_empty_state_asks_for_a_run(view: ActivationsView, qtbot: QtBot) -> None:
    view.show_message("Open a photo first.", "Open…")
    assert not view.stage.shows_content()
    with qtbot.waitSignal(view.run_wanted):
        view.stage.asked.emit()
    view.show_result(result(maps()))
    assert view.stage.shows_content()


def test_stale_content_is_dimmed_after_a_moment_and_a_result_clears_it(view: ActivationsView, qtbot: QtBot) -> None:
    view.set_stale(True)
    assert not view.stage.is_dimmed()
    qtbot.waitUntil(view.stage.is_dimmed)
    view.show_result(result(maps()))
    assert not view.stage.is_dimmed()


def test_opening_a_tile_goes_to_the_close_up(view: ActivationsView, qtbot: QtBot) -> None:
    view.splitter.setSizes([500, 0])
    view.grid.select(4)
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert view.splitter.sizes()[1] > 0
    assert view.selection.channel == 4


def test_pointing_at_a_tile_tells_its_statistics(view: ActivationsView, qtbot: QtBot) -> None:
    said: list[str] = []
    view.status.connect(said.append)
    place: QPoint = view.grid.visualRect(view.grid.model().index(2, 0)).center()
    qtbot.mouseMove(view.grid.viewport(), place)
    assert said[-1].startswith("Channel 2: max")


def test_a_network_without_maps_has_an_empty_chart(view: ActivationsView, chosen: Selection) -> None:
    none = np.empty(0, np.float32)
    assert chosen.overview is not None
    chosen.set_overview(dataclasses.replace(chosen.overview, layers=(), sparsity=none, blank=none))
    drawn = to_array(view.chart.grab().toImage())
    assert np.ptp(drawn.reshape(-1, drawn.shape[-1]), axis=0).max() == 0
    assert view.chart.bar_at(5) is None
    assert view.chart.accessibleDescription() == ""


def test_a_channel_of_nan_is_not_called_constant(view: ActivationsView) -> None:
    values = np.ones((2, 4, 4), np.float32)
    values[0] = np.nan
    view.show_result(result(maps(values)))
    source = view.grid.model().source
    assert source is not None
    assert [source.note(item) for item in range(2)] == ["not finite", "constant"]


def test_a_network_of_vectors_has_a_layer_to_look_at() -> None:
    net = model(("fc1", "fc2"))
    nodes = tuple(dataclasses.replace(node, shape=(8,)) for node in net.root.children)
    vectors = dataclasses.replace(net, root=dataclasses.replace(net.root, children=nodes), default_map_layer=None)
    chosen = Selection()
    chosen.set_model(dataclasses.replace(vectors, penultimate_layer="fc1"))
    assert chosen.layer == "fc1"
