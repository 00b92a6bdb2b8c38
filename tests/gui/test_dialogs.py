"""Small parts: the dialog that opens a network, notices, the palette's search, numbers in words."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import Problem, ProblemKind
from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.gui.look import words
from convviz_gui.gui.network.open_model import OpenModelDialog, guess_name
from convviz_gui.gui.window.command_palette import Entry, matching
from convviz_gui.gui.window.notices import Notices
from convviz_gui.gui.window.process_memory import resident_bytes


@pytest.fixture
def dialog(qtbot: QtBot) -> OpenModelDialog:
    made = OpenModelDialog(("cuda", "cpu"))
    qtbot.addWidget(made)
    return made


def test_demo_needs_nothing(dialog: OpenModelDialog) -> None:
    assert dialog.command() == LoadModel(ModelSpec(), "auto")
    assert dialog.missing() == ""


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("demo"),
        ModelSpec("timm:resnet18", None, True),
        ModelSpec("torchvision:vgg16", "/w/x.pth"),
        ModelSpec("timm:x"),
    ],
)
def test_every_choice_round_trips(dialog: OpenModelDialog, spec: ModelSpec) -> None:
    dialog.set_spec(spec)
    assert dialog.command().spec == spec


def test_open_waits_for_what_is_missing(dialog: OpenModelDialog) -> None:
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    dialog.kind.setCurrentIndex(2)
    assert not button.isEnabled()
    assert "name" in dialog.note.text()
    dialog.name.setText("resnet18")
    assert button.isEnabled()
    dialog.weights.button(1).setChecked(True)
    assert not button.isEnabled()
    dialog.file.setText("/tmp/w.safetensors")
    assert button.isEnabled()


def test_chosen_device_is_asked_for(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    dialog.device.setCurrentIndex(dialog.device.findData("cpu"))
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.buttons.accepted.emit()
    assert chosen.args == [LoadModel(ModelSpec(), "cpu")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/squeezenet1_0-b66bff10.pth", "squeezenet1_0"),
        ("squeezenet1_0_imagenet.safetensors", "squeezenet1_0"),
        ("resnet18.safetensors", "resnet18"),
        ("vit-base.bin", "vit-base"),
    ],
)
def test_name_is_guessed_from_the_file(path: str, name: str) -> None:
    assert guess_name(path) == name


def problem(title: str) -> Problem:
    return Problem(ProblemKind.USER, title, "Do this", f"detail of {title}")


def test_notices_by_topic(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("files", problem("A"), problem("B"))
    notices.tell("filters", problem("C"))
    assert notices.text.text().splitlines() == ["C. Do this", "A. Do this", "… and 1 more"]
    notices.tell("files", problem("D"))
    assert notices.text.text().splitlines() == ["D. Do this", "C. Do this"]
    assert "detail of C" in notices.details()
    notices.settle("files")
    assert notices.text.text() == "C. Do this"
    notices.dismiss()
    assert notices.isHidden()


def test_many_problems_are_counted(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("files", *(problem(str(number)) for number in range(50)))
    assert notices.text.text().splitlines()[-1] == "… and 48 more"
    assert "detail of 49" in notices.details()


def test_one_cause_is_told_once(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("overview", problem("A"))
    notices.tell("activations", problem("A"))
    assert notices.text.text() == "A. Do this"


def test_palette_puts_whole_words_first() -> None:
    entries = [Entry(title, "", list) for title in ("Layer: block4_conv1", "View: b4", "Quit")]
    assert [entry.title for entry in matching("b4", entries)] == ["View: b4", "Layer: block4_conv1"]
    assert [entry.title for entry in matching("LAY conv", entries)] == ["Layer: block4_conv1"]
    assert matching("zz", entries) == []
    assert matching("", entries) == entries


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.count(999), "999"),
        (words.count(1_248_424), "1.25 M"),
        (words.count(14_208), "14.2 k"),
        (words.duration(0.0004), "< 1 ms"),
        (words.duration(0.021), "21 ms"),
        (words.duration(3.44), "3.4 s"),
        (words.duration(75), "1 min 15 s"),
        (words.duration(7300), "2 h 1 min"),
        (words.percent(1.0), "100 %"),
        (words.percent(0.0034), "0.3 %"),
        (words.percent(0.00001), "< 0.1 %"),
        (words.percent(0.0), "0 %"),
        (words.shape((64, 5, 7)), "64×5×7"),
        (words.shape(None), "–"),
        (words.memory(1_340_000_000), "1.3 GB"),
    ],
)
def test_numbers_in_words(written: str, expected: str) -> None:
    assert written == expected


def test_memory_of_this_process_is_told() -> None:
    size = resident_bytes()
    assert size is not None
    assert 10**7 < size < 10**12
