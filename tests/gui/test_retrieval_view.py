"""Similar pictures in the window."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from convviz_gui.engine.images import load_image
from convviz_gui.engine.types import ImageInput, Result, Run
from convviz_gui.gui.latent.point_model import Role
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.retrieval import RetrievalView
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture, tiny_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(20):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(noise_picture(seed=seed).pixels).save(place / f"{seed}.png")
    return root


@pytest.fixture(scope="module")
def image(folder: Path) -> ImageInput:
    return load_image(folder / "a" / "4.png")


@pytest.fixture(scope="module")
def result(folder: Path, image: ImageInput) -> Result:
    return finish(tiny_session(), Run("retrieve", image=image, folder=str(folder)))


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[RetrievalView]:
    made = RetrievalView(Selection())
    qtbot.addWidget(made)
    made.resize(760, 560)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.thumbnails.close()


@pytest.fixture
def shown(view: RetrievalView, result: Result) -> RetrievalView:
    view.show_result(result)
    QGuiApplication.processEvents()
    return view


def test_it_starts_with_a_sentence_and_a_button(view: RetrievalView, qtbot: QtBot) -> None:
    assert not view.stage.shows_content()
    with qtbot.waitSignal(view.run_wanted):
        QTest.mouseClick(view.stage._message.button, Qt.MouseButton.LeftButton)


def test_pictures_are_in_order_with_distance_label_and_agreement(shown: RetrievalView, result: Result) -> None:
    found = result.payload
    model = shown.similar
    assert model.rowCount() == 12
    assert [model.path(row) for row in range(12)] == list(found.paths)
    told = [float(str(model.index(row).data(Role.SCORE)).replace("−", "-")) for row in range(12)]
    np.testing.assert_allclose(told, found.distances, rtol=0.05)
    assert [model.index(row).data(Role.DISAGREES) for row in range(12)] == [label == "b" for label in found.labels]
    assert shown.name.text() == "4.png"
    assert f"{found.agreeing} of 12 have the same label" in shown.facts.text()
    assert "12 most similar of 20" in shown.heading.text()


def test_thumbnails_arrive(shown: RetrievalView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: shown.similar.index(0).data(Qt.ItemDataRole.DecorationRole) is not None)


def test_a_click_and_enter_open_and_arrows_walk(shown: RetrievalView, result: Result, qtbot: QtBot) -> None:
    wall, paths = shown.wall, result.payload.paths
    place = wall.visualRect(shown.similar.index(2)).center()
    with qtbot.waitSignal(shown.open_image) as caught:
        QTest.mouseClick(wall.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert caught.args == [paths[2]]
    with qtbot.waitSignal(shown.status) as said:
        QTest.keyClick(wall, Qt.Key.Key_Right)
    assert paths[3] in said.args[0]
    with qtbot.waitSignal(shown.open_image) as caught:
        QTest.keyClick(wall, Qt.Key.Key_Return)
    assert caught.args == [paths[3]]


def test_another_photo_is_looked_up_at_once(
    shown: RetrievalView, folder: Path, image: ImageInput, qtbot: QtBot
) -> None:
    shown.selection.set_folder(str(folder))
    with qtbot.assertNotEmitted(shown.run_wanted):
        shown.selection.set_image(image)
    with qtbot.waitSignal(shown.run_wanted):
        shown.selection.set_image(noise_picture(seed=50))
    shown.selection.set_folder(str(folder / "a"))
    with qtbot.assertNotEmitted(shown.run_wanted):
        shown.selection.set_image(noise_picture(seed=51))


def test_the_other_distance_is_asked_for(shown: RetrievalView, qtbot: QtBot) -> None:
    wanted: list[object] = []
    shown.settings_wanted.connect(wanted.append)
    with qtbot.waitSignal(shown.run_wanted):
        shown.by.setFocus()
        QTest.keyClick(shown.by, Qt.Key.Key_Down)
    assert wanted == [(("metric", "euclidean"),)]


def test_lists_are_copied(shown: RetrievalView, result: Result) -> None:
    shown.copy.click()
    assert QGuiApplication.clipboard().text().split("\n") == list(result.payload.paths)
    shown.copy_table()
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    assert [row["path"] for row in rows] == list(result.payload.paths)


def test_no_other_picture(view: RetrievalView, tmp_path: Path) -> None:
    noise = noise_picture(seed=3)
    Image.fromarray(noise.pixels).save(tmp_path / "only.png")
    request = Run("retrieve", image=load_image(tmp_path / "only.png"), folder=str(tmp_path))
    view.show_result(finish(tiny_session(), request))
    assert view.similar.rowCount() == 0
    assert view.heading.text() == "No other pictures"
