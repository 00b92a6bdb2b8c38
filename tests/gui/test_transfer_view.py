"""The transfer check in the window: what the chart says, what a click does, and the way to the map."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.desk.transfer_words import verdict
from convviz_gui.engine.label_places import apart
from convviz_gui.engine.payloads import Points, Transfer
from convviz_gui.engine.types import LayerNode
from convviz_gui.gui.look.theme import Theme, apply_theme
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.transfer import TransferView
from tests.engine.test_transfer import made
from tests.gui.views_data import model, result

LAYERS = ("conv1", "conv2", "fc@input")


@pytest.fixture
def transfer() -> Transfer:
    """conv2 tells most; 60 pictures of two labels, of which one is commoner."""
    right = [[i % m != 0 for i in range(60)] for m in (2, 3, 10, 5)]
    return dataclasses.replace(made(right), layers=LAYERS, notes=("2 pictures without a label: not scored",))


@pytest.fixture
def chosen() -> Selection:
    selection = Selection()
    root = LayerNode("", "net", "Net", (4,), 4, 1, 0, children=tuple(_node(name) for name in ("conv1", "conv2", "fc")))
    selection.set_model(dataclasses.replace(model(), root=root, penultimate_layer="fc@input"))
    return selection


def _node(name: str) -> LayerNode:
    return LayerNode(name, name, "Conv2d", (8, 4, 4), 8, 1, 0)


@pytest.fixture
def view(qtbot: QtBot, chosen: Selection) -> TransferView:
    view = TransferView(chosen)
    qtbot.addWidget(view)
    view.resize(800, 560)
    with qtbot.waitExposed(view):
        view.show()
    return view


def at(view: TransferView, place: int) -> QPoint:
    chart = view.chart
    area = chart.area()
    return QPoint(round(area.left() + (place + 0.5) * area.width() / 3), round(area.center().y()))


def test_the_best_layer_is_named_in_words(view: TransferView, transfer: Transfer) -> None:
    view.show_result(result(transfer))
    assert view.stage.shows_content()
    assert view.verdict.text() == verdict(transfer)
    assert "Best layer for this data: conv2, 90 %" in view.verdict.text()
    assert "2 pictures without a label" in view.facts.text()
    assert "60 pictures" in view.title.text()
    assert not view.balanced.isChecked()


def test_pointing_reads_values_and_a_click_chooses_the_layer(view: TransferView, transfer: Transfer) -> None:
    view.show_result(result(transfer))
    said: list[str] = []
    view.status.connect(said.append)
    QTest.mouseMove(view.chart, at(view, 0))
    assert view.chart.pointed == 0
    assert "linear probe 67 %" in view.reading.text()
    assert said[-1] == view.reading.text()
    assert view.chart.accessibleDescription() == said[-1]
    QTest.mouseClick(view.chart, Qt.MouseButton.LeftButton, pos=at(view, 1))
    assert view.selection.layer == "conv2"
    QTest.mouseClick(view.chart, Qt.MouseButton.LeftButton, pos=at(view, 2))
    assert view.selection.layer == "fc"
    # The margins belong to no layer.
    assert view.chart.place_at(1) == view.chart.place_at(view.chart.width() - 1) == -1


def test_arrows_walk_and_enter_chooses(view: TransferView, transfer: Transfer) -> None:
    view.show_result(result(transfer))
    view.selection.set_layer("conv1")
    for key, place in (("Right", 1), ("Right", 2), ("Right", 2), ("Home", 0), ("End", 2), ("Left", 1)):
        QTest.keyClick(view.chart, getattr(Qt.Key, f"Key_{key}"))
        assert view.chart.pointed == place
    QTest.keyClick(view.chart, Qt.Key.Key_Return)
    assert view.selection.layer == "conv2"


def test_a_layer_chosen_elsewhere_is_marked_and_its_map_can_be_asked_for(
    view: TransferView, transfer: Transfer
) -> None:
    view.show_result(result(transfer))
    wanted: list[str] = []
    view.layer_wanted.connect(wanted.append)
    view.show_method.connect(wanted.append)
    view.selection.set_layer("conv2")
    assert "conv2" in view.reading.text()
    view.map_button.click()
    assert wanted == ["conv2", "latent"]
    view.choose(2)
    view.map_button.click()
    assert wanted[2:] == ["fc@input", "latent"]
    view.selection.set_layer("head")
    assert not view.map_button.isEnabled()
    # What goes into another layer than the classifier has no map.
    view.show_result(result(dataclasses.replace(transfer, layers=("conv1", "conv2@input", "fc"))))
    view.choose(1)
    assert not view.map_button.isEnabled()


def test_layers_appear_one_by_one_and_a_stopped_check_says_so(view: TransferView, transfer: Transfer) -> None:
    part = dataclasses.replace(made([[True, False] * 30, [True] * 60]), layers=LAYERS[:1], final=False)
    view.show_preview(part)
    assert "as they are judged" in view.verdict.text()
    view.chart.point(0)
    assert "100 %" in view.reading.text()
    view.show_preview(dataclasses.replace(made([[True, False] * 30]), layers=(), final=False))
    assert view.reading.text()
    view.show_result(result(part))
    assert "the check was stopped" in view.verdict.text()
    view.show_result(result(transfer))
    assert "Best layer" in view.verdict.text()


def test_uneven_labels_begin_with_balanced_accuracy(view: TransferView, transfer: Transfer) -> None:
    half = dataclasses.replace(transfer.probe, balanced=transfer.probe.balanced / 2)
    uneven = dataclasses.replace(transfer, majority=0.9, probe=half)
    view.show_result(result(uneven))
    assert view.balanced.isChecked()
    assert "linear probe 45 %" in view.chart.text(1)
    view.balanced.click()
    assert "linear probe 90 %" in view.chart.text(1)


def test_it_is_saved_as_a_table(
    view: TransferView, transfer: Transfer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.show_result(result(transfer))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "check"), ""))
    view.save_button.click()
    rows = list(csv.DictReader((tmp_path / "check.csv").read_text().splitlines()))
    assert [row["row"] for row in rows] == ["raw pixels", *LAYERS, "commonest label"]


def test_a_folder_that_is_gone_is_reported(
    view: TransferView, transfer: Transfer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "gone" / "x"), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: told.append(args[1]))
    view.show_result(result(transfer))
    view.save_button.click()
    assert told == ["The transfer check was not saved"]


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
@pytest.mark.parametrize("width", [560, 900])
def test_points_are_drawn_where_the_values_are(
    view: TransferView, transfer: Transfer, theme: Theme, width: int, qapp: QApplication
) -> None:
    apply_theme(qapp, theme)
    view.resize(width, 480)
    view.show_result(result(dataclasses.replace(transfer, layers=("a" * 90, "conv2", "fc@input"))))
    qapp.processEvents()
    chart, accent = view.chart, view.chart.palette().highlight().color()
    scale = chart.devicePixelRatioF()
    pixels = to_array(chart.grab().toImage())
    for place, value in enumerate((2 / 3, 0.9, 0.8)):
        y = chart.area().bottom() - value * chart.area().height()
        found = pixels[round(y * scale), round(at(view, place).x() * scale), :3]
        assert np.abs(found.astype(int) - [accent.red(), accent.green(), accent.blue()]).max() < 40
    apply_theme(qapp, Theme.LIGHT)


def test_names_of_lines_keep_apart() -> None:
    assert apart([10, 11, 50], 15, 0, 100) == [10, 25, 50]
    placed = apart([99, 98, 97, 5], 10, 0, 100)
    assert placed[3] == 5
    assert sorted(placed[:3]) == [80, 90, 100]
    assert placed[0] > placed[1] > placed[2]
    assert apart([], 5, 0, 1) == []


def test_from_a_folder_to_the_map_of_its_best_layer(ready: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(16):
        place = tmp_path / "photos" / ("dark", "light")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(0, 90, (40, 40, 3), np.uint8) + np.uint8(120 * (number % 2))
        Image.fromarray(noise).save(place / f"{number}.png")
    tab = ready.tabs.tabs["latent space"]
    ready.tabs.show("latent space")
    assert tab.panel.choose("transfer")
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("layers", "block1_relu1,block2_relu1"),))
    ready.selection.set_folder(str(tmp_path / "photos"))
    tab.run()
    qtbot.waitUntil(lambda: tab.result is not None and not tab.running, timeout=60_000)
    view = tab.view
    assert isinstance(view, TransferView)
    assert "Best layer for this data" in view.verdict.text()
    assert tab.panel.choose("latent")
    assert tab.panel.form is not None
    tab.panel.form.set_settings((("projection", "pca"),))
    assert tab.panel.choose("transfer")
    view.choose(1)
    view.map_button.click()
    qtbot.waitUntil(lambda: tab.result is not None and isinstance(tab.result.payload, Points), timeout=60_000)
    assert isinstance(tab.result.payload, Points)  # type: ignore[union-attr]
    assert tab.result.payload.layer == "block2_relu1"  # type: ignore[union-attr]
    assert ready.selection.layer == "block2_relu1"
