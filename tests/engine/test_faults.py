"""Faults in words, told apart; memory that a failed job leaves; smaller batches where memory is short."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.errors import EngineError, ProblemKind, problem_from
from convviz_gui.engine.faults import Fault, FaultKind, amount, fault_of, forget
from convviz_gui.engine.jobs import Failed, Finished, Job, Message, Progressed, run_job
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Command, Result, Run, Target
from tests.engine.faulty import FULL, LOST, failing, out_of_memory
from tests.engine.test_embedding import write_pictures
from tests.engine.test_methods import METHODS, arrays_of, fingerprint, request_for
from tests.engine.test_methods import finish as finish_run
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session

MPS_FULL = (
    "MPS backend out of memory (MPS allocated: 5.00 GB, other allocations: 1.20 GB, max allowed: 9.07 GB). Tried to "
    "allocate 4096.00 MB on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit."
)


class Inbox:
    """Keeps a job's messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> None:
        self.messages.append(message)

    def wants_preview(self) -> bool:
        return True


def do(session: Session, command: Command) -> list[Message]:
    inbox = Inbox()
    run_job(session, Job(1, "test", command), inbox)
    return inbox.messages


MEMORY, DEVICE, UNSUPPORTED = FaultKind.MEMORY, FaultKind.DEVICE, FaultKind.UNSUPPORTED

SAID: list[tuple[Exception, Fault, str]] = [
    (
        torch.OutOfMemoryError(FULL),
        Fault(MEMORY, "cuda"),
        "Not enough memory on the GPU: 2.5 GB asked for, 852 MB of 25 GB free",
    ),
    (
        RuntimeError(MPS_FULL),
        Fault(MEMORY, "mps"),
        "Not enough memory on the Apple GPU: 4.3 GB asked for, 3.1 GB of 9.7 GB free",
    ),
    (torch.AcceleratorError("CUDA error: out of memory"), Fault(MEMORY, "cuda"), "Not enough memory on the GPU"),
    (
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        Fault(MEMORY, "cuda"),
        "Not enough memory on the GPU",
    ),
    (torch.AcceleratorError(LOST), Fault(DEVICE, "cuda"), "The GPU failed: an illegal memory access was encountered"),
    (
        torch.AcceleratorError("CUDA error: unspecified launch failure"),
        Fault(DEVICE, "cuda"),
        "The GPU failed: unspecified launch failure",
    ),
    (
        torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"),
        Fault(DEVICE, "cuda"),
        "The GPU failed: uncorrectable ECC error encountered",
    ),
    (
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        Fault(DEVICE, "cuda"),
        "The GPU failed: CUDNN_STATUS_EXECUTION_FAILED",
    ),
    (RuntimeError("CUDA driver error: device lost"), Fault(DEVICE, "cuda"), "The GPU failed: device lost"),
    (
        torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device"),
        Fault(DEVICE, "cuda"),
        "This PyTorch is not built for the GPU in this machine",
    ),
    (
        RuntimeError("CUDA error: CUDA driver version is insufficient for CUDA runtime version"),
        Fault(DEVICE, "cuda"),
        "The GPU's driver is too old for this PyTorch",
    ),
    (
        NotImplementedError("The operator 'aten::foo' is not currently implemented for the MPS device."),
        Fault(UNSUPPORTED, "mps"),
        "The Apple GPU cannot compute aten::foo",
    ),
    (
        RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"),
        Fault(UNSUPPORTED, "cuda"),
        "This network keeps tensors that do not move to the GPU with it",
    ),
]


@pytest.mark.parametrize(("error", "fault", "title"), SAID, ids=lambda value: str(value)[:40])
def test_what_libraries_say_is_told_apart_and_said_in_a_sentence(error: Exception, fault: Fault, title: str) -> None:
    assert fault_of(error) == fault
    problem = problem_from(error)
    assert problem.title == title
    assert problem.kind is ProblemKind.RESOURCE
    assert problem.hint


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (1x512 and 256x10)"),
        RuntimeError("Given groups=1, weight of size [64, 3, 7, 7], expected input[1, 1, 8, 8] to have 3 channels"),
        ValueError("out of memory"),
        EngineError("There is no layer 'metal'"),
        KeyError("cuda"),
    ],
)
def test_mistakes_of_networks_and_users_are_no_faults_of_the_machine(error: Exception) -> None:
    assert fault_of(error) is None


def test_an_error_that_arose_from_a_fault_is_about_it() -> None:
    with pytest.raises(EngineError) as caught:
        try:
            raise torch.OutOfMemoryError(FULL)
        except RuntimeError as error:
            raise EngineError("That was too large", "Choose less") from error
    assert fault_of(caught.value) == Fault(MEMORY, "cuda")
    assert str(problem_from(caught.value)) == "That was too large. Choose less"


def test_the_hosts_memory_is_told_with_what_was_asked_and_what_there_was() -> None:
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**50)
    for caught, asked in ((torchs, "1.2 EB"), (numpys, "9.0 PB")):
        title = problem_from(caught.value).title
        assert title.startswith(f"Not enough memory: {asked} asked for")
        if sys.platform == "linux":
            assert title.endswith(" free")


@pytest.mark.parametrize(
    ("size", "text"), [(5, "5 bytes"), (812.44e6, "812 MB"), (2.34e9, "2.3 GB"), (9.96e9, "10 GB"), (24e9, "24 GB")]
)
def test_amounts(size: float, text: str) -> None:
    assert amount(size) == text


# -------------------------------------------------------------------------------------------- the next job


@pytest.mark.parametrize("name", METHODS)
def test_out_of_memory_fails_in_words_and_the_next_job_works(name: str, tmp_path: Path) -> None:
    session, folder = tiny_session(), str(write_pictures(tmp_path, 9))
    expected = finish_run(tiny_session(), request_for(name, folder))
    before = fingerprint(session.model)
    with failing(out_of_memory, times=10**9) as failed:
        messages = do(session, request_for(name, folder))
    if failed:
        (last,) = messages[-1:]
        assert isinstance(last, Failed)
        assert last.problem.title == "Not enough memory on the GPU: 2.5 GB asked for, 852 MB of 25 GB free"
        assert last.problem.kind is ProblemKind.RESOURCE
    assert fingerprint(session.model) == before
    again = do(session, request_for(name, folder))[-1]
    assert isinstance(again, Finished)
    assert isinstance(again.outcome, Result)
    for key, array in arrays_of(expected.payload).items():
        np.testing.assert_array_equal(array, arrays_of(again.outcome.payload)[key], err_msg=key)


class _Hoarder(nn.Module):
    """Holds on to a tensor in its forward pass, in a frame that an exception keeps alive, and then runs out."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = tiny_net()
        self.seen: list[weakref.ref[Tensor]] = []
        self.full = False

    def forward(self, x: Tensor) -> Tensor:
        large = torch.zeros(1000, device=x.device) + x.mean()
        if self.full:
            self.seen.append(weakref.ref(large))
            try:
                torch.empty(2**60, dtype=torch.uint8)
            except RuntimeError as error:
                # As careless code does: now frame and error hold each other.
                _kept = error
                raise
        return self.inner(x) + 0 * large.sum()


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("name", ["overview", "grad-cam", "filters"])
def test_what_a_failed_job_worked_on_is_freed_at_once(name: str, tmp_path: Path) -> None:
    session, network = Session(), _Hoarder()
    session.adopt(network, PREPROCESS)
    network.full = True
    request = Run(name, Target("inner.conv2", (0,) if name == "filters" else None), noise_picture(), str(tmp_path))
    last = do(session, request)[-1]
    assert isinstance(last, Failed)
    assert "asked for" in last.problem.title
    assert network.seen
    assert all(tensor() is None for tensor in network.seen)
    network.full = False
    assert isinstance(do(session, request)[-1], Finished)


@pytest.mark.usefixtures("without_collector")
def test_forgetting_an_error_frees_what_it_and_its_causes_went_through() -> None:
    kept: list[weakref.ref[Tensor]] = []

    def first() -> None:
        tensor = torch.zeros(10)
        kept.append(weakref.ref(tensor))
        raise RuntimeError("first")

    def second() -> None:
        tensor = torch.zeros(10)
        kept.append(weakref.ref(tensor))
        try:
            first()
        except RuntimeError as error:
            raise EngineError("second") from error

    with pytest.raises(EngineError) as caught:
        second()
    assert all(ref() is not None for ref in kept)
    forget(caught.value)
    assert all(ref() is None for ref in kept)


# ------------------------------------------------------------------------------------------ smaller batches


def _too_many(limit: int) -> Any:
    return lambda inputs: len(inputs[0]) > limit


@pytest.mark.parametrize("at", [1, 4])
def test_a_folder_goes_on_with_smaller_batches_from_where_memory_gave_out(tmp_path: Path, at: int) -> None:
    listing = list_folder(write_pictures(tmp_path, 23))
    expected = finish(embed(tiny_session(), listing, "conv2", batch=8))
    session = tiny_session()
    steps, notes = embed(session, listing, "conv2", batch=8), []
    with failing(out_of_memory, at=at, times=10**9, when=_too_many(3)) as failed:
        found = None
        while found is None:
            try:
                notes.append(next(steps))
            except StopIteration as stop:
                found = stop.value
    # Eight fail, then four, and two go through; nothing that was done is done again.
    assert len(failed) == 2
    assert found.reduced_to == 2
    assert [step.done for step in notes] == sorted(step.done for step in notes)
    assert any("too little memory for 8 pictures at once" in step.note for step in notes)
    assert found.paths == expected.paths
    np.testing.assert_allclose(found.features, expected.features, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-5, atol=1e-6)


def test_the_points_say_that_batches_were_smaller(tmp_path: Path) -> None:
    folder = str(write_pictures(tmp_path, 9))
    with failing(out_of_memory, times=10**9, when=_too_many(2)):
        result = finish_run(tiny_session(), request_for("latent", folder))
    scores = {score.label: score.text for score in result.scores}
    assert scores["Batch"] == "reduced to 2"
    assert "Batch" not in {score.label for score in finish_run(tiny_session(), request_for("latent", folder)).scores}


def filters(batch: int, size: int = 48) -> Run:
    return Run(
        "filters", Target("conv2", (0, 1, 2)), settings=(("steps", 2), ("size", size), ("crop", 4), ("batch", batch))
    )


def test_filters_begin_again_with_half_the_batch_that_suits_the_device() -> None:
    expected = finish_run(tiny_session(), filters(1)).payload
    with failing(out_of_memory, times=10**9, when=_too_many(1)) as failed:
        result = finish_run(tiny_session(), filters(0))
    assert failed
    assert isinstance(result.payload, Gallery)
    assert isinstance(expected, Gallery)
    assert result.payload.reduced_to == 1
    assert "reduced to 1" in {score.text for score in result.scores}
    # The same as if the batch had been asked for, to the last bit.
    np.testing.assert_array_equal(result.payload.images, expected.images)


def test_a_batch_of_filters_that_was_asked_for_is_never_changed() -> None:
    with failing(out_of_memory, times=10**9, when=_too_many(1)):
        last = do(tiny_session(), filters(3))[-1]
    assert isinstance(last, Failed)
    assert last.problem.title.startswith("Not enough memory on the GPU: 2.5 GB asked for")
    assert "Set the batch to 1 or less" in last.problem.hint


SHORT_OF_MEMORY = textwrap.dedent("""
    import resource, sys
    import torch
    from torch import nn
    from convviz_gui.engine.datasets import list_folder
    from convviz_gui.engine.latent.embedding import embed
    from convviz_gui.engine.host_memory import available_memory
    from convviz_gui.engine.session import Session
    from convviz_gui.engine.types import Preprocess

    def complete(steps):
        notes = []
        while True:
            try:
                notes.append(next(steps).note)
            except StopIteration as stop:
                return stop.value, notes

    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 64, 1)
            self.head = nn.Linear(64, 3)
        def forward(self, x):
            return self.head(self.conv(x).mean((2, 3)))

    torch.set_num_threads(1)
    torch.manual_seed(0)
    session = Session()
    session.adopt(Wide(), Preprocess((256, 256), (256, 256), "bilinear", (0.5,) * 3, (0.5,) * 3))
    listing = list_folder(sys.argv[1])
    one, _ = complete(embed(session, listing, "conv", batch=1))
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    # A batch of 32 needs 32 × 16.8 MB for its maps alone.
    resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
    free, total = available_memory()
    assert free <= 300 * 2**20 and total == used + 300 * 2**20, (free, total)
    all_at_once, notes = complete(embed(session, listing, "conv", batch=32))
    assert any("too little memory for 32 pictures" in note for note in notes), notes
    assert abs(one.features - all_at_once.features).max() < 1e-5
    print(all_at_once.reduced_to)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are set and read as on Linux")
def test_real_shortage_under_a_limit_on_the_process(tmp_path: Path) -> None:
    write_pictures(tmp_path, 32)
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 1 <= int(done.stdout) <= 16


def test_progress_of_a_smaller_batch_reaches_whoever_watches(tmp_path: Path) -> None:
    folder = str(write_pictures(tmp_path, 9))
    with failing(out_of_memory, when=_too_many(4)):
        messages = do(tiny_session(), request_for("latent", folder))
    assert any(isinstance(item, Progressed) and "too little memory" in item.note for item in messages)
    assert isinstance(messages[-1], Finished)
