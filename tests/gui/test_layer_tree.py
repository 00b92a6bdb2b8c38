"""The layer tree: hierarchy, search that keeps parents, and step with the selection."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from convviz_gui.engine.types import LayerNode, ModelInfo, ModelSpec, Preprocess, ReceptiveField
from convviz_gui.gui.network.layer_model import LayerModel
from convviz_gui.gui.network.layer_tree import LayerTree
from convviz_gui.gui.selection import Selection


def node(layer: str, kind: str, depth: int | None, *children: LayerNode) -> LayerNode:
    shape = (8, 4, 4) if depth is not None else None
    return LayerNode(layer, layer.split(".")[-1], kind, shape, 8 if shape else None, 1234, depth, children)


def info() -> ModelInfo:
    """stem, two blocks of two layers with a name reused, and an unused auxiliary head."""
    blocks = [
        node(
            f"block{n}",
            "Block",
            3 * n,
            node(f"block{n}.conv", "Conv2d", 3 * n - 2),
            node(f"block{n}.relu", "ReLU", 3 * n - 1),
        )
        for n in (1, 2)
    ]
    root = node("", "Net", 8, node("stem", "Conv2d", 0), *blocks, node("aux_with_a_very_long_name", "Linear", None))
    preprocess = Preprocess((32, 32), 32, "bilinear", (0.5,) * 3, (0.5,) * 3)
    return ModelInfo(ModelSpec(), "net", "w", True, "d", 5000, "cpu", preprocess, (), 10, root, "stem", "stem")


@pytest.fixture
def selection() -> Selection:
    return Selection()


@pytest.fixture
def tree(qtbot: QtBot, selection: Selection) -> LayerTree:
    made = LayerTree(selection)
    qtbot.addWidget(made)
    made.resize(320, 400)
    made.show()
    selection.set_model(info())
    return made


def names(model: QAbstractItemModel, parent: QModelIndex | None = None) -> list[str]:
    found = []
    for row in range(model.rowCount(parent or QModelIndex())):
        index = model.index(row, 0, parent or QModelIndex())
        found += [str(index.data()), *names(model, index)]
    return found


def test_model_keeps_qt_s_rules() -> None:
    model = LayerModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_model(info())
    assert names(model) == ["stem", "block1", "conv", "relu", "block2", "conv", "relu", "aux_with_a_very_long_name"]
    model.set_model(None)
    assert names(model) == []
    assert tester.model() is model


@pytest.mark.parametrize(("width", "hidden"), [(400, []), (332, [3]), (240, [1, 3])])
def test_where_there_is_little_room_names_come_first(tree: LayerTree, width: int, hidden: list[int]) -> None:
    tree.resize(width, 400)
    assert [column for column in range(4) if tree.tree.isColumnHidden(column)] == hidden
    longest = tree.tree.fontMetrics().horizontalAdvance("block1_conv1")
    assert tree.tree.columnWidth(0) >= longest


def test_columns_say_kind_shape_and_parameters() -> None:
    model = LayerModel()
    model.set_model(info())
    row = model.index_of("block1.conv")
    assert [row.siblingAtColumn(column).data() for column in range(4)] == ["conv", "Conv2d", "8×4×4", "1.23 k"]
    assert "block1.conv" in row.data(Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (ReceptiveField((43, 43), (8, 8), (-9, -9)), "Each place sees 43×43 pixels, 8 from the next place’s"),
        (ReceptiveField((7, 3), (2, 1), (0, 0), gated=True), "Each place sees 7×3 pixels; the whole picture scales"),
        (ReceptiveField((64, 64), (0, 0), (0, 0), whole=True), "Sees the whole picture"),
    ],
)
def test_a_layers_receptive_field_is_in_its_tip(field: ReceptiveField, sentence: str) -> None:
    model = LayerModel()
    layer = LayerNode("conv", "conv", "Conv2d", (8, 4, 4), 8, 10, 0, receptive_field=field)
    root = dataclasses.replace(info().root, children=(layer,))
    model.set_model(dataclasses.replace(info(), root=root))
    assert sentence in model.index_of("conv").data(Qt.ItemDataRole.ToolTipRole)


def test_search_keeps_parents(tree: LayerTree, qtbot: QtBot) -> None:
    qtbot.keyClicks(tree.search, "block2 RELU")
    assert names(tree.tree.model()) == ["block2", "relu"]
    qtbot.keyClick(tree.search, Qt.Key.Key_Escape)
    assert len(names(tree.tree.model())) == 8


def test_tree_follows_the_selection(tree: LayerTree, selection: Selection) -> None:
    selection.set_layer("block2.relu")
    assert tree.tree.currentIndex().siblingAtColumn(0).data() == "relu"
    assert tree.tree.currentIndex().parent().data() == "block2"


def test_selection_follows_the_keyboard(tree: LayerTree, selection: Selection, qtbot: QtBot) -> None:
    selection.set_layer("stem")
    qtbot.keyClick(tree.tree, Qt.Key.Key_Down)
    assert selection.layer == "block1"
    qtbot.keyClick(tree.tree, Qt.Key.Key_Down)
    assert selection.layer == "block1.conv"


def test_search_then_arrow_reaches_the_tree(tree: LayerTree, selection: Selection, qtbot: QtBot) -> None:
    tree.activateWindow()
    tree.search.setFocus()
    qtbot.keyClicks(tree.search, "block2.conv")
    assert selection.layer == "stem"
    qtbot.keyClick(tree.search, Qt.Key.Key_Down)
    qtbot.waitUntil(tree.tree.hasFocus)
    assert selection.layer == "block2.conv"


def test_layers_that_never_run_cannot_be_chosen(tree: LayerTree, selection: Selection, qtbot: QtBot) -> None:
    selection.set_layer("block2.relu")
    qtbot.keyClick(tree.tree, Qt.Key.Key_End)
    assert selection.layer == "block2.relu"
    tip = tree._layers.index_of("aux_with_a_very_long_name").data(Qt.ItemDataRole.ToolTipRole)
    assert "Not used" in tip


def test_another_model_of_other_layers_replaces_the_rows(tree: LayerTree, selection: Selection) -> None:
    selection.set_model(None)
    assert names(tree.tree.model()) == []
