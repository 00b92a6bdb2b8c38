"""Compare: results pinned from tabs, live slots, one scale, wipe and difference, on the real engine and the demo."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from convviz_gui.engine.compare.comparison import compare
from convviz_gui.engine.compare.side import side_of
from convviz_gui.engine.payloads import FloatArray, Heat, Maps, Payload
from convviz_gui.engine.types import ImageInput, LoadModel, ModelSpec, Result, Run
from convviz_gui.gui.compare.compare_header import Way
from convviz_gui.gui.compare.compare_panel import ComparePanel, facts_text, predictions_text
from convviz_gui.gui.compare.compare_view import CompareView
from convviz_gui.gui.compare.shelf import MOST, Shelf
from convviz_gui.gui.compare.slots import Slots
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.tabs.tab import MethodTab
from tests.gui.views_data import BOX, gallery, heat, maps, model, photo, selection

WAIT = 60_000


def noise(seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(8, 8)).astype(np.float32)


def class_map(raw: FloatArray, image: ImageInput | None = None, **changed: object) -> Result:
    payload = dataclasses.replace(heat(), raw=raw, **changed)  # type: ignore[arg-type]
    return finished(payload, "grad-cam", image)


def finished(payload: Payload, method: str = "activations", image: ImageInput | None = None) -> Result:
    return Result(Run(method, image=image or photo()), payload, (), model(), 0.01)


def shown(window: MainWindow, name: str, qtbot: QtBot) -> MethodTab:
    """Go to a live tab and wait for what it shows of the window's photo."""
    window.tabs.show(name)
    tab = window.tabs.tabs[name]
    qtbot.waitUntil(lambda: tab.result is not None and tab.result.run.image is window.selection.image, timeout=WAIT)
    return tab


def class_of(result: Result | None) -> int | None:
    return result.payload.class_index if result is not None and isinstance(result.payload, Heat) else None


@pytest.fixture
def view(qtbot: QtBot) -> CompareView:
    made = CompareView()
    qtbot.addWidget(made)
    made.resize(560, 500)
    made.show()
    return made


# --------------------------------------------------------------------------------------------- the window


def test_two_classes_are_pinned_and_compared(ready: MainWindow, qtbot: QtBot) -> None:
    tab = shown(ready, "class map", qtbot)
    first = tab.result
    QTest.keyClick(ready, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    compare_tab = ready.tabs.compare
    assert compare_tab.slots[0].result is first
    assert "A is Grad-CAM" in ready.status.value.text()
    assert ready.tabs.page is tab
    ready.selection.set_class(1)
    qtbot.waitUntil(lambda: class_of(tab.result) == 1, timeout=WAIT)
    tab.panel.compare.click()
    assert compare_tab.slots[1].result is tab.result
    assert ready.tabs.page is compare_tab
    found = compare_tab.found
    assert found is not None
    assert first is not None
    assert isinstance(first.payload, Heat)
    assert tab.result is not None
    assert isinstance(tab.result.payload, Heat)
    assert np.array_equal(found.difference, first.payload.raw - tab.result.payload.raw)
    top = float(np.abs(np.stack([first.payload.raw, tab.result.payload.raw])).max())
    assert found.ranges == ((-top, top), (-top, top))
    assert "dog" in compare_tab.place.header.titles[1].text()
    assert "<b>1 dog</b>" in compare_tab.panel.facts.text()
    # The third takes the place of the older.
    ready.tabs.show("class map")
    ready.selection.set_class(2)
    qtbot.waitUntil(lambda: class_of(tab.result) == 2, timeout=WAIT)
    ready.commands.compare_result()
    assert class_of(compare_tab.slots[0].result) == 2
    assert class_of(compare_tab.slots[1].result) == 1


def test_b_follows_the_tab_one_came_from(ready: MainWindow, qtbot: QtBot) -> None:
    tab = shown(ready, "class map", qtbot)
    ready.commands.compare_result()
    ready.tabs.show("compare")
    compare_tab = ready.tabs.compare
    assert compare_tab.slots[1].live == "class map"
    assert compare_tab.panel.rows[1].chooser.currentText() == "Newest of Class map"
    pinned = compare_tab.slots[0].result
    ready.selection.set_class(3)
    qtbot.waitUntil(lambda: class_of(compare_tab.slots[1].result) == 3, timeout=WAIT)
    assert compare_tab.slots[0].result is pinned
    assert compare_tab.found is not None
    assert compare_tab.found.b.facts["Class"].startswith("3 ")
    # Nobody looks any more: the tab rests again.
    ready.tabs.show("activations")
    ready.selection.set_class(4)
    assert not tab.running
    # Another tab one comes from is followed instead, as long as nobody chose otherwise.
    ready.tabs.show("compare")
    assert compare_tab.slots[1].live == "activations"


def test_the_chosen_channel_is_compared_and_followed(ready: MainWindow, qtbot: QtBot) -> None:
    tab = shown(ready, "activations", qtbot)
    ready.selection.set_channel(3)
    ready.commands.compare_result()
    ready.tabs.show("compare")
    compare_tab = ready.tabs.compare
    ready.selection.set_channel(7)
    assert (compare_tab.slots[0].item, compare_tab.slots[1].item) == (3, 7)
    assert tab.result is not None
    assert isinstance(tab.result.payload, Maps)
    assert compare_tab.found is not None
    assert np.array_equal(compare_tab.found.difference, tab.result.payload.maps[3] - tab.result.payload.maps[7])
    compare_tab.panel.rows[0].item.setValue(5)
    assert compare_tab.found.a.shown.label == "channel 5"
    assert compare_tab.panel.rows[0].label.text() == "channel 5 of 16"


def test_back_leads_from_compare_to_where_one_came_from(ready: MainWindow, qtbot: QtBot) -> None:
    shown(ready, "class map", qtbot)
    ready.tabs.show("compare")
    QTest.qWait(10)
    ready.navigation.back()
    assert ready.tabs.page.name == "class map"
    ready.navigation.forward()
    assert ready.tabs.page is ready.tabs.compare


def test_a_pinned_result_outlives_its_network(ready: MainWindow, qtbot: QtBot) -> None:
    tab = shown(ready, "class map", qtbot)
    ready.commands.compare_result()
    pinned = ready.tabs.compare.slots[0].result
    ready.opener.open(LoadModel(ModelSpec("torchvision:squeezenet1_1")))
    qtbot.waitUntil(
        lambda: tab.result is not None and tab.result.model.name == "squeezenet1_1" and not tab.running, timeout=WAIT
    )
    ready.commands.compare_result()
    compare_tab = ready.tabs.compare
    assert compare_tab.slots[0].result is pinned
    found = compare_tab.found
    assert found is not None
    assert (found.a.facts["Network"], found.b.facts["Network"]) == ("ToyNet", "squeezenet1_1")
    assert found.difference is not None
    # Two networks: what each says of the photo stands beside the maps.
    assert "cat" in compare_tab.panel.said.text()
    assert compare_tab.panel.said.isVisibleTo(compare_tab.panel)


def test_pictures_offer_to_be_compared_where_there_is_something_to_compare(ready: MainWindow, qtbot: QtBot) -> None:
    tab = shown(ready, "class map", qtbot)
    assert tab.view is not None
    pictures = tab.view.findChildren(Picture)
    assert pictures
    assert all(picture.compare_action.isVisible() for picture in pictures)
    pictures[0].compare_action.trigger()
    assert ready.tabs.compare.slots[0].result is tab.result
    ready.tabs.show("compare")
    inside = ready.tabs.compare.place.findChildren(Picture)
    assert not any(picture.compare_action.isVisible() for picture in inside if picture.isVisible())


def test_what_cannot_be_compared_is_told(ready: MainWindow) -> None:
    ready.tabs.show("filters")
    ready.commands.compare_result()
    assert "no result to compare yet" in ready.status.value.text()
    ready.tabs.show("compare")
    ready.commands.compare_result()
    assert "Go to another tab" in ready.status.value.text()
    ready.commands.save_result()
    assert "nothing to compare yet" in ready.status.value.text()


def test_the_empty_tab_says_what_to_do_and_does_it(ready: MainWindow) -> None:
    ready.tabs.show("compare")
    message = ready.tabs.compare.place.stage.currentWidget()
    assert message is not None
    assert "Ctrl+D" in message.sentence.text()  # type: ignore[attr-defined]
    message.button.click()  # type: ignore[attr-defined]
    assert ready.tabs.compare.slots[0].result is ready.tabs.tabs["activations"].result
    assert ready.tabs.compare.found is not None
    assert "A and B are the same" in ready.tabs.compare.panel.facts.text()


def test_a_comparison_is_saved(
    ready: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(ready, "class map", qtbot)
    ready.commands.compare_result()
    ready.tabs.show("compare")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path))
    with qtbot.waitSignal(ready.saver.saved, timeout=WAIT):
        ready.tabs.compare.panel.save.click()
    told = json.loads((tmp_path / "compare" / "manifest.json").read_text())
    assert told["comparison"]["statistics"]["pearson"] == pytest.approx(1)
    assert told["a"]["command"].startswith("convviz run grad-cam")
    assert (tmp_path / "compare" / "comparison.png").exists()


def test_the_buttons_of_the_panel_save_and_copy(
    ready: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = shown(ready, "class map", qtbot)
    tab.panel.copy.click()
    assert "Run('grad-cam'" in QGuiApplication.clipboard().text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path))
    with qtbot.waitSignal(ready.saver.saved, timeout=WAIT):
        tab.panel.save.click()
    assert next(tmp_path.glob("grad-cam*/manifest.json"))


# ------------------------------------------------------------------------------------------------- the view


def test_one_bar_stands_for_both_sides_where_the_scale_is_locked(view: CompareView) -> None:
    one, other = side_of(class_map(noise(0))), side_of(class_map(2 * noise(1)))
    view.show_comparison(compare(one, other))
    assert view.bars[0].isVisible()
    assert not view.bars[1].isVisible()
    top = float(np.abs(2 * noise(1)).max())
    assert view.bars[0].labels()[-1] == f"{top:.4g}"
    assert "One scale for both" in view.words.text()
    view.show_comparison(compare(one, other, locked=False))
    assert view.bars[1].isVisible()
    assert view.bars[0].labels() != view.bars[1].labels()
    assert "Each by its own maximum" in view.words.text()


def test_the_same_shade_is_the_same_value_in_both(view: CompareView) -> None:
    """Fully opaque, the pictures are coloured by one table: A's largest value is paler than B's, twice as large."""
    flat = np.zeros((8, 8), np.float32)
    one, other = flat.copy(), flat.copy()
    one[:], other[:4], other[4:] = 1, 2, 1
    view.header.slider.setValue(100)
    view.show_comparison(compare(side_of(class_map(one)), side_of(class_map(other))))
    x, y = int(BOX[0]) + 40, int(BOX[1])
    a, b = (picture.composed() for picture in view.pictures)
    factor = a.height() // 180
    assert a.pixel(x * factor, (y + 10) * factor) == a.pixel(x * factor, (y + 70) * factor)
    assert b.pixel(x * factor, (y + 70) * factor) == a.pixel(x * factor, (y + 70) * factor)
    assert b.pixel(x * factor, (y + 10) * factor) != a.pixel(x * factor, (y + 10) * factor)


def test_the_wipe_line_is_moved_by_keys_and_by_dragging(view: CompareView) -> None:
    view.show_comparison(compare(side_of(class_map(np.ones((8, 8), np.float32))), side_of(class_map(-noise(0)))))
    view.header.choose(Way.WIPE)
    wipe = view.wipe
    assert view.stack.currentWidget() is wipe
    assert wipe.place == 0.5
    wipe.setFocus()
    QTest.keyClick(wipe, Qt.Key.Key_Left)
    assert wipe.place == pytest.approx(0.48)
    QTest.keyClick(wipe, Qt.Key.Key_End)
    assert wipe.place == 1
    start = QPoint(round(wipe.line()), wipe.height() // 2)
    QTest.mousePress(wipe, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(wipe, QPoint(wipe.width() // 2, wipe.height() // 2))
    QTest.mouseRelease(wipe, Qt.MouseButton.LeftButton)
    assert wipe.place == pytest.approx(0.5, abs=0.02)
    # A is a flat red, B is not: left of the line the picture is A's, right of it B's.
    view.header.slider.setValue(100)
    seen = wipe.grab().toImage()
    beside = [wipe.to_widget(QPointF(BOX[0] + part * BOX[2], BOX[1] + 60)).toPoint() for part in (0.2, 0.3, 0.7)]
    ratio = seen.devicePixelRatio()
    colours = [seen.pixel(round(at.x() * ratio), round(at.y() * ratio)) for at in beside]
    assert colours[0] == colours[1] != colours[2]


def test_values_of_both_are_read_under_the_cursor(view: CompareView) -> None:
    one, other = noise(0), noise(1)
    told: list[str] = []
    view.status.connect(told.append)
    view.show_comparison(compare(side_of(class_map(one)), side_of(class_map(other))))
    # The crop's cell in row 2, column 5, in the photo's pixels.
    at = (BOX[0] + 5.5 * BOX[2] / 8, BOX[1] + 2.5 * BOX[3] / 8)
    view.pictures[0].hovered.emit(at)
    a, b = (f"{values[2, 5]:.4g}".replace("-", "−") for values in (one, other))
    assert told[-1].startswith(f"A {a}   B {b}   A − B ")
    view.pictures[0].hovered.emit((1.0, 1.0))
    assert told[-1] == ""
    view.header.choose(Way.DIFFERENCE)
    view.difference.hovered.emit(at)
    assert told[-1].endswith(f"{one[2, 5] - other[2, 5]:.4g}".replace("-", "−"))


def test_crops_of_one_photo_are_linked_by_the_photo(view: CompareView) -> None:
    """Two networks see other parts of the photo: the same place is the same pixel, not the same part of the crop."""
    narrow = np.array([30, 70, 40, 40], np.float32)
    view.show_comparison(compare(side_of(class_map(noise(0))), side_of(class_map(noise(1), box=narrow))))
    a, b = view.pictures
    at = QPointF(50, 90)
    a._hover(a.to_widget(at))
    mark = b.mark()
    assert mark is not None
    assert (mark - at).manhattanLength() < 1e-6


def test_what_makes_no_sense_is_off_and_says_why(view: CompareView) -> None:
    view.header.choose(Way.DIFFERENCE)
    other = class_map(noise(1), photo(90, 90, "small"))
    view.show_comparison(compare(side_of(class_map(noise(0))), side_of(other)))
    assert not view.header.buttons[Way.DIFFERENCE].isEnabled()
    assert "different sizes" in view.header.buttons[Way.DIFFERENCE].toolTip()
    assert not view.header.buttons[Way.WIPE].isEnabled()
    assert view.header.way is Way.BESIDE
    assert "No difference and no numbers" in view.words.text()


def test_letters_choose_the_way_and_swap(view: CompareView, qtbot: QtBot) -> None:
    view.show_comparison(compare(side_of(class_map(noise(0))), side_of(class_map(noise(1)))))
    qtbot.waitExposed(view)
    view.activateWindow()
    view.pictures[0].setFocus()
    qtbot.waitUntil(view.isActiveWindow)
    QTest.keyClick(view.pictures[0], Qt.Key.Key_D)
    assert view.header.way is Way.DIFFERENCE
    with qtbot.waitSignal(view.swap_wanted):
        QTest.keyClick(view, Qt.Key.Key_X)


def test_pictures_keep_their_colours(view: CompareView) -> None:
    tiles = gallery()
    view.show_comparison(compare(side_of(finished(tiles, "filters"), 0), side_of(finished(tiles, "filters"), 2)))
    seen = view.pictures[1].layers.base
    assert seen is not None
    assert seen.image.pixelColor(3, 3).green() == tiles.images[2, 3, 3, 1]
    assert not view.bars[0].isVisible()


# --------------------------------------------------------------------------------------- slots, shelf, panel


def test_slots_are_swapped_with_what_they_follow() -> None:
    slots = Slots()
    a, b = finished(maps()), finished(maps())
    slots.pin(a, 1)
    slots.follow(1, "activations", b)
    slots.swap()
    assert slots[0].live == "activations"
    assert slots[1].result is a
    newer = finished(maps())
    slots.take("activations", newer, 2)
    assert slots[0].result is newer
    assert slots[0].item == 2
    assert slots.pin(b) == 0
    assert not slots.followed()


def test_the_shelf_is_bounded_and_keeps_the_newest() -> None:
    shelf = Shelf()
    results = [finished(maps()) for _ in range(MOST + 5)]
    for result in results:
        assert shelf.put(result)
    assert shelf.results() == tuple(reversed(results))[:MOST]
    shelf.put(results[-3])
    assert shelf.results()[0] is results[-3]
    large = dataclasses.replace(maps(), maps=np.zeros((90, 2**19), np.float32).reshape(90, 512, 1024))
    for _ in range(3):
        shelf.put(finished(large))
    assert len(shelf.results()) == 1


def test_names_from_files_are_shown_to_the_letter(qtbot: QtBot) -> None:
    panel = ComparePanel()
    qtbot.addWidget(panel)
    one, other = class_map(noise(0), photo(name="<img src=x>")), class_map(noise(1), photo(name="b & c"))
    panel.show_comparison(compare(side_of(one), side_of(other)))
    assert "&lt;img src=x&gt;" in panel.facts.text()
    assert "<img" not in panel.facts.text()


def test_numbers_and_predictions_of_the_panel(qtbot: QtBot) -> None:
    panel = ComparePanel()
    qtbot.addWidget(panel)
    one, other = side_of(class_map(noise(0))), side_of(class_map(noise(1)))
    found = compare(one, other)
    panel.show_comparison(found)
    assert panel.numbers["pearson"].text() == f"{np.corrcoef(noise(0).ravel(), noise(1).ravel())[0, 1]:.3g}".replace(
        "-", "−"
    )
    assert predictions_text(found) == ""
    assert "Nothing: A and B are the same." in facts_text(compare(one, one))
    other_network = dataclasses.replace(class_map(noise(1)), model=dataclasses.replace(model(), digest="1"))
    said = predictions_text(compare(one, side_of(other_network)))
    assert said.count("1 dog") == 2
    assert selection().model is not None
