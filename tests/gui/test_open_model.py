"""Opening networks in the window, on the real engine: recognised files, own code, what was edited, the last session."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from torchvision.models import squeezenet1_1

from convviz_gui.engine.types import Amend, LoadModel, ModelSpec
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.network.health_panel import HealthPanel
from convviz_gui.gui.opening.dialog import CODE, WEIGHTS, OpenModelDialog
from convviz_gui.gui.opening.entry_detail import FROM_FILE
from convviz_gui.gui.opening.own_code import read_offer
from tests.gui.test_recent_models import EDITED, info

WAIT = 60_000


def name(window: MainWindow) -> str:
    return window.selection.model.name if window.selection.model is not None else ""


def drop(window: MainWindow, path: Path) -> OpenModelDialog:
    """The dialog that a dropped file opens."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    assert window.commands.take(data, "drop")
    dialog = window.findChild(OpenModelDialog)
    assert dialog is not None
    return dialog


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint of a SqueezeNet 1.1 with seven classes, as a trainer behind DataParallel writes it."""
    torch.manual_seed(0)
    state = {f"module.{key}": value for key, value in squeezenet1_1(num_classes=7).state_dict().items()}
    path = tmp_path / "best.pth.tar"
    torch.save({"epoch": 3, "state_dict": state}, path)
    return path


def test_dropped_weights_are_recognised_and_open_with_one_enter(ready: MainWindow, weights: Path, qtbot: QtBot) -> None:
    dialog = drop(ready, weights)
    assert dialog.sections.currentIndex() == WEIGHTS
    qtbot.waitUntil(dialog.open_button.isEnabled, timeout=WAIT)
    assert "7 classes" in dialog.weights.state.text()
    candidate = dialog.weights.candidate()
    assert candidate is not None
    assert candidate.fits
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: name(ready) == "squeezenet1_1", timeout=WAIT)
    model = ready.selection.model
    assert model is not None
    assert model.n_classes == 7
    assert model.trained
    assert [entry.spec.weights for entry in ready.recent.entries()] == [str(weights)]


def test_what_does_not_fit_is_said_and_loads_only_by_choice(ready: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    torch.manual_seed(0)
    state = squeezenet1_1().state_dict()
    state["features.3.squeeze.weight"] = torch.zeros(5, 64, 1, 1)
    del state["features.4.squeeze.bias"]
    path = tmp_path / "odd.pth"
    torch.save(state, path)
    dialog = drop(ready, path)
    qtbot.waitUntil(lambda: dialog.weights.candidate() is not None, timeout=WAIT)
    assert "no network fits completely" in dialog.weights.state.text()
    assert dialog.command() is None
    said = dialog.weights.fit.text()
    assert "features.3.squeeze.weight: expected 16×64×1×1, found 5×64×1×1" in said
    assert "features.4.squeeze.bias" in said
    assert "2 tensors" in dialog.weights.partial.text()
    dialog.weights.partial.click()
    dialog.open_button.click()
    qtbot.waitUntil(lambda: name(ready) == "squeezenet1_1", timeout=WAIT)
    assert ready.header.partial.isVisible()


class Evil:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_code_is_refused_in_the_dialog(ready: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    trap, path = tmp_path / "sprung", tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil(trap)))
    dialog = drop(ready, path)
    qtbot.waitUntil(lambda: "could run code" in dialog.weights.state.text(), timeout=WAIT)
    assert dialog.weights.state.property("role") == "warning"
    assert dialog.weights.path() == str(path)
    assert dialog.command() is None
    assert not trap.exists()
    dialog.reject()


def test_another_network_keeps_the_file(ready: MainWindow, weights: Path, qtbot: QtBot) -> None:
    dialog = drop(ready, weights)
    qtbot.waitUntil(dialog.open_button.isEnabled, timeout=WAIT)
    dialog.weights.another.click()
    assert dialog.library.detail.choice() == FROM_FILE
    qtbot.keyClicks(dialog.library.search, "squeezenet1_0")
    command = dialog.command()
    assert command is not None
    assert command.spec.weights == str(weights)
    dialog.reject()


def test_a_path_is_recognised_while_it_is_typed(ready: MainWindow, weights: Path, qtbot: QtBot) -> None:
    dialog = ready.commands.model.ask()
    dialog.go_to(WEIGHTS)
    qtbot.keyClicks(dialog.weights.file.edit, str(weights))
    qtbot.waitUntil(dialog.open_button.isEnabled, timeout=WAIT)
    dialog.weights.file.edit.clear()
    assert not dialog.open_button.isEnabled()
    qtbot.keyClicks(dialog.weights.file.edit, "/no/such/file.pth")
    qtbot.keyClick(dialog.weights.file.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "There is no weights file" in dialog.weights.state.text(), timeout=WAIT)
    dialog.reject()


OWN = """
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
"""


def test_dropped_code_asks_for_trust_and_opens(ready: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "net.py"
    path.write_text(OWN)
    dialog = drop(ready, path)
    assert dialog.sections.currentIndex() == CODE
    assert not dialog.open_button.isEnabled()
    qtbot.keyClick(dialog.code.trusted, Qt.Key.Key_Space)
    dialog.open_button.click()
    qtbot.waitUntil(lambda: _source(ready) == f"{path}:build", timeout=WAIT)
    assert ready.state.trusted(str(path)) == read_offer(path).digest
    # Recent, unchanged: opens without a question. Changed: asks.
    ready.commands.model.open_demo()
    qtbot.waitUntil(lambda: name(ready) == "ToyNet", timeout=WAIT)
    entry = ready.recent.entries()[0]
    ready.commands.model.open_recent(entry)
    qtbot.waitUntil(lambda: _source(ready) == f"{path}:build", timeout=WAIT)
    path.write_text(OWN + "\n# another\n")
    ready.commands.model.open_recent(entry)
    asked = next(d for d in ready.findChildren(OpenModelDialog) if d.isVisible())
    assert "has changed" in asked.code.state.text()
    asked.reject()


def test_edited_preprocessing_is_kept_and_can_be_undone(ready: MainWindow, weights: Path, qtbot: QtBot) -> None:
    command = LoadModel(ModelSpec("torchvision:squeezenet1_1", str(weights)), "cpu")
    ready.commands.model.open(command)
    qtbot.waitUntil(lambda: name(ready) == "squeezenet1_1", timeout=WAIT)
    found = ready.selection.model
    assert found is not None
    edited = dataclasses.replace(EDITED, mean=(0.1,) * 3, std=(0.2,) * 3)
    ready.opener.amend(Amend(preprocess=edited))
    qtbot.waitUntil(lambda: _size(ready) == edited.size, timeout=WAIT)
    ready.commands.model.open_demo()
    qtbot.waitUntil(lambda: name(ready) == "ToyNet", timeout=WAIT)
    ready.commands.model.open(command)
    qtbot.waitUntil(lambda: name(ready) == "squeezenet1_1", timeout=WAIT)
    assert _size(ready) == edited.size
    assert "own preprocessing" in ready.header.facts.text()
    ready.commands.model.restore_as_found()
    qtbot.waitUntil(lambda: _size(ready) == found.preprocess.size, timeout=WAIT)
    assert ready.recent.with_kept(command.spec) == command.spec


@pytest.fixture
def offered(window: MainWindow, weights: Path) -> MainWindow:
    """A window after a session that ended with a network from a file; its engine is not started."""
    window.recent.remember(info(ModelSpec("torchvision:squeezenet1_1", str(weights)), "squeezenet1_1"))
    return window


def test_the_last_session_s_network_is_offered(offered: MainWindow, qtbot: QtBot) -> None:
    offered.begin()
    assert offered.offer.isVisible()
    assert offered.offer.text.text() == "Last time: squeezenet1_1 (best.pth.tar)"
    qtbot.waitUntil(lambda: name(offered) == "ToyNet", timeout=WAIT)
    assert offered.offer.isVisible()
    offered.offer.again.click()
    qtbot.waitUntil(lambda: name(offered) == "squeezenet1_1", timeout=WAIT)
    assert not offered.offer.isVisible()


def test_the_offer_is_dismissed_by_escape_and_comes_back_next_time(offered: MainWindow, qtbot: QtBot) -> None:
    offered.commands.model.offer_last()
    assert offered.offer.isVisible()
    qtbot.keyClick(offered, Qt.Key.Key_Escape)
    assert not offered.offer.isVisible()
    assert offered.recent.last() is not None
    offered.commands.model.open_demo()
    assert offered.recent.last() is None


def test_nothing_is_offered_beside_a_file_that_was_named(offered: MainWindow, tmp_path: Path) -> None:
    offered.commands.model.offer_last([tmp_path / "photo.png"])
    assert not offered.offer.isVisible()


def test_what_is_gone_is_offered_with_the_reason(offered: MainWindow, weights: Path) -> None:
    weights.unlink()
    offered.commands.model.offer_last()
    assert "is no longer in" in offered.offer.text.text()
    assert offered.offer.again.isHidden()


def test_health_report_of_the_demo(ready: MainWindow) -> None:
    ready.header.health.click()
    panel = next(w for w in QApplication.topLevelWidgets() if isinstance(w, HealthPanel))
    assert panel.isVisible()
    panel.close()
    ready.commands.model.copy_report()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("ToyNet\n")
    assert "Grad-CAM" in text


def test_a_method_that_does_not_apply_says_so_in_its_tab(ready: MainWindow) -> None:
    model = ready.selection.model
    assert model is not None
    ready.selection.set_model(dataclasses.replace(model, cannot=(("grad-cam", "It has no maps."),), digest="other"))
    ready.tabs.show("class map")
    tab = ready.tabs.current
    assert tab.view is not None
    said = [label.text() for label in tab.view.findChildren(QLabel)]
    assert any("does not apply to ToyNet: it has no maps" in text for text in said)
    assert not tab.running
    assert not ready.notices.isVisible()


def _source(window: MainWindow) -> str:
    return window.selection.model.spec.source if window.selection.model is not None else ""


def _size(window: MainWindow) -> tuple[int, int] | None:
    return window.selection.model.preprocess.size if window.selection.model is not None else None


def test_a_run_that_another_network_stops_is_told(ready: MainWindow, qtbot: QtBot) -> None:
    ready.tabs.show("filters")
    tab = ready.tabs.current
    tab.run()
    assert tab.running
    ready.commands.model.open_demo()
    assert ready.status.value.text() == "Filters was stopped: another network is being opened."
    qtbot.waitUntil(lambda: not tab.running, timeout=WAIT)
