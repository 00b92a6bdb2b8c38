"""Files that would run code if they were opened carelessly, through every door: their code never runs."""

from __future__ import annotations

import functools
import io
import json
import os
import pickle
import runpy
import subprocess
import sys
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convviz_gui.cli import main
from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.images import load_image
from convviz_gui.engine.jobs import Failed, Job, Message, run_job
from convviz_gui.engine.opening import unpickling
from convviz_gui.engine.opening.class_names import read_class_names
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.opening.recognition import identify
from convviz_gui.engine.opening.weights import read_checkpoint
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Amend, Identify, LoadModel, ModelSpec

STATE = OrderedDict({"conv.weight": torch.ones(3, 1, 2, 2), "conv.bias": torch.ones(3)})


class Evil:
    """Pickled, it is a call of `function` with `arguments`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class Subclassed(torch.Tensor):
    """A tensor whose class does the evil."""

    evil: Evil

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return self.evil.call


def shell(marker: Path) -> str:
    return f"{sys.executable} -c \"open(r'{marker}', 'w')\""


def calls(marker: Path) -> dict[str, Evil]:
    """Calls that would leave the marker, by ways that pickles have been seen to take."""
    source = f"open({str(marker)!r}, 'w').close()"
    return {
        "os.system": Evil(os.system, shell(marker)),
        "exec": Evil(exec, source),
        "eval": Evil(eval, f"open({str(marker)!r}, 'w').close()"),
        "getattr": Evil(Path.touch, marker),
        "subprocess": Evil(subprocess.call, [sys.executable, "-c", source]),
        "popen": Evil(subprocess.Popen, [sys.executable, "-c", source]),
        "open": Evil(open, str(marker), "w"),
        "runpy": Evil(runpy.run_path, str(marker.with_name("program.py"))),
        "hub": Evil(torch.hub.load, str(marker.parent), "touch"),
        "torch.load": Evil(torch.load, str(marker.with_name("inner.pkl"))),
        "jit": Evil(torch.jit.load, str(marker.with_name("inner.pkl"))),
        "numpy": Evil(np.load, str(marker.with_name("inner.npy")), None, True),
        "partial": Evil(functools.partial(exec, source)),
        "map": Evil(list, map(eval, [f"open({str(marker)!r}, 'w').close()"])),  # type: ignore[arg-type]
    }


def wrapped_tensor(evil: Evil) -> torch.Tensor:
    tensor = torch.ones(3).as_subclass(Subclassed)
    tensor.evil = evil
    return tensor


WAYS = tuple(calls(Path("x")))


def saved(path: Path, content: Any, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def old_tar(path: Path, payload: bytes) -> Path:
    """The form of torch.save before 2017: a tar archive of pickles."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            archive.addfile(info, io.BytesIO(payload))
    return path


def zip_of_torch(path: Path, payload: bytes, **members: bytes) -> Path:
    plain = {"archive/data.pkl": payload, "archive/version": b"3\n", "archive/byteorder": b"little"}
    return zipped(path, plain | {f"archive/{name.replace('__', '/')}": content for name, content in members.items()})


FORMS: dict[str, Callable[[Path, Evil], Path]] = {
    "a.pth": lambda path, evil: saved(path, evil),
    "legacy.pth": lambda path, evil: saved(path, evil, legacy=True),
    "bare.pt": lambda path, evil: written(path, pickle.dumps(evil, 2)),
    "bare4.bin": lambda path, evil: written(path, pickle.dumps(evil, 4)),
    "beside.ckpt": lambda path, evil: saved(path, {"state_dict": STATE, "hyper_parameters": {"x": evil}}),
    "beside_legacy.ckpt": lambda path, evil: saved(path, {"state_dict": STATE, "x": [evil]}, legacy=True),
    "class_names.pth": lambda path, evil: saved(path, {"model": STATE, "class_names": [evil, "dog"]}),
    "entry.pth": lambda path, evil: saved(path, OrderedDict(STATE | {"more": evil})),
    "subclass.pth": lambda path, evil: saved(path, {"weight": wrapped_tensor(evil)}),
    "objects.pth": lambda path, evil: saved(path, {"state_dict": STATE, "a": np.array([evil, 1], dtype=object)}),
    "named.safetensors": lambda path, evil: saved(path, {"state_dict": STATE, "x": evil}),
    "bare.safetensors": lambda path, evil: written(path, pickle.dumps(evil, 2)),
    "script.pt": lambda path, evil: zip_of_torch(
        path, pickle.dumps(evil, 2), **{"constants.pkl": pickle.dumps(evil, 2)}
    ),
    "code.pt": lambda path, evil: zip_of_torch(path, pickle.dumps(evil, 2), **{"code____torch__.py": b"import os"}),
    "program.pt2": lambda path, evil: zip_of_torch(path, pickle.dumps(evil, 2), archive_format=b"pt2"),
    "tar.pth.tar": lambda path, evil: old_tar(path, pickle.dumps(evil, 2)),
    "metadata.pth": lambda path, evil: saved(path, _with_metadata(evil)),
    "arrays.npz": lambda path, evil: np.savez(path, a=np.array([evil], dtype=object)) or path,  # type: ignore[func-returns-value]
}


def _with_metadata(evil: Evil) -> OrderedDict[str, Any]:
    state = OrderedDict(STATE)
    state._metadata = {"": evil}  # type: ignore[attr-defined]
    return state


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Where evil code would leave its mark, and what it may call upon."""
    marker = tmp_path / "it_ran"
    source = f"open({str(marker)!r}, 'w').close()"
    (tmp_path / "program.py").write_text(source)
    (tmp_path / "hubconf.py").write_text(f"def touch(*a, **k):\n    {source}\n{source}\n")
    (tmp_path / "inner.pkl").write_bytes(pickle.dumps(Evil(exec, source)))
    np.save(tmp_path / "inner.npy", np.array([Evil(exec, source)], dtype=object), allow_pickle=True)
    return marker


def through_the_engines_doors(path: Path) -> list[EngineError]:
    """What every door that takes a path says of it; no door may open it."""
    doors: list[Callable[[], Any]] = [
        lambda: list(open_model(ModelSpec("demo", str(path)))),
        lambda: list(open_model(ModelSpec("torchvision:squeezenet1_1", str(path), partial=True))),
        lambda: list(open_model(ModelSpec("", str(path)))),
        lambda: list(identify(path)),
        lambda: read_class_names(str(path)),
        lambda: load_image(path),
    ]
    said = []
    for door in doors:
        with pytest.raises(EngineError) as caught:
            door()
        said.append(caught.value)
    return said


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_file_runs_code_in_any_door(tmp_path: Path, marker: Path, form: str) -> None:
    path = FORMS[form](tmp_path / form, calls(marker)["exec"])
    for error in through_the_engines_doors(path):
        assert error.title
        assert error.hint
        assert "\n" not in str(error)
    assert not marker.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_calling_runs_code(tmp_path: Path, marker: Path, way: str) -> None:
    evil = calls(marker)[way]
    if way in ("os.system", "exec", "eval", "getattr", "subprocess", "open", "runpy", "numpy", "partial", "map"):
        pickle.loads(pickle.dumps(evil))
        assert marker.exists()  # the trap works
        marker.unlink()
    for form in ("a.pth", "legacy.pth", "beside.ckpt", "metadata.pth", "objects.pth"):
        path = FORMS[form](tmp_path / form, calls(marker)[way])
        for read in (read_checkpoint, lambda path: list(identify(path))):
            with pytest.raises(EngineError, match="could run code") as caught:
                read(path)
            assert "save its state dict" in caught.value.hint
    assert not marker.exists()


class _Ended:
    """Keeps how a job ended."""

    def __init__(self) -> None:
        self.last: Message | None = None

    def send(self, message: Message) -> None:
        self.last = message

    def wants_preview(self) -> bool:
        return False


@pytest.mark.parametrize("form", ["a.pth", "legacy.pth", "tar.pth.tar", "arrays.npz"])
def test_what_the_window_sends_ends_in_a_sentence_to_mend(tmp_path: Path, marker: Path, form: str) -> None:
    path = str(FORMS[form](tmp_path / form, calls(marker)["exec"]))
    session = Session()
    run_job(session, Job(0, "session", LoadModel(ModelSpec("demo"), "cpu")), _Ended())
    before = session.info
    commands = (
        LoadModel(ModelSpec("", path), "cpu"),
        LoadModel(ModelSpec("demo", path), "cpu"),
        LoadModel(ModelSpec("demo", class_names=path), "cpu"),
        Identify(path),
        Amend(class_names=path),
    )
    for command in commands:
        end = _Ended()
        run_job(session, Job(1, "session", command), end)
        assert isinstance(end.last, Failed), command
        assert end.last.problem.kind is ProblemKind.USER
        assert end.last.problem.hint
    assert session.info == before
    assert not marker.exists()


@pytest.mark.parametrize("form", ["a.pth", "beside.ckpt", "script.pt", "program.pt2", "named.safetensors"])
def test_the_command_line_says_one_sentence(
    tmp_path: Path, marker: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = FORMS[form](tmp_path / form, calls(marker)["os.system"])
    commands = (
        ["layers", "--weights", str(path)],
        ["layers", "--weights", str(path), "--model", "demo"],
        ["models", "--weights", str(path), "--json"],
        ["layers", "--model", "demo", "--classes", str(path)],
        ["layers", "--model", f"{path}:build"],
    )
    for command in commands:
        assert main(command) != 0
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) == 1, err
    assert not marker.exists()


def test_what_is_beside_a_file_is_data(tmp_path: Path, marker: Path) -> None:
    evil = calls(marker)["exec"]
    path = saved(tmp_path / "a.pth", {"state_dict": STATE})
    for content in (
        pickle.dumps(evil),
        json.dumps(
            {"architecture": f"__import__('os').system({shell(marker)!r})", "label_names": ["exec('1')"]}
        ).encode(),
        json.dumps({"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, [shell(marker)]]}).encode(),
        f"!!python/object/apply:os.system ['{shell(marker)}']".encode(),
    ):
        (tmp_path / "config.json").write_bytes(content)
        assert list(read_checkpoint(path).state) == list(STATE)
        with pytest.raises(EngineError):
            list(open_model(ModelSpec("", str(path))))
    assert not marker.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "weights.pth", "weights.npz"])
@pytest.mark.parametrize("source", ["timm:test_resnet", "timm:vit_tiny_patch16_224", "torchvision:squeezenet1_1"])
def test_published_weights_that_somebody_replaced(
    tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str
) -> None:
    path = tmp_path / name
    evil = calls(marker)["exec"]
    if name.endswith(".npz"):
        np.savez(path, **{"embedding/kernel": np.array([evil], dtype=object)})
    else:
        saved(path, {"state_dict": STATE, "x": evil})

    def from_the_cache(_published: object) -> Any:
        yield from ()
        return path

    monkeypatch.setattr("convviz_gui.engine.opening.models.fetch", from_the_cache)
    with pytest.raises(EngineError) as caught:
        list(open_model(ModelSpec(source, pretrained=True)))
    assert "\n" not in str(caught.value)
    assert not marker.exists()


# ------------------------------------------------------------------------------------------ the unpickler itself


def test_what_stands_in_for_unknown_classes_does_nothing(tmp_path: Path) -> None:
    class Config:
        ran = False

        def __init__(self) -> None:
            self.rate = 0.1

        def __setstate__(self, _state: Any) -> None:
            Config.ran = True

    Config.__qualname__ = "Config"
    globals()["Config"] = Config
    path = saved(tmp_path / "a.pth", {"state_dict": STATE, "config": Config()})
    loaded, unopened = unpickling.load(path)
    assert unopened == (f"{__name__}.Config",)
    assert isinstance(loaded["config"], unpickling.StandIn)
    assert loaded["config"].fields == {"rate": 0.1}
    assert not Config.ran


def test_numpys_own_constructors_are_not_called(tmp_path: Path) -> None:
    # A type whose state says that eight bytes are a pointer: numpy itself would follow it.
    class Forged:
        def __reduce__(self) -> Any:
            return np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 63)

    class Pointer:
        def __reduce__(self) -> Any:
            return np._core.multiarray.scalar, (Forged(), b"\x41" * 8)  # type: ignore[attr-defined]

    path = saved(tmp_path / "a.pth", {"state_dict": STATE, "x": Pointer()})
    loaded, _ = unpickling.load(path)
    assert loaded["x"] is None


def test_a_whole_network_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for legacy in (False, True):
        path = saved(tmp_path / "a.pth", {"epoch": 1, "model": nn.Sequential(nn.Conv2d(3, 4, 3))}, legacy)
        with pytest.raises(EngineError, match="could run code") as caught:
            read_checkpoint(path)
        assert "torch.save(model.state_dict()" in caught.value.hint


def test_attributes_that_a_file_gives_its_tensors_stay_behind(tmp_path: Path) -> None:
    tensor = torch.ones(3)
    tensor.is_contiguous = "no longer a method"  # type: ignore[method-assign, assignment]
    path = saved(tmp_path / "a.pth", {"x": tensor})
    assert read_checkpoint(path).state["x"].is_contiguous()
