"""Names that look like HTML are shown as they are written: no picture is fetched, nothing is in bold."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex
from PySide6.QtGui import Qt, QTextDocument
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from convviz_gui.engine.jobs import Failed, Finished, Job, Message, run_job
from convviz_gui.engine.opening.trust import own_code_digest
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelInfo, ModelSpec
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.network.layer_model import LayerModel
from convviz_gui.gui.network.model_header import ModelHeader
from convviz_gui.gui.selection import Selection

TAG = "<img src='http://nowhere.invalid/x.png'><b>bold</b>"


def written(text: str) -> str:
    """What a reader of a tooltip sees."""
    if not Qt.mightBeRichText(text):
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


def test_tooltips_show_tags_and_leave_other_texts_alone() -> None:
    assert tip("conv1, 3×3") == "conv1, 3×3"
    assert written(TAG) != TAG
    for text in (TAG, f"{TAG}\nsecond line", "<p>", "a < b & <i>c</i>", "&lt;b>x</b>"):
        assert written(tip(text)) == text
        assert "<img" not in tip(text)


@pytest.mark.usefixtures("qapp")
def test_labels_show_tags() -> None:
    assert plain(QLabel(TAG)).textFormat() == Qt.TextFormat.PlainText
    label = ElidedLabel(TAG)
    assert label.text() == TAG
    assert written(label.toolTip()) == TAG


CODE = f"""
import torch
from torch import nn

class Net(nn.Sequential):
    pass

Net.__name__ = {TAG!r}
CLASSES = [{TAG!r}, "b"]

def build():
    net = Net(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net.add_module({TAG.replace(".", "")!r}, nn.Linear(4, 2))
    return net
"""


class End:
    """Keeps how a job ended."""

    def __init__(self) -> None:
        self.last: Message | None = None

    def send(self, message: Message) -> None:
        self.last = message

    def wants_preview(self) -> bool:
        return False


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    path = tmp_path / "net.py"
    path.write_text(CODE)
    end = End()
    spec = ModelSpec(f"{path}:build", trusted=own_code_digest(path))
    run_job(Session(), Job(0, "session", LoadModel(spec, "cpu")), end)
    assert not isinstance(end.last, Failed), end.last
    assert isinstance(end.last, Finished)
    assert isinstance(end.last.outcome, ModelInfo)
    return end.last.outcome


@pytest.mark.usefixtures("qapp")
def test_a_network_whose_names_are_tags(model: ModelInfo, qtbot: QtBot) -> None:
    assert TAG in (model.root.kind, *model.class_names)
    layers = LayerModel()
    layers.set_model(model)
    tips = []

    def walk(parent: QModelIndex) -> None:
        for row in range(layers.rowCount(parent)):
            index = layers.index(row, 0, parent)
            tips.append(layers.data(index, Qt.ItemDataRole.ToolTipRole))
            walk(index)

    walk(QModelIndex())
    assert any("bold" in text for text in tips)
    selection = Selection()
    header = ModelHeader(selection)
    qtbot.addWidget(header)
    selection.set_model(model)
    tips += [label.toolTip() for label in header.findChildren(QLabel)]
    assert not any("<img" in text or "<b>" in text for text in tips if Qt.mightBeRichText(text))
    for label in header.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText or not Qt.mightBeRichText(label.text())
