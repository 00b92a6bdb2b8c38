"""A neighbour's tile looks the same in the strip below the map and on the wall of similar pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QImage, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from convviz_gui.gui.latent.neighbour_tiles import TileView
from convviz_gui.gui.latent.point_model import Role
from convviz_gui.gui.latent.similar_model import SimilarModel
from convviz_gui.gui.latent.similar_wall import SimilarWall
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.theme import colours


@pytest.fixture(params=[TileView, SimilarWall])
def view(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[QListView]:
    thumbnails = Thumbnails()
    made = TileView() if request.param is TileView else SimilarWall(SimilarModel(thumbnails, thumbnails))
    qtbot.addWidget(made)
    made.resize(200, 200)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    thumbnails.close()


def drawn(view: QListView, qtbot: QtBot, caption: str = "cat", *, rank: int = 0, wrong: bool = False) -> QImage:
    """The first of two tiles."""
    model = QStandardItemModel(view)
    for place in (1, 2):
        item = QStandardItem()
        facts = {Role.PLACE: place, Role.SCORE: "0.12", Role.CAPTION: caption}
        for role, value in (facts | {Role.DISAGREES: wrong, Role.PLOT_RANK: rank}).items():
            item.setData(value, role)
        model.appendRow(item)
    view.setModel(model)
    qtbot.waitUntil(lambda: view.visualRect(model.index(0, 0)).height() > 0)
    tile = view.visualRect(model.index(0, 0))
    return view.viewport().grab(tile).toImage()


def is_coloured(view: QListView, image: QImage) -> bool:
    """True if something of the warning's hue is there, thin strokes being mixed with the ground."""
    wanted = QColor(colours(view).warning).hsvHue()
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height() // 2, image.height())]
    return any(abs(pixel.hsvHue() - wanted) < 12 and pixel.hsvSaturation() > 60 for pixel in pixels)


def test_the_beginning_of_a_long_label_is_read(view: QListView, qtbot: QtBot) -> None:
    first = drawn(view, qtbot, "West Highland white terrier, old")
    assert drawn(view, qtbot, "West Highland white terrier, new") == first
    assert drawn(view, qtbot, "Norwich terrier, of the same length, old") != first


def test_another_label_stands_out(view: QListView, qtbot: QtBot) -> None:
    assert not is_coloured(view, drawn(view, qtbot))
    assert is_coloured(view, drawn(view, qtbot, wrong=True))
