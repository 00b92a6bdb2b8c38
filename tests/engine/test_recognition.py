"""Weights files without a name: the network they are of comes first, whatever form they are saved in."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.opening.recognition import identify
from convviz_gui.engine.opening.signatures import Signature, hashed, index, marks_of, read_index, write_index
from convviz_gui.engine.types import Candidates, ModelSpec
from convviz_gui.engine.zoo.catalogue import find
from convviz_gui.paths import resource


def finished(steps: Steps[Any]) -> Any:
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        return stop.value


def identified(path: Path) -> Candidates:
    return cast(Candidates, finished(identify(path)))


def opened(path: Path, **options: Any) -> OpenedModel:
    return cast(OpenedModel, finished(open_model(ModelSpec("", str(path), **options))))


def state_of(source: str, n_classes: int | None = None, channels: int | None = None) -> OrderedDict[str, Tensor]:
    torch.manual_seed(0)
    return cast("OrderedDict[str, Tensor]", find(source).build(n_classes, channels).state_dict())


def renamed(state: dict[str, Tensor], prefix: str) -> OrderedDict[str, Tensor]:
    return OrderedDict((prefix + key, value) for key, value in state.items())


# ------------------------------------------------------------------------------------------ the first place

PLAIN = (
    "demo",
    "torchvision:resnet18",
    "torchvision:squeezenet1_1",
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:mobilenet_v3_small",
    "torchvision:mnasnet0_5",
    "torchvision:densenet121",
    "torchvision:googlenet",
    "timm:resnet18",
    "timm:test_vit",
    "timm:mobilenetv4_conv_small_035",
    "timm:ghostnet_050",
    "timm:lcnet_035",
    "timm:tinynet_e",
    "timm:mobilevit_xxs",
    "timm:convnext_atto",
    "timm:efficientvit_m0",
    "timm:xcit_nano_12_p16_224",
)


@pytest.mark.parametrize("source", PLAIN)
def test_a_state_dict_is_recognised_at_the_first_place(tmp_path: Path, source: str) -> None:
    state = state_of(source)
    torch.save(state, tmp_path / "a.pth")
    save_file(dict(state), tmp_path / "a.safetensors")
    found = identified(tmp_path / "a.pth")
    assert found.candidates[0].model == source
    assert found.candidates[0].fits
    assert found.candidates[0].score == 1
    assert found.n_classes == find(source).n_classes
    # Without module paths timm's resnet18 cannot be told from torchvision's.
    by_shapes = identified(tmp_path / "a.safetensors")
    assert by_shapes.candidates[0].model == ("torchvision:resnet18" if source == "timm:resnet18" else source)
    assert source in [candidate.model for candidate in by_shapes.candidates]


@pytest.mark.parametrize("prefix", ["module.", "model.", "module._orig_mod.net.", "lit.backbone."])
@pytest.mark.parametrize(
    "source", ["torchvision:squeezenet1_1", "timm:mobilevit_xxs", "torchvision:mobilenet_v3_small"]
)
def test_prefixes_and_other_class_counts(tmp_path: Path, source: str, prefix: str) -> None:
    extra = {"criterion.weight": torch.ones(10), "n_averaged": torch.ones(())} if prefix != "module." else {}
    torch.save({"state_dict": renamed(state_of(source, 10), prefix) | extra}, tmp_path / "a.ckpt")
    found = identified(tmp_path / "a.ckpt")
    assert (found.candidates[0].model, found.candidates[0].fits, found.n_classes) == (source, True, 10)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("source", ["timm:test_resnet", "timm:efficientvit_m0", "torchvision:resnet18"])
def test_other_input_channels(tmp_path: Path, source: str, channels: int) -> None:
    state = state_of(source, 2, channels if source.startswith("timm") else None)
    if source.startswith("torchvision"):
        state["conv1.weight"] = torch.ones(64, channels, 7, 7)
    save_file(dict(state), tmp_path / "a.safetensors")
    model = opened(tmp_path / "a.safetensors")
    assert model.spec is not None
    assert model.spec.source == source
    with torch.no_grad():
        assert model.module(torch.zeros(1, channels, *model.preprocess.size)).shape == (1, 2)


def test_old_and_wrapped_names(tmp_path: Path) -> None:
    old = {
        key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in key else key: value
        for key, value in state_of("torchvision:densenet121", 3).items()
    }
    torch.save(old, tmp_path / "densenet.pth")
    assert identified(tmp_path / "densenet.pth").candidates[0].model == "torchvision:densenet121"
    network = torchvision.models.alexnet()
    network.features = nn.DataParallel(network.features)
    torch.save(network.state_dict(), tmp_path / "parallel.pth")
    assert identified(tmp_path / "parallel.pth").candidates[0].model == "torchvision:alexnet"


def test_auxiliary_heads_do_not_matter(tmp_path: Path) -> None:
    torch.save(torchvision.models.googlenet(init_weights=False).state_dict(), tmp_path / "a.pth")
    assert opened(tmp_path / "a.pth").name == "googlenet"


def test_real_weights(squeezenet_weights: Path) -> None:
    assert identified(squeezenet_weights).candidates[0].model == "torchvision:squeezenet1_0"


def test_the_demos_weights() -> None:
    assert opened(resource("toynet.safetensors")).name == "ToyNet"


def test_recognising_needs_neither_library(tmp_path: Path) -> None:
    # Importing them takes longer than everything else.
    torch.save(state_of("timm:resnet18"), tmp_path / "a.pth")
    code = (
        "import sys\nfrom pathlib import Path\nfrom convviz_gui.engine.opening.recognition import identify\n"
        f"steps = identify(Path({str(tmp_path / 'a.pth')!r}))\n"
        "try:\n    while True: next(steps)\nexcept StopIteration as stop: found = stop.value\n"
        "print(found.candidates[0].model, 'timm' in sys.modules, 'torchvision' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["timm:resnet18", "False", "False"]


# ------------------------------------------------------------------------------------------------------ ties


def first(path: Path) -> str:
    return identified(path).candidates[0].model


def test_ties_are_broken_by_hints_then_the_files_name_then_the_library(tmp_path: Path) -> None:
    state = dict(state_of("timm:resnet18"))
    torch.save(state, tmp_path / "a.pth")
    assert first(tmp_path / "a.pth") == "torchvision:resnet18"
    torch.save(state, tmp_path / "my_resnetblur18_v2.pth")
    assert first(tmp_path / "my_resnetblur18_v2.pth") == "timm:resnetblur18"
    torch.save({"state_dict": state, "arch": "timm/resnet18.a1_in1k"}, tmp_path / "b_resnetblur18.pth")
    assert first(tmp_path / "b_resnetblur18.pth") == "timm:resnet18"
    torch.save({"model": state, "args": argparse.Namespace(model="resnetblur18")}, tmp_path / "c.pth")
    assert first(tmp_path / "c.pth") == "timm:resnetblur18"


def test_of_equal_networks_the_plainest_name_comes_first(tmp_path: Path) -> None:
    save_file(dict(state_of("timm:efficientnet_b0")), tmp_path / "a.safetensors")
    models = [candidate.model for candidate in identified(tmp_path / "a.safetensors").candidates]
    assert models[0] == "timm:efficientnet_b0"
    assert "timm:tf_efficientnet_b0" in models
    save_file(dict(state_of("timm:tf_efficientnet_b0")), tmp_path / "tf_efficientnet_b0.safetensors")
    assert first(tmp_path / "tf_efficientnet_b0.safetensors") == "timm:tf_efficientnet_b0"


def test_a_description_beside_the_file_is_timms(tmp_path: Path) -> None:
    import timm

    save_file(dict(timm.create_model("resnet18", num_classes=3).state_dict()), tmp_path / "model.safetensors")
    settings = {
        "mean": [0.5] * 3,
        "std": [0.25] * 3,
        "input_size": [3, 96, 128],
        "crop_pct": 1.0,
        "crop_mode": "squash",
    }
    config = {"architecture": "resnet18", "label_names": ["a", "b", "c"], "pretrained_cfg": settings}
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = opened(tmp_path / "model.safetensors")
    assert model.spec is not None
    assert model.spec.source == "timm:resnet18"
    assert model.class_names == ("a", "b", "c")
    found = model.preprocess
    assert (found.size, found.resize, found.mean, found.std) == ((96, 128), (96, 128), (0.5,) * 3, (0.25,) * 3)
    assert "config.json" in found.source


# ------------------------------------------------------------------------------------------------------ opening


def test_a_file_alone_opens_and_says_as_what(tmp_path: Path) -> None:
    state = state_of("torchvision:resnet18", 2)
    torch.save({"state_dict": state, "classes": ["cat", "dog"]}, tmp_path / "a.pth")
    model = opened(tmp_path / "a.pth")
    assert model.spec == ModelSpec("torchvision:resnet18", str(tmp_path / "a.pth"))
    assert all(torch.equal(value, state[key]) for key, value in model.module.state_dict().items())
    assert (
        model.findings[0].title == "Recognised as torchvision:resnet18 (timm:resnet18, timm:resnetblur18 fit as well)"
    )
    assert model.class_names == ("cat", "dog")
    assert model.notes == ("2 classes, as in the weights",)
    assert model.trained


def test_a_single_logit_takes_the_names_of_two_classes(tmp_path: Path) -> None:
    torch.save({"model": state_of("torchvision:squeezenet1_1", 1), "classes": ["cat", "dog"]}, tmp_path / "a.pth")
    model = opened(tmp_path / "a.pth")
    assert model.class_names == ("cat", "dog")
    assert model.notes == ("2 classes told apart by a single logit, as in the weights",)


def test_a_part_of_a_larger_network_says_so_where_its_weights_are_named(tmp_path: Path) -> None:
    state = state_of("torchvision:resnet34")
    torch.save(state, tmp_path / "a.pth")
    model = cast(
        OpenedModel,
        finished(open_model(ModelSpec("torchvision:resnet18", str(tmp_path / "a.pth"), partial=True))),
    )
    n_more = len(state) - len(model.module.state_dict())
    assert model.weights == f"a.pth, {n_more} of its tensors not used"


def test_class_names_of_another_count_are_not_taken(tmp_path: Path) -> None:
    torch.save({"model": state_of("torchvision:squeezenet1_1", 3), "classes": ["cat", "dog"]}, tmp_path / "a.pth")
    model = opened(tmp_path / "a.pth")
    assert model.class_names == ()
    assert any("2 class names in the weights file were not taken" in finding.title for finding in model.findings)


def test_what_no_network_fits_names_the_nearest_and_the_way_out(tmp_path: Path) -> None:
    state = state_of("torchvision:resnet18")
    del state["fc.weight"]
    state["head.1.weight"] = torch.ones(4, 512)
    torch.save(state, tmp_path / "a.pth")
    found = identified(tmp_path / "a.pth")
    assert found.candidates[0].model == "torchvision:resnet18"
    assert (found.candidates[0].missing, found.candidates[0].unexpected) == (("fc.weight",), ("head.1.weight",))
    assert 0.9 < found.candidates[0].score < 1
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    with pytest.raises(
        EngineError, match=r"the nearest are torchvision:resnet18 \(99 % of the tensors fit\)"
    ) as caught:
        opened(tmp_path / "a.pth")
    assert "--model" in caught.value.hint
    assert "--partial" in caught.value.hint


def test_mismatches_are_listed(tmp_path: Path) -> None:
    state = state_of("torchvision:squeezenet1_1")
    state["features.3.squeeze.weight"] = torch.ones(7, 64, 1, 1)
    torch.save(state, tmp_path / "a.pth")
    best = identified(tmp_path / "a.pth").candidates[0]
    assert best.mismatched == (("features.3.squeeze.weight", (16, 64, 1, 1), (7, 64, 1, 1)),)


def test_what_looks_like_no_network(tmp_path: Path) -> None:
    save_file({"x": torch.ones(3)}, tmp_path / "a.safetensors")
    assert identified(tmp_path / "a.safetensors").candidates == ()
    with pytest.raises(EngineError, match="is not of any network that ConvViz knows by name"):
        opened(tmp_path / "a.safetensors")


def test_nothing_named_at_all() -> None:
    with pytest.raises(EngineError, match="No network is named"):
        finished(open_model(ModelSpec("")))
    with pytest.raises(EngineError, match="Only a weights file can be loaded in part"):
        finished(open_model(ModelSpec("torchvision:resnet18", partial=True)))


def test_a_partial_load_is_in_the_label_ever_after(tmp_path: Path) -> None:
    state = state_of("torchvision:squeezenet1_1")
    del state["classifier.1.bias"]
    torch.save(state, tmp_path / "a.pth")
    spec = ModelSpec("torchvision:squeezenet1_1", str(tmp_path / "a.pth"), partial=True)
    assert finished(open_model(spec)).weights == "a.pth, 1 of 52 tensors left out"


# ------------------------------------------------------------------------------------------------------ the index


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = hashed({"a.weight": (3, 4), "a.bias": (3,), "bn.num_batches_tracked": ()})
    assert len(one) == 2
    other = hashed({"a.weight": (3, 4), "b.weight": (5,), "c.weight": (6,)})
    networks = {
        "x": Signature(one, marks_of(["", "a", "relu"]), 3),
        "y": Signature(other, marks_of(["", "a"]), 5),
        "z": Signature(one, marks_of(["", "a", "act"]), 3),
    }
    write_index(tmp_path / "index.npz", networks)
    known = read_index(tmp_path / "index.npz")
    first, second = known.closest(one, 5)
    assert (first.sources, first.marks, first.n_classes) == (("x", "z"), (marks_of(["relu"]), marks_of(["act"])), 3)
    assert (first.score, first.missing, first.unexpected) == (1.0, 0, 0)
    assert (second.sources, second.missing, second.unexpected) == (("y",), 2, 1)
    assert second.score == pytest.approx(2 / 5)
    assert known.closest(hashed({"q": (1,)}), 5) == ()


def test_the_bundled_index_is_of_the_libraries_that_are_installed() -> None:
    import timm

    known = {source for group in index().groups for source in group.sources}
    expected = {f"torchvision:{name}" for name in torchvision.models.list_models(torchvision.models)}
    expected |= {f"timm:{name}" for name in timm.list_models()} | {"demo"}
    # Another version of a library may know a few more; then: python tools/make_signatures.py
    assert len(expected - known) <= 0.05 * len(expected)
    for source in np.random.default_rng(0).choice(sorted(known & expected), 4):
        architecture = find(str(source))
        with torch.device("meta"):
            state = architecture.build(None, None).state_dict()
        [best, *_] = index().closest(hashed({key: tuple(value.shape) for key, value in state.items()}), 1)
        assert source in best.sources
        assert best.n_classes == architecture.n_classes


def test_a_head_on_a_network_that_is_published_without_one() -> None:
    from convviz_gui.engine.opening.comparison import compare

    source = "timm:samvit_base_patch16"
    with torch.device("meta"):
        state = find(source).build(4, None).state_dict()
    found = compare(find(source), state)
    assert (found.n_classes, found.candidate().fits) == (4, True)
