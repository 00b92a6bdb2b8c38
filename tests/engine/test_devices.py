"""Devices: which is taken, what a lost one leaves, and which precision is computed in. No GPU is needed."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine import devices
from convviz_gui.engine.command_line import command_line
from convviz_gui.engine.console import Console
from convviz_gui.engine.devices import CPU, checked_precision, resolve, roomiest
from convviz_gui.engine.errors import EngineError, Problem, ProblemKind
from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Message, Moved, run_job
from convviz_gui.engine.manifest import result_facts
from convviz_gui.engine.method import methods
from convviz_gui.engine.network.home import Home
from convviz_gui.engine.payloads import Maps, Overview
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelInfo, ModelSpec, MoveModel, Result, Run, Target
from tests.engine.faulty import device_lost, failing, out_of_memory, pretend_gpu
from tests.engine.test_embedding import write_pictures
from tests.engine.test_faults import Inbox, do
from tests.engine.test_methods import METHODS, arrays_of, fingerprint, request_for
from tests.engine.test_methods import finish as finish_run
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session


def only(messages: list[Message], kind: type) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


def on_gpu(monkeypatch: pytest.MonkeyPatch, behind: str = "cpu") -> Session:
    """A session whose `TinyNet` is on a GPU that is none."""
    pretend_gpu(monkeypatch, behind)
    session = tiny_session()
    (moved,) = only(do(session, MoveModel("cuda")), Finished)
    assert moved.outcome.device == "cuda"
    return session


class TestChoice:
    """Names to devices."""

    def test_the_cpu_is_always_there_and_last(self) -> None:
        assert devices.available()[-1] == "cpu"
        assert resolve("cpu") == CPU

    def test_auto_takes_the_best(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch)
        assert resolve("auto").name == resolve("cuda").name == resolve("cuda:0").name == "cuda"
        assert devices.available() == ("cuda", "cpu")

    @pytest.mark.parametrize("name", ["cuda:7", "tpu", "", "CPU"])
    def test_what_is_not_there_is_said(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        pretend_gpu(monkeypatch)
        with pytest.raises(EngineError) as caught:
            resolve(name)
        assert caught.value.hint == "Choose one of: auto, cuda, cpu"

    def test_what_failed_is_not_offered_again_and_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch)
        devices.give_up("cuda", Problem(ProblemKind.RESOURCE, "The GPU failed: device lost"))
        assert devices.available() == ("cpu",)
        assert resolve("auto") == CPU
        with pytest.raises(EngineError, match="The GPU failed: device lost: it is not used again"):
            resolve("cuda")

    def test_of_several_gpus_the_one_with_most_free_memory(self) -> None:
        names = ["5d3f", "77aa", "91bc"]
        assert roomiest(names, "GPU-77aa, 23040\nGPU-5d3f, 1024\nGPU-91bc, 8000\n") == 1
        assert roomiest(names, "GPU-91bc, 8000\nGPU-5d3f, [N/A]\n") == 2
        assert roomiest(names, "") == 0

    def test_the_command_line_says_why_a_gpu_cannot_be_used(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Problem(ProblemKind.RESOURCE, "This machine's GPU cannot be used", "Update the driver")
        monkeypatch.setattr(devices, "unusable", lambda: said)
        Console().open(LoadModel(ModelSpec("demo"), "cpu"))
        assert capsys.readouterr().err == ""
        Console().open(LoadModel(ModelSpec("demo"), "auto"))
        assert capsys.readouterr().err == "convviz: This machine's GPU cannot be used. Update the driver\n"


class TestHome:
    """Weights on the host, wherever the network is."""

    def outputs(self, network: nn.Module) -> Tensor:
        with torch.no_grad():
            return network(torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32))

    def test_nothing_is_read_from_the_device_to_come_back(self) -> None:
        network = tiny_net().requires_grad_(False)
        parameters, expected = list(network.parameters()), self.outputs(network)
        home = Home(network)
        # Like a device that has failed: what is there cannot be read.
        home.move(torch.device("meta"))
        assert all(tensor.is_meta for tensor in (*network.parameters(), *network.buffers()))
        home.bring_back()
        torch.testing.assert_close(self.outputs(network), expected, rtol=0, atol=0)
        assert [id(found) for found in network.parameters()] == [id(wanted) for wanted in parameters]

    def test_shared_weights_stay_shared(self) -> None:
        network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        network[1].weight = network[0].weight
        home = Home(network)
        home.move(torch.device("meta"))
        home.bring_back()
        assert network[0].weight is network[1].weight

    def test_a_move_that_fails_half_way_leaves_the_network_whole(self) -> None:
        network = tiny_net().requires_grad_(False)
        expected = self.outputs(network)

        def full(*_args: Any, **_kwargs: Any) -> nn.Module:
            raise out_of_memory()

        # The third of six parts does not fit; two are there by then.
        network.relu._apply = full
        with pytest.raises(torch.OutOfMemoryError):
            Home(network).move(torch.device("meta"))
        torch.testing.assert_close(self.outputs(network), expected, rtol=0, atol=0)


class TestMoving:
    """`MoveModel`."""

    def test_a_move_keeps_everything_but_the_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch)
        session = tiny_session()
        before, module = session.info, session.model
        (there,) = only(do(session, MoveModel("cuda", "bfloat16")), Finished)
        assert there.outcome == dataclasses.replace(before, device="cuda", precision="bfloat16")
        assert session.model is module
        (back,) = only(do(session, MoveModel("cpu")), Finished)
        assert back.outcome == before

    def test_a_device_that_is_too_small_leaves_the_network_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch, "meta")
        session = tiny_session()
        expected = finish_run(session, Run("overview", image=noise_picture())).payload

        def full(*_args: Any, **_kwargs: Any) -> nn.Module:
            raise out_of_memory()

        session.model.head._apply = full
        (failed,) = only(do(session, MoveModel("cuda")), Failed)
        assert failed.problem.title == "Not enough memory on the GPU: 2.5 GB asked for, 852 MB of 25 GB free"
        assert session.info.device == "cpu"
        again = finish_run(session, Run("overview", image=noise_picture())).payload
        np.testing.assert_array_equal(arrays_of(again)["logits"], arrays_of(expected)["logits"])

    def test_a_device_that_fails_under_the_move_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch, "meta")
        session = tiny_session()

        def lost(*_args: Any, **_kwargs: Any) -> nn.Module:
            raise device_lost()

        session.model.head._apply = lost
        messages = do(session, MoveModel("cuda"))
        (moved,) = only(messages, Moved)
        assert moved.info is None
        assert moved.devices == ("cpu",)
        assert messages[-1].outcome.device == "cpu"
        assert isinstance(do(session, Run("overview", image=noise_picture()))[-1], Finished)


def there(inputs: Any) -> bool:
    """True of what is on the device that fails."""
    return bool(inputs[0].is_meta)


class TestOpening:
    """`LoadModel` on a device that cannot."""

    @pytest.mark.parametrize("name", ["auto", "cuda"])
    def test_a_device_that_fails_when_first_used(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        pretend_gpu(monkeypatch, "meta")
        session = Session()

        def unknown_card() -> Exception:
            return torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device")

        with failing(unknown_card, times=10**9, when=there):
            messages = do(session, LoadModel(ModelSpec("demo"), name))
        (moved,) = only(messages, Moved)
        assert moved.problem.title == "This PyTorch is not built for the GPU in this machine"
        assert moved.info is None
        assert isinstance(messages[-1], Finished)
        assert messages[-1].outcome.device == "cpu"
        assert devices.available() == ("cpu",)

    def test_auto_goes_where_there_is_room_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch, "meta")
        session = Session()
        with failing(out_of_memory, times=10**9, when=there):
            info = do(session, LoadModel(ModelSpec("demo"), "auto"))[-1].outcome
        assert info.device == "cpu"
        (finding,) = [finding for finding in info.health if finding.kind == "device"]
        assert finding.title.startswith("Not enough memory on the GPU: 2.5 GB asked for")
        # It may do for another network.
        assert devices.available() == ("cuda", "cpu")

    def test_a_device_that_was_asked_for_is_not_replaced_for_lack_of_room(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pretend_gpu(monkeypatch, "meta")
        session = tiny_session()
        with failing(out_of_memory, times=10**9, when=there):
            last = do(session, LoadModel(ModelSpec("demo"), "cuda"))[-1]
        assert isinstance(last, Failed)
        assert session.info.name == "tiny"
        assert isinstance(do(session, Run("overview", image=noise_picture()))[-1], Finished)


class TestLost:
    """A GPU that fails under a job."""

    @pytest.mark.parametrize("at", [1, 3])
    @pytest.mark.parametrize("name", METHODS)
    def test_the_job_is_run_again_on_the_cpu(
        self, name: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = str(write_pictures(tmp_path, 9))
        request = request_for(name, folder)
        expected = finish_run(tiny_session(), request)
        session = on_gpu(monkeypatch)
        before = fingerprint(session.model)
        with failing(device_lost, at=at) as failed:
            messages = do(session, request)
        finished = messages[-1]
        assert isinstance(finished, Finished)
        assert isinstance(finished.outcome, Result)
        assert len(only(messages, Moved)) == len(failed)
        if failed:
            (moved,) = only(messages, Moved)
            assert moved.problem.title == "The GPU failed: an illegal memory access was encountered"
            assert moved.info is session.info is finished.outcome.model
            assert finished.outcome.model.device == "cpu"
        assert fingerprint(session.model) == before
        for key, array in arrays_of(expected.payload).items():
            np.testing.assert_array_equal(array, arrays_of(finished.outcome.payload)[key], err_msg=key)
        again = do(session, request)
        assert isinstance(again[-1], Finished)
        assert not only(again, Moved)

    def test_nothing_is_asked_of_the_lost_device_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        request = Run("grad-cam", image=noise_picture())
        expected = finish_run(tiny_session(), request)
        session = on_gpu(monkeypatch, "meta")
        # What is on the device cannot be read: only the host's weights can give these numbers.
        with failing(device_lost, times=10**9, when=there):
            finished = do(session, request)[-1]
        assert isinstance(finished, Finished)
        np.testing.assert_array_equal(arrays_of(finished.outcome.payload)["raw"], arrays_of(expected.payload)["raw"])

    def test_a_guest_that_loses_the_device_takes_its_host_along(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = str(write_pictures(tmp_path, 23))
        request = dataclasses.replace(request_for("latent", folder), settings=(("projection", "pca"), ("batch", 4)))
        expected = finish_run(tiny_session(), request)
        session, inbox, guests = on_gpu(monkeypatch), Inbox(), []

        def guest() -> None:
            if len(guests) == 2:
                with failing(device_lost):
                    guests.append(do(session, Run("grad-cam", image=noise_picture())))
            else:
                guests.append(do(session, Run("overview", image=noise_picture())))

        run_job(session, Job(1, "host", request), inbox, guest)
        assert all(isinstance(messages[-1], Finished) for messages in guests)
        assert [len(only(messages, Moved)) for messages in guests[:4]] == [0, 0, 1, 0]
        last = inbox.messages[-1]
        assert isinstance(last, Finished)
        np.testing.assert_array_equal(
            arrays_of(last.outcome.payload)["features"], arrays_of(expected.payload)["features"]
        )

    def test_a_host_whose_tensors_are_lost_starts_again_without_a_second_word(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = Run("filters", Target("conv2", (0, 1)), settings=(("steps", 3), ("size", 48), ("crop", 4)))
        expected = finish_run(tiny_session(), request)
        session, inbox = on_gpu(monkeypatch), Inbox()
        broken: list[bool] = []

        def guest() -> None:
            if not broken and session.info.device == "cuda":
                with failing(device_lost):
                    broken.extend([True, isinstance(do(session, Run("overview", image=noise_picture()))[-1], Finished)])

        # The host's own next pass fails too, as everything does after an error of CUDA.
        with failing(device_lost, times=10**9, when=lambda _inputs: broken == [True, True] and not broken.append(True)):
            run_job(session, Job(1, "host", request), inbox, guest)
        assert broken == [True, True, True]
        assert not only(inbox.messages, Moved)
        last = inbox.messages[-1]
        assert isinstance(last, Finished)
        np.testing.assert_array_equal(arrays_of(last.outcome.payload)["images"], arrays_of(expected.payload)["images"])

    def test_what_fails_on_the_cpu_too_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = on_gpu(monkeypatch)
        with failing(device_lost, times=10**9) as failed:
            messages = do(session, Run("overview", image=noise_picture()))
        assert len(failed) == 2
        assert isinstance(messages[-1], Failed)
        assert messages[-1].problem.title.startswith("The GPU failed")

    def test_a_job_nobody_wants_any_more_is_not_run_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session, inbox = on_gpu(monkeypatch), Inbox()
        job = Job(1, "test", Run("overview", image=noise_picture()))

        def lost() -> Exception:
            job.cancelled.set()
            return device_lost()

        with failing(lost):
            run_job(session, job, inbox)
        assert isinstance(inbox.messages[-1], Cancelled)
        assert session.info.device == "cpu"

    def test_the_command_line_says_it_in_one_line_and_goes_on(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pretend_gpu(monkeypatch)
        console = Console()
        with failing(device_lost):
            info = console.open(LoadModel(ModelSpec("demo"), "cuda"))
        assert info.device == "cpu"
        (line,) = capsys.readouterr().err.splitlines()
        assert line == (
            "convviz: The GPU failed: an illegal memory access was encountered. The network computes on the CPU; start "
            "ConvViz again to use the GPU"
        )


# -------------------------------------------------------------------------------------------------- precision


LOWER = ["bfloat16", "float16"]
OBSERVING = sorted(name for name, method in methods().items() if method.lower_precision)
ATTRIBUTING = sorted(set(METHODS) - set(OBSERVING))


def in_precision(precision: str) -> Session:
    session = tiny_session()
    (moved,) = only(do(session, MoveModel("cpu", precision)), Finished)
    assert moved.outcome.precision == precision
    return session


class TestPrecision:
    """bfloat16 and float16 as a choice."""

    def test_only_what_takes_no_gradient_is_affected(self) -> None:
        assert {"activations", "overview", "latent"} <= set(OBSERVING)
        assert {"grad-cam", "filters"} <= set(ATTRIBUTING)

    @pytest.mark.parametrize("precision", LOWER)
    def test_forward_passes_compute_in_it(self, precision: str) -> None:
        picture = noise_picture()
        session = in_precision(precision)
        result = finish_run(session, Run("activations", Target("conv2"), picture))
        assert isinstance(result.payload, Maps)
        # An independent way: PyTorch's autocast around a copy of the network, and a hook.
        network, caught = copy.deepcopy(session.model), []
        network.conv2.register_forward_hook(lambda _module, _inputs, output: caught.append(output.clone()))
        dtype = getattr(torch, precision)
        with torch.no_grad(), torch.autocast("cpu", dtype):
            network(session.input(picture)[0])
        assert caught[0].dtype == dtype
        np.testing.assert_array_equal(result.payload.maps, caught[0][0].float().numpy())
        exact = finish_run(tiny_session(), Run("activations", Target("conv2"), picture)).payload
        assert isinstance(exact, Maps)
        assert not np.array_equal(result.payload.maps, exact.maps)
        np.testing.assert_allclose(result.payload.maps, exact.maps, atol=0.05 * float(exact.maps.max()))

    @pytest.mark.parametrize("precision", LOWER)
    @pytest.mark.parametrize("name", ATTRIBUTING)
    def test_attributions_are_the_same_to_the_last_bit(self, name: str, precision: str, tmp_path: Path) -> None:
        folder = str(write_pictures(tmp_path, 9))
        exact, found = (
            finish_run(session, request_for(name, folder)) for session in (tiny_session(), in_precision(precision))
        )
        for key, array in arrays_of(exact.payload).items():
            np.testing.assert_array_equal(array, arrays_of(found.payload)[key], err_msg=key)
        assert found.precision == "float32"
        assert result_facts(found, "").common["model"]["precision"] == "float32"
        assert "Precision" not in {score.label for score in found.scores}

    @pytest.mark.parametrize("name", OBSERVING)
    def test_results_say_so_and_so_does_the_manifest(self, name: str, tmp_path: Path) -> None:
        folder = str(write_pictures(tmp_path, 9))
        found = finish_run(in_precision("bfloat16"), request_for(name, folder))
        assert found.precision == "bfloat16"
        assert "bfloat16" in {score.text for score in found.scores if score.label == "Precision"}
        assert result_facts(found, "").common["model"]["precision"] == "bfloat16"
        words = command_line(found, "out")
        assert words[words.index("--precision") + 1] == "bfloat16"
        exact = finish_run(tiny_session(), request_for(name, folder))
        assert exact.precision == "float32"
        assert "Precision" not in {score.label for score in exact.scores}
        assert "--precision" not in command_line(exact, "out")

    @pytest.mark.parametrize("name", METHODS)
    def test_nothing_of_it_is_left_at_any_step(self, name: str, tmp_path: Path) -> None:
        session = in_precision("bfloat16")
        before = fingerprint(session.model)
        for _ in session.execute(request_for(name, str(write_pictures(tmp_path, 9)))):
            assert not torch.is_autocast_enabled("cpu")
            assert fingerprint(session.model) == before
        assert not torch.is_autocast_enabled("cpu")

    def test_nothing_of_it_is_left_by_a_failure(self) -> None:
        session = in_precision("bfloat16")
        with failing(out_of_memory):
            assert isinstance(do(session, Run("overview", image=noise_picture()))[-1], Failed)
        assert not torch.is_autocast_enabled("cpu")

    def test_overflow_of_float16_is_shown_and_said(self) -> None:
        session = Session()
        network = tiny_net()
        with torch.no_grad():
            network.conv2.weight.mul_(1e7)
        session.adopt(network, PREPROCESS)
        request = Run("activations", Target("conv2"), noise_picture())
        assert np.isfinite(finish_run(session, request).payload.maps).all()
        do(session, MoveModel("cpu", "float16"))
        found = finish_run(session, request)
        assert isinstance(found.payload, Maps)
        assert not np.isfinite(found.payload.maps).all()
        (score,) = [score for score in found.scores if score.label == "Precision"]
        assert score.text == "float16, overflowed"
        assert "65,504" in score.help

    def test_logits_and_probabilities_are_float32(self) -> None:
        payload = finish_run(in_precision("float16"), Run("overview", image=noise_picture())).payload
        assert isinstance(payload, Overview)
        assert payload.logits.dtype == payload.probabilities.dtype == np.float32
        assert payload.probabilities.sum() == pytest.approx(1, abs=1e-6)

    def test_one_that_does_not_exist_is_said_before_anything_is_opened(self) -> None:
        with pytest.raises(EngineError, match="There is no precision 'int8'") as caught:
            checked_precision("int8", CPU)
        assert caught.value.hint == "Choose one of: float32, bfloat16, float16"
        (message,) = do(Session(), LoadModel(ModelSpec("torchvision:nonsense"), "cpu", "int8"))[-1:]
        assert isinstance(message, Failed)
        assert "int8" in message.problem.title

    def test_opening_in_a_precision(self) -> None:
        session = Session()
        info = do(session, LoadModel(ModelSpec("demo"), "cpu", "bfloat16"))[-1].outcome
        assert isinstance(info, ModelInfo)
        assert info.precision == "bfloat16"
        assert all(parameter.dtype == torch.float32 for parameter in session.model.parameters())

    def test_another_precision_reads_a_folder_anew(self, tmp_path: Path) -> None:
        session, folder = tiny_session(), str(write_pictures(tmp_path, 9))
        exact = finish_run(session, request_for("latent", folder)).payload
        do(session, MoveModel("cpu", "bfloat16"))
        coarse = finish_run(session, request_for("latent", folder)).payload
        assert not np.array_equal(arrays_of(exact)["features"], arrays_of(coarse)["features"])
