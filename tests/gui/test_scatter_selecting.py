"""Selecting on the map, pictures on it and beside it, and three dimensions: real widget, real mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Located
from convviz_gui.gui.latent.scatter_plot import ScatterPlot
from convviz_gui.gui.latent.scatter_select import Combine
from convviz_gui.gui.latent.thumbnails import Thumbnails

PALETTE = np.array([[250, 0, 0], [0, 0, 250], [250, 225, 225], [225, 225, 250]], np.uint8)
GRID = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)), axis=-1).reshape(-1, 2).astype(np.float32)
SHIFT, CONTROL, ALT, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.NoModifier,
)


class Told:
    """What a plot told; like the page, it gives back what is to be selected."""

    def __init__(self, plot: ScatterPlot) -> None:
        self.all: list[tuple[list[int], Combine]] = []
        self._plot = plot
        plot.selected.connect(self._take)

    def _take(self, rows: np.ndarray, how: Combine) -> None:
        self.all.append((rows.tolist(), how))
        self._plot.set_selection(rows)

    @property
    def rows(self) -> list[int]:
        return self.all[-1][0]


@pytest.fixture
def plot(qtbot: QtBot) -> ScatterPlot:
    made = ScatterPlot()
    qtbot.addWidget(made)
    made.resize(500, 400)
    with qtbot.waitExposed(made):
        made.show()
    show(made, GRID)
    return made


@pytest.fixture
def told(plot: ScatterPlot) -> Told:
    return Told(plot)


def show(plot: ScatterPlot, xy: np.ndarray, *, dimmed: list[int] | None = None) -> None:
    plot.set_points(np.asarray(xy, np.float32), keep_view=False)
    mask = np.zeros(len(xy), np.bool_)
    mask[dimmed or []] = True
    rows = (np.arange(len(xy)) % 2 + 2 * mask).astype(np.uint8)
    plot.set_colours(rows, PALETTE, mask, (~mask).astype(np.uint8))


def viewport(plot: ScatterPlot) -> QWidget:
    viewport: QWidget = plot.canvas.graphics.viewport()
    return viewport


def trace(plot: ScatterPlot, places: list[QPointF], modifiers: Qt.KeyboardModifier = NONE) -> None:
    points = [place.toPoint() for place in places]
    QTest.mousePress(viewport(plot), Qt.MouseButton.LeftButton, modifiers, points[0])
    for start, end in pairwise(points):
        for step in range(1, 6):
            QTest.mouseMove(viewport(plot), start + (end - start) * step / 5)
    QTest.mouseRelease(viewport(plot), Qt.MouseButton.LeftButton, modifiers, points[-1])


def at(plot: ScatterPlot, x: float, y: float) -> QPointF:
    place = plot.canvas.box.window().pixel(x, y)
    return QPointF(plot.canvas.graphics.mapFromScene(plot.canvas.box.mapToScene(QPointF(*place))))


def rows_in(x0: float, x1: float, y0: float, y1: float) -> list[int]:
    inside = (GRID[:, 0] > x0) & (GRID[:, 0] < x1) & (GRID[:, 1] > y0) & (GRID[:, 1] < y1)
    return np.flatnonzero(inside).tolist()


# ----------------------------------------------------------------------------------------------- selecting


def test_shift_and_a_drag_select_what_the_rectangle_holds_and_the_view_stays(plot: ScatterPlot, told: Told) -> None:
    view = plot.canvas.box.viewRange()
    trace(plot, [at(plot, 0.5, 3.5), at(plot, 3.5, 1.5)], SHIFT)
    assert told.all == [(rows_in(0.5, 3.5, 1.5, 3.5), Combine.REPLACE)]
    assert plot.canvas.box.viewRange() == view
    assert plot.canvas.band.corners.isEmpty()
    trace(plot, [at(plot, 3.5, 1.5), at(plot, 5.5, 2.5)], SHIFT)
    assert told.rows == rows_in(3.5, 5.5, 1.5, 2.5)


def test_control_adds_and_takes_away_what_is_selected_already(plot: ScatterPlot, told: Told) -> None:
    trace(plot, [at(plot, -0.5, 1.5), at(plot, 1.5, -0.5)], SHIFT)
    trace(plot, [at(plot, 0.5, 1.5), at(plot, 2.5, -0.5)], SHIFT | CONTROL)
    assert told.all[-1] == (rows_in(-0.5, 2.5, -0.5, 1.5), Combine.ADD)
    trace(plot, [at(plot, -0.5, 1.5), at(plot, 1.5, 0.5)], SHIFT | CONTROL)
    assert told.all[-1] == (
        sorted(set(rows_in(-0.5, 2.5, -0.5, 1.5)) - set(rows_in(-0.5, 1.5, 0.5, 1.5))),
        Combine.SUBTRACT,
    )


def test_a_lasso_selects_what_it_surrounds(plot: ScatterPlot, told: Told) -> None:
    triangle = [at(plot, 0.4, 0.6), at(plot, 4.6, 0.6), at(plot, 0.4, 3.6)]
    trace(plot, triangle, ALT)
    x, y = GRID.T
    wanted = np.flatnonzero((x > 0.4) & (y > 0.6) & (y - 0.6 < 3 * (1 - (x - 0.4) / 4.2)))
    assert told.all == [(wanted.tolist(), Combine.REPLACE)]


def test_the_buttons_choose_what_dragging_does(plot: ScatterPlot, told: Told) -> None:
    view = plot.canvas.box.viewRange()
    plot.tools.rectangle.click()
    trace(plot, [at(plot, 0.5, 3.5), at(plot, 3.5, 1.5)])
    assert told.rows == rows_in(0.5, 3.5, 1.5, 3.5)
    plot.tools.lasso.click()
    assert not plot.tools.rectangle.isChecked()
    trace(plot, [at(plot, 0.5, 0.5), at(plot, 2.5, 0.5), at(plot, 2.5, 1.5), at(plot, 0.5, 1.5)])
    assert told.rows == rows_in(0.5, 2.5, 0.5, 1.5)
    assert viewport(plot).cursor().shape() is Qt.CursorShape.CrossCursor
    assert plot.canvas.box.viewRange() == view
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert not plot.tools.lasso.isChecked()
    assert told.rows == rows_in(0.5, 2.5, 0.5, 1.5), "escape put the tool away and left the selection"
    trace(plot, [at(plot, 2.5, 2.5), at(plot, 3.5, 2.5)])
    assert plot.canvas.box.viewRange() != view, "dragging moves the map again"


def test_a_click_with_a_tool_or_shift_is_a_click(plot: ScatterPlot, told: Told, qtbot: QtBot) -> None:
    plot.tools.rectangle.click()
    with qtbot.waitSignal(plot.clicked) as caught:
        trace(plot, [at(plot, 2, 2), at(plot, 2, 2)])
    assert caught.args == [14]
    plot.tools.rectangle.click()
    for modifiers in (SHIFT, CONTROL, SHIFT | CONTROL):
        QTest.mouseClick(viewport(plot), Qt.MouseButton.LeftButton, modifiers, at(plot, 3, 3).toPoint())
        QTest.qWait(1)
    assert [rows for rows, _ in told.all] == [[21], [], [21]]


def test_escape_drops_a_frame_then_the_selection_then_is_left_to_others(plot: ScatterPlot, told: Told) -> None:
    trace(plot, [at(plot, -0.5, 4.5), at(plot, 5.5, 3.5)], SHIFT)
    QTest.mousePress(viewport(plot), Qt.MouseButton.LeftButton, SHIFT, at(plot, 0.5, 0.5).toPoint())
    QTest.mouseMove(viewport(plot), at(plot, 3.5, 3.5).toPoint())
    assert not plot.canvas.band.corners.isEmpty()
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.canvas.band.corners.isEmpty()
    QTest.mouseRelease(viewport(plot), Qt.MouseButton.LeftButton, SHIFT, at(plot, 3.5, 3.5).toPoint())
    assert len(told.all) == 1
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert told.all[-1] == ([], Combine.REPLACE)
    assert not plot.escape()


def test_dimmed_and_unplaced_points_are_never_selected(plot: ScatterPlot, told: Told) -> None:
    places = GRID.copy()
    places[8] = np.nan
    show(plot, places, dimmed=[0, 14])
    QTest.keyClick(plot, Qt.Key.Key_A, CONTROL)
    everything = sorted(set(range(30)) - {0, 8, 14})
    assert told.rows == everything
    trace(plot, [at(plot, -0.5, 4.6), at(plot, 5.5, -0.5)], SHIFT)
    assert told.rows == everything


def test_shift_and_arrows_select_on_the_way(plot: ScatterPlot, told: Told) -> None:
    plot.walked.connect(plot.choose)
    plot.choose(14)
    QTest.keyClick(plot, Qt.Key.Key_Right, SHIFT)
    QTest.keyClick(plot, Qt.Key.Key_Up, SHIFT)
    assert told.all == [([14, 15], Combine.ADD), ([14, 15, 21], Combine.ADD)]
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert len(told.all) == 2, "without Shift one walks"
    assert plot.chosen() == 20


def test_control_and_arrows_move_the_view(plot: ScatterPlot) -> None:
    before = plot.place(14)
    QTest.keyClick(plot, Qt.Key.Key_Right, CONTROL)
    assert (plot.place(14) - before).x() == pytest.approx(-plot.canvas.width() / 10, abs=2)
    assert plot.was_touched()


@pytest.mark.parametrize("ground", [(255, 255, 255), (23, 24, 26)], ids=["light", "dark"])
def test_selected_points_are_plain_and_the_others_faint(plot: ScatterPlot, ground: tuple[int, int, int]) -> None:
    palette = QPalette(plot.palette())
    palette.setColor(QPalette.ColorRole.Base, QColor(*ground))
    plot.setPalette(palette)
    show(plot, GRID)
    plot.set_selection(np.array([14, 15]))
    shown = plot.grab().toImage()

    def away(row: int) -> int:
        colour = shown.pixelColor(plot.place(row).toPoint()).getRgb()[:3]
        return sum(abs(a - b) for a, b in zip(colour, ground, strict=True))

    assert min(away(14), away(15)) > 2.5 * max(away(20), away(21))
    plot.set_selection(np.zeros(0, np.int64))
    shown = plot.grab().toImage()
    assert away(20) == pytest.approx(away(14), abs=3)


def test_rings_do_not_hide_the_colours_of_a_crowd(plot: ScatterPlot) -> None:
    crowd = np.random.default_rng(3).normal(2.0, 0.02, (40, 2)).astype(np.float32)
    show(plot, np.concatenate([GRID, crowd]))
    plot.set_selection(np.arange(len(GRID) + 40))
    ringed = len(plot.canvas.marks.marks.selected)
    assert len(GRID) - 4 <= ringed <= len(GRID) + 4


def test_many_points_are_selected_beside_the_window(plot: ScatterPlot, told: Told, qtbot: QtBot) -> None:
    xy = np.random.default_rng(0).uniform(0, 6, (120_000, 2)).astype(np.float32)
    show(plot, xy)
    qtbot.waitUntil(lambda: plot.canvas.places.index is not None, timeout=10_000)
    for modifiers in (SHIFT, ALT):
        frame = [at(plot, 1, 1), at(plot, 3, 1), at(plot, 3, 2), at(plot, 1, 2)]
        with qtbot.waitSignal(plot.selected, timeout=10_000):
            trace(plot, frame if modifiers is ALT else frame[::2], modifiers)
        window, corner = plot.canvas.box.window(), [frame[0].toPoint(), frame[2].toPoint()]
        (x0, y0), (x1, y1) = (window.point(*_in_box(plot, place)) for place in corner)
        inside = (xy[:, 0] > x0) & (xy[:, 0] < x1) & (xy[:, 1] > y0) & (xy[:, 1] < y1)
        assert abs(len(told.rows) - inside.sum()) <= 2
        assert len(np.setxor1d(told.rows, np.flatnonzero(inside))) <= 2


def _in_box(plot: ScatterPlot, place: QPoint) -> tuple[float, float]:
    boxed = plot.canvas.boxed(QPointF(place))
    return boxed.x(), boxed.y()


# ------------------------------------------------------------------------------------------ pictures on it


@pytest.fixture
def thumbnails() -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for row in range(30):
        Image.new("RGB", (64, 48), (0, 200, 8 * row)).save(tmp_path / f"{row}.png")
    return [str(tmp_path / f"{row}.png") for row in range(30)]


def test_pictures_stand_in_for_points_where_there_is_room(
    plot: ScatterPlot, thumbnails: Thumbnails, files: list[str], qtbot: QtBot
) -> None:
    assert not plot.tools.thumbnails.isVisible()
    plot.set_thumbnails(thumbnails, files.__getitem__)
    assert plot.tools.thumbnails.isVisible()
    # Two points under one another: only one of them can have a picture.
    close = GRID.copy()
    close[15] = close[14] + [0.01, 0.01]
    show(plot, close)
    plot.choose(15)
    tiles = plot.canvas.thumbs.tiles
    assert {tile.row for tile in tiles} == set(range(30)) - {14}, "what is chosen comes first"

    def green(row: int) -> bool:
        return plot.grab().toImage().pixelColor(plot.place(row).toPoint()).getRgb()[:3] == (0, 200, 8 * row)

    qtbot.waitUntil(lambda: all(green(row) for row in (0, 15, 29)), timeout=10_000)
    side = plot.canvas.thumbs.side
    corner = plot.place(7).toPoint() + QPoint(side // 2 - 6, 0)
    QTest.mouseMove(viewport(plot), QPoint(2, 2))
    with qtbot.waitSignal(plot.hovered) as caught:
        QTest.mouseMove(viewport(plot), corner)
    assert caught.args == [7], "the whole picture means its point"
    plot.tools.thumbnails.click()
    assert not plot.canvas.thumbs.tiles
    assert plot.grab().toImage().pixelColor(plot.place(0).toPoint()).getRgb()[:3] == tuple(PALETTE[0])


def test_other_points_have_other_pictures(
    plot: ScatterPlot, thumbnails: Thumbnails, files: list[str], qtbot: QtBot
) -> None:
    now = list(files)
    plot.set_thumbnails(thumbnails, lambda row: now[row])

    def blue(row: int) -> int:
        return plot.grab().toImage().pixelColor(plot.place(row).toPoint()).blue()

    qtbot.waitUntil(lambda: blue(20) == 160, timeout=10_000)
    now.reverse()
    show(plot, GRID)
    qtbot.waitUntil(lambda: blue(20) == 72, timeout=10_000)


def test_in_space_the_nearest_has_the_picture(plot: ScatterPlot, thumbnails: Thumbnails, files: list[str]) -> None:
    plot.set_thumbnails(thumbnails, files.__getitem__)
    xyz = np.concatenate([GRID * 3, np.zeros((30, 1))], axis=1).astype(np.float32)
    for front in (14, 15):
        xyz[[14, 15]] = [6, 6, -3]
        xyz[front, 2] = 3
        plot.set_points3(xyz)
        plot.show_space(True)
        assert plot.canvas.space is not None
        plot.canvas.space.turned_to = np.eye(3)
        plot.turn(0.0, 0.0)
        rows = {tile.row for tile in plot.canvas.thumbs.tiles}
        assert rows & {14, 15} == {front}


def test_a_crowd_and_dimmed_points_have_no_pictures(
    plot: ScatterPlot, thumbnails: Thumbnails, files: list[str]
) -> None:
    plot.set_thumbnails(thumbnails, lambda row: files[row % 30])
    show(plot, np.random.default_rng(0).uniform(0, 6, (4000, 2)))
    assert not plot.canvas.thumbs.tiles
    for _ in range(10):
        QTest.keyClick(plot, Qt.Key.Key_Plus)
    assert 3 < len(plot.canvas.thumbs.tiles) < 80, "zoomed in there is room"
    show(plot, GRID, dimmed=list(range(20)))
    assert {tile.row for tile in plot.canvas.thumbs.tiles} == set(range(20, 30))


# ---------------------------------------------------------------------------------------- pictures beside it


def located(x: float, y: float, neighbours: list[int]) -> Located:
    near = np.array(neighbours)
    xy, logits = np.array([x, y], np.float32), np.zeros(3, np.float32)
    return Located("new.jpg", "d", None, "layer", xy, near, np.ones(len(near)), 1.0, logits)


def test_a_new_picture_is_marked_with_lines_to_its_neighbours_and_in_view(plot: ScatterPlot) -> None:
    plot.set_located([located(9.0, 2.0, [14, 17]), located(np.nan, 0.0, [1])])
    (diamond,) = plot.canvas.marks.marks.diamonds
    place = at(plot, 9.0, 2.0)
    assert (diamond.place - place).manhattanLength() < 1.5
    assert plot.canvas.rect().toRectF().contains(place)
    for near, row in zip(diamond.neighbours, (14, 17), strict=True):
        assert (near - plot.place(row)).manhattanLength() < 1.5
    accent = plot.palette().color(QPalette.ColorRole.Highlight)
    assert plot.grab().toImage().pixelColor(place.toPoint()) == accent
    plot.set_located([])
    assert not plot.canvas.marks.marks.diamonds


def drop(plot: ScatterPlot, data: QMimeData) -> bool:
    rest = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)
    entered = QDragEnterEvent(QPoint(100, 100), *rest)
    QApplication.sendEvent(plot, entered)
    if entered.isAccepted():
        assert not plot.canvas.band.corners.isEmpty(), "it shows that it would take the picture"
        QApplication.sendEvent(plot, QDropEvent(QPointF(100, 100), *rest))
    return entered.isAccepted()


def test_pictures_can_be_dropped_and_nothing_else(plot: ScatterPlot, tmp_path: Path) -> None:
    plot.set_takes_pictures(True)
    told: list[object] = []
    plot.picture_dropped.connect(told.append)
    (tmp_path / "folder.png").mkdir()

    def urls(*names: str) -> QMimeData:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in names])
        return data

    assert drop(plot, urls("a.JPG", "b.png"))
    assert plot.canvas.band.corners.isEmpty()
    assert told == [str(tmp_path / "a.JPG"), str(tmp_path / "b.png")]
    for other in (urls("weights.pth"), urls("a.jpg", "notes.txt"), urls("folder.png"), QMimeData()):
        assert not drop(plot, other)
    made = QImage(8, 8, QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.red)
    data = QMimeData()
    data.setImageData(made)
    assert drop(plot, data)
    assert isinstance(told[-1], QImage)
    assert len(told) == 3


# ------------------------------------------------------------------------------------------------- in space


def solid(plot: ScatterPlot) -> np.ndarray:
    xyz = np.random.default_rng(3).normal(0, [3, 2, 1], (len(GRID), 3)).astype(np.float32)
    plot.set_points3(xyz)
    return xyz


def test_the_button_comes_with_the_third_dimension_and_leads_there_and_back(plot: ScatterPlot, qtbot: QtBot) -> None:
    assert not plot.tools.space.isVisible()
    flat = [plot.place(row) for row in range(30)]
    solid(plot)
    with qtbot.waitSignal(plot.space_shown) as caught:
        plot.tools.space.click()
    assert caught.args == [True]
    assert plot.in_space
    assert plot.place(3) != flat[3]
    with qtbot.waitSignal(plot.space_shown):
        plot.tools.space.click()
    assert [plot.place(row) for row in range(30)] == flat
    plot.show_space(True)
    show(plot, GRID[:5])
    assert not plot.in_space, "other points have not got those places"
    assert not plot.tools.space.isVisible()


def test_dragging_and_control_with_arrows_turn_and_points_can_be_picked(plot: ScatterPlot, qtbot: QtBot) -> None:
    solid(plot)
    plot.show_space(True)
    for move in (
        lambda: trace(plot, [at(plot, 0, 0), at(plot, 0, 0) + QPointF(60, 25)]),
        lambda: QTest.keyClick(plot, Qt.Key.Key_Up, CONTROL),
    ):
        before = plot.place(5), plot.canvas.box.viewRange()
        move()
        assert plot.place(5) != before[0]
        assert plot.canvas.box.viewRange() == before[1], "it turns and does not move away"
        clear = max(range(30), key=lambda row: min(_apart(plot, row, other) for other in range(30) if other != row))
        with qtbot.waitSignal(plot.clicked) as caught:
            QTest.mouseClick(viewport(plot), Qt.MouseButton.LeftButton, NONE, plot.place(clear).toPoint())
        assert caught.args == [clear]
        assert plot.canvas.rect().toRectF().contains(plot.place(clear))


def _apart(plot: ScatterPlot, row: int, other: int) -> float:
    return (plot.place(row) - plot.place(other)).manhattanLength()


def test_frames_of_a_projection_do_not_disturb_the_view_in_space(plot: ScatterPlot) -> None:
    solid(plot)
    plot.show_space(True)
    before = plot.place(4)
    plot.set_points(GRID * 7, keep_view=True)
    assert plot.place(4) == before
    plot.show_space(False)
    assert (plot.canvas.places.x == GRID[:, 0] * 7).all()


# --------------------------------------------------------------------------------------------------- moves


def test_points_glide_to_new_places_without_a_jump(plot: ScatterPlot, qtbot: QtBot) -> None:
    start = plot.canvas.places.x.copy()
    plot.choose(29)
    plot.set_points(GRID * [-1, 1] + [0, 3], keep_view=True, glide=True)
    ends = {"start": start[29], "end": -GRID[29, 0]}
    on_the_way = plot.canvas.places.x[29]
    assert ends["end"] < on_the_way <= ends["start"]
    seen: list[float] = []
    qtbot.waitUntil(lambda: seen.append(plot.canvas.places.x[29]) or seen[-1] == ends["end"], timeout=5000)
    assert seen == sorted(seen, reverse=True)
    np.testing.assert_allclose(plot.canvas.places.y, GRID[:, 1] + 3)
    assert plot.rect().toRectF().contains(plot.place(29))


def test_the_chosen_point_stays_in_view_when_places_change(plot: ScatterPlot) -> None:
    for _ in range(6):
        QTest.keyClick(plot, Qt.Key.Key_Plus)
    plot.choose(14)
    plot.set_points(GRID + 100, keep_view=True)
    assert plot.rect().toRectF().contains(plot.place(14))
    assert plot.was_touched()


def test_a_fine_screen_gets_a_fine_picture(plot: ScatterPlot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(plot.canvas.graphics), "devicePixelRatioF", lambda _self: 2.0, raising=False)
    plot.canvas.show_view()
    image, area = plot.canvas.raster.image, plot.canvas.box.area()
    assert image.width() == pytest.approx(2 * area.width(), abs=2)
    assert image.devicePixelRatio() == 2.0


def test_buttons_and_map_have_names_and_the_picture_has_no_buttons(plot: ScatterPlot) -> None:
    buttons = (plot.tools.fit, plot.tools.rectangle, plot.tools.lasso, plot.tools.thumbnails, plot.tools.space)
    assert all(button.accessibleName() and button.toolTip() for button in buttons)
    assert plot.accessibleName()
    assert plot.picture().width() == plot.canvas.width()
    for button in buttons:
        assert button.focusPolicy() is Qt.FocusPolicy.TabFocus
