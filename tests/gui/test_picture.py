"""The picture widget under mouse, wheel and keys."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.render import DIMMED
from convviz_gui.gui.pictures import picture_files
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import to_array, to_qimage
from tests.gui.views_data import photo, wheel


def shown(qtbot: QtBot, picture: Picture, width: int = 200, height: int = 200) -> Picture:
    qtbot.addWidget(picture)
    picture.resize(width, height)
    picture.show()
    qtbot.waitExposed(picture)
    return picture


@pytest.fixture
def checker(qtbot: QtBot) -> Picture:
    """A 4×4 picture in which every pixel has a grey of its own, drawn in squares of 50 pixels."""
    picture = Picture("squares")
    picture.set_image(to_qimage(np.arange(16, dtype=np.uint8).reshape(4, 4) * 16), smooth=False)
    return shown(qtbot, picture)


def test_enlarged_pixels_stay_squares(checker: Picture) -> None:
    drawn = to_array(checker.grab().toImage())[..., 0]
    for row in range(4):
        for column in range(4):
            inside = drawn[row * 50 + 3 : row * 50 + 47, column * 50 + 3 : column * 50 + 47]
            assert (inside == (row * 4 + column) * 16).all()


def test_aspect_is_kept(qtbot: QtBot) -> None:
    picture = Picture("portrait")
    picture.set_image(to_qimage(np.full((200, 100, 3), 255, np.uint8)), smooth=True)
    shown(qtbot, picture, 300, 200)
    bright = to_array(picture.grab().toImage())[100, :, 0] == 255
    assert 96 <= bright.sum() <= 100
    assert bright[150]


def test_wheel_zooms_at_the_cursor(checker: Picture) -> None:
    at = QPointF(60, 140)
    before = checker.to_image(at)
    wheel(checker, at, 3)
    after = checker.to_image(at)
    assert checker.scale() == pytest.approx(50 * 1.25**3)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


def test_zooming_out_ends_at_the_whole_picture(checker: Picture) -> None:
    wheel(checker, QPointF(10, 10), 3)
    wheel(checker, QPointF(150, 20), -9)
    assert checker.scale() == 50
    assert checker.to_image(QPointF(0, 0)) == QPointF(0, 0)


def test_drag_pans_and_double_click_fits(checker: Picture, qtbot: QtBot) -> None:
    wheel(checker, QPointF(100, 100), 3)
    held = checker.to_image(QPointF(100, 100))
    qtbot.mousePress(checker, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(checker, QPoint(70, 110))
    qtbot.mouseRelease(checker, Qt.MouseButton.LeftButton, pos=QPoint(70, 110))
    moved = checker.to_widget(held)
    assert (moved.x(), moved.y()) == pytest.approx((70, 110))
    qtbot.mouseDClick(checker, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert checker.scale() == 50


def test_keys_zoom_pan_and_fit(checker: Picture, qtbot: QtBot) -> None:
    qtbot.keyClick(checker, Qt.Key.Key_Plus)
    qtbot.keyClick(checker, Qt.Key.Key_Plus)
    assert checker.scale() == pytest.approx(50 * 1.25**2)
    left = checker.to_image(QPointF(0, 0)).x()
    qtbot.keyClick(checker, Qt.Key.Key_Right)
    assert checker.to_image(QPointF(0, 0)).x() == pytest.approx(left + 0.1 * 200 / checker.scale())
    qtbot.keyClick(checker, Qt.Key.Key_0)
    assert checker.scale() == 50


def test_cursor_is_told_in_the_pictures_pixels(checker: Picture, qtbot: QtBot) -> None:
    seen: list[object] = []
    checker.hovered.connect(seen.append)
    qtbot.mouseMove(checker, QPoint(125, 60))
    assert seen[-1] == pytest.approx((2.5, 1.2))


def test_linked_pictures_share_view_and_cursor_by_the_crop(qtbot: QtBot) -> None:
    link = PictureLink()
    whole, part = Picture("photo", link), Picture("map", link)
    frame = QRectF(10, 50, 80, 80)
    whole.set_image(to_qimage(photo().pixels), smooth=True, frame=frame)
    part.set_image(to_qimage(np.zeros((16, 16), np.uint8)), smooth=False)
    shown(qtbot, whole)
    shown(qtbot, part)
    qtbot.mouseMove(part, QPoint(50, 150))
    mark = whole.mark()
    assert mark is not None
    assert (mark.x(), mark.y()) == pytest.approx((10 + 0.25 * 80, 50 + 0.75 * 80))
    wheel(part, QPointF(50, 150), 4)
    middle = part.to_image(QPointF(100, 100))
    same = whole.to_image(QPointF(100, 100))
    assert ((same.x() - 10) / 80, (same.y() - 50) / 80) == pytest.approx((middle.x() / 16, middle.y() / 16))
    assert whole.scale() * 80 == pytest.approx(part.scale() * 16)
    part.fit()
    assert whole.scale() == pytest.approx(200 / 180)


def test_outside_the_frame_is_dimmed(qtbot: QtBot) -> None:
    picture = Picture("photo")
    picture.set_image(to_qimage(np.full((100, 100, 3), 200, np.uint8)), smooth=True, frame=QRectF(25, 25, 50, 50))
    shown(qtbot, picture)
    drawn = to_array(picture.grab().toImage())[..., 0]
    assert drawn[100, 100] == 200
    assert abs(int(drawn[20, 20]) - 200 * DIMMED) <= 1


def test_the_composed_picture_has_the_images_own_size_and_small_ones_are_enlarged_whole(checker: Picture) -> None:
    pixels = to_array(checker.composed())
    assert pixels.shape == (512, 512, 3)
    assert (pixels[128:256, 0:128, 0] == 4 * 16).all()
    checker.set_image(to_qimage(np.zeros((700, 900, 3), np.uint8)), smooth=True)
    assert (checker.composed().width(), checker.composed().height()) == (900, 700)


def test_copying_picture_and_values(checker: Picture) -> None:
    assert not checker.values_action.isEnabled()
    checker.set_values(np.array([[1.5, -2], [0.1, np.nan]], np.float32))
    checker.values_action.trigger()
    assert QGuiApplication.clipboard().text() == "1.5\t-2.0\n0.1\tnan"
    checker.copy_action.trigger()
    assert QGuiApplication.clipboard().image().size() == checker.composed().size()


def test_saving_writes_a_png(checker: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    checker.save_action.trigger()
    saved = QImage(str(target.with_suffix(".png")))
    np.testing.assert_array_equal(to_array(saved), to_array(checker.composed()))


def test_a_full_disk_is_told_and_the_old_file_stays(
    checker: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"the old one")
    told: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda _parent, _title, text: told.append(text))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(picture_files.write_bytes.__globals__["os"], "fsync", full)
    checker.save_action.trigger()
    assert target.read_bytes() == b"the old one"
    assert len(told) == 1
    assert "disk is full" in told[0]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.png"]


def test_a_map_of_another_size_keeps_to_the_same_part(qtbot: QtBot) -> None:
    picture = Picture("map")
    qtbot.addWidget(picture)
    picture.resize(300, 300)
    picture.set_image(to_qimage(np.zeros((32, 32), np.uint8)), smooth=False)
    picture.zoom_by(4.0, QPointF(75, 75))
    middle = QPointF(150, 150)
    before = picture.to_image(middle) / 32
    picture.set_image(to_qimage(np.zeros((16, 16), np.uint8)), smooth=False)
    after = picture.to_image(middle) / 16
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))
