"""The unit page with real results: sections, patches and their photo, similar channels, and the way there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import UnitPage
from convviz_gui.engine.types import Result, Run, Target
from convviz_gui.gui.charts.page_grid import WIDE
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.unit_page import UnitPageView
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture, tiny_session

WAIT = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(12):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        # Larger than what is shown of a photo at once, and upright by its file's orientation alone.
        picture = Image.fromarray(noise_picture(60, 90, seed).pixels)
        exif = picture.getexif()
        exif[274] = 6 if seed % 3 == 0 else 1
        picture.save(place / f"{seed}.png", exif=exif)
    return str(root)


@pytest.fixture(scope="module")
def made(folder: str) -> tuple[Result, Result]:
    session = tiny_session()
    settings = (("steps", 2), ("top", 5))
    return (
        finish(session, Run("unit", Target("relu#2", (3,)), None, folder, settings)),
        finish(session, Run("unit", Target("conv1", (1,)), None, None, settings)),
    )


@pytest.fixture
def chosen(made: tuple[Result, Result]) -> Selection:
    selection = Selection()
    selection.set_model(made[0].model)
    selection.set_layer("relu#2")
    selection.set_channel(3)
    return selection


@pytest.fixture
def view(qtbot: QtBot, chosen: Selection, made: tuple[Result, Result]) -> UnitPageView:
    shown = UnitPageView(chosen)
    qtbot.addWidget(shown)
    shown.resize(560, 700)
    shown.show()
    qtbot.waitExposed(shown)
    shown.show_result(made[0])
    return shown


def shown(view: UnitPageView) -> list[str]:
    return [name for name, section in view.sections.items() if not section.isHidden()]


def page(result: Result) -> UnitPage:
    assert isinstance(result.payload, UnitPage)
    return result.payload


def test_the_page_says_what_is_known(view: UnitPageView, made: tuple[Result, Result]) -> None:
    found = page(made[0])
    assert view.title.text() == "relu#2   channel 3 of 8"
    assert "of 12 pictures" in view.flags.text()
    assert shown(view) == ["weights", "synthetic", "record", "strongest", "rates", "alike"]
    assert "conv2; 6 slices 3×3" in view.sections["weights"].words.text()
    assert view.wall.count() == 5
    assert view.histogram.counts().sum() == found.record.counts.sum()
    assert [view.rates.model().index(row, 0).data() for row in range(2)] != ["", ""]
    assert view.similar.model().index(0, 0).data() == str(found.alike.channels[0])


def test_without_a_folder_it_says_what_one_would_add(view: UnitPageView, made: tuple[Result, Result]) -> None:
    view.show_result(made[1])
    assert "With a folder of pictures" in view.sections["strongest"].words.text()
    assert not view.wall.isVisible()
    assert "record" not in shown(view)
    assert "3×3 in colour" in view.sections["weights"].words.text()


@pytest.mark.parametrize("width", [560, WIDE + 100])
def test_nothing_sticks_out_at_any_width(view: UnitPageView, width: int) -> None:
    view.resize(width, 700)
    QApplication.processEvents()
    page_width = view.grid.widget().width()
    assert page_width <= view.grid.viewport().width()
    assert view.grid.columns() == (2 if width < WIDE else 3)
    visible = [section for section in view.sections.values() if not section.isHidden()]
    for section in visible:
        assert section.geometry().right() < page_width
        for other in visible:
            assert section is other or not section.geometry().intersects(other.geometry())


def test_a_patch_opens_its_photo_with_the_box(view: UnitPageView, made: tuple[Result, Result], qtbot: QtBot) -> None:
    found = page(made[0])
    for number in range(2):
        at = view.wall.place(number).center()
        qtbot.mouseClick(view.wall, Qt.MouseButton.LeftButton, pos=at)
        assert view.photo.isVisible()
        path = found.record.paths[int(found.strongest.pictures[number])]
        assert view.photo.photo_name.text() == Path(path).name
        box = view.photo.photo.layers.boxes[0]
        np.testing.assert_allclose(box.getRect(), found.strongest.boxes[number], atol=0.01)
        assert view.photo.photo.layers.bounds().contains(box)
    opened: list[str] = []
    view.open_image.connect(opened.append)
    view.photo.tray_button.click()
    assert opened == [path]
    qtbot.mouseClick(view.wall, Qt.MouseButton.LeftButton, pos=at)
    assert not view.photo.isVisible()


def test_the_wall_is_walked_by_keys(view: UnitPageView, qtbot: QtBot) -> None:
    opened: list[int] = []
    view.wall.opened.connect(opened.append)
    view.wall.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Return):
        qtbot.keyClick(view.wall, key)
    assert opened == [1]
    assert "largest" not in view.wall.accessibleDescription()
    assert ".png" in view.wall.accessibleDescription()


def test_a_similar_channel_is_gone_to(view: UnitPageView, chosen: Selection, made: tuple[Result, Result]) -> None:
    went: list[str] = []
    view.show_method.connect(went.append)
    view.similar.clicked.emit(view.similar.model().index(0, 0))
    assert chosen.channel == page(made[0]).alike.channels[0]
    assert went == ["unit"]


# --------------------------------------------------------------------------------------------- in the window


def settle(window: MainWindow, qtbot: QtBot) -> None:
    tab = window.tabs.current
    qtbot.waitUntil(lambda: not tab.running and tab.result is not None, timeout=WAIT)
    QApplication.processEvents()


def test_u_opens_the_page_of_the_chosen_channel_and_back_returns(ready: MainWindow, qtbot: QtBot) -> None:
    ready.selection.set_layer("block2_relu1")
    ready.selection.set_channel(5)
    settle(ready, qtbot)
    units = ready.tabs.tabs["units"]
    units.panel.choose("unit")
    assert units.panel.form is not None
    units.panel.form.set_settings((("steps", 2), ("size", 48)))
    QTest.keyClick(ready, Qt.Key.Key_U)
    assert ready.tabs.current is units
    settle(ready, qtbot)
    assert units.result is not None
    first = page(units.result)
    assert (first.layer, first.channel) == ("block2_relu1", 5)
    view = units.view
    assert isinstance(view, UnitPageView)
    view.similar.clicked.emit(view.similar.model().index(0, 0))
    settle(ready, qtbot)
    second = page(units.result)
    assert second.channel == first.alike.channels[0]
    ready.navigation.back()
    settle(ready, qtbot)
    assert page(units.result).channel == 5, "the page is there at once"
    assert ready.selection.channel == 5
    ready.navigation.back()
    assert ready.tabs.current.spec.name == "activations"


def test_the_panels_buttons_lead_there(ready: MainWindow, qtbot: QtBot) -> None:
    settle(ready, qtbot)
    units = ready.tabs.tabs["units"]
    units.panel.choose("unit")
    assert units.panel.form is not None
    units.panel.form.set_settings((("steps", 1), ("size", 48)))
    ready.tabs.current.view.panel.unit_button.click()  # type: ignore[union-attr]
    assert ready.tabs.current is units
    settle(ready, qtbot)
