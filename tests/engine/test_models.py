"""Opening networks: names, preprocessing, class names, real weights, and downloads from a server of our own."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
import torchvision
from torchvision.models import SqueezeNet1_1_Weights

from convviz_gui.engine import preprocess
from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.method import Update
from convviz_gui.engine.opening.download import fetch
from convviz_gui.engine.opening.models import OpenedModel, open_model, search_models
from convviz_gui.engine.types import ModelSpec
from convviz_gui.engine.zoo.architecture import Published


def opened(source: str, weights: Path | None = None, pretrained: bool = False) -> OpenedModel:
    steps = open_model(ModelSpec(source, None if weights is None else str(weights), pretrained))
    while True:
        try:
            assert isinstance(next(steps), Update)
        except StopIteration as stop:
            return cast(OpenedModel, stop.value)


# ------------------------------------------------------------------------------------------------- opening


def test_the_demo() -> None:
    demo = opened("demo")
    assert demo.trained
    assert demo.notes == ()
    assert len(demo.class_names) == 12
    size = demo.preprocess.size
    with torch.no_grad():
        assert demo.module(torch.zeros(2, 3, *size)).shape == (2, 12)


def test_a_real_squeezenet_knows_what_it_sees(squeezenet_weights: Path, photos: Path) -> None:
    model = opened("torchvision:squeezenet1_0", squeezenet_weights)
    assert model.digest == hashlib.sha256(squeezenet_weights.read_bytes()).hexdigest()
    assert (model.weights, model.trained, model.name) == (squeezenet_weights.name, True, "squeezenet1_0")
    assert model.class_names[:2] == ("tench", "goldfish")
    paths = sorted(photos.glob("*/*.jpg"))
    truth = torch.tensor([int(path.name[:3]) for path in paths])
    found = []
    with torch.inference_mode():
        for start in range(0, len(paths), 32):
            crops = [
                preprocess.prepare_picture(open_rgb(path)[0], model.preprocess)[0] for path in paths[start : start + 32]
            ]
            batch = preprocess.normalise(np.stack(crops), model.preprocess)
            found.append(model.module(torch.from_numpy(batch)).topk(5).indices)
    top = torch.cat(found)
    assert (top[:, 0] == truth).float().mean() >= 0.60
    assert (top == truth[:, None]).any(1).float().mean() >= 0.80


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = opened("torchvision:squeezenet1_1")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert opened("torchvision:squeezenet1_1").digest == first.digest
    assert not first.trained
    assert first.weights == "random weights"
    assert "learned nothing" in first.notes[0]


def test_another_class_count_drops_the_names(tmp_path: Path) -> None:
    torch.save(torchvision.models.squeezenet1_1(num_classes=3).state_dict(), tmp_path / "three.pth")
    model = opened("torchvision:squeezenet1_1", tmp_path / "three.pth")
    assert model.class_names == ()
    assert "3 classes" in model.notes[0]


def test_grey_weights_make_a_grey_network(tmp_path: Path) -> None:
    import timm

    torch.save(timm.create_model("test_resnet", in_chans=1).state_dict(), tmp_path / "grey.pth")
    model = opened("timm:test_resnet", tmp_path / "grey.pth")
    assert model.preprocess.channels == 1
    values, _ = preprocess.prepare(np.zeros((200, 200, 3), np.uint8), model.preprocess)
    with torch.no_grad():
        assert model.module(torch.from_numpy(values.copy())[None]).shape == (1, 1000)


@pytest.mark.parametrize(
    ("source", "size", "resize", "interpolation", "classes"),
    [
        ("torchvision:inception_v3", (299, 299), 342, "bilinear", 1000),
        ("torchvision:efficientnet_b0", (224, 224), 256, "bicubic", 1000),
        ("timm:legacy_xception", (299, 299), 333, "bicubic", 1000),
        ("timm:resnet18.a1_in1k", (224, 224), 235, "bicubic", 1000),
        ("timm:mobilenetv3_large_100.miil_in21k", (224, 224), 256, "bilinear", 11221),
    ],
)
def test_preprocessing_and_classes(
    source: str, size: tuple[int, int], resize: int, interpolation: str, classes: int
) -> None:
    model = opened(source)
    found = model.preprocess
    assert (found.size, found.resize, found.interpolation) == (size, resize, interpolation)
    assert len(model.class_names) == classes
    with torch.no_grad():
        assert model.module(torch.zeros(1, 3, *size)).shape == (1, classes)


def test_the_chapters_network_has_the_chapters_layer() -> None:
    module = opened("timm:legacy_xception").module
    assert module.get_submodule("block3.rep.1") is not None


# --------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("resnet50", "torchvision:resnet50 or timm:resnet50"),
        ("torchvision:resnt50", "torchvision:resnet50"),
        ("timm:legacy_xeption", "timm:legacy_xception"),
        ("timm", "timm:"),
        ("hf-hub:someone/something", ""),
        ("timm:/etc/passwd", ""),
        ("", ""),
    ],
)
def test_unknown_names(source: str, hint: str) -> None:
    with pytest.raises(EngineError) as caught:
        opened(source)
    assert caught.value.hint
    assert hint in caught.value.hint
    assert caught.value.hint.count(" or ") <= 2


def test_file_and_published_weights_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="both asked for"):
        opened("torchvision:squeezenet1_1", tmp_path / "a.pth", pretrained=True)


def test_search() -> None:
    everything = search_models("")
    assert everything[0].source == "demo"
    assert len({entry.source for entry in everything}) == len(everything) > 2000
    assert [entry.source for entry in search_models("squeezenet")] == [
        "torchvision:squeezenet1_0",
        "torchvision:squeezenet1_1",
    ]
    found = search_models("ResNet-50")
    assert [entry.source for entry in found[:2]] == ["torchvision:resnet50", "timm:resnet50"]
    assert found[0].params == 25_557_032
    assert (found[0].family, found[0].library, found[0].input_size, found[0].pretrained) == (
        "resnet",
        "torchvision",
        224,
        True,
    )
    assert any(entry.source == "timm:legacy_xception" for entry in search_models("xception legacy"))
    assert search_models("no such network") == ()


# ----------------------------------------------------------------------------------------------- downloads


class Server:
    """Serves one file from this machine, whole or (`cut`) breaking off in the middle; `slow` waits in between."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.cut = False
        self.go_on = threading.Event()
        self.go_on.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if "missing" in self.path:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                half = len(outer.content) // 2
                self.wfile.write(outer.content[:half])
                self.wfile.flush()
                outer.go_on.wait(20)
                if not outer.cut:
                    self.wfile.write(outer.content[half:])

            def log_message(self, *_args: object) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the other side may hang up
                    super().handle()

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    torch.manual_seed(0)
    memory = io.BytesIO()
    torch.save(torchvision.models.squeezenet1_1().state_dict(), memory)
    server = Server(memory.getvalue())
    yield server
    server.go_on.set()
    server.http.shutdown()
    server.http.server_close()


def cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "hub" / "hub" / "checkpoints"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_torchvisions_published_weights(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(server.content).hexdigest()
    name = f"squeezenet1_1-{digest[:8]}.pth"
    monkeypatch.setattr(SqueezeNet1_1_Weights.IMAGENET1K_V1.value, "url", f"{server.url}/{name}")
    steps = open_model(ModelSpec("torchvision:squeezenet1_1", pretrained=True))
    server.go_on.clear()
    for update in steps:
        if update.done > 1:
            break
    assert update.total == len(server.content)
    assert 0 < update.done <= len(server.content) // 2
    assert "IMAGENET1K_V1" in update.note
    server.go_on.set()
    with pytest.raises(StopIteration) as stop:
        while True:
            next(steps)
    model = stop.value.value
    torch.manual_seed(0)
    expected = torchvision.models.squeezenet1_1().state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in model.module.state_dict().items())
    assert (model.weights, model.trained, model.digest) == ("IMAGENET1K_V1", True, digest)
    assert cached(tmp_path) == [name]
    server.http.shutdown()
    assert opened("torchvision:squeezenet1_1", pretrained=True).digest == digest


@pytest.mark.parametrize("fault", ["cut", "hash", "missing", "nobody"])
def test_failed_downloads_leave_nothing_behind(server: Server, tmp_path: Path, fault: str) -> None:
    digest = hashlib.sha256(b"another" if fault == "hash" else server.content).hexdigest()[:8]
    server.cut = fault == "cut"
    if fault == "nobody":
        server.http.shutdown()
        server.http.server_close()
    with pytest.raises(EngineError, match="The weights V1 could not be downloaded") as caught:
        list(fetch(Published("V1", url=f"{server.url}/{fault}-{digest}.pth")))
    assert caught.value.kind is ProblemKind.RESOURCE
    assert "network connection" in caught.value.hint
    assert cached(tmp_path) == []


def test_stopping_a_download_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.go_on.clear()
    steps = fetch(Published("V1", url=f"{server.url}/a-{hashlib.sha256(server.content).hexdigest()[:8]}.pth"))
    while next(steps).done == 0:
        pass
    assert len(cached(tmp_path)) == 1  # the part so far, under another name
    assert cached(tmp_path)[0].endswith(".partial")
    thread = next(thread for thread in threading.enumerate() if thread.name == "download")
    steps.close()
    server.go_on.set()
    thread.join(20)
    assert not thread.is_alive()
    assert cached(tmp_path) == []


HUB = """
import io, json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import timm, safetensors.torch, torch
content = safetensors.torch.save(timm.create_model("test_resnet").state_dict())

class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        found = self.path == "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"
        self.send_response(200 if found else 404)
        if found:
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "0" * 40)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(content[: len(content) // (2 if "cut" in sys.argv else 1)])

    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.types import ModelSpec

def run(source):
    steps, seen = open_model(ModelSpec(source, pretrained=True)), []
    while True:
        try:
            update = next(steps)
            seen.append([update.done, update.total])
        except StopIteration as stop:
            return {"digest": stop.value.digest, "weights": stop.value.weights, "seen": seen}
        except EngineError as error:
            return {"error": str(error)}

import hashlib
answers = {"expected": hashlib.sha256(content).hexdigest(), "first": run("timm:test_resnet")}
answers["absent"] = run("timm:test_convnext")
server.shutdown()
server.server_close()
answers["again"] = run("timm:test_resnet")
answers["offline"] = run("timm:test_efficientnet")
print(json.dumps(answers))
"""


def hub(tmp_path: Path, *arguments: str) -> dict[str, dict[str, str]]:
    """The answers of a process whose Hugging Face hub is on this machine (the address is read at import)."""
    import os
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": str(tmp_path / "hf"),
        "no_proxy": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", HUB, str(port), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_timms_published_weights(tmp_path: Path) -> None:
    answers = hub(tmp_path)
    assert answers["first"]["digest"] == answers["expected"]
    assert answers["first"]["weights"] == "test_resnet.r160_in1k"
    assert answers["again"]["digest"] == answers["expected"]
    for key in ("absent", "offline"):
        assert "could not be downloaded" in answers[key]["error"]
        assert "network connection" in answers[key]["error"]


def test_timms_interrupted_download_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    answers = hub(tmp_path, "cut")
    assert "could not be downloaded" in answers["first"]["error"]
    assert "could not be downloaded" in answers["again"]["error"]
