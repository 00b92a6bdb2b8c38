"""The dialog that opens a network: the library's search and filters, own code and recent ones, no engine needed."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.engine.zoo.index import ModelEntry, entries, entry_of
from convviz_gui.gui.network.recent_models import RecentModels
from convviz_gui.gui.opening import licences
from convviz_gui.gui.opening.dialog import CODE, LIBRARY, RECENT, OpenModelDialog
from convviz_gui.gui.opening.entry_detail import FROM_FILE, PUBLISHED, RANDOM, cost
from convviz_gui.gui.opening.library_model import HERE, INPUT, NAME, PARAMS, Filter, LibraryModel
from convviz_gui.gui.opening.own_code import read_offer, split_source
from convviz_gui.gui.opening.recogniser import Recogniser
from convviz_gui.gui.window.window_state import WindowState
from convviz_gui.worker.client import EngineClient
from tests.gui.test_recent_models import info


@pytest.fixture
def dialog(qtbot: QtBot) -> OpenModelDialog:
    made = OpenModelDialog(("cuda", "cpu"), Recogniser(EngineClient()), RecentModels(), WindowState())
    qtbot.addWidget(made)
    made.show()
    return made


def names(model: LibraryModel) -> list[str]:
    return [str(model.index(row, NAME).data()) for row in range(model.rowCount())]


def shown(model: LibraryModel) -> list[ModelEntry]:
    found = [model.entry(model.index(row, 0)) for row in range(model.rowCount())]
    return [entry for entry in found if entry is not None]


# ------------------------------------------------------------------------------------------------- the list


def test_the_list_holds_every_network_and_keeps_qt_s_rules() -> None:
    model = LibraryModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_only(Filter())
    assert model.rowCount() == len(entries()) > 1000
    model.show_only(Filter("resnet 50"))
    assert names(model)[0] == "resnet50"
    assert tester.model() is model


def test_filters_keep_what_they_say() -> None:
    model = LibraryModel()
    model.show_only(Filter("", most_params=5 * 10**6, input_sides=(161, 256), published=True))
    found = shown(model)
    assert found
    assert all(0 < entry.params <= 5 * 10**6 and 161 <= entry.input_size <= 256 and entry.pretrained for entry in found)
    expected = sum(0 < e.params <= 5 * 10**6 and 161 <= e.input_size <= 256 and e.pretrained for e in entries())
    assert len(found) == expected


def test_only_what_is_on_this_machine() -> None:
    model = LibraryModel()
    model.set_here(frozenset({"demo", "timm:resnet18"}))
    model.show_only(Filter(here=True))
    assert {entry.source for entry in shown(model)} == {"demo", "timm:resnet18"}
    assert model.index(0, HERE).data() == "✓"
    assert model.index(0, HERE).data(Qt.ItemDataRole.AccessibleTextRole) == "on this machine"


@pytest.mark.parametrize(("column", "value"), [(PARAMS, "params"), (INPUT, "input_size")])
def test_columns_sort_both_ways(column: int, value: str) -> None:
    model = LibraryModel()
    model.show_only(Filter("efficientnet"))
    for order, backwards in ((Qt.SortOrder.AscendingOrder, False), (Qt.SortOrder.DescendingOrder, True)):
        model.sort(column, order)
        found = [getattr(entry, value) for entry in shown(model)]
        assert found == sorted(found, reverse=backwards)
    model.sort(-1)
    assert names(model)[0].startswith("efficientnet")


def test_licences_in_words() -> None:
    assert licences.sentence("cc-by-nc-4.0") == "CC BY-NC 4.0: not for commercial use"
    assert licences.sentence("") == "not stated by the library"
    assert licences.short("something-new-2.0") == "something-new-2.0"
    # A licence that nobody has put into words stands there as an address or a technical word.
    assert {entry.licence for entry in entries()} - {""} <= set(licences._WORDS)


def test_the_cost_is_said_before() -> None:
    entry = ModelEntry("timm:x", "x", "timm", "x", True, 224, 10, "mit", 46_830_000)
    assert cost(entry, PUBLISHED, here=False).startswith("46.8 MB will be downloaded")
    assert "Already on this machine" in cost(entry, PUBLISHED, here=True)
    assert "refused" in cost(entry, FROM_FILE, here=False)
    bare = ModelEntry("timm:y", "y", "timm", "y", False, 224)
    assert cost(bare, RANDOM, here=False).startswith("No weights are published")


# ------------------------------------------------------------------------------------------------ the dialog


def test_opens_without_torch_and_with_the_cursor_in_the_search_field(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    dialog.activateWindow()
    qtbot.waitUntil(dialog.library.search.hasFocus)
    assert dialog.command() == LoadModel(ModelSpec(), "auto", "float32")
    assert dialog.sections.currentIndex() == LIBRARY


def test_window_of_the_browser_needs_no_torch() -> None:
    import subprocess

    script = "import sys, convviz_gui.gui.opening.dialog; print('torch' in sys.modules, 'timm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False False"


def test_typing_and_enter_open_the_best_match(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(dialog.library.search, "resnet 18")
    assert dialog.library.detail.name.accessibleName() == "resnet18"
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog.library.search, Qt.Key.Key_Return)
    assert chosen.args == [LoadModel(ModelSpec("torchvision:resnet18", pretrained=True))]
    assert not dialog.isVisible()


def test_one_enter_opens_once(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    seen: list[object] = []
    dialog.chosen.connect(seen.append)
    qtbot.keyClicks(dialog.library.search, "alexnet")
    qtbot.keyClick(dialog.library.view, Qt.Key.Key_Return)
    assert len(seen) == 1


def test_arrows_walk_the_list_from_the_search_field(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(dialog.library.search, "resnet18")
    first, second = names(dialog.library.entries)[:2]
    assert dialog.library.detail.entry_source().endswith(first)
    qtbot.keyClick(dialog.library.search, Qt.Key.Key_Down)
    assert dialog.library.detail.name.accessibleName() == second
    qtbot.keyClick(dialog.library.search, Qt.Key.Key_Up)
    assert dialog.library.detail.name.accessibleName() == first
    assert dialog.library.search.text() == "resnet18"


def test_nothing_found_is_said_and_cannot_be_opened(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(dialog.library.search, "no such network")
    assert dialog.command() is None
    assert not dialog.open_button.isEnabled()
    assert "take away a word" in dialog.note.text()
    dialog.library.search.clear()
    assert dialog.open_button.isEnabled()


def test_networks_without_published_weights_are_random(dialog: OpenModelDialog) -> None:
    bare = next(entry for entry in entries() if not entry.pretrained)
    dialog.set_spec(ModelSpec(bare.source))
    command = dialog.command()
    assert command is not None
    assert command.spec == ModelSpec(bare.source)
    assert not dialog.library.detail.weights.button(PUBLISHED).isEnabled()


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("demo"),
        ModelSpec("timm:resnet18", None, True),
        ModelSpec("torchvision:vgg16", "/w/x.pth"),
        ModelSpec("torchvision:vgg16", "/w/x.pth", partial=True),
        ModelSpec("timm:vgg16"),
    ],
)
def test_the_open_network_is_where_the_dialog_starts(dialog: OpenModelDialog, spec: ModelSpec) -> None:
    dialog.set_spec(spec)
    command = dialog.command()
    assert command is not None
    assert command.spec == spec


def test_a_file_is_asked_for_where_one_is_needed(dialog: OpenModelDialog) -> None:
    dialog.set_spec(ModelSpec("timm:resnet18", "/w/x.pth"))
    dialog.library.detail.file.set_text("")
    assert dialog.command() is None
    assert "weights file" in dialog.note.text()


def test_device_and_precision_are_asked_for(dialog: OpenModelDialog) -> None:
    dialog.set_device("cuda", "bfloat16")
    assert dialog.command() == LoadModel(ModelSpec(), "cuda", "bfloat16")
    dialog.set_device("mps", "float64")
    assert dialog.command() == LoadModel(ModelSpec(), "auto", "float32")


def test_the_demo_is_one_click_away(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    dialog.set_spec(ModelSpec("timm:resnet18"))
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.demo.click()
    assert chosen.args == [LoadModel(ModelSpec())]


def test_sections_are_reached_by_keys(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    for expected in (1, 2, 3, 0):
        qtbot.keyClick(dialog, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
        assert dialog.sections.currentIndex() == expected


@pytest.mark.parametrize("section", [0, 1, 2, 3])
def test_everything_to_press_in_the_dialog_has_a_name(dialog: OpenModelDialog, section: int) -> None:
    dialog.go_to(section)
    unnamed = [
        widget
        for kind in (QAbstractButton, QComboBox, QAbstractItemView, QLineEdit)
        for widget in dialog.findChildren(kind)
        if widget.isVisible()
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not unnamed


def test_fits_a_small_screen(dialog: OpenModelDialog) -> None:
    hint = dialog.minimumSizeHint()
    assert hint.width() <= 1200
    assert hint.height() <= 640


# ------------------------------------------------------------------------------------------------- own code

CODE_FILE = """
import torch
raise SystemExit("this file must not be run")

class Block(torch.nn.Module):
    def __init__(self, width): pass

class Net(torch.nn.Module):
    def __init__(self, num_classes): pass

def build_model(width=8): return Net(3)
def helper(path): pass
weights = dict(a=1)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "my net.py"
    path.write_text(CODE_FILE)
    return path


def test_a_python_file_is_read_and_not_run(code: Path) -> None:
    offer = read_offer(code)
    assert offer.digest == hashlib.sha256(code.read_bytes()).hexdigest()
    needs = {factory.name: factory.needs for factory in offer.factories}
    assert [factory.name for factory in offer.factories][:2] == ["build_model", "Net"]
    # Numbers of classes are given; a width is not known to anybody.
    assert needs == {"build_model": (), "Net": (), "weights": (), "Block": ("width",), "helper": ("path",)}


@pytest.mark.parametrize("content", [b"def f(:", b"\x00\x01", b"x = '\xff'", b"(" * 5000])
def test_what_is_not_python_is_said_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"bad\.py is not valid Python"):
        read_offer(path)


def test_sources_of_own_code() -> None:
    assert split_source("/a b/net.py:build") == ("/a b/net.py", "build")
    assert split_source("timm:resnet18") is None
    assert split_source("demo") is None


def test_own_code_opens_only_when_it_is_trusted(dialog: OpenModelDialog, code: Path, qtbot: QtBot) -> None:
    dialog.set_code(str(code))
    page = dialog.code
    assert dialog.sections.currentIndex() == CODE
    assert not page.trusted.isChecked()
    assert dialog.command() is None
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    shown_text = page.identity.text().replace("\u200b", "").replace(" ", "")
    assert digest in shown_text
    assert str(code).replace(" ", "") in shown_text
    page.trusted.click()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.open_button.click()
    assert chosen.args == [LoadModel(ModelSpec(f"{code}:build_model", trusted=digest))]


def test_trust_is_remembered_until_the_file_changes(qtbot: QtBot, code: Path) -> None:
    def ask() -> OpenModelDialog:
        made = OpenModelDialog((), Recogniser(EngineClient()), RecentModels(), WindowState())
        qtbot.addWidget(made)
        made.set_code(str(code))
        return made

    first = ask()
    first.code.trusted.click()
    first.open_button.click()
    again = ask()
    assert again.code.trusted.isChecked()
    assert "unchanged" in again.code.state.text()
    assert again.command() is not None
    code.write_text(CODE_FILE + "# one more line\n")
    changed = ask()
    assert not changed.code.trusted.isChecked()
    assert "has changed" in changed.code.state.text()
    assert changed.command() is None


def test_trust_that_was_not_acted_on_is_not_remembered(dialog: OpenModelDialog, code: Path) -> None:
    dialog.set_code(str(code))
    dialog.code.trusted.click()
    dialog.reject()
    assert WindowState().trusted(str(code)) is None


def test_what_cannot_be_called_cannot_be_opened(dialog: OpenModelDialog, code: Path) -> None:
    dialog.set_code(str(code))
    dialog.code.trusted.click()
    block = [factory.name for factory in read_offer(code).factories].index("Block")
    dialog.code.factory.setCurrentIndex(block)
    assert dialog.command() is None
    assert "width" in dialog.note.text()


def test_own_code_with_weights_and_names(dialog: OpenModelDialog, code: Path) -> None:
    spec = ModelSpec(f"{code}:Net", "/w/best.pth", trusted=read_offer(code).digest, partial=True, class_names="/n.txt")
    WindowState().remember_trust(str(code), read_offer(code).digest)
    made = dialog
    made.code._trust = WindowState()
    made.set_spec(spec)
    command = made.command()
    assert command is not None
    assert command.spec == spec


# --------------------------------------------------------------------------------------------------- recent


def test_recent_networks_open_as_they_were(qtbot: QtBot, tmp_path: Path) -> None:
    recent = RecentModels()
    recent.remember(info(ModelSpec("timm:gone", str(tmp_path / "gone.pth")), "gone"))
    recent.remember(info(ModelSpec("timm:resnet18", pretrained=True), "resnet18", "bfloat16"), "cuda")
    dialog = OpenModelDialog(("cuda", "cpu"), Recogniser(EngineClient()), recent, WindowState())
    qtbot.addWidget(dialog)
    dialog.go_to(RECENT)
    assert dialog.command() == LoadModel(ModelSpec("timm:resnet18", pretrained=True), "cuda", "bfloat16")
    gone = dialog.recent.list.topLevelItem(1)
    assert gone is not None
    assert gone.isDisabled()
    assert "no longer" in gone.text(2)


def test_own_code_that_has_changed_is_asked_about_again(qtbot: QtBot, code: Path) -> None:
    recent, state = RecentModels(), WindowState()
    digest = read_offer(code).digest
    state.remember_trust(str(code), digest)
    recent.remember(info(ModelSpec(f"{code}:Net", trusted=digest), "Net"))
    code.write_text(CODE_FILE + "# changed\n")
    dialog = OpenModelDialog((), Recogniser(EngineClient()), recent, state)
    qtbot.addWidget(dialog)
    seen: list[object] = []
    dialog.chosen.connect(seen.append)
    dialog.go_to(RECENT)
    dialog.open_button.click()
    assert not seen
    assert dialog.sections.currentIndex() == CODE
    assert "has changed" in dialog.code.state.text()


def test_the_demo_is_in_the_index() -> None:
    demo = entry_of("demo")
    assert demo is not None
    assert demo.pretrained


def test_the_next_file_is_looked_for_where_the_last_was(
    dialog: OpenModelDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def choose(_parent: object, _title: str, near: str, _kinds: str) -> tuple[str, str]:
        begun.append(near)
        return str(tmp_path / "net.py"), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    dialog.code.file.ask()
    dialog.code.names.ask()
    assert begun == ["", str(tmp_path)]
