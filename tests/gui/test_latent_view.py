"""The latent-space tab with real pictures on disk: map, list, strip and card say the same thing."""

from __future__ import annotations

import csv
import dataclasses
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.images import load_image
from convviz_gui.engine.payloads import Points, Skipped
from convviz_gui.engine.types import ModelInfo, Result, Run
from convviz_gui.gui.latent.colourings import colouring
from convviz_gui.gui.latent.map_words import title, verdict
from convviz_gui.gui.latent.point_colours import Choice, ColourBy
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import Role
from convviz_gui.gui.latent.scatter_plot import ScatterPlot
from convviz_gui.gui.latent.skipped_dialog import SkippedDialog
from convviz_gui.gui.latent.thumbnails import WAITING, Thumbnails
from convviz_gui.gui.look.theme import Theme, apply_theme
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.latent import LatentView
from tests.gui.latent_data import clusters, network

COUNT = 40


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Points:
    """Forty pictures in four clusters; picture 12 is labelled cat and predicted dog, picture 7 is the oddest."""
    skipped = (Skipped("/photos/a.psd", ".psd files are not read"), Skipped("/photos/b.jpg", "it is damaged"))
    points = clusters(tmp_path_factory.mktemp("folder"), COUNT, seed=5, odd=7)
    return dataclasses.replace(points, skipped=skipped)


@pytest.fixture(scope="session")
def model() -> ModelInfo:
    return network()


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[LatentView]:
    made = LatentView(Selection())
    qtbot.addWidget(made)
    made.resize(1000, 740)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.thumbnails.close()


@pytest.fixture
def shown(view: LatentView, points: Points, model: ModelInfo) -> LatentView:
    view.show_result(result(points, model))
    QGuiApplication.processEvents()
    return view


def result(points: Points, model: ModelInfo) -> Result:
    return Result(Run("latent", folder=points.folder), points, (), model, 1.0)


def frame(points: Points, xy: np.ndarray) -> Points:
    return dataclasses.replace(points, xy=xy.astype(np.float32), final=False, trustworthiness=float("nan"))


def the_plot(view: LatentView) -> ScatterPlot:
    assert view.map.plot is not None
    return view.map.plot


def legend_texts(view: LatentView) -> list[str]:
    classes = view.map.legend.classes.classes
    return [str(classes.index(row).data()) for row in range(classes.rowCount())]


def click(plot: ScatterPlot, row: int, *, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    # Where pictures stand for points, that of another may lie over this one as soon as it is there.
    plot.tools.thumbnails.setChecked(False)
    place = plot.place(row).toPoint()
    QTest.mouseClick(plot.canvas.graphics.viewport(), button, Qt.KeyboardModifier.NoModifier, place)


# -------------------------------------------------------------------------------------------- the whole


def test_it_starts_with_a_sentence_and_a_button(view: LatentView, qtbot: QtBot) -> None:
    assert not view.stage.shows_content()
    with qtbot.waitSignal(view.run_wanted):
        QTest.mouseClick(view.stage._message.button, Qt.MouseButton.LeftButton)


def test_clicking_a_point_opens_it_and_shows_its_true_neighbours(
    shown: LatentView, points: Points, qtbot: QtBot
) -> None:
    # On the map, another point's picture may lie over this one.
    the_plot(shown).tools.thumbnails.setChecked(False)
    with qtbot.waitSignal(shown.open_image) as caught:
        click(the_plot(shown), 22)
    assert caught.args == [points.paths[22]]
    near = [shown.map.strip.points.point(row) for row in range(12)]
    assert near == points.neighbours[22].tolist()
    wanted = np.linalg.norm(points.features[near] - points.features[22], axis=1)
    told = [float(str(shown.map.strip.points.index(row).data(Role.SCORE))) for row in range(12)]
    assert told == pytest.approx(wanted, rel=1e-3)
    assert len(the_plot(shown).canvas.marks.marks.neighbours) == 12


def test_the_plot_chooses_in_the_list(shown: LatentView) -> None:
    click(the_plot(shown), 13)
    current = shown.map.ranking.currentIndex()
    assert current.data(Role.POINT) == 13
    assert shown.map.ranking.selectionModel().isSelected(current)
    assert shown.map.ranking.viewport().rect().contains(shown.map.ranking.visualRect(current).center())


def test_the_list_chooses_on_the_plot_and_brings_it_into_view(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    plot = the_plot(shown)
    plot.canvas.box.setRange(xRange=(100, 101), yRange=(100, 101), padding=0)
    with qtbot.assertNotEmitted(shown.open_image):
        shown.map.ranking.setFocus()
        QTest.keyClick(shown.map.ranking, Qt.Key.Key_Down)
        QTest.keyClick(shown.map.ranking, Qt.Key.Key_Down)
    chosen = shown.map.ranking.currentIndex().data(Role.POINT)
    assert chosen == plot.chosen() == shown.bench.point
    assert plot.rect().toRectF().contains(plot.place(chosen))
    with qtbot.waitSignal(shown.open_image) as caught:
        QTest.keyClick(shown.map.ranking, Qt.Key.Key_Return)
    assert caught.args == [points.paths[chosen]]


def test_a_neighbour_leads_on_to_its_own_neighbours(shown: LatentView, points: Points) -> None:
    shown.bench.choose(0)
    nearest = int(points.neighbours[0, 0])
    place = shown.map.strip.list.visualRect(shown.map.strip.points.index(0)).center()
    QTest.mouseClick(shown.map.strip.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert shown.bench.point == nearest == the_plot(shown).chosen()
    assert shown.map.strip.points.point(0) == points.neighbours[nearest, 0]


def test_pointing_at_a_row_rings_its_point(shown: LatentView) -> None:
    plot, row = the_plot(shown), shown.map.ranking.points.index(1)
    QTest.mouseMove(shown.map.ranking.viewport(), shown.map.ranking.visualRect(row).center())
    hovered = plot.canvas.marks.marks.hovered
    assert hovered is not None
    assert (hovered - plot.place(row.data(Role.POINT))).manhattanLength() < 1.5
    QGuiApplication.sendEvent(shown.map.ranking, QEvent(QEvent.Type.Leave))
    assert plot.canvas.marks.marks.hovered is None


def test_arrows_walk_and_enter_opens(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    plot = the_plot(shown)
    shown.bench.choose(0)
    with qtbot.assertNotEmitted(shown.open_image):
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Down):
            QTest.keyClick(plot, key)
    assert shown.bench.point > 0
    with qtbot.waitSignal(shown.open_image) as caught:
        QTest.keyClick(plot, Qt.Key.Key_Return)
    assert caught.args == [points.paths[shown.bench.point]]


def test_a_click_on_the_ground_lets_go(shown: LatentView) -> None:
    plot = the_plot(shown)
    shown.bench.choose(4)
    corner = QPoint(3, 3)
    QTest.mouseClick(plot.canvas.graphics.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, corner)
    assert (shown.bench.point, plot.chosen()) == (-1, -1)
    assert not shown.map.ranking.selectionModel().hasSelection()


def test_the_photo_of_the_tray_is_chosen_on_the_map(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(shown.open_image):
        shown.selection.set_image(load_image(points.paths[31]))
    assert shown.bench.point == 31


def test_hovering_shows_the_thumbnail_and_the_facts(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    plot, card = the_plot(shown), shown.map._card
    assert card is not None
    # Else the cursor might be over another point's picture.
    plot.tools.thumbnails.setChecked(False)
    with qtbot.waitSignal(shown.status) as caught:
        QTest.mouseMove(plot.canvas.graphics.viewport(), plot.place(12).toPoint())
    assert "12.png" in caught.args[0]
    assert "Label: cat" in caught.args[0]
    assert "Prediction: dog" in caught.args[0]
    assert card.isVisible()
    assert plot.rect().contains(card.geometry())
    assert not card.geometry().contains(plot.place(12).toPoint())
    qtbot.waitUntil(lambda: shown.thumbnails.get(points.paths[12]) is not None)
    colour = card.grab().toImage().pixelColor(card.width() // 2, 80)
    assert colour.getRgb()[:3] == pytest.approx((72, 183, 0), abs=3)
    QTest.mouseMove(plot.canvas.graphics.viewport(), QPoint(3, 3))
    assert not card.isVisible()


# ---------------------------------------------------------------------------------------------- colours


def test_labels_come_first_and_every_class_is_in_the_legend(shown: LatentView) -> None:
    assert legend_texts(shown) == ["car 10", "cat 10", "dog 10", "tree 10"]


def test_a_click_in_the_legend_dims_the_class(shown: LatentView, points: Points) -> None:
    legend, plot = shown.map.legend, the_plot(shown)
    car = points.labels.index("car")
    before = plot.canvas.scene.palette[plot.canvas.scene.rows[car]].tolist()
    place = legend.classes.visualRect(legend.classes.classes.index(0)).center()

    def press() -> None:
        QTest.mouseClick(legend.classes.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    press()
    assert legend.dimmed() == {0}
    faded = plot.canvas.scene.palette[plot.canvas.scene.rows[car]].tolist()
    ground = plot.ground()
    assert sum(abs(a - b) for a, b in zip(faded, ground, strict=True)) < 0.3 * sum(
        abs(a - b) for a, b in zip(before, ground, strict=True)
    )
    assert plot.canvas.scene.dimmed.tolist() == [label == "car" for label in points.labels]
    press()
    assert plot.canvas.scene.palette[plot.canvas.scene.rows[car]].tolist() == before
    legend.classes.setCurrentIndex(legend.classes.classes.index(2))
    QTest.keyClick(legend.classes, Qt.Key.Key_Space)
    assert legend.dimmed() == {2}


def test_every_class_fits_its_cell_and_the_legend_what_it_holds(shown: LatentView) -> None:
    classes = shown.map.legend.classes
    cells = [classes.visualRect(classes.classes.index(row)) for row in range(4)]
    for row, cell in enumerate(cells):
        text = classes.fontMetrics().horizontalAdvance(str(classes.classes.index(row).data()))
        assert cell.width() >= text + 10, "there is room for the swatch"
        assert cell.width() <= classes.gridSize().width()
        assert classes.viewport().rect().contains(cell)
    assert len({cell.left() for cell in cells}) > 1, "there is room for columns"


def test_predictions_and_scores_can_be_coloured_instead(shown: LatentView, points: Points) -> None:
    combo = shown.map.legend.colour
    offered = [combo.itemText(row) for row in range(combo.count())]
    assert offered == ["label", "prediction", "correctness", "outlier score"]
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert legend_texts(shown) == ["car 10", "cat 9", "dog 11", "tree 10"]
    combo.setCurrentIndex(3)
    combo.activated.emit(3)
    assert shown.map.legend.scale.isVisible()
    scene = the_plot(shown).canvas.scene
    assert scene.rows[7] == 254
    assert scene.rows[np.argmin(points.outlier)] == 0
    assert scene._stacked().order[-1] == 7, "the oddest point must not be hidden"


def test_without_labels_predictions_are_shown_and_it_says_so(
    view: LatentView, points: Points, model: ModelInfo
) -> None:
    view.show_result(result(dataclasses.replace(points, labels=("",) * COUNT), model))
    assert view.map.legend.colour.currentText() == "prediction"
    assert "no labels" in view.map.legend.note.text()


def test_many_classes_share_colours_with_a_note(view: LatentView, points: Points, model: ModelInfo) -> None:
    view.show_result(result(dataclasses.replace(points, labels=tuple(f"c{i}" for i in range(COUNT))), model))
    assert len(legend_texts(view)) == COUNT
    assert "Colours repeat after 16" in view.map.legend.note.text()
    rows = the_plot(view).canvas.scene.rows
    assert rows[0] == rows[16] != rows[1]


@pytest.fixture
def light(dressed: QApplication) -> Iterator[QApplication]:
    """The application in the light theme, and so again afterwards."""
    apply_theme(dressed, Theme.LIGHT)
    yield dressed
    apply_theme(dressed, Theme.LIGHT)


def test_light_and_dark_have_their_own_colours(light: QApplication, shown: LatentView) -> None:
    canvas = the_plot(shown).canvas
    before, ground = canvas.scene.palette.copy(), the_plot(shown).ground()
    apply_theme(light, Theme.DARK)
    assert sum(the_plot(shown).ground()) < 200 < sum(ground)
    assert not np.array_equal(canvas.scene.palette, before)
    assert shown.grab().toImage().pixelColor(10, 150).lightness() < 80


# ---------------------------------------------------------------------------------------------- frames


def test_frames_move_points_and_rebuild_nothing(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    view.selection.set_model(model)
    view.show_preview(frame(points, np.zeros((COUNT, 2))))
    assert view.stage.shows_content()
    view.bench.choose(5)
    facts = view.bench.facts
    with qtbot.assertNotEmitted(view.map.ranking.points.modelReset):
        for step in range(1, 6):
            view.show_preview(frame(points, points.xy * step / 5))
    assert facts is not None
    assert view.bench.facts is not None
    assert view.bench.facts.ranking is facts.ranking
    assert view.bench.point == 5
    np.testing.assert_allclose(the_plot(view).canvas.places.x, points.xy[:, 0], rtol=1e-6)
    assert "Not finished" in view.map.header.verdict.text()
    view.show_result(result(points, model))
    assert "Trustworthiness 0.93" in view.map.header.verdict.text()
    assert view.bench.point == 5


def test_zoom_survives_frames_but_not_another_projection(view: LatentView, points: Points, model: ModelInfo) -> None:
    view.show_preview(frame(points, points.xy))
    plot = the_plot(view)
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    zoomed = plot.canvas.box.viewRange()
    view.show_preview(frame(points, points.xy * 1.1))
    view.show_result(result(points, model))
    assert np.allclose(plot.canvas.box.viewRange(), zoomed)
    view.show_result(result(dataclasses.replace(points, projection="pca"), model))
    assert not np.allclose(plot.canvas.box.viewRange(), zoomed)


def test_another_folder_replaces_everything(shown: LatentView, points: Points, model: ModelInfo) -> None:
    shown.bench.choose(20)
    few = dataclasses.replace(
        points,
        folder="/other",
        paths=points.paths[:3],
        labels=points.labels[:3],
        features=points.features[:3],
        xy=points.xy[:3],
        logits=points.logits[:3],
        outlier=points.outlier[:3],
        neighbours=np.array([[1, 2], [0, 2], [0, 1]]),
    )
    shown.show_result(result(few, model))
    assert shown.map.ranking.points.rowCount() == 3
    assert shown.bench.point == -1
    shown.bench.choose(2)
    assert shown.map.strip.points.rowCount() == 2


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_pictures(view: LatentView, points: Points, model: ModelInfo, count: int) -> None:
    few = dataclasses.replace(
        points,
        paths=points.paths[:count],
        labels=("",) * count,
        features=points.features[:count],
        xy=points.xy[:count],
        logits=np.zeros((count, 0), np.float32),
        outlier=np.full(count, np.nan, np.float32),
        neighbours=np.zeros((count, 0), np.int64),
        trustworthiness=float("nan"),
    )
    view.show_result(result(few, model))
    assert "not defined" in view.map.header.verdict.text()
    view.bench.choose(count - 1)
    assert not view.grab().isNull()


def test_stale_results_are_dimmed(shown: LatentView, qtbot: QtBot) -> None:
    shown.set_stale(True)
    qtbot.waitUntil(shown.stage.is_dimmed)
    shown.set_stale(False)
    assert not shown.stage.is_dimmed()


# ----------------------------------------------------------------------------------------------- words


def test_title_and_verdict_say_what_and_how_far(points: Points) -> None:
    assert title(points) == "UMAP of block5_relu · 40 pictures · 16 dimensions"
    assert verdict(points) == (
        "Trustworthiness 0.93: most neighbours on this map are true neighbours; "
        "distances between far groups mean little."
    )
    poor = dataclasses.replace(points, trustworthiness=0.62, projection="pca")
    assert "many neighbours on this map are not" in verdict(poor)


def test_files_left_out_can_be_read_and_copied(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    assert shown.map.header.skipped.text() == "2 files left out…"
    dialog = SkippedDialog(points.skipped)
    qtbot.addWidget(dialog)
    assert dialog.table.item(1, 1).text() == "it is damaged"
    dialog.copy()
    assert QGuiApplication.clipboard().text().splitlines()[1] == "/photos/b.jpg\tit is damaged"


def test_the_ranking_is_by_outlier_score(shown: LatentView, points: Points) -> None:
    model = shown.map.ranking.points
    order = [model.point(row) for row in range(COUNT)]
    assert order == np.argsort(-points.outlier, kind="stable").tolist()
    first = model.index(0)
    assert order[0] == 7
    assert (first.data(Role.PLACE), first.data(), first.data(Role.SUBTITLE)) == (1, "07.png", "tree")
    wrong = model.index(order.index(12))
    assert (wrong.data(Role.SUBTITLE), wrong.data(Role.DISAGREES)) == ("cat → dog", True)


def test_probabilities_are_softmax(points: Points, model: ModelInfo) -> None:
    facts = PointFacts(points, model)
    exponentials = np.exp(points.logits[5].astype(float))
    assert facts.probability(5) == pytest.approx(exponentials.max() / exponentials.sum())
    assert np.isnan(PointFacts(dataclasses.replace(points, logits=np.zeros((COUNT, 0))), model).probability(5))


def test_the_scale_of_scores_is_logarithmic_and_says_so(shown: LatentView, points: Points, model: ModelInfo) -> None:
    score = points.outlier.copy()
    score[:3] = [0.01, 0.1, 1.0]
    score[3:] = 1.0
    by = Choice(ColourBy.OUTLIER)
    made = colouring(PointFacts(dataclasses.replace(points, outlier=score), model), by)
    assert made.rows(frozenset())[:3].tolist() == [0, 127, 254]
    assert made.scale is not None
    assert (made.scale.low, made.scale.at(0.5), made.scale.high) == pytest.approx((0.01, 0.1, 1.0))
    shown.map.legend.colour_changed.emit(by)
    assert "Logarithmic" in shown.map.legend.note.text()
    score[0] = 0.0
    linear = colouring(PointFacts(dataclasses.replace(points, outlier=score), model), by)
    assert linear.rows(frozenset())[1] == 25


def test_scores_that_are_not_numbers_come_last_and_are_grey(points: Points, model: ModelInfo) -> None:
    outlier = points.outlier.copy()
    outlier[[7, 2]] = np.nan
    facts = PointFacts(dataclasses.replace(points, outlier=outlier), model)
    assert set(facts.ranking[-2:]) == {2, 7}
    made = colouring(facts, Choice(ColourBy.OUTLIER))
    table = made.table(dark=True, ground=(0, 0, 0))
    red, green, blue = table[made.rows(frozenset())[7]].tolist()
    assert red == green == blue
    assert made.scale is not None
    assert made.scale.unknown == 2


# ------------------------------------------------------------------------------------------ on its way out


def test_the_ranking_is_written_as_csv(
    shown: LatentView, points: Points, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out" / "ranking"), ""))
    folder = tmp_path / "out"
    folder.mkdir()
    with qtbot.waitSignal(shown.status):
        shown.map.export.save_ranking()
    rows = list(csv.DictReader(io.StringIO((folder / "ranking.csv").read_text())))
    assert len(rows) == COUNT
    assert rows[0]["path"] == points.paths[7]
    assert float(rows[0]["outlier_score"]) == pytest.approx(float(points.outlier[7]), rel=1e-5)
    assert [file.name for file in folder.iterdir()] == ["ranking.csv"]
    with qtbot.waitSignal(shown.status):
        shown.map.export.copy_ranking()
    assert QGuiApplication.clipboard().text() == (folder / "ranking.csv").read_text()


def test_a_folder_that_is_gone_is_reported(
    shown: LatentView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "gone" / "x.csv"), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: told.append(args[1]))
    shown.map.export.save_ranking()
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["The ranking was not saved"]


def test_the_map_can_be_copied_and_saved(shown: LatentView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "map.png"), ""))
    shown.map.export.save_picture()
    shown.map.export.copy_picture()
    with Image.open(tmp_path / "map.png") as saved:
        assert saved.size == (the_plot(shown).canvas.width(), the_plot(shown).canvas.height())
        assert len(saved.convert("RGB").getcolors(100_000) or []) > 4
    assert QGuiApplication.clipboard().image().width() == the_plot(shown).canvas.width()


# ------------------------------------------------------------------------------------------- thumbnails


def test_thumbnails_come_once_and_bad_files_are_explained(points: Points, tmp_path: Path, qtbot: QtBot) -> None:
    thumbnails = Thumbnails()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    arrived: list[str] = []
    thumbnails.arrived.connect(arrived.append)
    for _ in range(3):
        assert thumbnails.get(points.paths[0]) is None
        assert thumbnails.get(str(broken)) is None
    qtbot.waitUntil(lambda: len(arrived) >= 2)
    picture = thumbnails.get(points.paths[0])
    assert picture is not None
    assert (picture.width(), picture.height()) == (40, 30)
    assert "broken.png" in thumbnails.problem(str(broken))
    assert sorted(arrived) == sorted([points.paths[0], str(broken)])
    thumbnails.close()


def test_the_newest_wish_comes_first_and_old_ones_are_dropped(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, order = threading.Event(), []

    def slow(path: str, _size: int, **_reserve: object) -> str:
        gate.wait(5)
        order.append(path)
        return "no picture"

    monkeypatch.setattr("convviz_gui.gui.latent.thumbnails.decode", slow)
    thumbnails = Thumbnails()
    thumbnails._decoder._pool._max_workers = 1
    thumbnails.get("first")
    qtbot.waitUntil(lambda: bool(thumbnails._decoder._busy))
    for index in range(WAITING + 10):
        thumbnails.get(str(index))
    thumbnails.get("20")
    gate.set()
    qtbot.waitUntil(lambda: len(order) == WAITING + 1)
    assert order[:4] == ["first", "20", str(WAITING + 9), str(WAITING + 8)]
    assert not set(order) & {str(index) for index in range(10)}
    thumbnails.close()


def test_nothing_runs_on_after_closing(points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    before = threading.active_count()
    view = LatentView(Selection())
    view.show()
    view.show_result(result(points, model))
    view.grab()
    thumbnails = view.thumbnails
    assert any(thread.name.startswith("thumbnail") for thread in threading.enumerate())
    with qtbot.waitSignal(view.destroyed):
        view.close()
        view.deleteLater()
    assert not any(thread.name.startswith("thumbnail") for thread in threading.enumerate())
    qtbot.waitUntil(lambda: threading.active_count() <= before)
    assert thumbnails._decoder._closed
