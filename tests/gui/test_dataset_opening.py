"""Folders, archives and tables on their way into the window: dropped, chosen, typed, opened again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Points
from convviz_gui.gui.forms.folder_row import FolderRow
from convviz_gui.gui.latent.thumbnails import decode
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos.intake import paths_of
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.window.window_state import sources_of

WAIT = 60_000


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Folders a and b, an archive and a table of a few noisy pictures."""
    rng = np.random.default_rng(0)
    for name in ("a/cat/1.png", "a/dog/2.png", "b/cat/3.png", "b/dog/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        for path in sorted(tmp_path.glob("?/*/*.png")):
            file.write(path, path.relative_to(tmp_path))
    (tmp_path / "list.csv").write_text("path,label,split\na/cat/1.png,cat,train\nb/dog/4.png,dog,test\n")
    return tmp_path


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag files over the window and let go, as the desktop does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at, copy = QPointF(window.rect().center()), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(at.toPoint(), copy, data, left, none)
    window.dragEnterEvent(entered)
    assert entered.isAccepted()
    dropped = QDropEvent(at, copy, data, left, none)
    window.dropEvent(dropped)
    assert dropped.isAccepted()


def names_in_tray(window: MainWindow) -> set[str]:
    return {Path(item.path).name for item in window.tray.model.items if item.path}


def row_of(window: MainWindow) -> FolderRow:
    return window.tabs.tabs["latent space"].panel.target.folder


def actions(menu: QMenu) -> dict[str, QAction]:
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions() if action.text()}


def test_a_dropped_archive_is_the_dataset(ready: MainWindow, qtbot: QtBot, made: Path) -> None:
    archive = made / "all.zip"
    drop(ready, archive)
    assert ready.selection.sources == (str(archive),)
    qtbot.waitUntil(lambda: names_in_tray(ready) == {"1.png", "2.png", "3.png", "4.png"}, timeout=WAIT)
    qtbot.waitUntil(lambda: _shown(ready) == f"{archive}/a/cat/1.png", timeout=WAIT)
    thumbnail = decode(f"{archive}/b/dog/4.png", 16)
    assert thumbnail is not None
    assert "nothing is unpacked" in row_of(ready).line.toolTip()
    assert row_of(ready).line.text() == str(archive)


def test_dropped_folders_are_splits_all_the_way(ready: MainWindow, qtbot: QtBot, made: Path) -> None:
    drop(ready, made / "a", made / "b")
    assert ready.selection.sources == (str(made / "a"), str(made / "b"))
    row = row_of(ready)
    assert row.line.text() == "2 folders as splits: a, b"
    assert f"b: {made / 'b'}" in row.line.toolTip()
    ready.tabs.show("latent space")
    tab = ready.tabs.current
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("projection", "pca"), ("neighbours", 1)))
    tab.run()
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    assert tab.result is not None
    points = tab.result.payload
    assert isinstance(points, Points)
    assert list(points.splits) == ["a", "a", "b", "b"]
    assert list(points.labels) == ["cat", "dog", "cat", "dog"]
    ready.commands.copy_python()
    code = _clipboard()
    assert f"folder={str(made / 'a')!r}" in code
    assert f"splits={(str(made / 'b'),)!r}" in code
    # What is known of two splits says nothing of one of them.
    ready.selection.set_folder(str(made / "a"))
    assert tab.result is None
    ready.selection.set_sources((str(made / "a"), str(made / "b")))
    qtbot.waitUntil(lambda: tab.result is not None, timeout=WAIT)
    assert ready.state.recent[0].startswith("[")
    assert sources_of(ready.state.recent[0]) == ready.selection.sources


def test_a_dropped_table_and_what_is_wrong_with_one(ready: MainWindow, qtbot: QtBot, made: Path) -> None:
    drop(ready, made / "list.csv")
    qtbot.waitUntil(lambda: names_in_tray(ready) == {"1.png", "4.png"}, timeout=WAIT)
    (made / "bad.csv").write_text("a,b\n1,2\n")
    drop(ready, made / "bad.csv")
    qtbot.waitUntil(ready.notices.isVisible, timeout=WAIT)
    assert "no column of paths" in ready.notices.text.text()


def test_recent_datasets_open_again(ready: MainWindow, made: Path) -> None:
    drop(ready, made / "a", made / "b")
    drop(ready, made / "all.zip")
    recent = next(menu for menu in ready.menuBar().findChildren(QMenu) if menu.title() == "Open &recent")
    entries = actions(recent)
    assert list(entries)[:2] == [str(made / "all.zip"), "2 folders as splits: a, b"]
    entries["2 folders as splits: a, b"].trigger()
    assert ready.selection.sources == (str(made / "a"), str(made / "b"))
    assert len(ready.state.recent) == 2


def test_paths_in_archives_can_be_pasted(made: Path) -> None:
    data = QMimeData()
    data.setText(f"{made}/all.zip/a/cat/1.png\n{made}/none.zip/1.png")
    assert paths_of(data) == [made / "all.zip" / "a" / "cat" / "1.png"]


def test_the_row_chooses_adds_and_leaves_out(qtbot: QtBot, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selection = Selection()
    row = FolderRow(selection)
    qtbot.addWidget(row)
    assert list(actions(row.menu)) == ["Folder…", "Archive or table…"]
    folder, files = str(made / "a"), [str(made / "all.zip"), str(made / "list.csv")]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_args: (files, ""))
    actions(row.menu)["Folder…"].trigger()
    assert selection.sources == (folder,)
    actions(row.menu)["Add a folder as a split…"].trigger()
    assert selection.sources == (folder,)  # it is there already
    actions(row.menu)["Add an archive or table as a split…"].trigger()
    assert selection.sources == (folder, *files)
    assert row.line.text() == "3 sources as splits: a, all, list"
    row.line.editingFinished.emit()
    assert selection.sources == (folder, *files), "what is only shown is not taken for a path"
    assert row.line.isReadOnly()
    actions(row.menu)["Leave out a"].trigger()
    assert selection.sources == tuple(files)
    actions(row.menu)["Leave out all"].trigger()
    assert selection.sources == (files[1],)
    assert not row.line.isReadOnly()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: "")
    actions(row.menu)["Folder…"].trigger()
    assert selection.sources == (files[1],), "a dialog closed without a choice changes nothing"
    row.line.setText(f"  {folder}/../b ")
    row.line.editingFinished.emit()
    assert selection.folder == str(made / "b")
    row.line.clear()
    row.line.editingFinished.emit()
    assert selection.sources == ()


def _shown(window: MainWindow) -> str | None:
    """A method, for mypy would take the image for the one before."""
    return window.selection.image.path if window.selection.image is not None else None


def _clipboard() -> str:
    return QGuiApplication.clipboard().text()
