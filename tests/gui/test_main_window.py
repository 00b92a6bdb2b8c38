"""The window as a whole, on the real engine and the demo network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.engine.payloads import Heat, Maps
from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.gui.look.theme import LIGHT, Theme, stylesheet
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from convviz_gui.gui.tabs.tab_bar import TabBar
from convviz_gui.gui.tiles.grid_header import GridHeader

WAIT = 60_000


def picture(path: Path, seed: int = 0) -> Path:
    """A picture file of noise."""
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80, 3), np.uint8)).save(path)
    return path


def test_opens_on_the_demo_with_activations_and_predictions(ready: MainWindow) -> None:
    model, overview = ready.selection.model, ready.selection.overview
    assert model is not None
    assert overview is not None
    assert model.name == "ToyNet"
    shown = ready.tabs.current.result
    assert shown is not None
    assert isinstance(shown.payload, Maps)
    assert shown.payload.layer == ready.selection.layer
    assert shown.run.image is ready.selection.image
    # The picture is of a cat, and the demo network says so.
    assert ready.classes.bars[0].text() == "cat"
    assert "ToyNet" in ready.windowTitle()


def test_another_layer_is_shown_at_once(ready: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(ready.layers.tree, Qt.Key.Key_Down)
    chosen = ready.selection.layer
    assert chosen == "block1_relu1"
    qtbot.waitUntil(lambda: _layer_shown(ready) == chosen, timeout=WAIT)


def test_only_the_newest_of_many_layers_is_shown(ready: MainWindow, qtbot: QtBot) -> None:
    model = ready.selection.model
    assert model is not None
    seen: list[str | None] = []
    ready.client.finished.connect(lambda _message: seen.append(_layer_shown(ready)))
    ids = [node.id for node in model.layers() if node.is_map]
    for layer in ids:
        ready.selection.set_layer(layer)
    qtbot.waitUntil(lambda: _layer_shown(ready) == ids[-1], timeout=WAIT)
    first = model.layers()[0].id
    assert set(seen) <= {first, ids[-1], None}


def test_another_photo_replaces_predictions_and_maps(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tray.open_sample(samples.toybox("umbrella", 1))
    qtbot.waitUntil(lambda: _image_shown(ready) == "umbrella 1 (Toybox)", timeout=WAIT)
    qtbot.waitUntil(lambda: ready.selection.overview is not None, timeout=WAIT)
    assert ready.classes.bars[0].text() == "umbrella"


def test_class_map_follows_the_class_clicked(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("class map")
    qtbot.waitUntil(lambda: ready.tabs.current.result is not None, timeout=WAIT)
    assert _class_shown(ready) == 0
    second = ready.classes.bars[1]
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert ready.selection.class_index == second.class_index
    qtbot.waitUntil(lambda: _class_shown(ready) == second.class_index, timeout=WAIT)
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert ready.selection.class_index is None
    qtbot.waitUntil(lambda: _class_shown(ready) == 0, timeout=WAIT)


def test_hidden_tab_is_brought_up_to_date_when_shown(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("class map")
    qtbot.waitUntil(lambda: ready.tabs.current.result is not None, timeout=WAIT)
    ready.tabs.show("activations")
    ready.tray.open_sample(samples.toybox("tree", 2))
    qtbot.waitUntil(lambda: _image_shown(ready) == "tree 2 (Toybox)", timeout=WAIT)
    ready.tabs.show("class map")
    qtbot.waitUntil(lambda: _image_shown(ready) == "tree 2 (Toybox)", timeout=WAIT)


def test_dropped_files_open_and_bad_ones_are_named(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    good, bad = picture(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(b"")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(bad)), QUrl.fromLocalFile(str(good))])
    assert ready.commands.take(data, "drop")
    qtbot.waitUntil(ready.notices.isVisible, timeout=WAIT)
    assert "bad.png" in ready.notices.text.text()
    qtbot.waitUntil(lambda: ready.tray.model.row_of_path(str(good)) is not None, timeout=WAIT)
    assert ready.tray.model.row_of_path(str(bad)) is None
    assert ready.selection.image is not None
    qtbot.keyClick(ready, Qt.Key.Key_Escape)
    assert not ready.notices.isVisible()


def test_pasted_picture_becomes_the_image(ready: MainWindow, qtbot: QtBot) -> None:
    image = QImage(33, 21, QImage.Format.Format_RGB32)
    image.fill(0xFF3366CC)
    QGuiApplication.clipboard().setImage(image)
    ready.commands.paste()
    qtbot.waitUntil(lambda: _image_shown(ready) == "pasted picture 1", timeout=WAIT)
    shown = ready.selection.image
    assert shown is not None
    assert shown.pixels.shape == (21, 33, 3)
    assert (shown.pixels == (0x33, 0x66, 0xCC)).all()


def test_failed_opening_keeps_the_network(ready: MainWindow, qtbot: QtBot) -> None:
    before = ready.selection.model
    with qtbot.waitSignal(ready.opener.problem, timeout=WAIT):
        ready.opener.open(LoadModel(ModelSpec("torchvision:no_such_network")))
    assert ready.selection.model is before
    assert "no_such_network" in ready.notices.text.text()
    ready.tray.open_sample(samples.toybox("car", 5))
    qtbot.waitUntil(lambda: _image_shown(ready) == "car 5 (Toybox)", timeout=WAIT)


def test_opening_another_network_replaces_everything(ready: MainWindow, qtbot: QtBot) -> None:
    ready.opener.open(LoadModel(ModelSpec("torchvision:squeezenet1_1"), "cpu"))
    qtbot.waitUntil(lambda: _model_shown(ready) == "squeezenet1_1", timeout=WAIT)
    qtbot.waitUntil(lambda: ready.selection.overview is not None, timeout=WAIT)
    overview = ready.selection.overview
    assert overview is not None
    assert len(overview.probabilities) == 1000
    assert ready.header.random.isVisible()
    assert "random" in ready.header.random.text()


def test_space_runs_but_not_from_a_button(ready: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(ready.client.started, timeout=WAIT):
        QTest.keyClick(ready.layers.tree, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not ready.tabs.current.running, timeout=WAIT)
    ready.tabs.current.panel._about_button.setFocus()
    QTest.keyClick(ready.tabs.current.panel._about_button, Qt.Key.Key_Space)
    assert ready.tabs.current.panel._about_button.isChecked()
    assert not ready.tabs.current.running


def test_copy_as_python_gives_the_same_numbers(ready: MainWindow) -> None:
    ready.commands.copy_python()
    script = QGuiApplication.clipboard().text()
    scope: dict[str, object] = {}
    exec(script, scope)
    result, shown = scope["result"], ready.tabs.current.result
    assert shown is not None
    assert isinstance(shown.payload, Maps)
    np.testing.assert_array_equal(result.payload.maps, shown.payload.maps)  # type: ignore[attr-defined]


def test_saving_writes_manifest_and_numbers(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    result = ready.tabs.current.result
    assert result is not None
    with qtbot.waitSignal(ready.saver.saved, timeout=WAIT):
        ready.saver.save(result, str(tmp_path / "out"))
    assert (tmp_path / "out" / "manifest.json").exists()
    with np.load(tmp_path / "out" / "data.npz") as data:
        assert isinstance(result.payload, Maps)
        np.testing.assert_array_equal(data["maps"], result.payload.maps)


def test_palette_finds_commands_and_layers(ready: MainWindow, qtbot: QtBot) -> None:
    ready.commands.show_palette()
    palette = next(w for w in QApplication.topLevelWidgets() if w.accessibleName() == "Commands")
    qtbot.keyClicks(palette.search, "layer block3_pool")  # type: ignore[attr-defined]
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert ready.selection.layer == "block3_pool"


def test_shortcuts_are_unique(window: MainWindow) -> None:
    keys = [key for shown, _ in window.menus.shortcuts() for key in shown.split(", ")]
    assert len(keys) == len(set(keys))


def test_theme_is_remembered(window: MainWindow) -> None:
    window.commands.set_theme(Theme.DARK)
    dark = window.palette().window().color().lightness()
    window.commands.set_theme(Theme.LIGHT)
    assert dark < 80 < 200 < window.palette().window().color().lightness()
    assert window.state.theme is Theme.LIGHT


def test_docks_are_remembered(window: MainWindow) -> None:
    window.docks[2].hide()
    window.state.save(window)
    again = MainWindow(type(window.client)())
    assert again.docks[2].isHidden()
    assert not again.docks[0].isHidden()
    again.close()
    again.deleteLater()


def test_garbage_in_the_settings_is_forgotten(own_home: Path) -> None:
    from convviz_gui.worker.client import EngineClient

    file = own_home / "config" / "window.ini"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"[General]\ntheme=purple\ngeometry=@ByteArray(xx)\ndocks=17\nrecent=@Invalid()\n\xff\xfe\x00")
    window = MainWindow(EngineClient())
    assert window.state.theme is Theme.SYSTEM
    assert window.state.recent == []
    assert not window.docks[0].isHidden()
    window.close()
    window.deleteLater()


def test_closing_while_a_network_is_opened_is_clean(window: MainWindow) -> None:
    window.begin()
    window.opener.open(LoadModel(ModelSpec("torchvision:resnet18"), "cpu"))
    window.close()
    assert not window.isVisible()


def test_dialogs_open_and_close(window: MainWindow, qtbot: QtBot) -> None:
    for show in (window.commands.show_shortcuts, window.commands.show_about, window.commands.ask_for_model):
        show()
        dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible())
        dialog.close()
        qtbot.waitUntil(lambda dialog=dialog: not dialog.isVisible())


def test_everything_to_press_has_a_name(ready: MainWindow) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox

    unnamed = [
        widget
        for kind in (QAbstractButton, QComboBox, QAbstractItemView)
        for widget in ready.findChildren(kind)
        if widget.isVisible()
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not unnamed


def test_fits_a_small_screen(window: MainWindow) -> None:
    hint = window.minimumSizeHint()
    assert hint.width() <= 1280
    assert hint.height() <= 680
    assert window.childAt(QPoint(640, 360)) is not None


def _layer_shown(window: MainWindow) -> str | None:
    result = window.tabs.current.result
    return result.payload.layer if result is not None and isinstance(result.payload, Maps) else None


def _image_shown(window: MainWindow) -> str | None:
    result = window.tabs.current.result
    return result.run.image.name if result is not None and result.run.image is not None else None


def _class_shown(window: MainWindow) -> int | None:
    result = window.tabs.current.result
    return result.payload.class_index if result is not None and isinstance(result.payload, Heat) else None


def _model_shown(window: MainWindow) -> str | None:
    result = window.tabs.current.result
    return result.model.name if result is not None else None


def test_on_a_small_screen_titles_and_choices_stay_whole(window: MainWindow, qtbot: QtBot) -> None:
    bar = window.tabs.bar
    assert bar.elideMode() == Qt.TextElideMode.ElideNone
    assert bar.usesScrollButtons()
    page, header = QWidget(), GridHeader()
    qtbot.addWidget(page)
    QVBoxLayout(page).addWidget(header)
    page.show()
    for width in (330, 420, 900):
        page.resize(width, 100)
        QApplication.processEvents()
        for combo in (header.sort_combo, header.scale_combo, header.colours):
            text = combo.fontMetrics().horizontalAdvance(combo.currentText()[:5])
            assert combo.width() >= combo.iconSize().width() * (combo is header.colours) + text
    assert header.size_slider.isVisible()
    page.resize(330, 100)
    QApplication.processEvents()
    assert page.width() == 330
    assert not header.size_slider.isVisible()


def test_a_narrow_bar_moves_its_titles_together_and_apart_again(qtbot: QtBot) -> None:
    bar = TabBar()
    qtbot.addWidget(bar)
    bar.setStyleSheet(stylesheet(LIGHT))
    for title in ("Activations", "Class map", "Latent space", "Compare"):
        bar.addTab(title)
    bar.resize(800, 30)
    bar.show()
    loose = bar.sizeHint().width()
    bar.resize(loose - 1, 30)
    assert bar.tabRect(3).right() < loose - 1
    bar.resize(loose, 30)
    assert bar.sizeHint().width() == loose
