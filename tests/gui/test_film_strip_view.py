"""The film strip in the window: every stage on the photo with its own scale, and a click chooses its layer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.payloads import Strip
from convviz_gui.gui.pictures.flow import NARROWEST, arrangement
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.views.film_strip import FilmStripView
from tests.gui.views_data import BOX, photo, result, selection, wheel


def strip(layers: tuple[str, ...] = ("conv1", "conv2", "fc")) -> Strip:
    """Maps of one, two and more times the scale; the last has no positive evidence."""
    n = len(layers)
    raw = [np.full((8 - i, 8 - i), i + 1, np.float32) for i in range(n)]
    raw[-1] = -raw[-1]
    drawn = np.ones((n, 64, 64), np.float32)
    drawn[-1] = 0
    positive = np.arange(n) < n - 1
    fields = np.array([(3 + 2 * i, 5) for i in range(n)], np.float32)
    return Strip(layers, 1, tuple(raw), drawn, positive, fields, BOX, np.array([0.0, 2.0, 1.0], np.float32))


@pytest.fixture
def view(qtbot: QtBot) -> FilmStripView:
    made = FilmStripView(selection())
    qtbot.addWidget(made)
    made.resize(560, 620)
    made.show()
    qtbot.waitExposed(made)
    made.show_result(result(strip()))
    return made


def test_every_stage_has_its_layer_its_resolution_and_its_own_scale(view: FilmStripView) -> None:
    cards = view.shown()
    assert [card.name.text() for card in cards] == ["conv1", "conv2", "fc"]
    assert [card.facts.text() for card in cards] == [
        "8 × 8 · sees 3 × 5 px",
        "7 × 7 · sees 5 px",
        "6 × 6 · sees 7 × 5 px",
    ]
    assert [card.bar.labels() for card in cards] == [("0", "0.5", "1"), ("0", "1", "2"), ()]
    assert [card.nothing.isVisible() for card in cards] == [False, False, True]
    assert view.header.title.text().startswith("dog")
    assert not view.header.no_evidence.isVisible()


def test_the_maps_lie_on_the_photo(view: FilmStripView) -> None:
    view.header.slider.setValue(100)
    last = COLORMAPS["jet"][255].astype(float)
    for card, colour in zip(view.shown(), (last, last, np.array([120.0, 120, 120])), strict=True):
        at = card.picture.to_widget(QPointF(75, 90)).toPoint()
        drawn = to_array(card.picture.grab().toImage())[at.y(), at.x()].astype(float)
        assert drawn == pytest.approx(colour, abs=2)


def test_a_click_on_a_stage_makes_its_layer_the_windows(view: FilmStripView, qtbot: QtBot) -> None:
    view.selection.set_layer("conv2")
    cards = view.shown()
    assert [card.name.isChecked() for card in cards] == [False, True, False]
    middle = cards[0].picture.rect().center()
    qtbot.mouseClick(cards[0].picture, Qt.MouseButton.LeftButton, pos=middle)
    assert view.selection.layer == "conv1"
    assert [card.name.isChecked() for card in cards] == [True, False, False]
    cards[2].name.setFocus()
    qtbot.keyClick(cards[2].name, Qt.Key.Key_Space)
    assert view.selection.layer == "fc"
    qtbot.keyClick(cards[2].name, Qt.Key.Key_Space)
    assert [card.name.isChecked() for card in cards] == [False, False, True]


def test_stages_zoom_together_and_say_what_is_under_the_cursor(view: FilmStripView) -> None:
    first, second = (card.picture for card in view.shown()[:2])
    before = second.scale()
    wheel(first, QPointF(first.rect().center()), 4)
    assert second.scale() > before
    assert second.scale() == pytest.approx(first.scale())
    told: list[str] = []
    view.status.connect(told.append)
    first.hovered.emit((50.0, 90.0))
    assert told == ["conv1  (y 4, x 4)  1"]
    first.hovered.emit((50.0, 10.0))
    assert "outside the crop" in told[-1]


def test_another_strip_has_its_own_number_of_stages(view: FilmStripView) -> None:
    many = strip(tuple(f"layer{i}" for i in range(7)))
    view.show_result(result(many))
    assert sum(card.isVisible() for card in view.cards) == 7
    view.show_result(result(strip()))
    assert sum(card.isVisible() for card in view.cards) == 3


def test_no_evidence_at_any_stage_is_said(view: FilmStripView) -> None:
    none = dataclasses.replace(strip(), positive=np.zeros(3, bool))
    view.show_result(result(none))
    assert view.header.no_evidence.isVisible()


def test_narrow_pages_have_more_rows(view: FilmStripView, qtbot: QtBot) -> None:
    view.show_result(result(strip(tuple(f"layer{i}" for i in range(7))), photo(100, 180)))
    qtbot.waitUntil(lambda: view.flow.columns() == 3)
    widths = {card.width() for card in view.shown()}
    assert min(widths) >= NARROWEST
    assert view.flow.widget().width() <= view.flow.viewport().width()
    view.resize(1200, 620)
    qtbot.waitUntil(lambda: view.flow.columns() >= 4)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
@pytest.mark.parametrize("room", [(300, 300), (560, 500), (1400, 700), (2400, 400)])
def test_cards_are_nearly_as_large_as_may_be(n: int, room: tuple[int, int]) -> None:
    columns, width = arrangement(n, room, 1.0, 70, 16)
    assert 1 <= columns <= n
    assert columns * width + 16 * (columns - 1) <= room[0]
    for other in range(1, n + 1):
        rows = -(-n // other)
        wide, high = (room[0] - 16 * (other - 1)) / other, (room[1] - 16 * (rows - 1)) / rows - 70
        if min(wide, high) >= NARROWEST:
            assert width >= int(0.85 * min(wide, high))


def test_a_row_less_is_worth_a_few_pixels() -> None:
    assert arrangement(4, (778, 570), 1.0, 76, 16) == (4, 182)
