"""Devices as the window has them: a move keeps what there is, a lost GPU is told, and the window stays usable."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from convviz_gui.engine import devices
from convviz_gui.engine.payloads import Heat, Maps
from convviz_gui.engine.types import MoveModel, Result
from convviz_gui.gui.main_window import MainWindow
from convviz_gui.gui.photos import samples
from tests.engine.faulty import device_lost, failing, out_of_memory, pretend_gpu

WAIT = 60_000


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch, window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with the demo open on a GPU that is none."""
    pretend_gpu(monkeypatch)
    window.begin()
    settle(window, qtbot)
    assert window.selection.model is not None
    assert window.selection.model.device == "cuda"
    return window


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until the tab on screen shows what is chosen, and the predictions are there."""
    qtbot.waitUntil(
        lambda: (
            window.tabs.current.result is not None
            and not window.tabs.current.running
            and window.selection.overview is not None
        ),
        timeout=WAIT,
    )


def shown(window: MainWindow) -> Result:
    result = window.tabs.current.result
    assert result is not None
    return result


def choose(window: MainWindow, qtbot: QtBot, layer: str) -> None:
    window.selection.set_layer(layer)
    qtbot.waitUntil(lambda: _layer(window) == layer and not window.tabs.current.running, timeout=WAIT)


def _layer(window: MainWindow) -> str | None:
    result = window.tabs.current.result
    return result.payload.layer if result is not None and isinstance(result.payload, Maps) else None


def move(window: MainWindow, qtbot: QtBot, device: str, precision: str | None = None) -> None:
    with qtbot.waitSignal(window.selection.place_changed, timeout=WAIT):
        window.opener.move_to(device, precision)


def test_a_move_keeps_layer_channel_class_predictions_and_results(on_gpu: MainWindow, qtbot: QtBot) -> None:
    window, chosen = on_gpu, on_gpu.selection
    choose(window, qtbot, "block2_conv1")
    chosen.set_channel(5)
    chosen.set_class(3)
    window.tabs.show("class map")
    qtbot.waitUntil(
        lambda: (
            isinstance(getattr(window.tabs.current.result, "payload", None), Heat)
            and shown(window).payload.class_index == 3
            and not window.tabs.current.running
        ),
        timeout=WAIT,
    )
    before, overview = shown(window), chosen.overview
    submitted: list[object] = []
    window.client.started.connect(lambda message: submitted.append(message.job.command))
    move(window, qtbot, "cpu")
    assert chosen.model is not None
    assert chosen.model.device == "cpu"
    assert window.status.device.text().startswith("CPU")
    assert (chosen.layer, chosen.channel, chosen.class_index) == ("block2_conv1", 5, 3)
    assert chosen.overview is overview
    assert shown(window) is before
    window.tabs.show("activations")
    qtbot.waitUntil(lambda: _layer(window) == "block2_conv1", timeout=WAIT)
    # A layer seen before the move is not computed again, and nothing else was.
    choose(window, qtbot, "block1_conv1")
    assert submitted == [MoveModel("cpu")]
    # New work is done, on the new device.
    choose(window, qtbot, "block3_conv1")
    assert shown(window).model.device == "cpu"


def test_lower_precision_is_computed_anew_and_float32_after_it_too(on_gpu: MainWindow, qtbot: QtBot) -> None:
    window = on_gpu
    exact = shown(window)
    move(window, qtbot, "cuda", "bfloat16")
    assert "bfloat16" in window.status.device.text()
    # What is exact already stays.
    assert shown(window) is exact
    choose(window, qtbot, "block2_conv1")
    coarse = shown(window)
    assert coarse.precision == "bfloat16"
    assert "bfloat16" in {score.text for score in coarse.scores}
    move(window, qtbot, "cuda", "float32")
    qtbot.waitUntil(lambda: shown(window) is not coarse, timeout=WAIT)
    assert shown(window).precision == "float32"
    assert _layer(window) == "block2_conv1"
    assert isinstance(shown(window).payload, Maps)
    assert not np.array_equal(shown(window).payload.maps, coarse.payload.maps)


def test_a_lost_gpu_is_told_and_the_window_goes_on_with_the_cpu(on_gpu: MainWindow, qtbot: QtBot) -> None:
    window, chosen = on_gpu, on_gpu.selection
    chosen.set_class(2)
    overview = chosen.overview
    with failing(device_lost) as failed:
        choose(window, qtbot, "block3_conv1")
    assert failed
    assert window.notices.isVisible()
    assert "The GPU failed: an illegal memory access was encountered" in window.notices.text.text()
    assert "start ConvViz again to use the GPU" in window.notices.text.text()
    assert chosen.model is not None
    assert chosen.model.device == "cpu"
    assert shown(window).model is chosen.model
    assert window.status.device.text().startswith("CPU")
    assert [window.header.devices.itemData(i) for i in range(window.header.devices.count())] == ["cpu"]
    assert (chosen.layer, chosen.class_index) == ("block3_conv1", 2)
    assert chosen.overview is overview
    choose(window, qtbot, "block2_conv1")
    # The notice stays until it is dismissed: it is about everything that comes.
    assert "The GPU failed" in window.notices.text.text()
    window.notices.dismiss()
    window.tray.open_sample(samples.toybox("umbrella", 1))
    qtbot.waitUntil(
        lambda: (
            chosen.overview is not None and chosen.overview is not overview and shown(window).run.image is chosen.image
        ),
        timeout=WAIT,
    )
    assert not window.notices.isVisible()


def test_out_of_memory_is_told_and_the_next_click_works(on_gpu: MainWindow, qtbot: QtBot) -> None:
    window = on_gpu
    with failing(out_of_memory) as failed:
        window.selection.set_layer("block3_conv1")
        qtbot.waitUntil(window.notices.isVisible, timeout=WAIT)
    assert failed
    text = window.notices.text.text()
    assert text.startswith("Not enough memory on the GPU: 2.5 GB asked for, 852 MB of 25 GB free")
    assert "compute on the CPU" in text
    choose(window, qtbot, "block2_conv1")
    assert not window.notices.isVisible()
    assert window.selection.model is not None
    assert window.selection.model.device == "cuda"


@pytest.mark.usefixtures("dressed")
def test_a_gpu_that_fails_at_the_start_leaves_the_demo_on_the_cpu(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    pretend_gpu(monkeypatch)
    with failing(device_lost):
        window.begin()
        settle(window, qtbot)
    assert window.selection.model is not None
    assert window.selection.model.device == "cpu"
    assert devices.available() == ("cpu",)
    assert "The GPU failed" in window.notices.text.text()
    QApplication.processEvents()
    assert "ToyNet" in window.windowTitle()
