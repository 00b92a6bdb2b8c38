"""State dicts into networks: whole with the file's class count and channels, in part only if asked, and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.fitting import fit
from convviz_gui.engine.opening.weights import read_weights
from convviz_gui.engine.types import Level
from convviz_gui.engine.zoo.catalogue import find


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def squeezenet() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return dict(torchvision.models.squeezenet1_1().state_dict())


SQUEEZENET = "torchvision:squeezenet1_1"


@pytest.mark.parametrize(
    "prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model.", "net.backbone.", "lit.encoder."]
)
def test_wrappers_prefixes_are_stripped(squeezenet: dict[str, Tensor], prefix: str) -> None:
    fitted = fit(find(SQUEEZENET), {prefix + key: value for key, value in squeezenet.items()}, "a.pth")
    assert same(fitted.module.state_dict(), squeezenet)
    assert (fitted.n_classes, fitted.channels) == (None, None)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [(torch.float16, "holds their values exactly"), (torch.bfloat16, "exactly"), (torch.float64, "Rounded")],
)
def test_other_precisions_become_float32_and_are_said(
    squeezenet: dict[str, Tensor], dtype: torch.dtype, words: str
) -> None:
    state = {key: value.to(dtype) for key, value in squeezenet.items()}
    fitted = fit(find(SQUEEZENET), state, "a.pth")
    assert same(fitted.module.state_dict(), {key: value.float() for key, value in state.items()})
    kind = str(dtype).removeprefix("torch.")
    [finding] = fitted.findings
    assert (finding.kind, finding.title) == ("precision", f"52 tensors are {kind} in the file; computed in float32")
    assert words in finding.detail


@pytest.mark.parametrize(
    ("name", "path", "replaced"),
    [
        ("resnet18", "fc", nn.Sequential(nn.Dropout(), nn.Linear(512, 7))),
        ("vgg11", "classifier.6", nn.Sequential(nn.Linear(4096, 7, bias=True))),
        ("efficientnet_b0", "classifier", nn.Linear(1280, 7)),
        ("vit_b_32", "heads", nn.Linear(768, 7)),
    ],
)
def test_a_classifier_wrapped_or_unwrapped_by_its_trainer(name: str, path: str, replaced: nn.Module) -> None:
    torch.manual_seed(5)
    users = torchvision.models.get_model(name, weights=None).eval()
    setattr(users.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2], replaced)
    fitted = fit(find(f"torchvision:{name}"), users.eval().state_dict(), "a.pth")
    assert fitted.n_classes == 7
    assert any("classifier" in finding.title for finding in fitted.findings)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(fitted.module.eval()(x), users(x))


def test_a_deeper_classifier_is_not_taken_for_a_linear_one() -> None:
    users = torchvision.models.resnet18()
    users.fc = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 7))
    with pytest.raises(EngineError, match=r"4 of the file's \d+ are unknown to it"):
        fit(find("torchvision:resnet18"), users.state_dict(), "a.pth")


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


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_torchvisions_first_convolution_is_made_anew(name: str, channels: int) -> None:
    # As its users do it.
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    network = torchvision.models.get_model(name, num_classes=5, **options).eval()
    stem = next(part for part in network.modules() if isinstance(part, torch.nn.Conv2d))
    anew = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    if name == "resnet18":
        network.conv1 = anew
    else:
        network.conv1.conv = anew
    assert stem.in_channels == 3
    fitted = fit(find(f"torchvision:{name}"), network.state_dict(), "a.pth")
    x = torch.randn(1, channels, 96, 96)
    assert (fitted.n_classes, fitted.channels) == (5, channels)
    assert torch.equal(fitted.module.eval()(x), network(x))


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
    with pytest.raises(
        EngineError, match=r"1 of the network's 52 tensors is missing, such as 'classifier\.1\.bias'"
    ) as it:
        fit(find(SQUEEZENET), incomplete, "a.pth")
    assert "--partial" in it.value.hint


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_open_as_they_are(squeezenet: dict[str, Tensor], bad: float) -> None:
    broken = squeezenet | {"features.0.bias": torch.full((64,), bad)}
    fitted = fit(find(SQUEEZENET), broken, "a.pth")
    assert not fitted.module.state_dict()["features.0.bias"].isfinite().any()


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


# ------------------------------------------------------------------------------------------------------ names


def test_wrappers_in_the_middle_of_names() -> None:
    network = torchvision.models.vgg11()
    network.features = torch.nn.DataParallel(network.features)
    network.avgpool = torch.compile(network.avgpool)
    network.classifier[0] = torch.compile(network.classifier[0])
    state = network.state_dict()
    assert "features.module.0.weight" in state
    assert "classifier.0._orig_mod.weight" in state
    fitted = fit(find("torchvision:vgg11"), state, "a.pth")
    assert torch.equal(fitted.module.state_dict()["classifier.0.weight"], state["classifier.0._orig_mod.weight"])
    assert any("'_orig_mod.' and 'module.'" in finding.title for finding in fitted.findings)


def test_what_is_beside_the_network_is_left_aside_and_said(squeezenet: dict[str, Tensor]) -> None:
    extra = {
        "loss_fn.weight": torch.ones(3),
        "criterion.pos_weight": torch.ones(1),
        "teacher_head.0.weight": torch.ones(2),
    }
    fitted = fit(find(SQUEEZENET), {"model." + key: value for key, value in squeezenet.items()} | extra, "a.pth")
    assert same(fitted.module.state_dict(), squeezenet)
    aside = next(finding for finding in fitted.findings if "are not the network's" in finding.title)
    assert aside.title.startswith("3 tensors")
    assert all(name in aside.detail for name in extra)


def test_what_trainers_leave_without_a_prefix(squeezenet: dict[str, Tensor]) -> None:
    extra = {"criterion.weight": torch.ones(3), "total_ops": torch.ones(1), "features.0.total_params": torch.ones(1)}
    fitted = fit(find(SQUEEZENET), squeezenet | extra, "a.pth")
    assert same(fitted.module.state_dict(), squeezenet)
    with pytest.raises(EngineError, match=r"1 of the file's 53 is unknown to it, such as 'features\.99\.weight'"):
        fit(find(SQUEEZENET), squeezenet | {"features.99.weight": torch.ones(1)}, "a.pth")


@pytest.mark.parametrize(("plain", "averaged"), [("model.", "model_ema.module."), ("student.net.", "teacher.net.")])
def test_of_two_networks_in_a_file_the_averaged_one_is_taken(
    squeezenet: dict[str, Tensor], plain: str, averaged: str
) -> None:
    means = {key: value + 1 for key, value in squeezenet.items()}
    state = {plain + key: value for key, value in squeezenet.items()} | {averaged + key: v for key, v in means.items()}
    fitted = fit(find(SQUEEZENET), state, "a.pth")
    assert same(fitted.module.state_dict(), means)
    assert any("52 tensors in the file are not the network's" in finding.title for finding in fitted.findings)


def test_a_network_inside_another_takes_its_own_names(squeezenet: dict[str, Tensor]) -> None:
    import dataclasses

    class Wrapper(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = torchvision.models.squeezenet1_1()

    architecture = dataclasses.replace(find(SQUEEZENET), source="own.py:Wrapper", build=lambda _n, _c: Wrapper())
    for prefix in ("", "backbone.", "module.backbone.", "net."):
        state = {prefix + key: value for key, value in squeezenet.items()}
        fitted = fit(architecture, state, "a.pth")
        assert same(fitted.module.backbone.state_dict(), squeezenet)


# ------------------------------------------------------------------------------------------------------ in part


def test_a_partial_load_is_said_and_is_the_same_every_time(squeezenet: dict[str, Tensor]) -> None:
    state = {key: value for key, value in squeezenet.items() if not key.startswith("classifier")}
    state |= {"features.3.squeeze.weight": torch.ones(7, 7, 1, 1), "other.weight": torch.ones(1)}
    torch.manual_seed(9)
    before = torch.get_rng_state()
    fitted = fit(find(SQUEEZENET), state, "a.pth", partial=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert (fitted.left_out, fitted.total) == (3, 52)
    loaded = fitted.module.state_dict()
    left = {"classifier.1.weight", "classifier.1.bias", "features.3.squeeze.weight"}
    assert all(torch.equal(loaded[key], squeezenet[key]) for key in squeezenet if key not in left)
    again = fit(find(SQUEEZENET), state, "a.pth", partial=True).module.state_dict()
    assert same(loaded, again)
    [warning] = [finding for finding in fitted.findings if finding.level is Level.WARNING]
    assert warning.title == "Loaded in part: 3 of the network's 52 tensors are random"
    for words in (
        "'classifier.1.weight', 'classifier.1.bias'",
        "7×7×1×1 in the file, 16×64×1×1 here",
        "'other.weight'",
    ):
        assert words in warning.detail


def test_a_whole_load_says_nothing_of_parts(squeezenet: dict[str, Tensor]) -> None:
    fitted = fit(find(SQUEEZENET), squeezenet, "a.pth", partial=True)
    assert (fitted.left_out, fitted.findings) == (0, ())


def test_a_network_filled_from_a_larger_one_is_loaded_in_part_too() -> None:
    state = torchvision.models.resnet34().state_dict()
    fitted = fit(find("torchvision:resnet18"), state, "a.pth", partial=True)
    n_more = len(state) - len(torchvision.models.resnet18().state_dict())
    assert (fitted.left_out, fitted.unused) == (0, n_more)
    [warning] = [finding for finding in fitted.findings if finding.level is Level.WARNING]
    assert warning.title == f"Loaded in part: {n_more} of the file's {len(state)} tensors are not used"


def test_a_partial_load_of_nothing_is_refused() -> None:
    state = timm.create_model("test_resnet").state_dict()
    with pytest.raises(EngineError, match=r"Nothing of a\.pth fits torchvision:squeezenet1_1"):
        fit(find(SQUEEZENET), {f"x{key}": value for key, value in state.items()}, "a.pth", partial=True)


def test_the_class_count_is_the_files_in_part_too() -> None:
    state = torchvision.models.resnet18(num_classes=7).state_dict()
    del state["layer4.1.conv2.weight"]
    fitted = fit(find("torchvision:resnet18"), state, "a.pth", partial=True)
    assert (fitted.n_classes, fitted.left_out, fitted.total) == (7, 1, 102)
    assert torch.equal(fitted.module.state_dict()["fc.weight"], state["fc.weight"])


def test_tensors_that_are_no_floating_point_numbers_are_left_out_in_part(squeezenet: dict[str, Tensor]) -> None:
    state = squeezenet | {"features.0.bias": squeezenet["features.0.bias"].int()}
    fitted = fit(find(SQUEEZENET), state, "a.pth", partial=True)
    assert fitted.left_out == 1
    assert "No plain floating-point numbers: 'features.0.bias'" in fitted.findings[-1].detail
