"""Point and ask, switch off and the ablation table: views with plain arrays, and in the window with the real engine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Ablation, Asked, Switched, frozen
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.look.words import points
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.ablation import AblationView
from convviz_gui.gui.views.asked import AskedView
from convviz_gui.gui.views.switched import SwitchedView
from tests.gui.views_data import BOX, photo, result, selection

WAIT = 60_000


def asked(layer: str = "conv1") -> Asked:
    values = np.array([5, 3, 1], np.float32)
    fields = np.array([[20, 60, 10, 12]] * 3, np.float32)
    return Asked(
        layer,
        "value",
        (0.25, 0.5),
        ("conv1", "conv1", "conv2"),
        np.array([[8, 4]] * 3),
        np.array([6, 2, 7]),
        values,
        values / 2,
        values * 2,
        values / 5,
        values / 10,
        fields,
        np.array([True, True, False]),
        BOX,
        8,
    )


def switched(**changes: object) -> Switched:
    made = Switched(
        (("conv1", (3,)),),
        "scale",
        0.0,
        1,
        np.array([0, 2, 1], np.float32),
        np.array([0, 0, 1], np.float32),
        np.array([0.1, 0.7, 0.2], np.float32),
        np.array([0.2, 0.2, 0.6], np.float32),
        np.array([4], np.float32),
        np.array([0], np.float32),
        BOX,
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def ablation(labelled: int = 9) -> Ablation:
    def f32(*numbers: float) -> np.ndarray:
        return frozen(np.array(numbers, np.float32))

    return Ablation(
        "conv1",
        "folder",
        0.0,
        np.array([0, 3, 6]),
        f32(0.9, 0.4, 0.8),
        f32(0, -3, -1),
        f32(0.001, -0.5, -0.1),
        np.array([0, 5, 1]),
        np.array([-1, 2, 0]),
        f32(0, -0.6, -0.2),
        accuracy_before=0.9,
        pictures=9,
        total=10,
        labelled=labelled,
    )


@pytest.fixture
def chosen() -> Selection:
    return selection()


# ------------------------------------------------------------------------------------------------- the table


def test_a_column_has_room_for_its_longest_text_wherever_it_stands(qtbot: QtBot) -> None:
    table = BarTable("numbers")
    qtbot.addWidget(table)
    table.resize(600, 120)
    table.show()
    texts = ["1"] * 2000
    texts[1700] = "a rather long number"
    table.set_columns([Column("a", texts), Column("b", ["2"] * 2000)])
    wanted = table.fontMetrics().horizontalAdvance(texts[1700])
    assert wanted < table.columnWidth(0) < wanted + 40
    assert table.columnWidth(1) < wanted / 2


def test_a_table_is_sorted_by_any_column_and_keeps_its_row(qtbot: QtBot) -> None:
    table = BarTable("numbers")
    qtbot.addWidget(table)
    numbers = np.array([2.0, np.nan, -1.0, 2.0])
    table.set_columns([Column("name", ["b", "a", "D", "c"]), Column("number", list("2n12"), numbers, bar=True)])
    assert table.rows() == [0, 1, 2, 3]
    table.select(2)
    table.sort_by("number")
    assert table.rows() == [0, 3, 2, 1]
    assert table.current_row() == 2
    table.sort_by("number", descending=False)
    assert table.rows() == [2, 0, 3, 1]
    table.sort_by("name", descending=False)
    assert table.rows() == [1, 0, 3, 2]
    told: list[int] = []
    table.chosen.connect(told.append)
    columns = [Column("name", ["b", "a", "D", "c"]), Column("number", list("2n12"), -numbers, bar=True)]
    table.set_columns(columns, keep=True)
    assert table.rows() == [1, 0, 3, 2]
    assert (table.current_row(), told) == (2, [])
    assert columns[1].parts()[2] == (0.5, 0.75)
    assert columns[1].parts()[0] == (0.5, 0.0)


def test_changes_are_written_with_sign_and_without_false_zeros() -> None:
    assert [points(x) for x in (-0.1234, 0.0042, 0.00002, 0.0)] == ["−12.3", "+0.42", "+0.002", "0"]


# ------------------------------------------------------------------------------------------------------ views


@pytest.fixture
def asking(qtbot: QtBot, chosen: Selection) -> AskedView:
    view = AskedView(chosen)
    qtbot.addWidget(view)
    view.resize(800, 500)
    view.show()
    qtbot.waitExposed(view)
    view.show_result(result(asked(), photo()))
    return view


def test_the_place_and_what_is_seen_from_it_are_drawn_on_the_photo(asking: AskedView) -> None:
    assert asking.photo.pin() == QPointF(10 + 0.25 * 80, 50 + 0.5 * 80)
    assert [box.getRect() for box in asking.photo.layers.boxes] == [(20, 60, 10, 12)]
    assert "sees 10×12 pixels" in asking.caption.text()
    assert asking.title.text() == "conv1   row 8, column 4"
    asking.table.setCurrentIndex(asking.table.model().index(2, 0))
    assert "cannot be told" in asking.caption.text()


def test_choosing_a_row_chooses_the_channel_and_the_other_way_round(asking: AskedView, chosen: Selection) -> None:
    asking.table.setCurrentIndex(asking.table.model().index(1, 0))
    assert chosen.channel == 2
    chosen.set_channel(6)
    assert asking.table.current_row() == 0
    asking.table.setCurrentIndex(asking.table.model().index(2, 0))
    assert chosen.channel == 6, "a channel of another layer is not one of the chosen layer's"
    went: list[str] = []
    asking.show_method.connect(went.append)
    asking.unit_button.click()
    assert (chosen.layer, chosen.channel, went) == ("conv2", 7, ["unit"])


def test_a_click_points_at_the_part_that_the_network_sees(asking: AskedView, chosen: Selection, qtbot: QtBot) -> None:
    told: list[object] = []
    chosen.point_changed.connect(lambda: told.append(chosen.point))
    at = asking.photo.to_widget(QPointF(50, 110)).toPoint()
    qtbot.mouseClick(asking.photo, Qt.MouseButton.LeftButton, pos=at)
    assert told == [pytest.approx((0.5, 0.75), abs=0.02)]
    outside = asking.photo.to_widget(QPointF(50, 10)).toPoint()
    qtbot.mouseClick(asking.photo, Qt.MouseButton.LeftButton, pos=outside)
    assert len(told) == 1


def test_a_drag_is_no_click(asking: AskedView, qtbot: QtBot) -> None:
    told: list[object] = []
    asking.photo.clicked.connect(told.append)
    start = asking.photo.to_widget(QPointF(40, 90)).toPoint()
    qtbot.mousePress(asking.photo, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseRelease(asking.photo, Qt.MouseButton.LeftButton, pos=start + QPointF(40, 0).toPoint())
    assert told == []


def test_predictions_before_and_after_stand_side_by_side(qtbot: QtBot, chosen: Selection) -> None:
    view = SwitchedView(chosen)
    qtbot.addWidget(view)
    view.show_result(result(switched()))
    assert view.title.text() == "conv1   channel 3: off"
    assert view.verdict.text() == "dog: 70 % → 20 %, logit 2 → 0. The top class is car now"
    texts = [[view.table.model().index(row, column).data() for column in range(5)] for row in range(3)]
    assert texts[0] == ["dog", "70 %", "20 %", "−50.0", "−2"]
    assert texts[1] == ["car", "20 %", "60 %", "+40.0", "0"]
    assert view.choices.button(0).isChecked()
    assert not view.clear_button.isEnabled()
    view.table.opened.emit(1)
    assert chosen.class_index == 2


def test_keeping_off_and_the_factor_go_into_the_form(qtbot: QtBot, chosen: Selection) -> None:
    view = SwitchedView(chosen)
    qtbot.addWidget(view)
    wanted: list[object] = []
    view.settings_wanted.connect(wanted.append)
    view.show_result(result(switched(edits=(("conv1", (3, 1)), ("fc", (2,))))))
    assert view.title.text() == "3 channels of 2 layers: off"
    view.keep_button.click()
    view.choices.button(3).click()
    view.choices.button(4).click()
    view.clear_button.click()
    assert wanted == [
        (("also", "conv1:1,3; fc:2"),),
        (("how", "scale"), ("factor", 2.0)),
        (("how", "mean"),),
        (("also", ""),),
    ]


def test_the_channel_that_is_needed_most_comes_first(qtbot: QtBot, chosen: Selection) -> None:
    view = AblationView(chosen)
    qtbot.addWidget(view)
    view.show_result(result(ablation()))
    assert view.table.rows() == [1, 2, 0]
    assert view.progress.text() == "9 of 10 pictures, accuracy 90 %"
    view.table.sort_by("channel", descending=False)
    view.show_preview(ablation())
    assert view.table.rows() == [0, 1, 2], "news of the same run leave the order alone"
    view.table.setCurrentIndex(view.table.model().index(2, 0))
    assert chosen.channel == 6
    view.show_result(result(ablation(labelled=0)))
    assert "agreement" in view.notes.text()


# --------------------------------------------------------------------------------------------- in the window


def test_a_click_on_the_photo_asks_and_the_answer_follows_layer_and_place(ready: MainWindow, qtbot: QtBot) -> None:
    ready.selection.set_layer("block3_relu1")
    tab = ready.tabs.current
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    photo_widget = tab.view.photo  # type: ignore[union-attr]
    at = photo_widget.to_widget(QPointF(98, 34)).toPoint()
    qtbot.mouseClick(photo_widget, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: tab.result is not None and isinstance(tab.result.payload, Asked), timeout=WAIT)
    first = tab.result.payload  # type: ignore[union-attr]
    assert first.layer == "block3_relu1"
    assert first.units[0].tolist() == [8, 24]
    assert tab.panel.target.place.line.text() == "8, 24"
    tab.panel.target.place.line.setText("3, 4")
    tab.panel.target.place.line.editingFinished.emit()
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.payload.units[0].tolist() == [3, 4], timeout=WAIT)
    ready.selection.set_layer("block4_relu1")
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.payload.layer == "block4_relu1", timeout=WAIT)


def test_switching_off_is_live_and_what_is_kept_off_stays(ready: MainWindow, qtbot: QtBot) -> None:
    ready.selection.set_layer("block5_relu1")
    ready.tabs.show_method("switch-off")
    tab = ready.tabs.current
    assert tab.spec.name == "switch off"
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)

    def edits() -> object:
        return tab.result.payload.edits if tab.result is not None else None

    assert edits() == (("block5_relu1", (0,)),)
    ready.selection.set_channel(5)
    qtbot.waitUntil(lambda: edits() == (("block5_relu1", (5,)),), timeout=WAIT)
    tab.view.keep_button.click()  # type: ignore[union-attr]
    ready.selection.set_layer("block4_relu1")
    qtbot.waitUntil(lambda: edits() == (("block4_relu1", (0,)), ("block5_relu1", (5,))), timeout=WAIT)
    tab.view.clear_button.click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: edits() == (("block4_relu1", (0,)),), timeout=WAIT)


def test_other_numbers_of_the_same_width_are_drawn_in_the_order_the_user_chose(qtbot: QtBot) -> None:
    table = BarTable("table")
    qtbot.addWidget(table)
    table.resize(300, 200)

    def columns(numbers: list[float]) -> list[Column]:
        texts = [f"{number:.1f}" for number in numbers]
        return [Column("name", ["a", "b"], stretches=True), Column("number", texts, np.array(numbers), bar=True)]

    table.set_columns(columns([0.1, 0.9]))
    table.sort_by("number")
    table.select(0)
    before = table.grab().toImage()
    table.set_columns(columns([0.8, 0.2]), keep=True)
    assert table.rows() == [0, 1]
    assert [table.model().index(row, 1).data() for row in (0, 1)] == ["0.8", "0.2"]
    assert table.current_row() == 0
    assert table.grab().toImage() != before
    table.set_columns(columns([0.8, 100.2]), keep=True)
    assert table.columnWidth(1) > table.fontMetrics().horizontalAdvance("100.2")
