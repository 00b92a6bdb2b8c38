"""The engine thread and its client, with the real engine and the real demo network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

from convviz_gui.engine.demo import toybox
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Moved, Progressed, Started
from convviz_gui.engine.payloads import Gallery, Maps, Overview
from convviz_gui.engine.types import (
    Candidates,
    Catalogue,
    Export,
    Identify,
    ImageInput,
    LoadModel,
    ModelInfo,
    ModelSpec,
    Result,
    Run,
    Target,
)
from convviz_gui.worker.client import EngineClient
from convviz_gui.worker.mailbox import IDENTIFY
from tests.engine.faulty import device_lost, failing, pretend_gpu

WAIT = 60_000


class Log(QObject):
    """Everything a client delivered, in order."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self.messages: list[Any] = []
        for signal in (
            client.ready,
            client.started,
            client.progressed,
            client.finished,
            client.failed,
            client.cancelled,
        ):
            signal.connect(self.take)

    @Slot(object)
    def take(self, message: object) -> None:
        self.messages.append(message)

    def of(self, kind: type, lane: str) -> list[Any]:
        return [item for item in self.messages if isinstance(item, kind) and item.job.lane == lane]


def picture(seed: int = 0) -> ImageInput:
    sample = next(iter(toybox.samples(1, seed)))
    return image_from_array(sample.pixels.copy(), f"toy{seed}.png")


@pytest.fixture
def client(qtbot: QtBot) -> Iterator[EngineClient]:  # noqa: ARG001 - makes the application
    client = EngineClient()
    yield client
    client.stop()
    client.deleteLater()


@pytest.fixture
def loaded(client: EngineClient, qtbot: QtBot) -> tuple[EngineClient, Log]:
    log = Log(client)
    client.submit("session", LoadModel(ModelSpec("demo"), "cpu"))
    client.start()
    qtbot.waitUntil(lambda: bool(log.of(Finished, "session")), timeout=WAIT)
    return client, log


def test_ready_comes_first_and_commands_wait_for_it(loaded: tuple[EngineClient, Log]) -> None:
    _, log = loaded
    catalogue = log.messages[0]
    assert isinstance(catalogue, Catalogue)
    assert {"activations", "overview", "filters", "grad-cam", "latent"} <= {info.name for info in catalogue.methods}
    assert catalogue.devices[-1] == "cpu"
    assert isinstance(log.of(Finished, "session")[0].outcome, ModelInfo)


def test_only_the_newest_of_a_lane_is_delivered(loaded: tuple[EngineClient, Log], qtbot: QtBot) -> None:
    client, log = loaded
    ids = [client.submit("activations", Run("activations", Target("block1_conv1"), picture(i))) for i in range(20)]
    qtbot.waitUntil(lambda: bool(log.of(Finished, "activations")), timeout=WAIT)
    assert {item.job.id for kind in (Started, Finished, Cancelled) for item in log.of(kind, "activations")} == {ids[-1]}


def test_a_layer_click_is_answered_during_a_long_run(loaded: tuple[EngineClient, Log], qtbot: QtBot) -> None:
    client, log = loaded
    settings = (("steps", 2000),)
    client.submit("filters", Run("filters", Target("block2_conv1", (0, 1)), settings=settings))
    qtbot.waitUntil(lambda: bool(log.of(Progressed, "filters")), timeout=WAIT)
    client.submit("activations", Run("activations", Target("block1_conv1"), picture()))
    qtbot.waitUntil(lambda: bool(log.of(Finished, "activations")), timeout=WAIT)
    assert isinstance(log.of(Finished, "activations")[0].outcome.payload, Maps)
    assert not log.of(Finished, "filters")

    def shows_a_step() -> bool:
        shown = [item.preview for item in log.of(Progressed, "filters")]
        return any(isinstance(preview, Gallery) and int(preview.done.max()) > 0 for preview in shown)

    qtbot.waitUntil(shows_a_step, timeout=WAIT)
    client.cancel("filters")
    qtbot.waitUntil(lambda: bool(log.of(Cancelled, "filters")), timeout=WAIT)
    partial = log.of(Cancelled, "filters")[0].partial
    assert isinstance(partial, Gallery)
    assert 0 < int(partial.done.max()) < 2000


def test_live_methods_of_any_tab_are_answered_during_a_long_run(loaded: tuple[EngineClient, Log], qtbot: QtBot) -> None:
    client, log = loaded
    settings = (("patch", 8), ("stride", 1), ("mode", "whole"))
    client.submit("pixel map", Run("occlusion", image=picture(), settings=settings))
    qtbot.waitUntil(lambda: bool(log.of(Progressed, "pixel map")), timeout=WAIT)
    client.submit("units", Run("score-cam", image=picture()))
    client.submit("switch off", Run("switch-off", Target("block2_conv1", (0,)), picture()))
    client.submit("input", Run("input", image=picture()))
    for lane in ("switch off", "input"):
        qtbot.waitUntil(lambda lane=lane: bool(log.of(Finished, lane)), timeout=WAIT)
    assert not log.of(Finished, "pixel map")
    # What takes long keeps its turn, so that the window is answered meanwhile.
    assert not log.of(Started, "units")
    client.cancel("pixel map")


def test_loading_a_model_stops_everything_else(loaded: tuple[EngineClient, Log], qtbot: QtBot) -> None:
    client, log = loaded
    client.submit("filters", Run("filters", Target("block2_conv1", (0,)), settings=(("steps", 2000),)))
    client.submit("activations", Run("activations", Target("block1_conv1"), picture()))
    client.submit("session", LoadModel(ModelSpec("demo"), "cpu"))
    qtbot.waitUntil(lambda: len(log.of(Finished, "session")) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: bool(log.of(Cancelled, "filters")), timeout=WAIT)
    assert not log.of(Finished, "filters")


def test_every_export_is_written_whatever_comes_after_it(
    loaded: tuple[EngineClient, Log], qtbot: QtBot, tmp_path: Path
) -> None:
    client, log = loaded
    client.submit("activations", Run("activations", Target("block1_conv1"), picture()))
    qtbot.waitUntil(lambda: bool(log.of(Finished, "activations")), timeout=WAIT)
    result = log.of(Finished, "activations")[0].outcome
    folders = [tmp_path / str(i) for i in range(3)]
    for i, folder in enumerate(folders):
        client.submit(f"export#{i}", Export(result, str(folder)))
    client.submit("session", LoadModel(ModelSpec("demo"), "cpu"))
    client.stop()
    assert all((folder / "manifest.json").is_file() for folder in folders)


def test_a_failure_is_words_and_the_next_job_works(loaded: tuple[EngineClient, Log], qtbot: QtBot) -> None:
    client, log = loaded
    client.submit("activations", Run("activations", Target("no.layer"), picture()))
    qtbot.waitUntil(lambda: bool(log.of(Failed, "activations")), timeout=WAIT)
    assert "no.layer" in log.of(Failed, "activations")[0].problem.title
    client.submit("session", LoadModel(ModelSpec("torchvision:nonsense"), "cpu"))
    qtbot.waitUntil(lambda: bool(log.of(Failed, "session")), timeout=WAIT)
    client.submit("activations", Run("activations", Target("block1_conv1"), picture()))
    qtbot.waitUntil(lambda: bool(log.of(Finished, "activations")), timeout=WAIT)
    result = log.of(Finished, "activations")[0].outcome
    assert isinstance(result, Result)
    assert result.model.spec.source == "demo"


def test_a_lost_device_is_told_even_if_nobody_wants_the_job_any_more(
    client: EngineClient, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_gpu(monkeypatch)
    log, told = Log(client), []
    client.moved.connect(told.append)
    client.submit("session", LoadModel(ModelSpec("demo"), "cuda"))
    client.start()
    qtbot.waitUntil(lambda: bool(log.of(Finished, "session")), timeout=WAIT)

    def lost_after_all() -> Exception:
        # The user has clicked another layer by now.
        newer.append(client.submit("activations", Run("activations", Target("block2_conv1"), picture())))
        return device_lost()

    newer: list[int] = []
    with failing(lost_after_all):
        client.submit("activations", Run("activations", Target("block1_conv1"), picture()))
        qtbot.waitUntil(lambda: bool(log.of(Finished, "activations")), timeout=WAIT)
    (moved,) = told
    assert isinstance(moved, Moved)
    assert moved.devices == ("cpu",)
    (finished,) = log.of(Finished, "activations")
    assert [finished.job.id] == newer
    assert finished.outcome.model is moved.info


def test_stopping_while_busy_leaves_no_thread(qtbot: QtBot) -> None:
    client = EngineClient()
    log = Log(client)
    client.submit("session", LoadModel(ModelSpec("demo"), "cpu"))
    client.submit("filters", Run("filters", Target("block2_conv1", (0,)), settings=(("steps", 4000),)))
    client.start()
    qtbot.waitUntil(lambda: bool(log.of(Progressed, "filters")), timeout=WAIT)
    client.stop()
    assert not client._thread.isRunning()
    n_messages = len(log.messages)
    qtbot.wait(50)
    assert len(log.messages) == n_messages
    client.deleteLater()


@pytest.mark.usefixtures("qtbot")
def test_stop_before_start_returns() -> None:
    client = EngineClient()
    client.submit("session", LoadModel(ModelSpec("demo"), "cpu"))
    client.stop()
    client.deleteLater()


def test_a_file_is_recognised_between_the_steps_of_a_run(
    loaded: tuple[EngineClient, Log], qtbot: QtBot, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    from convviz_gui.engine.demo.toynet import build_toynet

    path = tmp_path / "toy.safetensors"
    save_file(build_toynet().state_dict(), path)
    client, log = loaded
    client.submit("filters", Run("filters", Target("block4_conv1"), settings=(("steps", 2000),)))
    qtbot.waitUntil(lambda: bool(log.of(Progressed, "filters")), timeout=WAIT)
    client.submit(IDENTIFY, Identify(str(path)))
    qtbot.waitUntil(lambda: bool(log.of(Finished, IDENTIFY)), timeout=WAIT)
    found = log.of(Finished, IDENTIFY)[0].outcome
    assert isinstance(found, Candidates)
    assert found.candidates[0].model == "demo"
    assert not log.of(Finished, "filters")
    client.cancel("filters")
    qtbot.waitUntil(lambda: bool(log.of(Cancelled, "filters")), timeout=WAIT)


@pytest.mark.parametrize(("dear", "wants"), [(0.0, False), (60.0, True)])
def test_after_a_picture_that_is_dear_to_show_the_next_one_waits(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch, dear: float, wants: bool
) -> None:
    monkeypatch.setattr("convviz_gui.worker.client.DEAR", dear)
    monkeypatch.setattr("convviz_gui.worker.client.PAUSE", 600.0)
    job = Job(client.submit("filters", Run("filters")), "filters", Run("filters"))
    shown: list[Progressed] = []
    client.progressed.connect(shown.append)
    nothing = np.zeros((0, 1, 1), np.float32)
    preview = Overview(nothing, nothing, (), nothing, nothing, nothing)
    client._thread.outbox.send(Progressed(job, 1, 2, preview=preview))
    client._drain()
    assert len(shown) == 1
    assert client._thread.outbox.wants_preview() is wants
