"""The page around the map: colours, legend, selection, parts of a map, placed pictures, many pictures."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from convviz_gui.engine.images import load_image
from convviz_gui.engine.payloads import Column, Located, Origin, Points, frozen
from convviz_gui.engine.types import (
    Locate,
    ModelInfo,
    Nearest,
    Reproject,
    Result,
    Run,
)
from convviz_gui.gui.latent.colourings import MOST_CLASSES, choices, colouring
from convviz_gui.gui.latent.map_words import kept, verdict
from convviz_gui.gui.latent.point_colours import GREY, Choice, ColourBy, Colouring
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_files import as_csv
from convviz_gui.gui.latent.point_model import Role
from convviz_gui.gui.latent.selection_words import summary
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.latent import LatentView
from tests.gui.latent_data import CLASSES, clusters, distances, network

COUNT = 60
NO_KEYS = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Points:
    """Sixty pictures in four clusters, of which every fourth is labelled cat; picture 12 is predicted dog."""
    points = clusters(tmp_path_factory.mktemp("dataset"), COUNT, seed=3)
    return dataclasses.replace(
        points,
        continuity=0.81,
        preservation=_preservation(points.xy, points.neighbours),
        splits=tuple("train" if index % 3 else "test" for index in range(COUNT)),
        columns=(
            Column("brightness", np.where(np.arange(COUNT) < 5, np.nan, np.arange(COUNT, dtype=float))),
            Column("weather", np.array(["sunny", "rainy"])[np.arange(COUNT) % 2]),
        ),
        duplicates=np.array([[0, 3], [4, 5]]),
        duplicate_distance=np.zeros(2, np.float32),
    )


def _preservation(xy: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    near = np.argsort(distances(xy), axis=1)[:, : neighbours.shape[1]]
    both = [len(set(a) & set(b)) for a, b in zip(near.tolist(), neighbours.tolist(), strict=True)]
    return (np.array(both) / neighbours.shape[1]).astype(np.float32)


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
    made.loader.close()
    made.thumbnails.close()


@pytest.fixture
def whole(points: Points, model: ModelInfo) -> Result:
    return Result(Run("latent", folder=points.folder), points, (), model, 1.0)


@pytest.fixture
def shown(view: LatentView, whole: Result) -> LatentView:
    view.show_result(whole)
    QGuiApplication.processEvents()
    return view


def part_of(points: Points, rows: np.ndarray) -> Points:
    """The points of these rows alone, in other places."""
    return dataclasses.replace(
        points,
        paths=tuple(points.paths[row] for row in rows),
        labels=tuple(points.labels[row] for row in rows),
        features=points.features[rows],
        xy=points.xy[rows] * 2,
        logits=points.logits[rows],
        outlier=points.outlier[rows],
        neighbours=np.array([[other for other in range(len(rows)) if other != row] for row in range(len(rows))]),
        splits=(),
        columns=(),
        preservation=np.zeros(0, np.float32),
        duplicates=np.zeros((0, 2), np.int64),
        duplicate_distance=np.zeros(0, np.float32),
    )


def repeated(points: Points, size: int) -> Points:
    """As many points as wanted, of files that are not there."""
    rows = np.arange(size) % COUNT
    return dataclasses.replace(
        part_of(points, rows[:2]),
        paths=tuple(f"/{n}.png" for n in range(size)),
        labels=tuple(points.labels[row] for row in rows),
        features=points.features[rows],
        xy=points.xy[rows],
        logits=points.logits[rows],
        outlier=points.outlier[rows],
        neighbours=np.zeros((size, 0), np.int64),
    )


def made(points: Points, model: ModelInfo | None, by: ColourBy, column: str = "") -> Colouring:
    return colouring(PointFacts(points, model), Choice(by, column))


def told(colours: Colouring) -> dict[str, int]:
    return {group.name: group.count for group in colours.groups}


# ---------------------------------------------------------------------------------------------- colours


def test_only_what_is_known_can_be_coloured_by(points: Points, model: ModelInfo) -> None:
    offered = [choice.title for choice in choices(PointFacts(points, model))]
    known = ["label", "prediction", "correctness", "outlier score", "neighbours kept", "split", "duplicates"]
    assert offered == [*known, "brightness", "weather"]
    bare = dataclasses.replace(
        points,
        labels=("",) * COUNT,
        splits=(),
        columns=(),
        duplicates=points.duplicates[:0],
        logits=points.logits[:, :0],
    )
    assert [c.by for c in choices(PointFacts(bare, model))] == [ColourBy.OUTLIER, ColourBy.PRESERVATION]
    more = dataclasses.replace(points, suspects=points.preservation, ambiguity=points.preservation)
    assert {ColourBy.SUSPECT, ColourBy.AMBIGUITY} <= {c.by for c in choices(PointFacts(more, model))}


def test_correctness_compares_names_however_they_are_written(points: Points, model: ModelInfo) -> None:
    assert told(made(points, model, ColourBy.CORRECT)) == {"predicted as labelled": 59, "predicted otherwise": 1}
    named = dataclasses.replace(model, class_names=("CAT, felis", "Dog", "race_car", "x"))
    labels = tuple(label.replace("car", "animals/Race-Car") for label in points.labels)
    found = told(made(dataclasses.replace(points, labels=labels), named, ColourBy.CORRECT))
    assert found == {"label is no class of the network": 15, "predicted as labelled": 44, "predicted otherwise": 1}


def test_labels_that_are_numbers_are_classes_by_index(points: Points, model: ModelInfo) -> None:
    labels = tuple(str(CLASSES.index(label)) for label in points.labels)
    found = told(made(dataclasses.replace(points, labels=labels), model, ColourBy.CORRECT))
    assert found == {"predicted as labelled": 59, "predicted otherwise": 1}
    years = tuple("2024" if label == "cat" else "other" for label in points.labels)
    facts = PointFacts(dataclasses.replace(points, labels=years), model)
    assert Choice(ColourBy.CORRECT) not in choices(facts)


def test_duplicates_in_another_split_stand_out(points: Points, model: ModelInfo) -> None:
    colours = made(points, model, ColourBy.DUPLICATE)
    # 0 and 3 are both of the test split; 4 and 5 are not of the same one, which nobody wants.
    assert points.splits[0] == points.splits[3]
    assert told(colours) == {"no duplicate": 56, "has a duplicate": 4}
    assert colours.height(frozenset())[[0, 1]].tolist() == [2, 1]
    leaky = dataclasses.replace(points, duplicates=np.array([[0, 3], [2, 3]]))
    assert told(made(leaky, model, ColourBy.DUPLICATE)) == {
        "no duplicate": 57,
        "has a duplicate": 1,
        "duplicate in another split": 2,
    }


def test_columns_of_numbers_are_scales_and_of_text_are_classes(points: Points, model: ModelInfo) -> None:
    numbers = made(points, model, ColourBy.COLUMN, "brightness")
    assert numbers.scale is not None
    assert (numbers.scale.low, numbers.scale.high, numbers.scale.unknown) == (5.0, 59.0, 5)
    assert numbers.level[[0, 5, 59]].tolist() == [255, 0, 254]
    assert "Linear scale" in numbers.note
    assert told(made(points, model, ColourBy.COLUMN, "weather")) == {"rainy": 30, "sunny": 30}


def test_columns_are_written_under_names_of_their_own(points: Points, model: ModelInfo) -> None:
    values = np.full(COUNT, np.nan)
    values[1:3] = 0.1, 7
    clashing = (Column("label", values), Column("split", points.columns[1].values), *points.columns)
    text = as_csv(PointFacts(dataclasses.replace(points, columns=clashing), model), [0, 1, 2])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["label (2)"] for row in rows] == ["", "0.1", "7"]
    assert [row["label"] for row in rows] == list(points.labels[:3])
    assert [row["split"] for row in rows] == list(points.splits[:3])
    assert [row["split (2)"] for row in rows] == [row["weather"] for row in rows] == ["sunny", "rainy", "sunny"]
    assert {row["brightness"] for row in rows} == {""}


def test_what_is_torn_apart_stands_out(points: Points, model: ModelInfo) -> None:
    colours = made(points, model, ColourBy.PRESERVATION)
    assert colours.scale is not None
    assert (colours.scale.low, colours.scale.high, colours.scale.falling) == (0.0, 1.0, True)
    height = colours.height(frozenset())
    assert np.argmax(height) == np.argmin(points.preservation)
    table = colours.table(dark=True, ground=(0, 0, 0)).astype(int).sum(axis=1)
    assert table[0] > table[254], "on a dark ground, none kept is the brightest"


def test_numbers_beyond_the_usual_bounds_are_not_clipped(points: Points, model: ModelInfo) -> None:
    odd = points.preservation.copy()
    odd[3] = 1.5
    scale = made(dataclasses.replace(points, preservation=odd), model, ColourBy.PRESERVATION).scale
    assert scale is not None
    assert scale.high == 1.5


def test_what_has_no_label_is_grey_and_last(points: Points, model: ModelInfo) -> None:
    labels = ("", *points.labels[1:])
    groups = made(dataclasses.replace(points, labels=labels), model, ColourBy.LABEL).groups
    assert (groups[-1].name, groups[-1].colour, groups[-1].count) == ("no label", GREY, 1)


# ---------------------------------------------------------------------------------------------- legend


def many(points: Points, count: int) -> Points:
    return dataclasses.replace(points, labels=tuple(f"class {index % count}" for index in range(COUNT)))


def shown_classes(view: LatentView) -> list[str]:
    classes = view.map.legend.classes.classes
    return [str(classes.index(row).data()) for row in range(classes.rowCount())]


def cell(view: LatentView, row: int) -> QPoint:
    classes = view.map.legend.classes
    return classes.visualRect(classes.classes.index(row)).center()


def test_many_classes_can_be_searched_and_what_is_found_shown_alone(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    view.show_result(Result(Run("latent"), many(points, 50), (), model, 1.0))
    legend = view.map.legend
    assert legend.search.isVisible()
    qtbot.keyClicks(legend.search, "CLASS 1")
    assert shown_classes(view) == ["class 1 2", *(f"class {n} 1" for n in range(10, 20))]
    QTest.keyClick(legend.search, Qt.Key.Key_Return)
    assert len(legend.dimmed()) == 39
    assert legend.shown.text() == "11 of 50 shown"
    QTest.keyClick(legend.search, Qt.Key.Key_Escape)
    assert len(shown_classes(view)) == 50
    QTest.mouseClick(legend.show_all, LEFT)
    assert not legend.dimmed()
    assert not legend.show_all.isVisible()


def test_double_click_alt_click_and_enter_show_a_class_alone(shown: LatentView) -> None:
    legend = shown.map.legend
    port = legend.classes.viewport()
    for press in (
        lambda: QTest.mouseDClick(port, LEFT, NO_KEYS, cell(shown, 1)),
        lambda: QTest.mouseClick(port, LEFT, Qt.KeyboardModifier.AltModifier, cell(shown, 1)),
        lambda: QTest.keyClick(legend.classes, Qt.Key.Key_Return),
    ):
        legend.set_dimmed(frozenset())
        legend.classes.setCurrentIndex(legend.classes.classes.index(1))
        press()
        assert legend.dimmed() == {0, 2, 3}
    QTest.keyClick(legend.classes, Qt.Key.Key_Return)
    assert legend.dimmed() == frozenset(), "the same again shows all"
    legend.set_dimmed(frozenset({2}))
    QTest.keyClick(legend.classes, Qt.Key.Key_Escape)
    assert legend.dimmed() == frozenset()


def test_ten_thousand_classes_and_more(view: LatentView, points: Points, model: ModelInfo) -> None:
    size = 2 * MOST_CLASSES
    labels = tuple(f"class {n // 2 if n < 200 else n}" for n in range(size))
    huge = dataclasses.replace(repeated(points, size), labels=labels)
    view.show_result(Result(Run("latent"), huge, (), model, 1.0))
    classes = shown_classes(view)
    assert len(classes) == MOST_CLASSES
    assert classes[:2] == ["class 0 2", "class 1 2"], "the largest ones are among them"
    assert "other values" in classes[-1]
    counts = [group.count for group in view.map.legend.classes.classes.groups]
    assert sum(counts) == size


def test_a_scale_tells_raw_numbers_and_what_has_none(shown: LatentView) -> None:
    legend = shown.map.legend
    legend.colour_changed.emit(Choice(ColourBy.COLUMN, "brightness"))
    assert legend.scale.isVisible()
    assert legend.scale.numbers() == ("5", "32", "59")
    assert legend.scale.unknown() == "5 without a number"
    assert legend.colour.currentText() == "brightness"
    plot = shown.map.plot
    assert plot is not None
    plot.hovered.emit(20)
    assert shown.map._card is not None
    assert "brightness: 20" in shown.map._card.lines


# ------------------------------------------------------------------------------------------- distortion


def test_title_tells_both_kinds_of_distortion(points: Points) -> None:
    assert verdict(points) == (
        "Trustworthiness 0.93: most neighbours on this map are true neighbours. "
        "Continuity 0.81: many true neighbours are torn apart on it; distances between far groups mean little."
    )


def test_kept_neighbours_are_counted_where_they_can_be() -> None:
    assert kept(7 / 12, 12) == "Neighbours kept on the map: 7 of 12 (58 %)"
    assert kept(0.4, 12) == "Neighbours kept on the map: 40 %"
    assert kept(float("nan"), 12) == ""


def test_the_ranking_of_another_dataset_begins_at_its_top(shown: LatentView, points: Points) -> None:
    ranking = shown.map.ranking
    ranking.scrollToBottom()
    assert ranking.verticalScrollBar().value() > 0
    shown.show_preview(dataclasses.replace(points, folder="/another", paths=tuple(f"/other{p}" for p in points.paths)))
    assert ranking.verticalScrollBar().value() == 0


def test_the_map_keeps_its_height_when_a_picture_is_chosen(shown: LatentView) -> None:
    before = shown.map.strip.height()
    shown.bench.choose(7)
    QApplication.processEvents()
    assert shown.map.strip.list.isVisible()
    assert shown.map.strip.height() == before


def test_while_nothing_is_chosen_the_strip_says_what_to_do(shown: LatentView) -> None:
    strip = shown.map.strip
    (sentence,) = strip.invitation.findChildren(QLabel)
    assert sentence.isVisible()
    assert sentence.text().startswith("Click a point to open its picture")
    # In the middle of the strip, as wide as it needs to be.
    middle = sentence.mapTo(strip, sentence.rect().center())
    assert abs(middle.x() - strip.rect().center().x()) <= 1
    assert sentence.width() >= sentence.fontMetrics().horizontalAdvance("Click a point to open its picture and see its")
    assert not strip.facts.text()
    shown.bench.choose(7)
    assert not sentence.isVisible()
    assert strip.facts.text()
    shown.bench.choose(-1)
    assert sentence.isVisible()


def test_the_strip_tells_how_near_neighbours_are_on_the_map(shown: LatentView, points: Points) -> None:
    shown.bench.choose(7)
    strip = shown.map.strip
    flat = np.linalg.norm(points.xy - points.xy[7], axis=1)
    near = points.neighbours[7]
    wanted = [int((np.delete(flat, 7) < flat[other]).sum()) + 1 for other in near]
    assert [strip.points.index(row).data(Role.PLOT_RANK) for row in range(12)] == wanted
    number = round(float(points.preservation[7]) * 12)
    assert sum(rank <= 12 for rank in wanted) == number
    assert strip.heading.text().startswith(f"Neighbours kept: {number} of 12")
    tooltip = str(strip.points.index(2).data(Qt.ItemDataRole.ToolTipRole))
    assert "3rd nearest in the full space" in tooltip
    plot = shown.map.plot
    assert plot is not None
    plot.hovered.emit(7)
    assert shown.map._card is not None
    assert any(line.startswith(f"Neighbours kept on the map: {number} of 12") for line in shown.map._card.lines)


def test_without_neighbours_it_says_so(view: LatentView, points: Points, model: ModelInfo) -> None:
    none = dataclasses.replace(points, neighbours=np.zeros((COUNT, 0), np.int64))
    view.show_result(Result(Run("latent"), none, (), model, 1.0))
    view.bench.choose(3)
    assert "neighbours are not known" in view.map.strip.heading.text()
    assert view.map.strip.points.rowCount() == 0


# ------------------------------------------------------------------------------------------- selection


def test_what_is_framed_on_the_map_comes_into_the_gallery(shown: LatentView, points: Points) -> None:
    plot = shown.map.plot
    assert plot is not None
    cats = [row for row in range(COUNT) if points.labels[row] == "cat"][:5]
    dogs = [row for row in range(COUNT) if points.labels[row] == "dog"][:2]
    plot.selected.emit(np.array(sorted(cats + dogs)), "replace")
    assert shown.bench.selected.tolist() == sorted(cats + dogs)
    assert shown.map.selected.isVisible()
    assert shown.map.selected.summary.text() == "7 selected: 5 cat, 2 dog"
    gallery = shown.map.selected.gallery
    assert [gallery.points.point(row) for row in range(gallery.points.rowCount())] == sorted(cats + dogs)
    assert plot.canvas.scene.selected is not None
    assert np.flatnonzero(plot.canvas.scene.selected).tolist() == sorted(cats + dogs)
    QTest.mouseClick(shown.map.selected.clear, LEFT)
    assert not len(shown.bench.selected)
    assert shown.map.ranking.isVisible()


def test_a_click_in_the_gallery_chooses_and_enter_opens(shown: LatentView, points: Points, qtbot: QtBot) -> None:
    shown.bench.select([3, 8, 20])
    gallery = shown.map.selected.gallery
    with qtbot.assertNotEmitted(shown.open_image):
        QTest.mouseClick(gallery.viewport(), LEFT, NO_KEYS, gallery.visualRect(gallery.points.index(1)).center())
    assert shown.bench.point == 8
    with qtbot.waitSignal(shown.open_image) as caught:
        QTest.keyClick(gallery, Qt.Key.Key_Return)
    assert caught.args == [points.paths[8]]
    shown.bench.choose(20)
    assert gallery.currentIndex().row() == 2


def test_of_thousands_the_chosen_one_comes_into_sight(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    view.show_result(Result(Run("latent"), repeated(points, 6000), (), model, 1.0))
    view.bench.select(np.arange(6000))
    view.bench.choose(5000)
    gallery = view.map.selected.gallery
    index = gallery.points.index(5000)
    qtbot.waitUntil(lambda: gallery.visualRect(index).height() > 0)
    qtbot.waitUntil(lambda: gallery.viewport().rect().contains(gallery.visualRect(index).center()))
    assert gallery.currentIndex() == index


def test_marking_narrows_and_delete_takes_out(shown: LatentView) -> None:
    shown.bench.select([3, 8, 20, 40])
    panel = shown.map.selected
    gallery = panel.gallery

    def press(row: int, keys: Qt.KeyboardModifier) -> None:
        QTest.mouseClick(gallery.viewport(), LEFT, keys, gallery.visualRect(gallery.points.index(row)).center())

    press(0, NO_KEYS)
    press(2, Qt.KeyboardModifier.ShiftModifier)
    assert panel.rows().tolist() == [3, 8, 20]
    assert panel.summary.text().startswith("3 of 4 marked: ")
    press(1, Qt.KeyboardModifier.ControlModifier)
    assert panel.rows().tolist() == [3, 20]
    QTest.mouseClick(panel.narrow, LEFT)
    assert shown.bench.selected.tolist() == [3, 20]
    gallery.selectionModel().select(gallery.points.index(0), QItemSelectionModel.SelectionFlag.Select)
    QTest.keyClick(gallery, Qt.Key.Key_Delete)
    assert shown.bench.selected.tolist() == [20]
    QTest.keyClick(gallery, Qt.Key.Key_Escape)
    assert not len(shown.bench.selected)


def test_selections_are_written_as_table_and_as_list(
    shown: LatentView, points: Points, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    shown.bench.select([12, 3])
    actions = {action.text(): action for action in shown.map.selected.export.menu().actions()}
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(folder / "some"), ""))
    for name in ("Save as CSV…", "Save list of files…"):
        with qtbot.waitSignal(shown.status, check_params_cb=lambda text: text.startswith("Saved")):
            actions[name].trigger()
    assert sorted(file.name for file in folder.iterdir()) == ["some.csv", "some.txt"]
    rows = list(csv.DictReader(io.StringIO((folder / "some.csv").read_text())))
    assert [row["path"] for row in rows] == [points.paths[3], points.paths[12]]
    assert (rows[1]["prediction"], rows[1]["split"], rows[1]["weather"]) == ("dog", points.splits[12], "sunny")
    assert (folder / "some.txt").read_text().splitlines() == [points.paths[3], points.paths[12]]
    with qtbot.waitSignal(shown.status):
        actions["Copy list of files"].trigger()
    assert QGuiApplication.clipboard().text() == (folder / "some.txt").read_text()


def test_a_selection_in_words() -> None:
    assert summary(1204, [("", 1204)]) == "1,204 selected"
    assert summary(34, [("cat", 20), ("dog", 14)]) == "34 selected: 20 cat, 14 dog"
    six = [(name, 9 - place) for place, name in enumerate("abcdef")]
    assert summary(39, six) == "39 selected: 9 a, 8 b, 7 c, 6 d, 9 of 2 other labels"
    assert summary(2, [("a" * 5000 + "b", 2)]) == f"2 selected: 2 {'a' * 16}…{'a' * 15}b"
    assert summary(2, [("cat", 1), ("", 1)]) == "2 selected: 1 cat, 1 without a label"


# ----------------------------------------------------------------------------------------- parts of a map


def test_a_part_is_projected_anew_and_the_whole_comes_back(
    shown: LatentView, whole: Result, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    rows = np.arange(4, 24)
    shown.bench.choose(8)
    shown.bench.select(rows)
    with qtbot.waitSignal(shown.command_wanted) as caught:
        QTest.mouseClick(shown.map.selected.reproject, LEFT)
    (command,) = caught.args
    assert isinstance(command, Reproject)
    assert command.result is whole
    assert command.rows == tuple(rows.tolist())
    part = Result(whole.run, part_of(points, rows), (), model, 1.0)
    shown.show_outcome(command, part)
    assert [crumb.text() for crumb in shown.bar.crumbs] == ["60 pictures ›"]
    assert shown.bar.title.text().startswith("UMAP of block5_relu · 20 pictures")
    assert shown.bench.point == 4, "the picture that was chosen stays chosen"
    assert shown.on_screen(whole) is part
    shown.show_result(whole)
    assert shown.on_screen(whole) is part, "coming back to the tab changes nothing"
    QTest.mouseClick(shown.bar.crumbs[0], LEFT)
    assert shown.on_screen(whole) is whole
    assert shown.bench.facts is not None
    assert len(shown.bench.facts) == COUNT
    assert shown.bench.point == 8
    assert shown.bench.selected.tolist() == rows.tolist()
    assert not shown.bar.crumbs


def test_a_part_under_way_moves_and_is_given_up(
    shown: LatentView, whole: Result, points: Points, model: ModelInfo
) -> None:
    rows = np.arange(10)
    command = Reproject(whole, tuple(rows.tolist()))
    shown.show_working(command, dataclasses.replace(part_of(points, rows), final=False))
    assert shown.bench.facts is not None
    assert len(shown.bench.facts) == 10
    assert [crumb.text() for crumb in shown.bar.crumbs] == ["60 pictures ›"]
    shown.show_given_up(command)
    assert len(shown.bench.facts) == COUNT
    other = Result(whole.run, points, (), model, 1.0)
    shown.show_outcome(Reproject(other, (1, 2, 3)), Result(whole.run, part_of(points, rows), (), model, 1.0))
    assert len(shown.bench.facts) == COUNT, "a part of a map that is not shown any more"


# ---------------------------------------------------------------------------------------- placed pictures


def located(points: Points, name: str, like: int, outlier: float) -> Located:
    near = points.neighbours[like][:4]
    distances = np.linalg.norm(points.features[near] - points.features[like], axis=1).astype(np.float64)
    return Located(
        name, "d" + name, None, points.layer, frozen(points.xy[like] + 0.1), frozen(near), frozen(distances), outlier,
        points.logits[like],
    )  # fmt: skip


def test_dropped_files_are_placed_and_those_of_the_dataset_chosen(
    shown: LatentView, whole: Result, points: Points, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(shown.command_wanted):
        shown.map.picture_dropped.emit(points.paths[17])
    assert shown.bench.point == 17
    new = tmp_path / "new.png"
    Image.new("RGB", (50, 20), (1, 2, 3)).save(new)
    with qtbot.waitSignal(shown.command_wanted) as caught:
        shown.map.picture_dropped.emit(str(new))
    (command,) = caught.args
    assert isinstance(command, Locate)
    assert (command.result is whole, command.image.name, command.image.path) == (True, "new.png", str(new))
    middle = float(np.sort(points.outlier)[30])
    shown.show_outcome(command, located(points, "new.png", 5, middle))
    strip = shown.map.strip
    assert (strip.name.text(), shown.bench.point) == ("new.png", -1)
    assert "Odder than 50 % of the dataset" in strip.facts.text()
    assert "Prediction: dog" in strip.facts.text()
    assert [strip.points.point(row) for row in range(4)] == points.neighbours[5][:4].tolist()
    plot = shown.map.plot
    assert plot is not None
    assert len(plot.canvas.marking.located) == 1
    picture = QImage(8, 8, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    with qtbot.waitSignal(shown.command_wanted) as caught:
        shown.map.picture_dropped.emit(picture)
    assert caught.args[0].image.pixels[0, 0].tolist() == [255, 0, 0]


def test_several_placed_pictures_can_be_chosen_and_removed(shown: LatentView, whole: Result, points: Points) -> None:
    image = load_image(points.paths[0])
    for number, name in enumerate(("one.png", "two.png")):
        given = dataclasses.replace(image, name=name, digest=str(number))
        shown.show_outcome(Locate(whole, given), located(points, name, number, 1.0))
    assert [placed.located.name for placed in shown.bench.placed] == ["one.png", "two.png"]
    row = shown.map.guests
    assert row.isVisible()
    assert row.buttons[1].isChecked()
    QTest.mouseClick(row.buttons[0], LEFT)
    assert shown.map.strip.name.text() == "one.png"
    shown.bench.choose(9)
    assert (shown.bench.guest, shown.map.strip.name.text()) == (None, "09.png")
    assert not any(button.isChecked() for button in row.buttons)
    QTest.mouseClick(row.buttons[1], LEFT)
    QTest.mouseClick(shown.map.strip.remove, LEFT)
    assert [placed.located.name for placed in shown.bench.placed] == ["one.png"]
    shown.bench.forget_placed()
    assert not row.isVisible()


def test_the_picture_in_the_tray_can_be_placed(shown: LatentView, points: Points, tmp_path: Path, qtbot: QtBot) -> None:
    other = tmp_path / "elsewhere.png"
    Image.new("RGB", (9, 9)).save(other)
    strip = shown.map.strip
    assert not strip.place.isVisible()
    shown.selection.set_image(load_image(other))
    assert strip.place.isVisible()
    with qtbot.waitSignal(shown.command_wanted) as caught:
        QTest.mouseClick(strip.place, LEFT)
    assert caught.args[0].image is shown.selection.image
    shown.selection.set_image(load_image(points.paths[2]))
    assert not strip.place.isVisible()
    assert shown.bench.point == 2


def test_similar_pictures_are_found_for_what_is_chosen(shown: LatentView, points: Points) -> None:
    sent: list[str] = []
    shown.open_image.connect(sent.append)
    shown.show_method.connect(sent.append)
    shown.bench.choose(6)
    QTest.mouseClick(shown.map.strip.similar, LEFT)
    assert sent == [points.paths[6], "retrieve"]


# ------------------------------------------------------------------------------------- growing, and many


def test_more_pictures_keep_choice_and_selection(
    view: LatentView, points: Points, model: ModelInfo, whole: Result
) -> None:
    view.selection.set_model(model)
    first = dataclasses.replace(part_of(points, np.arange(20)), final=False, expected=1204)
    view.show_preview(first)
    assert view.bar.title.text() == "Reading: 20 of 1,204 pictures · block5_relu"
    assert "Still reading" in view.map.header.verdict.text()
    view.bench.choose(7)
    view.bench.select([1, 2, 3])
    plot = view.map.plot
    assert plot is not None
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    zoomed = plot.canvas.box.viewRange()[0]
    view.show_preview(dataclasses.replace(part_of(points, np.arange(45)), final=False, expected=1204))
    assert np.allclose(plot.canvas.box.viewRange()[0], zoomed), "the view stays where the user has put it"
    assert plot.chosen() == 7
    assert plot.canvas.scene.selected is not None
    assert np.flatnonzero(plot.canvas.scene.selected).tolist() == [1, 2, 3]
    assert view.bench.point == 7
    assert view.bench.selected.tolist() == [1, 2, 3]
    view.show_result(whole)
    assert view.bench.point == 7
    assert view.bench.selected.tolist() == [1, 2, 3]
    assert view.map.selected.isVisible()


def test_what_takes_long_is_worked_out_beside_the_window(
    view: LatentView, points: Points, model: ModelInfo, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr("convviz_gui.gui.latent.point_orders.LARGE", 50)
    monkeypatch.setattr("convviz_gui.gui.latent.point_facts.LARGE", 50)
    view.show_result(Result(Run("latent"), points, (), model, 1.0))
    assert view.map.legend.note.text() == "Sorting out 60 pictures…"
    assert view.map.ranking.points.rowCount() == 0
    view.bench.choose(3)
    assert "Rank" not in view.map.strip.facts.text()
    qtbot.waitUntil(lambda: len(shown_classes(view)) == 4)
    assert view.map.ranking.points.rowCount() == COUNT
    view.map.legend.colour_changed.emit(Choice(ColourBy.SPLIT))
    qtbot.waitUntil(lambda: shown_classes(view) == ["test 20", "train 40"])


def test_neighbours_that_are_not_with_the_map_are_asked_for(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    origin = Origin("Net", "demo", "", True, "0", 4, model.preprocess, "float32", "/store", CLASSES, whole=False)
    lazy = dataclasses.replace(
        points,
        neighbours=np.zeros((COUNT, 0), np.int64),
        features=np.zeros((0, 16), np.float32),
        preservation=np.zeros(0, np.float32),
        origin=origin,
    )
    whole = Result(Run("latent"), lazy, (), model, 1.0)
    view.show_result(whole)
    view.bench.choose(3)
    with qtbot.waitSignal(view.command_wanted) as caught:
        view.bench.choose(7)
    assert caught.args == [Nearest(whole, 7)], "of pictures passed over, none is asked about"
    assert view.map.strip.heading.text() == "Looking for its neighbours among 60 pictures…"
    near = points.neighbours[7]
    distances = np.linalg.norm(points.features[near] - points.features[7], axis=1).astype(np.float64)
    found = dataclasses.replace(located(points, "07.png", 7, 1.0), neighbours=frozen(near), distances=frozen(distances))
    view.show_outcome(Nearest(whole, 7), found)
    strip, plot = view.map.strip, view.map.plot
    assert [strip.points.point(row) for row in range(12)] == near.tolist()
    assert float(str(strip.points.index(0).data(Role.SCORE))) == pytest.approx(distances[0], rel=1e-3)
    assert plot is not None
    assert plot.canvas.marking.neighbours == tuple(near.tolist())
    view.bench.choose(3)
    view.bench.choose(7)
    assert strip.points.rowCount() == 12, "and is remembered"


def test_the_card_leaves_most_of_a_small_map_uncovered(shown: LatentView, qtbot: QtBot) -> None:
    plot, card = shown.map.plot, shown.map._card
    assert plot is not None
    assert card is not None
    shown.resize(640, 480)
    qtbot.waitUntil(lambda: plot.width() < 500)
    plot.hovered.emit(7)
    assert card.width() <= plot.width() // 2
    assert card.height() <= plot.height() * 0.6
    assert len(card.lines) >= 3
    assert shown.bench.facts is not None
    long = "Neighbours kept on the map: 7 of 12 (58 %)"
    card.show_point(shown.bench.facts, 7, QPoint(10, 10), ("Label: cat", long))
    wide = card.fontMetrics().horizontalAdvance(long) > card.width() - 16
    wrapped = card.height()
    card.show_point(shown.bench.facts, 7, QPoint(10, 10), ("Label: cat", "cat"))
    # On more lines than one: what is cut short might lose its number.
    assert wide
    assert wrapped > card.height()


def test_the_plot_is_there_before_the_first_points(view: LatentView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: view.map.plot is not None, timeout=20_000)
    assert view.bench.facts is None


def test_the_side_keeps_its_share_though_the_plot_was_built_before_the_page_was_seen(
    view: LatentView, whole: Result, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: view.map.plot is not None, timeout=20_000)
    view.show_result(whole)
    QGuiApplication.processEvents()
    assert view.map.plot is not None
    assert 200 <= view.map.side.width() <= 300
    assert view.map.plot.width() > 2 * view.map.side.width()
