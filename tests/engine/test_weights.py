"""Weights files: what is in them is found and read, and nothing of it is run."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import sys
import tarfile
import zipfile
from collections import OrderedDict, defaultdict, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.weights import file_digest, read_checkpoint, read_weights, state_digest

STATE = {"conv.weight": torch.arange(12.0).reshape(3, 1, 2, 2), "conv.bias": torch.ones(3)}


def torch_file(path: Path, content: Any, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def same(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def refusal(path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        read_weights(path)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ----------------------------------------------------------------------------------------------- reading


def test_safetensors_and_both_torch_formats(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "a.safetensors")
    save_file(STATE, tmp_path / "misnamed.pth")
    torch_file(tmp_path / "b.pth", STATE)
    torch_file(tmp_path / "c.pth", OrderedDict(STATE), legacy=True)
    for path in tmp_path.iterdir():
        assert same(read_weights(path), STATE)


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_training_checkpoints(tmp_path: Path, key: str) -> None:
    options = argparse.Namespace(lr=0.1, name="run")
    checkpoint = {"epoch": 3, key: STATE, "optimizer": {"state": {0: {"step": torch.ones(())}}}, "args": options}
    assert same(read_weights(torch_file(tmp_path / "a.pth", checkpoint)), STATE)


@pytest.mark.parametrize(
    "path",
    [("net",), ("params",), ("model_state",), ("module",), ("state", "model"), ("a", "b", "generator"), ("ema",)],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_nested_state_dicts(tmp_path: Path, path: tuple[str, ...], legacy: bool) -> None:
    optimizer = {"state": {"x": torch.ones(1), "y": torch.ones(2), "z": torch.ones(3)}}
    content: Any = STATE
    for key in reversed(path):
        content = {key: content}
    found = read_checkpoint(torch_file(tmp_path / "a.ckpt", {"epoch": 3, "optimizer": optimizer, **content}, legacy))
    assert same(found.state, STATE)


def test_a_few_entries_that_are_no_tensors_are_passed_over_and_said(tmp_path: Path) -> None:
    found = read_checkpoint(torch_file(tmp_path / "a.pth", STATE | {"epoch": 3, "name": "run"}))
    assert same(found.state, STATE)
    [finding] = found.findings
    assert "2 entries beside the tensors were passed over ('epoch', 'name')" in finding.title


def test_averages_without_running_statistics_are_not_taken_for_the_network(tmp_path: Path) -> None:
    parameters = {"conv.weight": STATE["conv.weight"] + 1}
    found = read_checkpoint(torch_file(tmp_path / "a.pth", {"state_dict": STATE, "ema": parameters}))
    assert same(found.state, STATE)


def test_the_choice_between_two_networks_is_said(tmp_path: Path) -> None:
    found = read_checkpoint(torch_file(tmp_path / "a.pth", {"model": STATE, "model_ema": STATE}))
    [finding] = found.findings
    assert finding.title == "The weights were taken from 'model_ema'; 'model' left aside"
    assert "Averaged" in finding.detail


def test_module_paths_are_kept(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    found = read_checkpoint(torch_file(tmp_path / "a.pth", {"state_dict": network.state_dict()}))
    assert list(found.state._metadata) == ["", "0", "1"]  # type: ignore[attr-defined]


class _Options(dict[str, Any]):
    """Stands for Lightning's AttributeDict, a dictionary of another class."""


class _Settings:
    def __init__(self) -> None:
        self.arch, self.out = "resnet18", Path("runs")


@pytest.mark.parametrize("legacy", [False, True])
def test_what_training_programs_keep_beside_the_weights(tmp_path: Path, legacy: bool) -> None:
    by_default: defaultdict[str, list[int]] = defaultdict(list)
    by_default["a"].append(1)
    checkpoint = {
        "epoch": 3,
        "pytorch-lightning_version": "2.5",
        "best": np.float64(0.5),
        "history": np.arange(5.0),
        "mixed": np.array([1, "a", None], dtype=object),
        "hyper_parameters": _Options(classes=["cat", "dog"], root=Path("data"), size={1, 2}),
        "callbacks": {"ModelCheckpoint": {"best_model_path": Path("x"), "seen": deque([1, 2], 3), "by": by_default}},
        "settings": _Settings(),
        "when": datetime.now(UTC),
        "kinds": frozenset(["a"]),
        "state_dict": STATE,
    }
    found = read_checkpoint(torch_file(tmp_path / "a.ckpt", checkpoint, legacy))
    assert same(found.state, STATE)
    assert found.hints.class_names == ("cat", "dog")
    [finding] = found.findings
    assert "objects that are no weights; they were not opened" in finding.title
    assert "_Settings" in finding.title
    assert "_Options" not in finding.title  # a dictionary is read as one


# ------------------------------------------------------------------------------------------------ hints


@pytest.mark.parametrize(
    "beside",
    [
        {"class_names": ["a", "b", "c"]},
        {"classes": ("a", "b", "c")},
        {"classes": np.array(["a", "b", "c"])},
        {"classes": np.array(["a", "b", "c"], dtype=object)},
        {"hyper_parameters": {"class_to_idx": {"c": 2, "a": 0, "b": 1}}},
        {"args": argparse.Namespace(idx_to_class={2: "c", 0: "a", 1: "b"})},
        {"config": {"model": {"id2label": {"0": "a", "1": "b", "2": "c"}}}},
        {"meta": {"CLASSES": ["a", " b\n", "c"]}},
    ],
)
def test_class_names_in_checkpoints(tmp_path: Path, beside: dict[str, Any]) -> None:
    found = read_checkpoint(torch_file(tmp_path / "a.pth", {"state_dict": STATE} | beside))
    assert found.hints.class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    "names", [[1, 2], ["a", 3], {"a": 0, "b": 2}, {0: "a", 2: "b"}, {"a": True}, "a b", [], ["x" * 5000], [""], {}]
)
def test_what_is_no_list_of_class_names(tmp_path: Path, names: Any) -> None:
    assert read_checkpoint(torch_file(tmp_path / "a.pth", {"model": STATE, "classes": names})).hints.class_names == ()


def test_class_names_and_architecture_in_safetensors(tmp_path: Path) -> None:
    metadata = {"classes": '["a", "b"]', "architecture": "resnet18.a1_in1k", "broken": "[1,"}
    save_file(STATE, tmp_path / "a.safetensors", metadata)
    hints = read_checkpoint(tmp_path / "a.safetensors").hints
    assert (hints.class_names, hints.architecture) == (("a", "b"), "resnet18.a1_in1k")


@pytest.mark.parametrize(
    "beside", [{"arch": "vgg16"}, {"args": argparse.Namespace(model="vgg16")}, {"model_name": "vgg16"}]
)
def test_the_architectures_name(tmp_path: Path, beside: dict[str, Any]) -> None:
    assert read_checkpoint(torch_file(tmp_path / "a.pth", {"state_dict": STATE} | beside)).hints.architecture == "vgg16"


def test_the_hubs_description_beside_the_weights(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "model.safetensors")
    settings = {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "input_size": [3, 64, 64], "crop_pct": 0.9}
    config = {
        "architecture": "test_resnet",
        "label_names": ["n01", "n02"],
        "label_descriptions": {"n01": "cat", "n02": "dog"},
        "pretrained_cfg": settings,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    hints = read_checkpoint(tmp_path / "model.safetensors").hints
    assert (hints.class_names, hints.architecture) == (("cat", "dog"), "test_resnet")
    assert hints.settings["input_size"] == (3, 64, 64)
    assert hints.settings_source == "config.json beside it"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        "{",
        '{"pretrained_cfg": {"mean": ["a"], "std": [0], "input_size": 3}}',
        "[" * 100_000,
        "\x00",
        '{"pretrained_cfg": {"mean": [1e999, 0, 0], "std": [1, 1, 1], "input_size": [3, 1e9, 5]}}',
    ],
)
def test_other_files_of_that_name_are_none_of_ours(tmp_path: Path, text: str) -> None:
    save_file(STATE, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(text)
    found = read_checkpoint(tmp_path / "model.safetensors")
    assert same(found.state, STATE)
    assert not found.hints.settings


def test_averaged_weights_are_preferred(tmp_path: Path) -> None:
    averaged = {key: value + 1 for key, value in STATE.items()}
    path = torch_file(tmp_path / "a.pth", {"state_dict": STATE, "state_dict_ema": averaged})
    assert same(read_weights(path), averaged)


class _Evil:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle", "nested"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, kind: str) -> None:
    trace, path = tmp_path / "it_ran", tmp_path / "evil.pth"
    evil = _Evil(trace)
    pickle.loads(pickle.dumps(evil))
    assert trace.exists()  # the trap works
    trace.unlink()
    if kind == "pickle":
        path.write_bytes(pickle.dumps(evil))
    else:
        torch_file(path, {"state_dict": STATE, "x": evil} if kind == "nested" else evil, legacy=kind == "legacy")
    words = refusal(path)
    assert not trace.exists()
    assert "evil.pth" in words
    assert "could run code" in words


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_whole_models_programs_and_exports_are_refused_with_the_way_out(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    torch_file(tmp_path / "whole.pth", network)
    torch_file(tmp_path / "legacy.pth", network, legacy=True)
    torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 8, 8)), tmp_path / "script.pt")
    torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 8, 8),)), tmp_path / "exported.pt2")
    for path in tmp_path.iterdir():
        words = refusal(path)
        assert "could run code" in words, path.name
        assert "torch.save(model.state_dict()" in words


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_damaged_and_other_files_in_words(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "whole.safetensors")
    torch_file(tmp_path / "whole.pth", STATE)
    torch_file(tmp_path / "whole_legacy.pth", STATE, legacy=True)
    for path in list(tmp_path.iterdir()):
        for part in (0.3, 0.6, 0.95):
            cut = tmp_path / f"cut{part}_{path.name}"
            cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
            assert cut.name in refusal(cut)
    (tmp_path / "empty.pth").touch()
    assert "is empty" in refusal(tmp_path / "empty.pth")
    assert "There is no weights file" in refusal(tmp_path / "none.pth")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "text.pth").write_text("not weights")
    assert "safetensors files and PyTorch" in refusal(tmp_path / "text.pth")
    (tmp_path / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert "Keras" in refusal(tmp_path / "keras.h5")
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        archive.writestr("a.txt", "hello")
    assert "plain.zip" in refusal(tmp_path / "plain.zip")
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    assert "NumPy arrays" in refusal(tmp_path / "arrays.npz")
    with tarfile.open(tmp_path / "a.pth.tar", "w") as archive:
        archive.add(tmp_path / "text.pth")
    assert "tar archive" in refusal(tmp_path / "a.pth.tar")
    torch.save(STATE, tmp_path / "new.pth", pickle_protocol=4)
    assert "without another pickle_protocol" in refusal(tmp_path / "new.pth")
    for content in ([1, 2], {}, {"a": 1}, torch.ones(3), {"state_dict": {"x": "y"}}):
        assert "holds no state dict" in refusal(torch_file(tmp_path / "other.pth", content))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_flipped_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    save_file(STATE, tmp_path / "a.safetensors")
    torch_file(tmp_path / "b.pth", {"state_dict": STATE, "epoch": 3})
    torch_file(tmp_path / "c.pth", STATE, legacy=True)
    outcomes = set()
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for place in torch.randint(len(whole), (150,), generator=generator).tolist():
            data = bytearray(whole)
            data[place] ^= 1 << (place % 8)
            path.write_bytes(data)
            try:
                read_weights(path)
                outcomes.add("read")
            except EngineError:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    torch_file(tmp_path / "a.pth", STATE)
    with zipfile.ZipFile(tmp_path / "a.pth") as whole, zipfile.ZipFile(tmp_path / "bomb.pth", "w") as bomb:
        for name in whole.namelist():
            content = bytes(10_000_000) if name.endswith("data/0") else whole.read(name)
            bomb.writestr(name, content, zipfile.ZIP_DEFLATED)
    assert "times its size" in refusal(tmp_path / "bomb.pth")


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    assert "not an ordinary file" in refusal(tmp_path / "pipe.pth")


@pytest.mark.parametrize("key", [0, None])
def test_tensors_without_names_are_no_state_dict(tmp_path: Path, key: Any) -> None:
    assert "no state dict" in refusal(torch_file(tmp_path / "a.pth", STATE | {key: torch.ones(1)}))


def test_digests(tmp_path: Path) -> None:
    path = torch_file(tmp_path / "a.pth", STATE)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert state_digest(STATE) == state_digest({key: value.clone() for key, value in STATE.items()})
    changed = STATE | {"conv.bias": torch.tensor([1.0, 1.0, 1.0 + 1e-6])}
    renamed = {key.upper(): value for key, value in STATE.items()}
    assert len({state_digest(state) for state in (STATE, changed, renamed)}) == 3
