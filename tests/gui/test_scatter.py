"""The map as a user has it: real widget, real mouse and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.gui.latent.scatter_plot import ScatterPlot
from convviz_gui.gui.pictures.qimage import to_array

COLOURS = np.array([[250, 0, 0], [0, 0, 250]], np.uint8)
CORNERS = np.array([[0, 0], [10, 0], [0, 8], [10, 8], [5, 4]], np.float32)


@pytest.fixture
def plot(qtbot: QtBot) -> ScatterPlot:
    made = ScatterPlot()
    qtbot.addWidget(made)
    made.resize(500, 400)
    with qtbot.waitExposed(made):
        made.show()
    show(made, CORNERS)
    return made


def show(plot: ScatterPlot, xy: np.ndarray, *, dimmed: list[int] | None = None, keep: bool = False) -> None:
    plot.set_points(np.asarray(xy, np.float32), keep_view=keep)
    colour(plot, dimmed)


def colour(plot: ScatterPlot, dimmed: list[int] | None = None) -> None:
    count = len(plot.canvas.places)
    mask = np.zeros(count, np.bool_)
    mask[dimmed or []] = True
    plot.set_colours(np.zeros(count, np.uint8), COLOURS, mask, (~mask).astype(np.uint8))


def viewport(plot: ScatterPlot) -> QWidget:
    return plot.canvas.graphics.viewport()


def wheel(plot: ScatterPlot, place: QPointF, steps: int) -> None:
    event = QWheelEvent(
        place,
        viewport(plot).mapToGlobal(place),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport(plot), event)


def drag(plot: ScatterPlot, start: QPoint, by: QPoint) -> None:
    target = viewport(plot)
    QTest.mousePress(target, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 6):
        QTest.mouseMove(target, start + by * step / 5)
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + by)


def double_click(plot: ScatterPlot, place: QPoint) -> None:
    """The four events that a screen sends."""
    for send in (QTest.mouseClick, QTest.mouseDClick, QTest.mouseRelease):
        send(viewport(plot), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def red_centre(plot: ScatterPlot) -> tuple[float, float]:
    """Centre of everything red in what is on screen."""
    shown = to_array(plot.grab().toImage()).astype(float)
    red = np.clip(shown[..., 0] - shown[..., 1], 0, None)
    y, x = np.indices(red.shape) + 0.5
    return (red * x).sum() / red.sum(), (red * y).sum() / red.sum()


@pytest.mark.parametrize("steps", [0, 2, -3])
def test_points_are_drawn_where_the_view_says_they_are(plot: ScatterPlot, steps: int) -> None:
    show(plot, [[2.0, 3.0], [0.0, 1.0], [6.0, 5.0]])
    plot.set_colours(np.array([0, 1, 1], np.uint8), COLOURS, np.zeros(3, np.bool_), np.zeros(3, np.uint8))
    plot.canvas.box.setRange(xRange=(0, 6), yRange=(1, 5), padding=0)
    wheel(plot, QPointF(170, 210), steps)
    box = plot.canvas.box
    scene = box.mapFromView(QPointF(2.0, 3.0))
    place = plot.canvas.graphics.mapFromScene(box.mapToScene(scene))
    x, y = red_centre(plot)
    assert (x, y) == pytest.approx((place.x(), place.y()), abs=1.0)
    assert (plot.place(0).x(), plot.place(0).y()) == pytest.approx((x, y), abs=0.75)


def test_all_points_are_in_view_and_scales_are_equal(plot: ScatterPlot) -> None:
    for row in range(len(CORNERS)):
        assert plot.rect().toRectF().adjusted(5, 5, -5, -5).contains(plot.place(row))
    across, up = plot.place(1) - plot.place(0), plot.place(2) - plot.place(0)
    assert across.x() / 10 == pytest.approx(-up.y() / 8, rel=0.02)


def test_a_click_tells_the_point_and_the_ground(plot: ScatterPlot, qtbot: QtBot) -> None:
    for row in (3, 4):
        with qtbot.waitSignal(plot.clicked) as caught:
            place = plot.place(row).toPoint() + QPoint(3, -2)
            QTest.mouseClick(viewport(plot), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert caught.args == [row]
    with qtbot.waitSignal(plot.clicked) as caught:
        QTest.mouseClick(viewport(plot), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(150, 90))
    assert caught.args == [-1]


def test_picking_is_right_after_zooming_in_a_crowd(plot: ScatterPlot) -> None:
    rng = np.random.default_rng(0)
    show(plot, rng.normal(size=(400, 2)))
    wheel(plot, plot.place(17), 20)
    for row in range(400):
        place = plot.place(row)
        if not plot.rect().toRectF().contains(place):
            continue
        xy = plot.canvas.box.mapSceneToView(plot.canvas.graphics.mapToScene(place.toPoint()))
        gap = np.hypot(plot.canvas.places.x - xy.x(), plot.canvas.places.y - xy.y())
        assert plot.pick(xy.x(), xy.y()) == int(np.argmin(gap))


def test_hovering_tells_the_point_once_and_its_end(plot: ScatterPlot) -> None:
    told: list[int] = []
    plot.hovered.connect(told.append)
    for by in (0, 1, 2):
        QTest.mouseMove(viewport(plot), plot.place(2).toPoint() + QPoint(by, 0))
    QTest.mouseMove(viewport(plot), QPoint(150, 90))
    assert told == [2, -1]


def test_dimmed_points_are_passed_over(plot: ScatterPlot) -> None:
    colour(plot, dimmed=[4])
    assert plot.pick(5.0, 4.0) == -1
    colour(plot)
    assert plot.pick(5.0, 4.0) == 4


def test_the_wheel_zooms_at_the_cursor(plot: ScatterPlot) -> None:
    place, apart = plot.place(3), plot.place(3).x() - plot.place(0).x()
    wheel(plot, place, 3)
    assert plot.place(3).x() == pytest.approx(place.x(), abs=1.5)
    assert plot.place(3).y() == pytest.approx(place.y(), abs=1.5)
    assert plot.place(3).x() - plot.place(0).x() > 1.2 * apart


def test_dragging_pans_and_a_double_click_on_the_ground_fits(plot: ScatterPlot) -> None:
    before = plot.place(4)
    drag(plot, QPoint(150, 90), QPoint(60, 40))
    assert (plot.place(4) - before).x() == pytest.approx(60, abs=3)
    assert (plot.place(4) - before).y() == pytest.approx(40, abs=3)
    assert plot.was_touched()
    double_click(plot, QPoint(30, 200))
    assert (plot.place(4) - before).manhattanLength() < 1.5
    assert not plot.was_touched()


def test_frames_fit_until_the_user_zooms_and_then_stay(plot: ScatterPlot) -> None:
    show(plot, CORNERS * 3, keep=True)
    assert plot.rect().toRectF().contains(plot.place(3)), "an untouched view follows the points"
    wheel(plot, QPointF(250, 200), 4)
    view = plot.canvas.box.viewRange()
    show(plot, CORNERS * 3.5, keep=True)
    assert np.allclose(plot.canvas.box.viewRange(), view)
    show(plot, CORNERS * 3.5, keep=False)
    assert not np.allclose(plot.canvas.box.viewRange(), view)


def test_resizing_fits_again_unless_the_user_zoomed(plot: ScatterPlot, qtbot: QtBot) -> None:
    plot.resize(300, 300)
    qtbot.waitUntil(lambda: plot.canvas.box.rect().width() < 320)
    assert all(plot.rect().toRectF().contains(plot.place(row)) for row in range(5))


@pytest.mark.parametrize(
    ("key", "row"),
    [(Qt.Key.Key_Right, 3), (Qt.Key.Key_Left, 0), (Qt.Key.Key_Up, 2), (Qt.Key.Key_Down, 1)],
)
def test_arrows_walk_to_the_next_point(plot: ScatterPlot, qtbot: QtBot, key: Qt.Key, row: int) -> None:
    show(plot, [[-2, 0], [0.5, -2], [0, 2], [2, 0], [0, 0], [9, 1], [3, 3.5]])
    plot.choose(4)
    with qtbot.waitSignal(plot.walked) as caught:
        QTest.keyClick(plot, key)
    assert caught.args == [row]


def test_keys_start_in_the_middle_open_zoom_and_stop_at_the_edge(plot: ScatterPlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.walked) as caught:
        QTest.keyClick(plot, Qt.Key.Key_Right)
    assert caught.args == [4]
    plot.choose(1)
    with qtbot.assertNotEmitted(plot.walked):
        QTest.keyClick(plot, Qt.Key.Key_Right)
    with qtbot.waitSignal(plot.activated) as opened:
        QTest.keyClick(plot, Qt.Key.Key_Return)
    assert opened.args == [1]
    plot.choose(-1)
    width = plot.canvas.box.viewRect().width()
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.canvas.box.viewRect().width() == pytest.approx(width / 1.4, rel=0.01)
    QTest.keyClick(plot, Qt.Key.Key_0)
    assert plot.canvas.box.viewRect().width() == pytest.approx(width, rel=0.01)


def test_a_chosen_point_out_of_view_is_brought_into_it(plot: ScatterPlot) -> None:
    wheel(plot, plot.place(0), 25)
    assert not plot.rect().toRectF().contains(plot.place(3))
    plot.choose(3)
    assert plot.rect().toRectF().contains(plot.place(3))
    view = plot.canvas.box.viewRange()
    plot.choose(3)
    assert plot.canvas.box.viewRange() == view, "what is in view already does not jump"


def test_marks_are_where_the_points_are(plot: ScatterPlot) -> None:
    plot.choose(4, (0, 1))
    marks = plot.canvas.marks.marks
    assert marks.chosen is not None
    assert (marks.chosen - plot.place(4)).manhattanLength() < 1.5
    for mark, row in zip(marks.neighbours, (0, 1), strict=True):
        assert (mark - plot.place(row)).manhattanLength() < 1.5
    wheel(plot, QPointF(100, 100), 3)
    moved = plot.canvas.marks.marks.chosen
    assert moved is not None
    assert (moved - plot.place(4)).manhattanLength() < 1.5


def test_lines_to_neighbours_can_be_switched_off(plot: ScatterPlot) -> None:
    accent = plot.palette().color(QPalette.ColorRole.Highlight)
    plot.choose(0, (3,))

    def midway() -> float:
        place = (plot.place(0) * 3 + plot.place(3)) / 4
        shown = plot.grab().toImage()
        around = [shown.pixelColor(int(place.x()) + dx, int(place.y()) + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        return min(_difference(colour, accent) for colour in around)

    with_lines = midway()
    plot.show_lines(False)
    assert with_lines < 120 < midway()


def _difference(one: QColor, other: QColor) -> float:
    return sum(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True))


@pytest.mark.parametrize(
    "xy",
    [
        np.zeros((0, 2)),
        [[3.0, 4.0]],
        np.full((20, 2), 7.5),
        np.full((4, 2), 1e-12),
        [[1e6, 1e6], [1e6, 1e6]],
        [[0, 0], [5, 0], [9, 0]],
        [[np.nan, 1], [2, 2], [np.inf, 0]],
        np.full((3, 2), np.nan),
    ],
    ids=["none", "one", "all equal", "tiny", "far away", "in a row", "some not numbers", "no numbers"],
)
def test_odd_places_do_no_harm(plot: ScatterPlot, xy: list[list[float]]) -> None:
    show(plot, np.asarray(xy, np.float32))
    finite = np.isfinite(np.asarray(xy, np.float32)).all(axis=1)
    for row in range(len(xy)):
        plot.choose(row, (0,))
        if finite[row]:
            assert plot.rect().toRectF().contains(plot.place(row))
            place = plot.canvas.box.mapSceneToView(plot.canvas.graphics.mapToScene(plot.place(row).toPoint()))
            assert plot.pick(place.x(), place.y()) >= 0
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Plus, Qt.Key.Key_Home):
        QTest.keyClick(plot, key)
    wheel(plot, QPointF(100, 100), 40)
    assert not plot.grab().isNull()


def test_it_takes_its_ground_from_the_palette(plot: ScatterPlot) -> None:
    dark = QPalette(plot.palette())
    dark.setColor(QPalette.ColorRole.Base, QColor(10, 20, 30))
    # With the program's stylesheet, a palette is not handed on to what is inside.
    for widget in (plot, plot.canvas):
        widget.setPalette(dark)
    colour(plot)
    assert plot.ground() == (10, 20, 30)
    assert plot.grab().toImage().pixelColor(150, 90).getRgb()[:3] == (10, 20, 30)


def test_discs_are_smaller_in_tight_groups_and_grow_with_the_zoom(plot: ScatterPlot) -> None:
    rng = np.random.default_rng(0)
    show(plot, rng.uniform(0, 10, (600, 2)))
    spread = plot.canvas.raster.radius
    show(plot, rng.integers(0, 2, (600, 2)) * 10 + rng.normal(0, 0.1, (600, 2)))
    tight = plot.canvas.raster.radius
    assert tight < spread
    wheel(plot, plot.place(0), 20)
    assert plot.canvas.raster.radius > tight


def test_a_moving_crowd_is_shown_stretched_and_soon_sharp_again(plot: ScatterPlot, qtbot: QtBot) -> None:
    raster, box = plot.canvas.raster, plot.canvas.box
    rng = np.random.default_rng(0)
    show(plot, rng.normal(0, 4, (40, 2))[rng.integers(0, 40, 130_000)] + rng.normal(0, 0.3, (130_000, 2)))
    qtbot.waitUntil(lambda: raster.sharp and not plot.canvas.worker.busy(), timeout=5000)
    wheel(plot, QPointF(200, 180), 4)
    assert not raster.sharp
    for move in (lambda: None, lambda: box.translateBy(x=2.0, y=1.0), lambda: box.scaleBy((3, 3))):
        move()
        coarse = blocks(plot)
        qtbot.waitUntil(lambda: raster.sharp, timeout=5000)
        sharp = blocks(plot)
        assert (sharp < 230).sum() > 5
        assert (coarse[sharp < 230] < 254).all(), "where there is a crowd it is seen from the beginning"
        assert (coarse[sharp == 255] > 240).all(), "and nothing where there is none"


def blocks(plot: ScatterPlot) -> np.ndarray:
    """Mean brightness of what is on screen in squares of 20 pixels."""
    shown = to_array(plot.canvas.grab().toImage())[:400, :460].astype(float)
    return shown.reshape(20, 20, 23, 20, 3).mean(axis=(1, 3, 4))
