"""The grid under keys and wheel, and what it paints."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from convviz_gui.gui.pictures.qimage import to_array, to_qimage
from convviz_gui.gui.tiles.tile_delegate import GAP
from convviz_gui.gui.tiles.tile_grid import LARGEST, TileGrid
from tests.gui.views_data import wheel


class Greys:
    """Tiles of one grey each, which count how often they are made."""

    smooth = False

    def __init__(self, count: int, notes: dict[int, str] | None = None) -> None:
        self.count = count
        self.notes = notes or {}
        self.made: list[int] = []
        self.shift = 0

    def picture(self, item: int) -> QImage | None:
        if item in self.notes:
            return None
        self.made.append(item)
        return to_qimage(np.full((4, 4), (item * 20 + self.shift) % 256, np.uint8))

    def note(self, item: int) -> str:
        return self.notes.get(item, "")

    def caption(self, item: int) -> str:
        return str(item)

    def describe(self, item: int) -> str:
        return f"Channel {item}"


@pytest.fixture
def grid(qtbot: QtBot) -> TileGrid:
    made = TileGrid("Channels", side=64)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    qtbot.waitExposed(made)
    return made


def square(grid: TileGrid, row: int) -> QRect:
    """Where the picture of the tile in that place is, on the screen."""
    cell = grid.visualRect(grid.model().index(row, 0))
    side = grid.gridSize().width() - GAP
    return QRect(cell.left() + GAP // 2, cell.top() + GAP // 2, side, side)


def pixels(grid: TileGrid, row: int) -> np.ndarray:
    place = square(grid, row)
    drawn = to_array(grid.viewport().grab().toImage())
    return drawn[place.top() + 4 : place.bottom() - 4, place.left() + 4 : place.right() - 4]


def test_tiles_show_their_pictures_in_the_order_given(grid: TileGrid) -> None:
    grid.set_source(Greys(8), np.array([3, 1, 2, 0, 7, 6, 5, 4]))
    for row, item in enumerate([3, 1, 2, 0]):
        assert (pixels(grid, row) == item * 20).all()


def test_a_note_is_written_on_the_tile_and_the_tile_is_not_black(grid: TileGrid) -> None:
    grid.set_source(Greys(4, {2: "blank"}))
    drawn = pixels(grid, 2)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 5, "there are letters on it"
    assert np.median(drawn) > 150, "its ground is that of the window, here light"


def test_arrows_walk_and_enter_opens(grid: TileGrid, qtbot: QtBot) -> None:
    grid.set_source(Greys(20), np.arange(20)[::-1])
    chosen: list[int] = []
    opened: list[int] = []
    grid.chosen.connect(chosen.append)
    grid.opened.connect(opened.append)
    grid.select(19)
    columns = sum(square(grid, row).top() == square(grid, 0).top() for row in range(20))
    assert columns >= 3
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert chosen == [18, 18 - columns]
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert opened == [18 - columns]


def test_click_chooses_and_selecting_by_program_says_nothing(grid: TileGrid, qtbot: QtBot) -> None:
    grid.set_source(Greys(8))
    chosen: list[int] = []
    grid.chosen.connect(chosen.append)
    grid.select(5)
    assert chosen == []
    assert grid.current_item() == 5
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=square(grid, 2).center())
    assert chosen == [2]


def test_the_current_item_stays_when_the_order_changes(grid: TileGrid) -> None:
    source = Greys(8)
    grid.set_source(source)
    grid.select(6)
    chosen: list[int] = []
    grid.chosen.connect(chosen.append)
    grid.set_source(source, np.arange(8)[::-1], keep=True)
    assert grid.current_item() == 6
    assert grid.currentIndex().row() == 1
    assert chosen == []


def test_only_tiles_in_sight_are_made(grid: TileGrid) -> None:
    source = Greys(2048)
    grid.set_source(source)
    grid.viewport().grab()
    assert 0 < len(source.made) < 40
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    grid.viewport().grab()
    assert source.made[-1] == 2047
    assert len(source.made) < 80


def test_streaming_makes_only_what_changed_again(grid: TileGrid) -> None:
    source = Greys(8)
    grid.set_source(source)
    grid.viewport().grab()
    newer = Greys(8)
    newer.shift = 100
    grid.select(3)
    assert grid.replace(newer, [3, 4])
    drawn = pixels(grid, 3)
    assert (drawn == 3 * 20 + 100).all()
    assert (pixels(grid, 2) == 2 * 20).all()
    assert sorted(newer.made) == [3, 4]


def test_ctrl_wheel_changes_the_size_and_stays_in_bounds(grid: TileGrid) -> None:
    grid.set_source(Greys(8))
    sizes: list[int] = []
    grid.size_changed.connect(sizes.append)
    wheel(grid.viewport(), QPointF(20, 20), 2, Qt.KeyboardModifier.ControlModifier)
    assert sizes == [round(64 * 1.15**2)]
    wheel(grid.viewport(), QPointF(20, 20), 50, Qt.KeyboardModifier.ControlModifier)
    assert grid.side == LARGEST


def test_a_screen_reader_hears_what_a_tile_shows(grid: TileGrid) -> None:
    grid.set_source(Greys(3))
    index = grid.model().index(1, 0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Channel 1"
    assert grid.accessibleName() == "Channels"


def test_pointing_at_tiles_and_between_them(grid: TileGrid, qtbot: QtBot) -> None:
    grid.set_source(Greys(3))
    seen: list[int | None] = []
    grid.pointed.connect(seen.append)
    qtbot.mouseMove(grid.viewport(), square(grid, 1).center())
    qtbot.mouseMove(grid.viewport(), QPoint(200, 290))
    assert seen == [1, None]
