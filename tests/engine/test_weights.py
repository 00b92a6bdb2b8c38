"""Weights files: nothing in them is run, and they fit a network whole or not at all."""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.fitting import fit
from convviz_gui.engine.opening.weights import file_digest, read_weights, state_digest
from convviz_gui.engine.zoo.catalogue import find

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
    for content in ([1, 2], {}, {"a": 1}, torch.ones(3), {"state_dict": {"x": "y"}}):
        assert "holds no state dict" in refusal(torch_file(tmp_path / "other.pth", content))


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


# ----------------------------------------------------------------------------------------------- fitting


@pytest.fixture(scope="module")
def squeezenet() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return dict(torchvision.models.squeezenet1_1().state_dict())


SQUEEZENET = "torchvision:squeezenet1_1"


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_wrappers_prefixes_are_stripped(squeezenet: dict[str, Tensor], prefix: str) -> None:
    fitted = fit(find(SQUEEZENET), {prefix + key: value for key, value in squeezenet.items()}, "a.pth")
    assert same(fitted.module.state_dict(), squeezenet)
    assert (fitted.n_classes, fitted.channels) == (None, None)


def test_half_precision_becomes_the_networks_own(squeezenet: dict[str, Tensor]) -> None:
    fitted = fit(find(SQUEEZENET), {key: value.half() for key, value in squeezenet.items()}, "a.pth")
    assert {parameter.dtype for parameter in fitted.module.parameters()} == {torch.float32}


@pytest.mark.parametrize("source", [SQUEEZENET, "torchvision:resnet18", "timm:test_resnet"])
def test_the_class_count_is_the_files(source: str) -> None:
    network = find(source).build(7, None).eval()
    fitted = fit(find(source), network.state_dict(), "a.pth")
    x = torch.randn(1, 3, 96, 96)
    assert fitted.n_classes == 7
    assert torch.equal(fitted.module.eval()(x), network(x))


def test_input_channels_are_the_files_where_the_library_can() -> None:
    network = find("timm:test_resnet").build(5, 1).eval()
    fitted = fit(find("timm:test_resnet"), network.state_dict(), "a.pth")
    x = torch.randn(1, 1, 64, 64)
    assert (fitted.n_classes, fitted.channels) == (5, 1)
    assert torch.equal(fitted.module.eval()(x), network(x))
    grey = torchvision.models.resnet18().state_dict()
    grey["conv1.weight"] = grey["conv1.weight"][:, :1]
    with pytest.raises(EngineError, match=r"'conv1\.weight' is 64×1×7×7 instead of 64×3×7×7"):
        fit(find("torchvision:resnet18"), grey, "grey.pth")


def test_another_architecture_in_one_sentence(squeezenet: dict[str, Tensor]) -> None:
    with pytest.raises(EngineError) as caught:
        fit(find("torchvision:squeezenet1_0"), squeezenet, "other.pth")
    words = str(caught.value)
    assert "other.pth are not of torchvision:squeezenet1_0" in words
    assert "12 of the network's 52 tensors are missing" in words
    assert "12 of the file's 52 are unknown" in words
    assert "'features.0.weight' is 64×3×3×3 instead of 96×3×7×7" in words
    assert "\n" not in words


def test_one_missing_tensor_is_enough(squeezenet: dict[str, Tensor]) -> None:
    incomplete = {key: value for key, value in squeezenet.items() if key != "classifier.1.bias"}
    with pytest.raises(EngineError, match=r"1 of the network's 52 tensors are missing, such as 'classifier\.1\.bias'"):
        fit(find(SQUEEZENET), incomplete, "a.pth")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(squeezenet: dict[str, Tensor], bad: float) -> None:
    broken = squeezenet | {"features.0.bias": torch.full((64,), bad)}
    with pytest.raises(EngineError, match=r"not numbers .* in 1 tensors, such as 'features\.0\.bias'"):
        fit(find(SQUEEZENET), broken, "a.pth")


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("int32", lambda tensor: tensor.int()),
        ("complex64", lambda tensor: tensor.to(torch.complex64)),
        ("sparse_coo", lambda tensor: tensor.to_sparse()),
        ("saved without its values", lambda tensor: tensor.to("meta")),
    ],
)
def test_forms_that_would_lose_values_are_refused(
    squeezenet: dict[str, Tensor], form: str, change: Callable[[Tensor], Tensor]
) -> None:
    state = squeezenet | {"features.0.bias": change(squeezenet["features.0.bias"])}
    with pytest.raises(EngineError, match=rf"such as 'features\.0\.bias' \(.*{form}\)"):
        fit(find(SQUEEZENET), state, "a.pth")


def test_running_statistics_that_are_no_numbers_are_refused() -> None:
    state = torchvision.models.resnet18().state_dict()
    state["bn1.running_var"][0] = float("nan")
    with pytest.raises(EngineError, match=r"such as 'bn1\.running_var'"):
        fit(find("torchvision:resnet18"), state, "a.pth")


def test_batch_counters_may_be_missing() -> None:
    state = torchvision.models.resnet18().state_dict()
    kept = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert len(kept) < len(state)
    assert same(fit(find("torchvision:resnet18"), kept, "a.pth").module.state_dict(), state)


def test_heads_that_only_training_uses_are_dropped() -> None:
    # As published: with auxiliary heads.
    network = torchvision.models.googlenet(aux_logits=True, init_weights=False, transform_input=True).eval()
    fitted = fit(find("torchvision:googlenet"), network.state_dict(), "a.pth").module.eval()
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(fitted(x), network(x))
    assert not any(name.startswith("aux") for name, _ in fitted.named_modules())


def test_old_densenet_names() -> None:
    network = torchvision.models.densenet121()
    old = {
        key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in key else key: value
        for key, value in network.state_dict().items()
    }
    assert any("norm.1.weight" in key for key in old)
    assert same(fit(find("torchvision:densenet121"), old, "a.pth").module.state_dict(), network.state_dict())


def test_networks_that_read_their_version(tmp_path: Path) -> None:
    # MNASNet looks for its version beside the tensors, where safetensors keeps nothing.
    network = torchvision.models.mnasnet0_5()
    save_file(dict(network.state_dict()), tmp_path / "a.safetensors")
    torch.save(network.state_dict(), tmp_path / "a.pth")
    for path in tmp_path.iterdir():
        fitted = fit(find("torchvision:mnasnet0_5"), read_weights(path), path.name)
        assert same(fitted.module.state_dict(), network.state_dict())
