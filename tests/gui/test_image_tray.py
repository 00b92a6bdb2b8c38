"""The image tray: decoding off the window's thread, bad files named, memory bounded."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QRunnable, QUrl
from PySide6.QtGui import QIcon
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import EngineError, Problem
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.photos import samples, tray_model
from convviz_gui.gui.photos.image_loader import THUMBNAIL, ImageLoader, thumbnail
from convviz_gui.gui.photos.image_tray import ImageTray
from convviz_gui.gui.photos.intake import first_pictures, paths_of, sort_paths
from convviz_gui.gui.photos.tray_model import TrayItem, TrayModel
from convviz_gui.gui.selection import Selection


def save(path: Path, seed: int = 0) -> Path:
    """A picture file of noise."""
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)).save(path)
    return path


def photo(name: str, side: int = 8) -> ImageInput:
    return image_from_array(np.zeros((side, side, 3), np.uint8), name)


@pytest.fixture
def loader() -> Iterator[ImageLoader]:
    made = ImageLoader()
    yield made
    made.close()


@pytest.fixture
def tray(qtbot: QtBot, loader: ImageLoader) -> ImageTray:
    made = ImageTray(Selection(), loader)
    qtbot.addWidget(made)
    made.show()
    return made


def image_name(tray: ImageTray) -> str | None:
    image = tray._selection.image
    return image.name if image is not None else None


def test_first_of_several_files_becomes_the_image(tray: ImageTray, qtbot: QtBot, tmp_path: Path) -> None:
    tray.open_files([save(tmp_path / f"{name}.png", seed) for seed, name in enumerate("abc")])
    qtbot.waitUntil(lambda: image_name(tray) == "a.png")
    qtbot.waitUntil(lambda: all(item.icon is not None for item in tray.model.items))
    tray.step(-1)
    assert image_name(tray) == "c.png"


def test_file_opened_twice_is_shown_once(tray: ImageTray, qtbot: QtBot, tmp_path: Path) -> None:
    first, second = save(tmp_path / "a.png"), save(tmp_path / "b.png", 1)
    tray.open_files([first, second])
    qtbot.waitUntil(lambda: image_name(tray) == "a.png")
    tray.open_files([second])
    qtbot.waitUntil(lambda: image_name(tray) == "b.png")
    assert len(tray.model.items) == 2


def test_bad_files_are_told_together_and_the_rest_goes_on(tray: ImageTray, qtbot: QtBot, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.png"
    empty.write_bytes(b"")
    text.write_text("no picture")
    with qtbot.waitSignal(tray.problems) as told:
        tray.open_files([empty, text, save(tmp_path / "good.png"), tmp_path / "missing.png"])
    problems = told.args[0]
    assert all(isinstance(problem, Problem) for problem in problems)
    assert len(problems) == 3
    assert {name for name in ("empty.jpg", "text.png", "missing.png") if name in " ".join(map(str, problems))} == {
        "empty.jpg",
        "text.png",
        "missing.png",
    }
    qtbot.waitUntil(lambda: image_name(tray) == "good.png")


def test_the_first_that_can_be_read_becomes_the_image(tray: ImageTray, qtbot: QtBot, tmp_path: Path) -> None:
    tray.open_files([save(tmp_path / "old.png")])
    qtbot.waitUntil(lambda: image_name(tray) == "old.png")
    bad = [tmp_path / "bad1.png", tmp_path / "bad2.png"]
    for path in bad:
        path.write_bytes(b"no picture")
    tray.open_files([*bad, save(tmp_path / "good.png", 1), save(tmp_path / "last.png", 2)])
    qtbot.waitUntil(lambda: image_name(tray) == "good.png")
    assert tray.view.currentIndex().row() == 1


def test_bad_file_leaves_the_strip_at_the_picture_on_screen(tray: ImageTray, qtbot: QtBot, tmp_path: Path) -> None:
    tray.open_files([save(tmp_path / "a.png"), save(tmp_path / "b.png", 1)])
    qtbot.waitUntil(lambda: all(item.image is not None for item in tray.model.items))
    with qtbot.waitSignal(tray.problems):
        tray.open_files([tmp_path / "missing.png"])
    assert image_name(tray) == "a.png"
    assert tray.view.currentIndex().row() == 0


def test_decoding_happens_elsewhere(tray: ImageTray, qtbot: QtBot) -> None:
    threads: list[int] = []

    def make() -> ImageInput:
        threads.append(threading.get_ident())
        return photo("made")

    tray.open_made("made", make)
    qtbot.waitUntil(lambda: image_name(tray) == "made")
    assert threads
    assert threading.get_ident() not in threads


def test_last_picture_stays(tray: ImageTray, qtbot: QtBot) -> None:
    for name in ("one", "two"):
        tray.open_made(name, lambda name=name: photo(name))
    qtbot.waitUntil(lambda: image_name(tray) == "two")
    tray.remove_current()
    qtbot.waitUntil(lambda: image_name(tray) == "one")
    tray.remove_current()
    assert len(tray.model.items) == 1


def test_samples_are_drawn_and_found(tray: ImageTray, qtbot: QtBot) -> None:
    for sample in (samples.toybox("dog", 4), *(samples.photograph(name) for name in samples.PHOTOGRAPHS)):
        tray.open_sample(sample)
    qtbot.waitUntil(lambda: all(item.image is not None for item in tray.model.items))
    shapes = [item.image.pixels.shape for item in tray.model.items if item.image is not None]
    assert shapes == [(128, 128, 3), (427, 640, 3), (427, 640, 3)]


def test_sample_classes_are_toybox_s() -> None:
    from convviz_gui.engine.demo.toybox import CLASSES

    assert samples.TOYBOX_CLASSES == CLASSES


def test_a_sample_s_python_makes_the_same_picture() -> None:
    sample = samples.toybox("house", 7)
    scope: dict[str, ImageInput] = {}
    exec(sample.source, scope)
    np.testing.assert_array_equal(scope["photo"].pixels, sample.make().pixels)


def test_memory_is_bounded_and_the_current_photo_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tray_model, "KEPT_BYTES", 3 * 8 * 8 * 3)
    model = TrayModel()
    for key in range(6):
        model.add(TrayItem(key, str(key), lambda: photo("x")))
        model.put(key, photo(str(key)), QIcon())
    kept = [item.key for item in model.items if item.image is not None]
    assert kept == [3, 4, 5]
    model.put(0, photo("big", 64), QIcon())
    assert [item.key for item in model.items if item.image is not None] == [0]


def test_thumbnail_keeps_the_aspect_and_enlarges_nothing() -> None:
    wide = image_from_array(np.zeros((100, 400, 3), np.uint8), "wide")
    assert thumbnail(wide).size().toTuple() == (THUMBNAIL, THUMBNAIL // 4)
    assert thumbnail(photo("small")).size().toTuple() == (8, 8)


def test_paths_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    (tmp_path / "folder.zip").mkdir()
    names = ("a.JPG", "w.SafeTensors", "x", "b.ZIP", "folder.zip", "c.csv")
    found = sort_paths([folder, *(tmp_path / name for name in names)])
    assert found.pictures == (tmp_path / "a.JPG", tmp_path / "x")
    assert found.datasets == (folder, tmp_path / "b.ZIP", tmp_path / "folder.zip", tmp_path / "c.csv")
    assert found.weights == (tmp_path / "w.SafeTensors",)


@pytest.mark.parametrize("text", ["~nobody-of-this-name/a.png", "/a" * 3000, "/a\0b", "/a\ud800b", "//", ""])
def test_pasted_text_of_any_other_kind_does_not(text: str) -> None:
    data = QMimeData()
    data.setText(f"{text}\n{text}")
    assert paths_of(data) == ([Path("//")] * 2 if text == "//" else [])


def test_names_too_long_for_any_file_are_left_to_who_opens_them() -> None:
    path = Path("/" + "a" * 5000)
    assert sort_paths([path]).pictures == (path,)


def test_what_is_in_the_way_of_the_demos_folder_is_said(own_home: Path) -> None:
    (own_home / "data" / "toybox").mkdir(parents=True)
    (own_home / "data" / "toybox" / ".toybox").write_bytes(b"\xff\xfe")
    with pytest.raises(EngineError, match="in the way"):
        samples.demo_folder()


def test_pasted_text_that_is_a_path_counts(tmp_path: Path) -> None:
    file = save(tmp_path / "with space ü.png")
    data = QMimeData()
    data.setText(f"{file}\nnot a path\n/no/such/file.png")
    assert paths_of(data) == [file]
    data.setUrls([QUrl.fromLocalFile(str(file)), QUrl("https://example.org/x.png")])
    assert paths_of(data) == [file]


def test_folder_s_first_pictures(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "1.png"):
        save(tmp_path / name)
    assert [path.name for path in first_pictures([str(tmp_path)], 2, lambda: False)] == ["1.png", "9.png"]


def test_work_that_is_done_leaves_no_object_behind(qtbot: QtBot) -> None:
    """PySide once kept the Python side of every piece of work, and took menus' actions at the same address for it."""
    loader, done = ImageLoader(), []
    for number in range(50):
        loader.call(lambda number=number: number, done.append)  # type: ignore[misc]
    qtbot.waitUntil(lambda: sorted(done) == list(range(50)))
    loader.close()
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is QRunnable]
