"""Downloads from a server on this machine: going on after cuts and stops, faults in one sentence, caches offline."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from huggingface_hub import constants
from torchvision.models import SqueezeNet1_1_Weights

from convviz_gui.engine.errors import EngineError, ProblemKind, problem_from
from convviz_gui.engine.jobs import Job, Message, Progressed, run_job
from convviz_gui.engine.method import Update
from convviz_gui.engine.opening import transfer
from convviz_gui.engine.opening.download import fetch
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.engine.zoo.architecture import Published
from tests.engine.loopback import COMMIT, Loopback, closed_port, serving

CONTENT = np.random.default_rng(5).bytes(3_000_000)
MIDDLE = 1_200_000

HUB_ONLY = pytest.mark.parametrize("place", ["hub"], indirect=True)
URL_ONLY = pytest.mark.parametrize("place", ["url"], indirect=True)


@dataclass
class Place:
    """A server, a cache, and one file from the one to the other; every test runs by both ways weights are published."""

    server: Loopback
    cache: Path
    hub: bool

    @property
    def published(self) -> Published:
        if self.hub:
            return Published("V1", repository="someone/net", files=("model.safetensors", "pytorch_model.bin"))
        return Published("V1", url=f"{self.server.url}/files/net-{self.server.digest[:8]}.pth?download=1")

    def fetch(self) -> Path:
        steps = fetch(self.published)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                path: Path = stop.value
                return path

    def refusal(self) -> EngineError:
        with pytest.raises(EngineError) as caught:
            self.fetch()
        assert problem_from(caught.value).kind is ProblemKind.RESOURCE
        assert "\n" not in str(caught.value)
        assert caught.value.hint
        return caught.value

    def parts(self) -> list[Path]:
        return [path for path in self.cache.rglob("*") if path.name.endswith("-part")]

    def files(self) -> set[str]:
        """Names of the files of content in the cache: blobs of the hub, torch's checkpoints."""
        folder = self.cache / ("hf/hub/models--someone--net/blobs" if self.hub else "torch/hub/checkpoints")
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving(Loopback(CONTENT)) as loopback:
        yield loopback


@pytest.fixture(params=["url", "hub"])
def place(
    request: pytest.FixtureRequest, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    # What these variables say is read when the package is imported.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    point_hub_at(server.url, monkeypatch)
    yield Place(server, tmp_path, request.param == "hub")
    server.go_on.set()
    join_downloads()


def point_hub_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def updates_until(steps: Iterator[Update], enough: Callable[[Update], bool]) -> Update:
    return next(update for update in steps if enough(update))


def stopped_in_the_middle(place: Place) -> int:
    """Leave the beginning of the file in the cache; returns how many bytes."""
    place.server.hold = MIDDLE
    steps = fetch(place.published)
    update = updates_until(steps, lambda update: update.done == MIDDLE)
    assert update.total == len(CONTENT)
    assert update.note == "downloading V1: 1.2 of 3.0 MB"
    steps.close()
    place.server.go_on.set()
    join_downloads()
    place.server.hold = None
    [part] = place.parts()
    begun = part.read_bytes()
    assert MIDDLE <= len(begun) < len(CONTENT)
    assert CONTENT.startswith(begun)
    return len(begun)


def join_downloads() -> None:
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join(20)
            assert not thread.is_alive()


# ---------------------------------------------------------------------------------------------------- it works


def test_a_file_comes_whole_and_the_next_time_from_the_cache(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.fetch().read_bytes() == CONTENT
    assert place.parts() == []
    assert len(place.files()) == 1
    asked = len(place.server.requests)
    point_hub_at(f"http://127.0.0.1:{closed_port()}", monkeypatch)
    assert place.fetch().read_bytes() == CONTENT
    assert len(place.server.requests) == asked


@HUB_ONLY
def test_the_hubs_cache_is_as_its_library_wants_it(place: Place) -> None:
    path = place.fetch()
    repository = place.cache / "hf" / "hub" / "models--someone--net"
    assert path == repository / "snapshots" / COMMIT / "model.safetensors"
    assert path.resolve() == repository / "blobs" / place.server.digest
    assert (repository / "refs" / "main").read_text() == COMMIT


@HUB_ONLY
def test_the_second_name_is_tried_where_there_is_no_first(place: Place) -> None:
    place.server.names = ("pytorch_model.bin",)
    assert place.fetch().name == "pytorch_model.bin"


@HUB_ONLY
def test_a_password_goes_to_the_hub_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    place.fetch()
    for _, path, _, authorization in place.server.requests:
        assert authorization == (None if path.startswith("/cdn/") else "Bearer hf_secret")


def test_a_server_that_does_not_say_how_long_the_file_is(place: Place) -> None:
    place.server.chunked = True
    assert place.fetch().read_bytes() == CONTENT


@URL_ONLY
def test_torchvisions_published_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    expected = torchvision.models.squeezenet1_1().state_dict()
    memory = io.BytesIO()
    torch.save(expected, memory)
    place.server.content = memory.getvalue()
    address = f"{place.server.url}/squeezenet1_1-{place.server.digest[:8]}.pth"
    monkeypatch.setattr(SqueezeNet1_1_Weights.IMAGENET1K_V1.value, "url", address)
    spec = ModelSpec("torchvision:squeezenet1_1", pretrained=True)
    for _ in ("over the network", "from the cache"):
        steps = open_model(spec)
        with pytest.raises(StopIteration) as stop:
            while True:
                next(steps)
        model = stop.value.value
        assert all(torch.equal(value, expected[key]) for key, value in model.module.state_dict().items())
        assert (model.weights, model.trained, model.digest) == ("IMAGENET1K_V1", True, place.server.digest)
    assert len(place.server.ranges_asked()) == 1


# ------------------------------------------------------------------------------------------------- it goes on


def test_a_stopped_download_goes_on(place: Place) -> None:
    begun = stopped_in_the_middle(place)
    steps = fetch(place.published)
    assert updates_until(steps, lambda update: update.done > 0).done >= begun
    join_downloads()
    list(steps)
    assert place.server.ranges_asked()[-1] == f"bytes={begun}-"
    assert place.fetch().read_bytes() == CONTENT
    assert place.parts() == []


@URL_ONLY
def test_time_left_counts_only_what_comes_now(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing more has come, what came the other time tells nothing of the speed."""
    begun = stopped_in_the_middle(place)
    monkeypatch.setattr(SqueezeNet1_1_Weights.IMAGENET1K_V1.value, "url", place.published.url)
    place.server.hold = begun
    place.server.go_on.clear()
    job = Job(1, "model", LoadModel(ModelSpec("torchvision:squeezenet1_1", pretrained=True), "cpu"))
    at_hold: list[float | None] = []

    class Sink:
        def send(self, message: Message) -> None:
            if isinstance(message, Progressed) and message.done:
                assert message.done == begun
                at_hold.append(message.seconds_left)
                if len(at_hold) == 3:
                    job.cancelled.set()

        def wants_preview(self) -> bool:
            return False

    run_job(Session(), job, Sink())
    assert at_hold == [None, None, None]


def test_a_cut_connection_is_taken_up_again(place: Place) -> None:
    place.server.cuts = [1_000_000, 500_000]
    assert place.fetch().read_bytes() == CONTENT
    assert [wanted for wanted in place.server.ranges_asked() if wanted] == ["bytes=1000000-", "bytes=1500000-"]


def test_a_connection_that_is_always_cut_is_given_up_and_goes_on_another_time(place: Place) -> None:
    place.server.cuts = [MIDDLE, 0]
    error = place.refusal()
    assert "broke off after 1.2 of 3.0 MB" in error.title
    assert "goes on from there" in error.hint
    assert place.fetch().read_bytes() == CONTENT
    assert place.server.ranges_asked()[-1] == f"bytes={MIDDLE}-"


def test_a_server_without_ranges_begins_again(place: Place) -> None:
    stopped_in_the_middle(place)
    place.server.ranges = False
    assert place.fetch().read_bytes() == CONTENT


@URL_ONLY
def test_a_file_that_changed_meanwhile_begins_again(place: Place) -> None:
    """Nothing but the server's word tells the two apart: there is no digest in the address."""
    published = Published("V1", url=f"{place.server.url}/files/net.pth")
    place.server.cuts = [MIDDLE, 0]
    with pytest.raises(EngineError):
        list(fetch(published))
    place.server.content, place.server.etag = bytes(reversed(CONTENT)), '"second"'
    list(fetch(published))
    assert (place.cache / "torch" / "hub" / "checkpoints" / "net.pth").read_bytes() == bytes(reversed(CONTENT))
    assert place.parts() == []


@URL_ONLY
def test_a_file_that_nothing_names_begins_again(place: Place) -> None:
    published = Published("V1", url=f"{place.server.url}/files/net.pth")
    place.server.etag, place.server.cuts = "", [MIDDLE, 0]
    with pytest.raises(EngineError):
        list(fetch(published))
    place.server.content = bytes(reversed(CONTENT))
    list(fetch(published))
    assert (place.cache / "torch" / "hub" / "checkpoints" / "net.pth").read_bytes() == bytes(reversed(CONTENT))


def test_a_part_that_was_damaged_on_disk_is_not_built_upon(place: Place) -> None:
    stopped_in_the_middle(place)
    [part] = place.parts()
    part.write_bytes(bytes(part.stat().st_size))
    assert place.fetch().read_bytes() == CONTENT


def test_two_at_once_take_turns(place: Place) -> None:
    place.server.hold = MIDDLE
    first, second = fetch(place.published), fetch(place.published)
    updates_until(first, lambda update: update.done == MIDDLE)
    updates_until(second, lambda update: update.note == "waiting for another download of V1")
    gets = len(place.server.ranges_asked())
    place.server.go_on.set()
    for steps in (first, second):
        with pytest.raises(StopIteration) as stop:
            while True:
                next(steps)
        assert stop.value.value.read_bytes() == CONTENT
    assert len(place.server.ranges_asked()) == gets


def test_stopping_while_waiting_for_another(place: Place) -> None:
    place.server.hold = MIDDLE
    first, second = fetch(place.published), fetch(place.published)
    updates_until(first, lambda update: update.done == MIDDLE)
    updates_until(second, lambda update: "waiting" in update.note)
    second.close()
    place.server.go_on.set()
    with pytest.raises(StopIteration):
        while True:
            next(first)


# ------------------------------------------------------------------------------------------------- it refuses


def test_other_content_than_published_is_removed(place: Place) -> None:
    published = place.published
    digest = place.server.digest
    place.server.content = bytes(reversed(CONTENT))
    if place.hub:
        # The hub announces one content, and its store of files sends another.
        loopback = place.server
        type(loopback).digest = property(lambda _self: digest)  # type: ignore[assignment,method-assign]
    try:
        with pytest.raises(EngineError, match="its SHA-256 begins with") as caught:
            list(fetch(published))
    finally:
        if place.hub:
            type(place.server).digest = ORIGINAL_DIGEST  # type: ignore[method-assign]
    assert caught.value.kind is ProblemKind.RESOURCE
    assert place.files() == set()


ORIGINAL_DIGEST = Loopback.digest


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "127.0.0.1 has no such file"),
        (403, "asks for a permission"),
        (429, "overloaded or out of order"),
        (503, "overloaded or out of order"),
        (418, "answers with status 418"),
    ],
)
def test_what_servers_answer(place: Place, status: int, words: str) -> None:
    place.server.status = status
    error = place.refusal()
    assert words in error.title
    assert "network connection" in error.hint
    assert place.files() == set()


def test_nobody_listens(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.server.url = f"http://127.0.0.1:{closed_port()}"
    point_hub_at(place.server.url, monkeypatch)
    error = place.refusal()
    assert error.title == "The weights V1 could not be downloaded (127.0.0.1 refuses the connection)"
    assert "network connection" in error.hint
    assert place.published.url or f"{place.server.url}/someone/net" in error.hint
    assert place.published.url in error.hint


def test_an_address_that_does_not_exist(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.server.url = "http://no-such-host.invalid"
    point_hub_at(place.server.url, monkeypatch)
    assert "the address of no-such-host.invalid cannot be found" in place.refusal().title


@pytest.mark.parametrize(
    "proxy", ["http://user:password@127.0.0.1:{port}", "garbage", "http://", "://", "http://[::1", "socks5://localhost"]
)
def test_a_bad_proxy_is_said_and_its_password_is_not(place: Place, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(port=closed_port()))
    monkeypatch.setenv("no_proxy", "")
    place.server.url = "http://example.invalid"
    point_hub_at(place.server.url, monkeypatch)
    message = str(place.refusal())
    assert "could not be downloaded" in message
    assert "proxy" in message
    assert "password" not in message


def test_a_server_that_falls_silent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.3)
    place.server.hold = MIDDLE
    error = place.refusal()
    assert "does not answer" in error.title
    assert "goes on from there" in error.hint


def test_a_disk_without_room_is_said_before_the_first_byte(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 2_000_000, 2_000_000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _path: usage)
    error = place.refusal()
    assert "3.0 MB" in error.title
    assert "2.0 MB" in error.title
    assert place.parts() == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the sizes of files")
def test_a_disk_that_fills_up(place: Place) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        error = place.refusal()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "is full" in error.title
    assert ("HF_HOME" if place.hub else "TORCH_HOME") in error.hint
    assert place.fetch().read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written(place: Place) -> None:
    """A file in a folder's place stands for missing permissions, which the tests' user may not lack."""
    (place.cache / "torch").write_bytes(b"")
    (place.cache / "hf").write_bytes(b"")
    error = place.refusal()
    assert "cannot be kept in" in error.title
    assert ("HF_HOME" if place.hub else "TORCH_HOME") in error.hint


# ----------------------------------------------------------------------------------- as the environment says it

OPENING = """
import sys
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec

steps = open_model(ModelSpec("timm:test_resnet", pretrained=True))
try:
    while True:
        next(steps)
except StopIteration as stop:
    print(stop.value.weights, stop.value.digest)
except Exception as error:
    print(error)
"""


def opening(url: str, cache: Path, **environment: str) -> str:
    """What a process says whose hub is at `url`."""
    settings = {"HF_ENDPOINT": url, "HF_HOME": str(cache), "no_proxy": "127.0.0.1,localhost", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", OPENING],
        capture_output=True,
        text=True,
        env=os.environ | settings | environment,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_timms_published_weights_and_the_hubs_environment(tmp_path: Path) -> None:
    import safetensors.torch
    import timm

    torch.manual_seed(0)
    content = safetensors.torch.save(timm.create_model("test_resnet").state_dict())
    with serving(Loopback(content)) as server:
        expected = f"test_resnet.r160_in1k {server.digest}"
        server.cuts = [len(content) // 2]
        assert opening(server.url, tmp_path / "hf") == expected
        asked = len(server.requests)
        asked_for = [path for _, path, _, _ in server.requests if "/resolve/" in path]
        assert asked_for[0] == "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"
    # Now nobody is there: what is cached opens, what is not says so.
    assert opening(server.url, tmp_path / "hf") == expected
    assert len(server.requests) == asked
    answer = opening(server.url, tmp_path / "other")
    assert "could not be downloaded (127.0.0.1 refuses the connection)" in answer
    answer = opening(server.url, tmp_path / "other", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE" in answer
    assert len(answer.splitlines()) == 1
