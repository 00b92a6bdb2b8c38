"""The health report against networks built to have exactly what it should find, and nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import methods
from convviz_gui.engine.network.functional import listening, recording_dependence
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Finding, Level, ModelInfo, Preprocess, Run, Target
from tests.engine.test_methods import fingerprint, request_for
from tests.engine.tiny import SIDE, TinyNet, noise_picture, tiny_net
from tests.engine.zoo_checks import finish

METHODS = sorted(methods())


def preprocess(channels: int = 3) -> Preprocess:
    return Preprocess((SIDE, SIDE), SIDE, "bilinear", (0.5,) * channels, (0.25,) * channels, "tests")


def opened(module: nn.Module, channels: int = 3) -> Session:
    session = Session()
    session.adopt(module, preprocess(channels), name="patient")
    return session


def report(module: nn.Module, channels: int = 3) -> dict[str, Finding]:
    health = opened(module, channels).info.health
    assert len({finding.kind for finding in health}) == len(health)
    return {finding.kind: finding for finding in health}


def settled(module: nn.Module) -> nn.Module:
    """The network with batch norms as after training."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None:
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return module


class Plain(nn.Module):
    """Two convolutions and a head; nothing to remark."""

    def __init__(self, n_logits: int = 5, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.act2 = nn.ReLU()
        self.head = nn.Linear(8, n_logits)

    def features(self, x: Tensor) -> Tensor:
        return self.act2(self.conv2(self.act1(self.conv1(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


class Functional(Plain):
    """Seven activations by function, one of them in place, beside the two layers."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = torch.relu(x).relu()
        x = F.gelu(self.act1(x))
        x = F.relu6(F.silu(self.act2(self.conv2(x)))).relu_()
        return self.head(x.mean((2, 3)))


class Cut(Plain):
    """No gradient goes through the features."""

    def features(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().features(x)


class Blind(Plain):
    """No gradient at all."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(x)


class ByNumpy(Plain):
    """Leaves torch on the way, which a tensor that requires gradients cannot."""

    def features(self, x: Tensor) -> Tensor:
        return torch.from_numpy(super().features(x).numpy())


class Mlp(nn.Module):
    """No map anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 12), nn.ReLU(), nn.Linear(12, 7))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_a_plain_network_is_nothing_to_remark_on() -> None:
    info = opened(Plain()).info
    assert info.health == ()
    assert info.cannot == ()


def test_a_resnet_has_a_few_lines_of_which_none_is_a_warning() -> None:
    found = report(settled(torchvision.models.resnet18()))
    assert set(found) == {"in-place", "reused"}
    assert found["in-place"].title.startswith("9 activations")
    assert found["reused"].title.startswith("8 layers")
    assert {finding.level for finding in found.values()} == {Level.HANDLED}


def test_functions_are_counted_those_inside_activation_layers_are_not() -> None:
    found = report(Functional())
    assert found["functional"].title.startswith("7 activations are functions")
    assert {"relu ×4", "gelu", "relu6", "silu"} <= set(found["functional"].title.partition(": ")[2].split(", "))
    assert found["in-place"].title.startswith("1 activation works in place")


def test_listening_changes_no_number_and_leaves_nothing_behind() -> None:
    model = tiny_net()
    x = torch.randn(1, 3, SIDE, SIDE)
    with torch.no_grad():
        expected, before = model(x), fingerprint(model)
        with listening(model) as heard:
            torch.testing.assert_close(model(x), expected, rtol=0, atol=0)
            F.relu(x)  # not the network's
    assert not heard.activations
    assert fingerprint(model) == before
    assert heard.used == {id(parameter) for parameter in model.parameters()}


def test_what_depends_on_the_picture_is_found_without_keeping_anything() -> None:
    x = torch.randn(1, 3, SIDE, SIDE, requires_grad=True)
    with recording_dependence():
        assert Plain().requires_grad_(False)(x).requires_grad
        assert not Cut().requires_grad_(False)(x).requires_grad
        score = Plain()(x).sum()
    with pytest.raises(RuntimeError, match="kept nothing"):
        score.backward()


def test_in_place_layers_and_batch_norm_as_new() -> None:
    found = report(TinyNet())
    assert found["in-place"].title.startswith("1 activation")
    assert found["batch-norm"].level is Level.WARNING
    assert "'bn1'" in found["batch-norm"].title
    assert "batch-norm" not in report(tiny_net())


def test_batch_norms_without_statistics() -> None:
    net = tiny_net()
    net.bn1 = nn.BatchNorm2d(6, track_running_stats=False)
    assert "without statistics" in report(net)["batch-norm"].title


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_damaged_weights_are_named(value: float) -> None:
    net = Plain()
    with torch.no_grad():
        net.conv2.weight[0, 0, 0, 0] = value
    finding = report(net)["nan"]
    assert finding.level is Level.WARNING
    assert "1 tensor" in finding.title
    assert "'conv2.weight'" in finding.title


def test_large_finite_weights_and_masks_are_not_damage() -> None:
    net = Plain()
    net.register_buffer("mask", torch.full((4, 4), -math.inf))
    with torch.no_grad():
        net.conv1.bias.fill_(3e38)  # they add up to infinity, but none is
    assert "nan" not in report(net)


def test_scores_that_tell_nothing() -> None:
    dead = Plain()
    nn.init.zeros_(dead.head.weight)
    nn.init.zeros_(dead.head.bias)
    assert "the same for every class" in report(dead)["dead-output"].title
    nn.init.constant_(dead.head.bias, math.nan)
    found = report(dead)
    assert "NaN" in found["dead-output"].title
    assert "dead-output" not in report(Plain(n_logits=1))


def test_single_logit_and_input_channels() -> None:
    assert "single-logit" in report(Plain(n_logits=1))
    assert "1 input channel" in report(Plain(channels=1), 1)["input-channels"].title
    four = report(Plain(channels=4), 4)["input-channels"]
    assert (four.level, "4th" in four.detail) == (Level.HANDLED, True)
    assert "input-channels" not in report(Plain())


class Unused(Plain):
    """Weights that nothing reads, weights that are read without their module being called, and a training head."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))
        self.aux1 = nn.Linear(8, 5)
        self.read = nn.Linear(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        vector = F.linear(self.features(x).mean((2, 3)), self.read.weight)[:, None]
        return self.head(self.attention(vector, vector, vector)[0][:, 0])


def test_what_never_ran_is_named_once_and_training_heads_apart() -> None:
    found = report(Unused())
    assert found["never-ran"].title == "1 layer with weights never ran: 'spare'"
    assert "'aux1'" in found["training-only"].title


class Dropping(Plain):
    def __init__(self, training: bool | None) -> None:
        super().__init__()
        self._told = training
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.features(x))
        training = self.training if self._told is None else self._told
        return self.head(F.dropout(x, 0.3, training=training).mean((2, 3)))


def test_dropout_that_is_left_on_is_a_warning_and_that_which_is_off_is_not() -> None:
    assert report(Dropping(True))["chance"].level is Level.WARNING
    quiet = report(Dropping(None))
    assert "chance" not in quiet
    assert quiet["dropout"].title == "1 dropout"


class Stubborn(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> Stubborn:
        return super().train(True) if not mode else super().train(mode)


def test_layers_that_stay_in_training_mode() -> None:
    net = tiny_net()
    net.bn1 = Stubborn(6)
    nn.init.ones_(net.bn1.running_mean)
    assert "'bn1'" in report(net)["chance"].title


def test_channels_last_and_tokens() -> None:
    swin = report(torchvision.models.swin_t())
    assert "channels last" in swin["layout"].title
    vit = torchvision.models.VisionTransformer(SIDE, 8, 2, 2, 16, 32, num_classes=5)
    nn.init.normal_(vit.heads.head.weight)
    session = opened(vit)
    tokens = next(finding for finding in session.info.health if finding.kind == "tokens")
    assert "4×4" in tokens.detail
    assert "the token before" in tokens.detail
    cam = finish(session.execute(Run("grad-cam", image=noise_picture()))).payload
    assert cam.layer == "encoder.layers.encoder_layer_0"
    assert cam.raw.shape == (4, 4)
    assert cam.raw.any()


def test_warnings_come_first() -> None:
    net = Functional()
    nn.init.constant_(net.head.bias, math.nan)
    levels = [finding.level for finding in opened(net).info.health]
    assert levels == sorted(levels, key=[Level.WARNING, Level.HANDLED, Level.FACT].index)
    assert levels[0] is Level.WARNING
    assert levels[-1] is not Level.WARNING


def test_tokens_are_the_maps_that_they_were_made_of() -> None:
    vit = torchvision.models.VisionTransformer(SIDE, 8, 2, 2, 16, 32, num_classes=5)
    session = opened(vit)
    picture = noise_picture()
    shown = finish(session.execute(Run("activations", image=picture, target=Target("encoder.dropout")))).payload.maps
    with torch.no_grad():
        x = session.input(picture)[0]
        maps = vit.conv_proj(x)[0] + vit.encoder.pos_embedding[0, 1:].T.reshape(16, 4, 4)
    np.testing.assert_allclose(shown, maps.numpy(), rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------------------------------- which methods apply


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(9):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(noise_picture(seed=seed).pixels).save(place / f"{seed}.png")
    return str(root)


CASES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "plain": (Plain, 3),
    "functional": (Functional, 3),
    "one logit": (lambda: Plain(n_logits=1), 3),
    "grey": (lambda: Plain(channels=1), 1),
    "two channels": (lambda: Plain(channels=2), 2),
    "four channels": (lambda: Plain(channels=4), 4),
    "no maps": (Mlp, 3),
    "cut": (Cut, 3),
    "blind": (Blind, 3),
    "numpy": (ByNumpy, 3),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", METHODS)
def test_what_the_report_says_of_a_method_is_what_happens(name: str, case: str, folder: str) -> None:
    build, channels = CASES[case]
    session = opened(build(), channels)
    before = fingerprint(session.model)
    reason = dict(session.info.cannot).get(name, "")
    request = request_for(name, folder)
    if name == "filters":  # at the only size that a network without convolutions takes
        request = dataclasses.replace(request, settings=(("steps", 2), ("size", SIDE), ("crop", 0)))
    if reason:
        with pytest.raises(EngineError) as caught:
            finish(session.execute(request))
        assert caught.value.title == reason
        assert caught.value.hint
    else:
        finish(session.execute(request))
    assert fingerprint(session.model) == before


CLASS_MAPS = {
    *("cam", "eigen-cam", "film-strip", "grad-cam", "grad-cam-pp", "layer-cam", "score-cam", "xgrad-cam"),
}
GRADIENTS = {
    *("deconvnet", "grad-x-input", "guided-backprop", "guided-grad-cam", "integrated-gradients", "saliency"),
    "smoothgrad",
}
GROWN = {"filters", "filters-fourier", "filters-maco"}


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("plain", set()),
        ("no maps", CLASS_MAPS | {"guided-grad-cam"}),
        ("two channels", {"filters"}),
        ("blind", (CLASS_MAPS - {"cam", "eigen-cam", "score-cam"}) | GRADIENTS | GROWN),
    ],
)
def test_which_methods_do_not_apply(case: str, names: set[str]) -> None:
    build, channels = CASES[case]
    info: ModelInfo = opened(build(), channels).info
    assert {name for name, _ in info.cannot} == names


@pytest.mark.parametrize("case", ["cut", "blind", "numpy"])
def test_missing_gradients_are_a_warning(case: str) -> None:
    found = report(CASES[case][0]())
    assert found["no-gradient"].level is Level.WARNING
    if case == "numpy":
        assert "requires grad" in found["no-gradient"].detail


def test_a_size_that_the_network_cannot_take_is_an_error_not_a_missing_gradient() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(10, 3))
    with pytest.raises(EngineError, match="input of 3×32×32"):
        opened(net)
