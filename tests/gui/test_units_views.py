"""Weights, patches and the census in the window, with real arrays and real files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.kernel_tiles import KernelScale
from convviz_gui.engine.payloads import Census, Kernels, Patches, Skipped
from convviz_gui.engine.types import LayerNode, Target
from convviz_gui.gui.latent.skipped_dialog import SkippedDialog
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.pictures.qimage import to_array
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.kernel_tiles import Show
from convviz_gui.gui.views.census import CensusView
from convviz_gui.gui.views.kernels import KernelsView
from convviz_gui.gui.views.patches import PatchesView
from tests.gui.views_data import model, result, selection


@pytest.fixture
def chosen() -> Selection:
    return selection()


def kernels(*, sees: bool = True, layer: str = "conv1") -> Kernels:
    """Eight filters; 3 is blank, 5 is minus 1."""
    weights = np.random.default_rng(0).normal(size=(8, 3, 4, 4)).astype(np.float32)
    weights[3] = 0
    weights[5] = -2 * weights[1]
    norms = np.linalg.norm(weights.reshape(8, -1), axis=1).astype(np.float32)
    colours = (0, 1, 2) if sees else ()
    pairs = np.array([[1, 5]])
    return Kernels("conv1" if layer == "conv1" else layer, "Conv2d", weights, norms, norms == 0, pairs,
                   np.array([-1.0], np.float32), 1, colours=colours)  # fmt: skip


# ------------------------------------------------------------------------------------------------ weights


@pytest.fixture
def weights(qtbot: QtBot, chosen: Selection) -> KernelsView:
    made = KernelsView(chosen)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_filters_that_see_the_picture_are_in_colour_and_others_in_slices(weights: KernelsView) -> None:
    weights.show_result(result(kernels()))
    assert weights.header.shown() is Show.COLOURS
    shown = weights.picture.layers.base
    assert shown is not None
    assert to_array(shown.image).shape == (4, 4, 3)
    assert (to_array(shown.image)[..., 0] != to_array(shown.image)[..., 1]).any()
    weights.show_result(result(kernels(sees=False)))
    assert weights.header.shown() is Show.SLICES
    grey = to_array(weights.picture.layers.base.image)  # type: ignore[union-attr]
    assert (grey[..., 0] == grey[..., 1]).all()


def test_one_inputs_slice_is_chosen_by_number_and_its_values_are_raw(weights: KernelsView) -> None:
    weights.show_result(result(kernels()))
    header = weights.header
    header.show_combo.setCurrentIndex(header.show_combo.findData(Show.SLICE))
    assert header.channel.isVisible()
    header.channel.setValue(2)
    said: list[str] = []
    weights.status.connect(said.append)
    weights.picture.hovered.emit((1.5, 2.5))
    assert said[-1].startswith("(y 2, x 1)")
    number = float(said[-1].split()[-1].replace("−", "-"))
    assert number == pytest.approx(float(kernels().weights[0, 2, 2, 1]), rel=1e-3)


def test_the_scale_is_named_and_common_or_per_filter(weights: KernelsView) -> None:
    weights.show_result(result(kernels()))
    own = weights.bar.labels()
    weights.header.scale_combo.setCurrentIndex(weights.header.scale_combo.findData(KernelScale.COMMON))
    assert weights.bar.labels() != own
    top = float(np.abs(kernels().weights).max())
    assert weights.bar.labels() == (f"−{top:.4g}", "0", f"{top:.4g}")


def test_blank_and_twins_are_told_and_lead_on(weights: KernelsView, chosen: Selection, qtbot: QtBot) -> None:
    weights.show_result(result(kernels()))
    assert "1 of 8 blank" in weights.header.facts.text()
    assert "1 near-duplicate pair" in weights.header.facts.text()
    tips = [weights.grid.model().index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(8)]
    assert "blank" in tips[3]
    assert "≈" in weights.grid.model().index(5, 0).data()
    place = weights.grid.visualRect(weights.grid.model().index(1, 0)).center()
    qtbot.mouseClick(weights.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.channel == 1
    assert weights.twins.model().index(0, 0).data() == "5  −1.00"
    place = weights.twins.visualRect(weights.twins.model().index(0, 0)).center()
    qtbot.mouseClick(weights.twins.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.channel == 5
    assert weights.name.text() == "Filter 5"


def test_sorted_by_norm_the_largest_comes_first(weights: KernelsView) -> None:
    weights.show_result(result(kernels()))
    weights.header.order_combo.setCurrentIndex(1)
    assert weights.grid.item_at(0) == int(kernels().norms.argmax())
    assert weights.grid.item_at(7) == 3


def test_a_layer_without_weights_names_the_nearest_before_anything_runs(
    weights: KernelsView, chosen: Selection
) -> None:
    info = model()
    plain = LayerNode("relu", "relu", "ReLU", (8, 16, 16), 8, 0, 0)
    children = (info.root.children[0], plain, *info.root.children[1:])
    chosen.set_model(dataclasses.replace(info, root=dataclasses.replace(info.root, children=children)))
    with pytest.raises(EngineError, match="the nearest that has is conv1"):
        weights.target(Target("relu"))
    assert weights.target(Target("conv2")) == Target("conv2")


def test_a_linear_layers_weights_are_pixels(weights: KernelsView) -> None:
    flat = np.random.default_rng(1).normal(size=(3, 25, 1, 1)).astype(np.float32)
    linear = Kernels("fc", "Linear", flat, np.ones(3, np.float32), np.zeros(3, bool), np.zeros((0, 2), np.int64),
                     np.zeros(0, np.float32), 0)  # fmt: skip
    weights.show_result(result(linear))
    assert to_array(weights.picture.layers.base.image).shape == (5, 5, 3)  # type: ignore[union-attr]
    assert not weights.header.show_combo.isEnabled()
    assert weights.header.title.text().endswith("3×25")


# ------------------------------------------------------------------------------------------------ patches

SIDE = 24


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Patches:
    """Five channels of which number 3 is silent; four pictures 100×60, of different colours."""
    root = tmp_path_factory.mktemp("photos")
    paths = []
    for number in range(4):
        path = root / f"{number}.png"
        Image.new("RGB", (100, 60), (60 * number, 255 - 60 * number, 40)).save(path)
        paths.append(str(path))
    pictures = np.array([[(c + r) % 4 for r in range(4)] for c in range(5)])
    images = np.zeros((5, 4, SIDE, SIDE, 3), np.uint8)
    images[..., 0] = 40 * np.arange(5)[:, None, None, None]
    values = np.linspace(5, 1, 20).reshape(5, 4).astype(np.float32)
    values[3] = 0
    boxes = np.tile(np.array([10, 20, 30, 15], np.float32), (5, 4, 1))
    return Patches(
        "conv1", str(root), "top", np.arange(5) * 2, images, values, np.full((5, 4, 2), 3), pictures, boxes,
        tuple(paths), ("", "", "cat", "cat"), "part", (35, 35), skipped=(Skipped("/a.psd", "not read"),),
    )  # fmt: skip


@pytest.fixture
def patches(qtbot: QtBot, chosen: Selection) -> Iterator[PatchesView]:
    made = PatchesView(chosen)
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.panel.photos.close()


def test_every_channel_is_a_mosaic_with_number_and_value(patches: PatchesView, found: Patches) -> None:
    patches.show_result(result(found))
    captions = [patches.grid.model().index(row, 0).data() for row in range(5)]
    assert captions[:2] == ["0  5", f"2  {found.values[1, 0]:.4g}"]
    assert "35×35" in patches.facts.text()
    assert "5 channels" in patches.title.text()
    mosaic = patches.grid.model().source.picture(2)  # type: ignore[attr-defined]
    assert to_array(mosaic).shape == (2 * SIDE + 2, 2 * SIDE + 2, 3)
    tips = [patches.grid.model().index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(5)]
    assert "0 in all" in tips[3]


def test_a_click_shows_the_photo_with_the_box_and_enter_opens_it(
    patches: PatchesView, found: Patches, chosen: Selection, qtbot: QtBot
) -> None:
    patches.show_result(result(found))
    place = patches.grid.visualRect(patches.grid.model().index(1, 0)).center()
    qtbot.mouseClick(patches.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.channel == 2
    panel = patches.panel
    place = panel.grid.visualRect(panel.grid.model().index(2, 0)).center()
    qtbot.mouseClick(panel.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.rank == 2
    qtbot.waitUntil(lambda: panel.photo.layers.base is not None)
    assert to_array(panel.photo.layers.base.image)[0, 0].tolist() == [180, 75, 40]  # type: ignore[union-attr]
    (box,) = panel.photo.layers.boxes
    assert (box.x(), box.y(), box.width(), box.height()) == (10, 20, 30, 15)
    assert "cat/3.png" in panel.name.text()
    with qtbot.waitSignal(patches.open_image) as opened:
        qtbot.keyClick(panel.grid, Qt.Key.Key_Return)
    assert opened.args == [found.paths[3]]
    with qtbot.waitSignal(patches.open_image):
        panel.open.click()


def test_patches_are_shown_in_their_own_shape(patches: PatchesView, found: Patches) -> None:
    patches.show_result(result(found))
    tile = patches.panel.grid.model().source.picture(0)  # type: ignore[attr-defined]
    assert (tile.width(), tile.height()) == (24, 12)


def test_a_large_photo_is_shown_smaller_with_its_box_in_place(
    patches: PatchesView, found: Patches, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (2048, 1024), "red").save(path)
    large = dataclasses.replace(found, paths=(str(path),) * 4, boxes=np.full((5, 4, 4), 400, np.float32))
    patches.show_result(result(large))
    qtbot.waitUntil(lambda: patches.panel.photo.layers.base is not None)
    (box,) = patches.panel.photo.layers.boxes
    assert (box.x(), box.y(), box.width(), box.height()) == (200, 200, 200, 200)


def test_a_photo_that_is_gone_says_so(patches: PatchesView, found: Patches, tmp_path: Path, qtbot: QtBot) -> None:
    patches.show_result(result(dataclasses.replace(found, paths=(str(tmp_path / "gone.png"),) * 4)))
    qtbot.waitUntil(lambda: patches.panel.problem.isVisible())
    assert "gone.png" in patches.panel.problem.text()


def test_hovering_tells_value_picture_and_place(patches: PatchesView, found: Patches) -> None:
    patches.show_result(result(found))
    said: list[str] = []
    patches.status.connect(said.append)
    patches.panel.grid.pointed.emit(2)
    assert "cat/2.png" in said[-1]
    assert "row 3, column 3" in said[-1]
    patches.grid.pointed.emit(1)
    assert said[-1].startswith("Channel 2")
    patches.grid.pointed.emit(None)
    assert said[-1] == ""


def test_previews_grow_into_the_result_and_keep_the_channel(patches: PatchesView, found: Patches) -> None:
    few = dataclasses.replace(
        found, channels=found.channels[:2], images=found.images[:2], values=found.values[:2], boxes=found.boxes[:2],
        positions=found.positions[:2], pictures=found.pictures[:2], final=False,
    )  # fmt: skip
    patches.show_preview(few)
    assert "while the pictures are read" in patches.facts.text()
    patches.grid.select(1)
    patches.grid.chosen.emit(1)
    patches.show_result(result(found))
    assert patches.grid.model().rowCount() == 5
    assert patches.grid.current_item() == 1
    assert patches.panel.title.text() == "Channel 2"


def test_a_channel_chosen_elsewhere_is_shown(patches: PatchesView, found: Patches, chosen: Selection) -> None:
    patches.show_result(result(found))
    chosen.set_channel(6)
    assert patches.panel.title.text() == "Channel 6"
    chosen.set_channel(3)
    assert patches.panel.title.text() == "Channel 6", "there are no patches of channel 3"


def test_what_could_not_be_read_is_listed(patches: PatchesView, found: Patches) -> None:
    patches.show_result(result(found))
    assert patches.left_out.text() == "1 left out"
    patches.left_out.click()
    dialog = patches.findChild(SkippedDialog)
    assert dialog is not None
    assert dialog.table.item(0, 1).text() == "not read"
    dialog.close()


def test_two_thousand_channels_are_shown_without_making_them_all(patches: PatchesView, found: Patches) -> None:
    many = 2048
    large = dataclasses.replace(
        found,
        channels=np.arange(many),
        images=np.zeros((many, 4, 8, 8, 3), np.uint8),
        values=np.ones((many, 4), np.float32),
        boxes=np.ones((many, 4, 4), np.float32),
        positions=np.zeros((many, 4, 2), np.int64),
        pictures=np.zeros((many, 4), np.int64),
    )
    patches.show_result(result(large))
    patches.grid.viewport().grab()
    assert patches.grid.model().rowCount() == many
    assert len(patches.grid._delegate._kept) < 100


# ------------------------------------------------------------------------------------------------- census


def counted() -> Census:
    """conv1 with nothing to say; conv2 with a dead, a sparse and a duplicate channel."""
    dead, sparse = np.zeros(12, bool), np.zeros(12, bool)
    firing, twin = np.ones(12, np.float32), np.full(12, -1)
    dead[6], sparse[7], twin[9] = True, True, 1
    firing[6], firing[7] = 0, 0.01
    similarity = np.where(twin >= 0, 0.995, 0).astype(np.float32)
    peak = np.arange(12, dtype=np.float32)
    return Census(
        "/photos", ("conv1", "conv2"), ("Conv2d", "ReLU"), np.array([False, True]), np.array([0, 4, 12]), peak,
        peak / 2, firing, dead, sparse, twin, similarity, 100, 100, 0.05, 0.99,
    )  # fmt: skip


@pytest.fixture
def census(qtbot: QtBot, chosen: Selection) -> CensusView:
    made = CensusView(chosen)
    qtbot.addWidget(made)
    made.resize(700, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def texts(table: object, row: int) -> list[str]:
    shown = table.model()  # type: ignore[attr-defined]
    return [shown.index(row, column).data() for column in range(shown.columnCount())]


def test_layers_are_counted_and_sorted_by_any_column(census: CensusView) -> None:
    census.show_result(result(counted()))
    assert texts(census.layers, 0) == ["conv1", "4", "–", "–", "–"]
    assert texts(census.layers, 1) == ["conv2", "8", "1  12 %", "1  12 %", "1  12 %"]
    census.layers.sort_by("dead")
    assert census.layers.rows() == [1, 0]
    assert "1 dead" in census.facts.text()


def test_a_layers_channels_are_listed_and_a_click_chooses_both(
    census: CensusView, chosen: Selection, qtbot: QtBot
) -> None:
    census.show_result(result(counted()))
    census.layers.select(1)
    census.layers.chosen.emit(1)
    census.channels.sort_by("verdict")
    rows = [texts(census.channels, row)[-1] for row in range(4)]
    assert rows == ["dead", "sparse", "like 1  0.995", ""]
    place = census.channels.visualRect(census.channels.model().index(0, 0)).center()
    qtbot.mouseClick(census.channels.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (chosen.layer, chosen.channel) == ("conv2", 2)
    with qtbot.waitSignal(census.show_method) as shown:
        census.channels.opened.emit(2)
    assert shown.args == ["unit"]


def test_the_layer_chosen_in_the_tree_is_shown(census: CensusView, chosen: Selection) -> None:
    census.show_result(result(counted()))
    chosen.set_layer("conv2")
    assert census.layers.current_row() == 1
    assert census.channels.model().rowCount() == 8
    chosen.set_layer("fc")
    assert census.layers.current_row() == 1
    census.show_result(result(counted()))
    chosen.set_layer("conv1")
    assert "negative values" in census.heading.text()


def test_previews_say_that_duplicates_come_at_the_end_and_cannot_be_saved(census: CensusView) -> None:
    census.show_preview(dataclasses.replace(counted(), final=False))
    assert "at the end" in census.facts.text()
    assert not census.save_button.isEnabled()
    census.show_result(result(dataclasses.replace(counted(), n_judged=0)))
    assert "too few pictures" in census.facts.text()


def test_the_census_is_saved_as_csv(census: CensusView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    census.show_result(result(counted()))
    census.save_button.click()
    lines = (tmp_path / "mine.csv").read_text().splitlines()
    assert len(lines) == 13
    assert lines[10].startswith("conv2,5,1.0")


# --------------------------------------------------------------------------------------------- the whole window


def test_in_the_window_weights_follow_the_tree_and_patches_come_from_the_folder(
    ready: MainWindow, found: Patches, qtbot: QtBot
) -> None:
    window, tabs = ready, ready.tabs
    tabs.show_method("weights")
    qtbot.waitUntil(lambda: tabs.current.result is not None, timeout=30_000)
    assert isinstance(tabs.current.view, KernelsView)
    assert window.selection.model is not None
    silent = next(node.id for node in window.selection.model.layers() if node.kind == "ReLU")
    window.selection.set_layer(silent)
    view = tabs.current.view
    assert not view.stage.shows_content()
    assert "no filters of its own" in view.stage._message.sentence.text()
    window.selection.set_folder(found.folder)
    for method, shown in (("patches", PatchesView), ("census", CensusView)):
        tabs.show_method(method)
        tabs.current.run()
        qtbot.waitUntil(lambda: tabs.current.result is not None, timeout=60_000)
        assert isinstance(tabs.current.view, shown)
        assert tabs.current.view.stage.shows_content()
    patches = tabs.tabs["units"].place.findChild(PatchesView)
    assert isinstance(patches, PatchesView)
    node = window.selection.model.find(silent)
    assert node is not None
    assert patches.grid.model().rowCount() == node.channels
