"""The desk with real pictures and a real journal on disk: reviewed by keyboard, as a person does."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.desk.queues import QueueKind
from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.desk.review_export import FileList
from convviz_gui.engine.desk.review_journal import journal_path, sources_of
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.types import ModelInfo, Result, Run
from convviz_gui.gui.desk.decision_bar import Do
from convviz_gui.gui.desk.desk_page import DeskPage
from convviz_gui.gui.desk.review_model import Column
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.latent import LatentView
from tests.gui.latent_data import coloured_pictures, distances, network

CLASSES = ("cat", "dog", "car")
COUNT = 60
SUSPECTS = (7, 3, 20, 11)
"""Rows, likeliest first."""

KEEP, EXCLUDE = Decision(Verdict.KEEP), Decision(Verdict.EXCLUDE)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("desk")
    coloured_pictures(root, COUNT, CLASSES, (30, 20))
    return root


@pytest.fixture
def points(folder: Path) -> Points:
    rng = np.random.default_rng(2)
    suspects = np.full(COUNT, 0.05, np.float32)
    suspects[list(SUSPECTS)] = [0.95, 0.9, 0.8, 0.6]
    features = (3 * rng.normal(size=(3, 8))[np.arange(COUNT) % 3] + 0.2 * rng.normal(size=(COUNT, 8))).astype(
        np.float32
    )
    return Points(
        layer="block5_relu",
        folder=str(folder),
        projection="pca",
        paths=tuple(str(folder / CLASSES[row % 3] / f"{row:02d}.png") for row in range(COUNT)),
        labels=tuple(CLASSES[row % 3] for row in range(COUNT)),
        splits=tuple("train" if row < 40 else "test" for row in range(COUNT)),
        features=features,
        xy=features[:, :2].copy(),
        logits=(4 * np.eye(3)[np.arange(COUNT) % 3]).astype(np.float32),
        outlier=rng.uniform(1, 2, COUNT).astype(np.float32),
        neighbours=np.argsort(distances(features), axis=1)[:, :6],
        suspects=suspects,
        suggested=tuple("bird" if row == 7 else CLASSES[(row + 1) % 3] for row in range(COUNT)),
        ambiguity=rng.uniform(0, 1, COUNT).astype(np.float32),
        duplicates=np.array([[1, 2], [5, 45], [8, 9]]),
        duplicate_distance=np.array([0, 0.01, 0.2], np.float32),
        digests=tuple(f"digest {row}" for row in range(COUNT)),
    )


@pytest.fixture(scope="session")
def model() -> ModelInfo:
    return network(CLASSES)


def new_view(qtbot: QtBot, points: Points, model: ModelInfo, width: int = 1100) -> LatentView:
    view = LatentView(Selection())
    qtbot.addWidget(view, before_close_func=close)
    view.resize(width, 640)
    with qtbot.waitExposed(view):
        view.show()
    view.show_result(Result(Run("latent", folder=points.folder), points, (), model, 1.0))
    view.switch.show_page("Desk")
    qtbot.waitUntil(lambda: view.bench.review.ready)
    view.desk.table.setFocus()
    return view


def close(view: LatentView) -> None:
    view.bench.review.close()
    view.thumbnails.close()
    view.desk.pane.large.close()


@pytest.fixture
def view(qtbot: QtBot, points: Points, model: ModelInfo) -> LatentView:
    return new_view(qtbot, points, model)


@pytest.fixture
def desk(view: LatentView) -> DeskPage:
    return view.desk


def press(desk: DeskPage, *keys: str | Qt.Key) -> None:
    for key in keys:
        if isinstance(key, str):
            QTest.keyClicks(desk.table, key)
        else:
            QTest.keyClick(desk.table, key)


def control(desk: DeskPage, key: Qt.Key, *, shift: bool = False) -> None:
    held = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(desk.table, key, held | Qt.KeyboardModifier.ShiftModifier if shift else held)


def decided(desk: DeskPage) -> dict[int, Decision]:
    return desk.keeper.decisions()


def current(desk: DeskPage) -> int:
    return desk.rows.row(desk.table.place())


def saved(desk: DeskPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desk.keeper.words == "Saved")
    assert desk.panel.saved.text() == "Saved"


# --------------------------------------------------------------------------------------------- by keyboard


def test_keys_decide_and_go_on_to_the_next_undecided(desk: DeskPage, qtbot: QtBot) -> None:
    assert desk.kind is QueueKind.SUSPECTS
    assert [desk.rows.row(place) for place in range(4)] == list(SUSPECTS)
    assert current(desk) == 7
    press(desk, "k", "x")
    assert decided(desk) == {7: KEEP, 3: EXCLUDE}
    assert current(desk) == 20
    assert "24 of 60 pictures, 2 reviewed" in desk.panel.count.text()
    assert (desk.panel.done.value(), desk.panel.done.maximum()) == (2, 24)
    press(desk, "j")
    assert current(desk) == 11
    press(desk, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up)
    assert current(desk) == 7
    # What is decided is passed over, and from the end it goes on at the top.
    press(desk, "j")
    assert current(desk) == 20
    saved(desk, qtbot)


def test_a_review_is_there_again(view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    press(view.desk, "k", "x")
    saved(view.desk, qtbot)
    again = new_view(qtbot, points, model).desk
    assert decided(again) == {7: KEEP, 3: EXCLUDE}
    assert current(again) == 20
    control(again, Qt.Key.Key_Z)
    assert decided(again) == {7: KEEP}
    assert current(again) == 3
    control(again, Qt.Key.Key_Z, shift=True)
    assert decided(again) == {7: KEEP, 3: EXCLUDE}


def test_relabelling_takes_the_suggestion_with_enter(desk: DeskPage) -> None:
    press(desk, "r")
    assert desk.decider.chooser.isVisible()
    assert desk.decider.chooser.line.hasFocus()
    assert desk.decider.chooser.offered()[0] == "bird"
    QTest.keyClick(desk.decider.chooser.line, Qt.Key.Key_Return)
    assert decided(desk) == {7: Decision(Verdict.RELABEL, "bird")}
    assert not desk.decider.chooser.isVisible()
    assert desk.table.hasFocus()
    assert current(desk) == 3


def test_typing_narrows_the_labels_and_a_new_one_comes_last(desk: DeskPage) -> None:
    press(desk, "r")
    line = desk.decider.chooser.line
    QTest.keyClicks(line, "ca")
    assert desk.decider.chooser.offered() == ["car", "cat", "ca"]
    QTest.keyClick(line, Qt.Key.Key_Down)
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert decided(desk) == {7: Decision(Verdict.RELABEL, "cat")}
    press(desk, "r")
    QTest.keyClicks(line, "wolf & <b>cub</b>")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert decided(desk)[3] == Decision(Verdict.RELABEL, "wolf & <b>cub</b>")
    # It is a label from now on.
    press(desk, "r")
    assert "wolf & <b>cub</b>" in desk.decider.chooser.offered()
    QTest.keyClick(line, Qt.Key.Key_Escape)
    assert not desk.decider.chooser.isVisible()
    assert 20 not in decided(desk)


def test_the_label_it_has_already_keeps_a_picture(desk: DeskPage) -> None:
    press(desk, "r")
    QTest.keyClicks(desk.decider.chooser.line, "dog")
    QTest.keyClick(desk.decider.chooser.line, Qt.Key.Key_Return)
    assert decided(desk) == {7: KEEP}


def test_a_note_stays_with_whatever_is_decided(desk: DeskPage) -> None:
    press(desk, "n")
    QTest.keyClicks(desk.decider.note.line, "two cats, K and X")
    QTest.keyClick(desk.decider.note.line, Qt.Key.Key_Return)
    assert decided(desk) == {7: Decision(note="two cats, K and X")}
    assert current(desk) == 7
    press(desk, "x")
    assert decided(desk)[7] == EXCLUDE.with_note("two cats, K and X")
    press(desk, Qt.Key.Key_Up, "u")
    assert decided(desk)[7] == Decision(note="two cats, K and X")
    press(desk, "n")
    assert desk.decider.note.line.text() == "two cats, K and X"
    QTest.keyClick(desk.decider.note.line, Qt.Key.Key_Backspace)
    QTest.keyClick(desk.decider.note.line, Qt.Key.Key_Return)
    assert decided(desk) == {}


def test_many_are_decided_at_once_and_undone_at_once(desk: DeskPage) -> None:
    for _ in range(3):
        QTest.keyClick(desk.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(desk, "x")
    assert decided(desk) == dict.fromkeys(SUSPECTS, EXCLUDE)
    assert desk.table.place() == 4
    control(desk, Qt.Key.Key_Z)
    assert decided(desk) == {}


def test_buttons_do_what_their_keys_do_and_leave_the_keyboard_to_the_list(desk: DeskPage, qtbot: QtBot) -> None:
    assert not desk.bar.buttons[Do.UNDO].isEnabled()
    qtbot.mouseClick(desk.bar.buttons[Do.EXCLUDE], Qt.MouseButton.LeftButton)
    assert decided(desk) == {7: EXCLUDE}
    assert desk.table.hasFocus()
    qtbot.mouseClick(desk.bar.buttons[Do.UNDO], Qt.MouseButton.LeftButton)
    assert decided(desk) == {}
    qtbot.mouseClick(desk.bar.buttons[Do.REDO], Qt.MouseButton.LeftButton)
    assert decided(desk) == {7: EXCLUDE}


def test_letters_decide_wherever_the_keyboard_is_on_the_page(desk: DeskPage) -> None:
    for part in (desk.list, desk.pane.neighbours, desk.pane.sides[1].picture):
        part.setFocus()
        QTest.keyClicks(part, "k")
    assert decided(desk) == dict.fromkeys(SUSPECTS[:3], KEEP)


def test_enter_opens_in_the_tray_and_m_shows_the_point(view: LatentView, points: Points, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.open_image) as caught:
        press(view.desk, Qt.Key.Key_Return)
    assert caught.args == [points.paths[7]]
    press(view.desk, Qt.Key.Key_Down, "m")
    assert view.pages.currentWidget() is view.map
    assert view.bench.point == 3


def test_a_point_chosen_on_the_map_is_current_on_the_desk(view: LatentView) -> None:
    view.bench.choose(20)
    assert current(view.desk) == 20
    # One that is not in the list changes nothing.
    view.bench.choose(59)
    assert current(view.desk) == 20


def test_the_windows_keys_do_not_get_in_the_way(
    window: MainWindow, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    window.tabs.show("latent space")
    view = window.tabs.tabs["latent space"].view
    assert isinstance(view, LatentView)
    view.show_result(Result(Run("latent", folder=points.folder), points, (), model, 1.0))
    view.switch.show_page("Desk")
    qtbot.waitUntil(lambda: view.bench.review.ready)
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    desk = view.desk
    [about_channel] = [action for action in window.findChildren(QAction) if action.shortcut().toString() == "U"]
    told: list[bool] = []
    about_channel.triggered.connect(lambda: told.append(True))
    # Elsewhere the key is the window's.
    QTest.keyClick(view.switch.button("Desk"), Qt.Key.Key_U)
    assert len(told) == 1
    desk.table.setFocus()
    for key in ("K", "U"):
        QTest.keyClick(desk.table, Qt.Key[f"Key_{key}"])
    assert len(told) == 1
    assert decided(desk) == {7: KEEP}
    control(desk, Qt.Key.Key_Z)
    assert decided(desk) == {}


# ---------------------------------------------------------------------------------------------- the lists


def test_of_a_pair_one_is_excluded_or_both_are_kept(desk: DeskPage) -> None:
    desk.choose_list(QueueKind.DUPLICATES)
    assert [(desk.rows.partner(place), desk.rows.row(place)) for place in range(3)] == [(1, 2), (45, 5), (8, 9)]
    assert desk.pane.sides[0].isVisible()
    assert "Same pixels" in desk.pane.about.text()
    press(desk, "s", "x")
    assert decided(desk) == {1: EXCLUDE}
    press(desk, "k")
    assert decided(desk) == {1: EXCLUDE, 5: KEEP, 45: KEEP}
    assert "3 pairs, 2 reviewed" in desk.panel.count.text()
    assert current(desk) == 9


def test_of_a_leak_the_training_picture_is_decided_about(desk: DeskPage) -> None:
    desk.choose_list(QueueKind.LEAKS)
    assert (desk.rows.partner(0), desk.rows.row(0), desk.rows.rowCount()) == (45, 5, 1)
    assert desk.rows.index(0, Column.LABEL).data() == "train ⇄ test"
    assert "in two splits" in desk.pane.about.text()


def test_lists_are_counted_and_say_why_they_are_empty(view: LatentView, points: Points, model: ModelInfo) -> None:
    desk = view.desk
    assert "Label suspects" in desk.panel.box.itemText(0)
    press(desk, "k", "k")
    assert "2 / 24" in desk.panel.box.itemText(0)
    bare = dataclasses.replace(
        points, labels=("",) * COUNT, suspects=np.zeros(0, np.float32), splits=(), layer="another", suggested=()
    )
    view.show_result(Result(Run("latent", folder=points.folder), bare, (), model, 1.0))
    desk.choose_list(QueueKind.SUSPECTS)
    assert desk.panel.why.isVisible()
    assert desk.panel.why.text().startswith("No labels: ")
    assert not desk.pane.isVisible()
    desk.choose_list(QueueKind.LEAKS)
    assert desk.panel.why.text().startswith("No splits: ")


@pytest.mark.parametrize("page", ["Map", "Desk"])
def test_suspects_are_shown_first_though_their_scores_come_last(
    qtbot: QtBot, points: Points, model: ModelInfo, page: str
) -> None:
    view = LatentView(Selection())
    qtbot.addWidget(view, before_close_func=close)
    with qtbot.waitExposed(view):
        view.show()
    view.switch.show_page(page)
    none = np.zeros(0, np.float32)
    view.show_preview(
        dataclasses.replace(points, outlier=none, suspects=none, ambiguity=none, suggested=(), final=False)
    )
    view.show_result(Result(Run("latent", folder=points.folder), points, (), model, 1.0))
    view.switch.show_page("Desk")
    assert view.desk.kind is QueueKind.SUSPECTS
    assert view.desk.rows.rowCount() == 24
    qtbot.waitUntil(lambda: view.bench.review.ready)


def test_more_of_a_list_is_shown_and_the_place_is_kept(desk: DeskPage) -> None:
    press(desk, Qt.Key.Key_Down, Qt.Key.Key_Down)
    assert desk.panel.more.isVisible()
    desk.panel.more.click()
    assert (desk.rows.rowCount(), current(desk)) == (48, 20)
    desk.panel.more.click()
    assert desk.rows.rowCount() == COUNT
    assert not desk.panel.more.isVisible()


def test_rows_are_sorted_by_a_click_and_keep_what_is_current(desk: DeskPage, points: Points) -> None:
    press(desk, "k")
    desk.table.sortByColumn(Column.LABEL, Qt.SortOrder.AscendingOrder)
    labels = [points.labels[desk.rows.row(place)] for place in range(desk.rows.rowCount())]
    assert labels == sorted(labels)
    assert current(desk) == 3
    desk.table.sortByColumn(Column.DECISION, Qt.SortOrder.DescendingOrder)
    assert desk.rows.row(0) == 7
    desk.table.sortByColumn(Column.RANK, Qt.SortOrder.AscendingOrder)
    assert [desk.rows.row(place) for place in range(4)] == list(SUSPECTS)


def test_what_is_selected_on_the_map_can_be_decided_together(view: LatentView) -> None:
    view.bench.select([30, 31, 32])
    view.desk.choose_list(QueueKind.SELECTED)
    control(view.desk, Qt.Key.Key_A)
    press(view.desk, "x")
    assert decided(view.desk) == dict.fromkeys((30, 31, 32), EXCLUDE)
    view.desk.choose_list(QueueKind.REVIEWED)
    assert [view.desk.rows.row(place) for place in range(3)] == [30, 31, 32]


def test_the_picture_tells_what_speaks_for_and_against_its_label(desk: DeskPage, points: Points, qtbot: QtBot) -> None:
    told = desk.pane.about.text()
    assert "Label: dog, rather bird" in told
    assert "Prediction: dog" in told
    labels = [points.labels[row] for row in points.neighbours[7]]
    assert desk.pane.votes.text() == f"{labels.count('dog')} of 6 neighbours: dog"
    qtbot.waitUntil(lambda: "30×20" in desk.pane.sides[1].detail.text())


def test_what_neighbours_are_is_read_to_its_end(points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    kinds = ("fire salamander", "spotted salamander", "common newt")
    near = dict(zip(points.neighbours[7].tolist(), itertools.cycle(kinds)))
    labels = tuple(near.get(row, "axolotl") for row in range(COUNT))
    votes = new_view(qtbot, dataclasses.replace(points, labels=labels), model, width=680).desk.pane.votes
    assert all(kind in votes.text() for kind in kinds)
    wide = votes.fontMetrics().horizontalAdvance(votes.text()) > votes.width()
    assert wide, "the case is one that needs two lines"
    assert votes.heightForWidth(votes.width()) > votes.fontMetrics().height()
    qtbot.waitUntil(lambda: votes.height() >= votes.heightForWidth(votes.width()))


def test_a_label_of_one_endless_word_makes_nothing_wider(points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    labels = tuple("salamander" * 9 for _ in range(COUNT))
    desk = new_view(qtbot, dataclasses.replace(points, labels=labels), model, width=680).desk
    assert desk.width() == 680


def test_it_fits_where_there_is_little_room(points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    desk = new_view(qtbot, points, model, width=560).desk
    assert desk.width() == 560
    assert desk.panel.box.isVisible()
    assert not desk.list.isVisible()
    assert desk.table.isColumnHidden(Column.LABEL)
    desk.choose_list(QueueKind.DUPLICATES)
    assert desk.width() == 560
    upper, lower = desk.pane.sides
    assert upper.geometry().bottom() < lower.geometry().top()


@pytest.mark.parametrize("width", [860, 960, 1300])
def test_names_have_room_however_the_columns_stand(points: Points, model: ModelInfo, qtbot: QtBot, width: int) -> None:
    table = new_view(qtbot, points, model, width=width).desk.table
    assert table.columnWidth(Column.PICTURE) >= 160


def test_names_from_files_are_shown_to_the_letter(view: LatentView, points: Points, model: ModelInfo) -> None:
    odd = "/d/<b>bold</b>/<img src='x'>.png"
    paths = (*points.paths[:7], odd, *points.paths[8:])
    changed = dataclasses.replace(points, paths=paths)
    view.show_result(Result(Run("latent", folder=points.folder), changed, (), model, 1.0))
    index = view.desk.rows.index(0, Column.PICTURE)
    assert index.data() == "<img src='x'>.png"
    assert "&lt;img" in str(index.data(Qt.ItemDataRole.ToolTipRole))
    assert view.desk.pane.sides[1].name.text() == "<img src='x'>.png"


# ------------------------------------------------------------------------------- saved, shared, exported


def test_a_disk_that_takes_nothing_is_told_and_tried_again(desk: DeskPage, points: Points, qtbot: QtBot) -> None:
    press(desk, "k")
    saved(desk, qtbot)
    size = journal_path(sources_of(points.folder)).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        press(desk, "x")
        qtbot.waitUntil(lambda: desk.keeper.trouble)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert desk.panel.saved.text().startswith("Not saved yet: The disk is full")
    assert decided(desk) == {7: KEEP, 3: EXCLUDE}
    press(desk, "k")
    saved(desk, qtbot)
    assert journal_path(sources_of(points.folder)).read_bytes().count(b'"step"') == 3


def test_a_journal_that_cannot_be_read_is_left_alone(points: Points, model: ModelInfo, qtbot: QtBot) -> None:
    path = journal_path(sources_of(points.folder))
    newer = b'{"convviz-review": 99, "generation": "x", "sources": []}\n{"what": "is this"}\n'
    path.write_bytes(newer)
    desk = new_view(qtbot, points, model).desk
    assert "Not saved: The review of" in desk.panel.saved.text()
    assert "newer ConvViz" in desk.panel.saved.text()
    press(desk, "k")
    assert decided(desk) == {7: KEEP}
    desk.keeper.close()
    assert path.read_bytes() == newer


def test_what_is_decided_last_is_saved_when_the_window_closes(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    press(view.desk, "k", "x", "k")
    QApplication.instance().aboutToQuit.emit()
    assert decided(new_view(qtbot, points, model).desk) == {7: KEEP, 3: EXCLUDE, 20: KEEP}


def test_two_windows_see_what_the_other_decides(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    other = new_view(qtbot, points, model).desk
    press(view.desk, "k")
    saved(view.desk, qtbot)
    press(other, Qt.Key.Key_Down, "x")
    qtbot.waitUntil(lambda: decided(other) == {7: KEEP, 3: EXCLUDE})
    # The first sees it with its own next step, and undoes that and not the other's.
    press(view.desk, Qt.Key.Key_Down, "x")
    qtbot.waitUntil(lambda: len(decided(view.desk)) == 3)
    control(view.desk, Qt.Key.Key_Z)
    assert decided(view.desk) == {7: KEEP, 3: EXCLUDE}


def test_the_map_is_told_what_is_decided(view: LatentView, qtbot: QtBot) -> None:
    press(view.desk, "k", "x")
    qtbot.waitUntil(lambda: len(view.bench.decisions) == COUNT)
    told = list(view.bench.decisions)
    assert (told[7], told[3], told[0]) == ("keep", "exclude", "")


def test_another_dataset_has_its_own_review(
    view: LatentView, points: Points, model: ModelInfo, tmp_path: Path, qtbot: QtBot
) -> None:
    press(view.desk, "k")
    elsewhere = dataclasses.replace(
        points,
        folder=str(tmp_path / "other"),
        paths=tuple(str(tmp_path / "other" / Path(path).name) for path in points.paths),
        digests=tuple(f"other {row}" for row in range(COUNT)),
    )
    view.show_result(Result(Run("latent", folder=elsewhere.folder), elsewhere, (), model, 1.0))
    qtbot.waitUntil(lambda: view.bench.review.ready)
    assert decided(view.desk) == {}
    press(view.desk, "x", "x")
    view.show_result(Result(Run("latent", folder=points.folder), points, (), model, 2.0))
    qtbot.waitUntil(lambda: view.bench.review.ready)
    assert decided(view.desk) == {7: KEEP}


def test_the_review_of_a_moved_dataset_is_offered(
    folder: Path, points: Points, model: ModelInfo, tmp_path: Path, qtbot: QtBot
) -> None:
    first = new_view(qtbot, points, model)
    press(first.desk, "k", "x")
    saved(first.desk, qtbot)
    close(first)
    there = tmp_path / "moved"
    shutil.copytree(folder, there)
    paths = tuple(str(there / Path(path).relative_to(folder)) for path in points.paths)
    desk = new_view(qtbot, dataclasses.replace(points, folder=str(there), paths=paths), model).desk
    qtbot.waitUntil(desk.notice.take_over.isVisible)
    assert f"2 of these pictures were reviewed in {folder}" in desk.notice.told.text()
    qtbot.mouseClick(desk.notice.take_over, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: decided(desk) == {7: KEEP, 3: EXCLUDE})
    control(desk, Qt.Key.Key_Z)
    assert decided(desk) == {}


def test_changed_pictures_are_not_what_was_decided_about(
    view: LatentView, points: Points, model: ModelInfo, qtbot: QtBot
) -> None:
    press(view.desk, "x")
    saved(view.desk, qtbot)
    other = dataclasses.replace(points, digests=(*points.digests[:7], "edited", *points.digests[8:]))
    desk = new_view(qtbot, other, model).desk
    assert decided(desk) == {}
    assert "1 picture has changed" in desk.notice.told.text()


def test_what_is_exported_is_what_was_decided(
    view: LatentView, points: Points, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = view.desk
    press(desk, "x", "k", "r")
    QTest.keyClick(desk.decider.chooser.line, Qt.Key.Key_Return)
    before = {path: path.stat() for path in Path(points.folder).rglob("*")}
    for name, do in (
        ("all", desk.exports.save_table),
        ("clean", desk.exports.save_cleaned),
        ("gone", lambda: desk.exports.save_list(FileList.EXCLUDED)),
    ):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, name=name: (str(tmp_path / name), ""))
        with qtbot.waitSignal(view.status, check_params_cb=lambda text: " in " in text):
            do()
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(rows[row]["decision"], rows[row]["new_label"]) for row in SUSPECTS[:3]] == [
        ("exclude", ""),
        ("keep", ""),
        ("relabel", "cat"),
    ]
    assert rows[7]["prediction"] == "dog"
    assert (tmp_path / "gone.txt").read_text() == f"{points.paths[7]}\n"
    assert len((tmp_path / "clean.csv").read_text().splitlines()) == COUNT
    assert {path: path.stat() for path in Path(points.folder).rglob("*")} == before

    control(desk, Qt.Key.Key_Z)
    control(desk, Qt.Key.Key_Z)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (str(tmp_path / "all.csv"), ""))
    desk.exports.load()
    qtbot.waitUntil(lambda: len(decided(desk)) == 3)
    assert "2 decisions taken over from all.csv" in desk.notice.told.text()


def test_an_export_that_fails_says_so(
    desk: DeskPage, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: said.append(args[2]))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(tmp_path / "no" / "where.csv"), ""))
    desk.exports.save_table()
    qtbot.waitUntil(lambda: bool(said))
    assert "No such file" in said[0]
