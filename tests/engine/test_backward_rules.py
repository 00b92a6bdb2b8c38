"""Guided backprop and DeconvNet against numbers worked out by hand, for every way of writing a ReLU."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.attribution.backward_rules import Rule, Ruled
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.manifest import result_facts
from convviz_gui.engine.payloads import Coverage, PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session

# What goes in: pixels as they are (mean 0, a standard deviation of one grey level).
PIXELS = np.array([[1, 2, 0, 3], [0, 4, 1, 1], [5, 0, 2, 1], [1, 1, 0, 6]], np.uint8)
GREY_LEVELS = Preprocess((4, 4), None, "bilinear", (0.0,), (1 / 255,), "tests")


class ByHand(nn.Module):
    """Two layers, 1×1, with max-pooling between.

    Layer 1 gives A = x − 2 and B = 3 − x. After ReLU and pooling of 2×2, with the places of the maxima (row, column):
        A: 2 (1, 1)   1 (0, 3)        B: 3 (1, 0)   3 (0, 2)
           3 (2, 0)   4 (3, 3)           3 (2, 1)   3 (3, 2)
    Layer 2 gives P = A − B = −1 −2 | 0 1 and Q = 2B − A = 4 5 | 3 2. After a ReLU, class 0 weighs the four positions
    of P by 1, 2, 3, −1 and those of Q by 1, −1, 0, 2.
    """

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.relu = relu
        self.conv1, self.conv2 = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 1)
        self.pool, self.head = nn.MaxPool2d(2), nn.Linear(8, 2)
        with torch.no_grad():
            self.conv1.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.conv1.bias.copy_(torch.tensor([-2.0, 3.0]))
            self.conv2.weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 2.0]]).view(2, 2, 1, 1))
            self.conv2.bias.zero_()
            self.head.weight[0] = torch.tensor([1.0, 2, 3, -1, 1, -1, 0, 2])
            self.head.weight[1] = 0
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Any:
        x = self.pool(self.relu(self.conv1(x)))
        return self.head(self.relu(self.conv2(x)).flatten(1))


def at(**places: int) -> np.ndarray:
    """A 4×4 map with numbers at "r1c2"."""
    made = np.zeros((4, 4))
    for place, number in places.items():
        made[int(place[1]), int(place[3])] = number
    return made


# At P and Q the gradient is 1 2 | 3 −1 and 1 −1 | 0 2.
#
# Gradient: P is open at its last position only, Q everywhere, so 0 0 | 0 −1 and 1 −1 | 0 2 go on. A gets P − Q:
# −1 1 | 0 −3, B gets −P + 2Q: 2 −2 | 0 5. All of these were above 0; x gets A − B at the maxima's places.
GRADIENT = at(r1c1=-1, r0c3=1, r3c3=-3, r1c0=-2, r0c2=2, r3c2=-5)
# Guided: of that only what is positive: P 0 0 | 0 0, Q 1 0 | 0 2. A gets −Q: nothing positive; B gets 2Q: 2 0 | 0 4.
GUIDED = at(r1c0=-2, r3c2=-4)
# DeconvNet: what is positive, whether open or not: P 1 2 | 3 0, Q 1 0 | 0 2. A gets P − Q: 0 2 | 3 −2, of which
# 0 2 | 3 0 is kept; B gets −P + 2Q: 1 −2 | −3 4, of which 1 0 | 0 4.
DECONVNET = at(r0c3=2, r2c0=3, r1c0=-1, r3c2=-4)
# One unit of Q, at row 1, column 1, from the layer's output on: A gets −1, B gets 2.
UNIT_GRADIENT = at(r3c3=-1, r3c2=-2)
UNIT = at(r3c2=-2)
# All of P: A gets 1 1 | 1 1, B gets −1 everywhere, which no rule lets through.
CHANNEL = at(r1c1=1, r0c3=1, r2c0=1, r3c3=1)


def in_place(x: Tensor) -> Tensor:
    F.relu(x, inplace=True)
    return x


def clamped(x: Tensor) -> Tensor:
    x.clamp_(min=0)
    return x


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scripting is on its way out; networks of users still have it
        return torch.jit.script(nn.Sequential(nn.ReLU()))  # type: ignore[no-any-return]


SPELLINGS: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "one module, used twice": nn.ReLU,
    "module in place": lambda: nn.ReLU(inplace=True),
    "F.relu": lambda: F.relu,
    "F.relu in place": lambda: in_place,
    "torch.relu": lambda: torch.relu,
    "method": lambda: lambda x: x.relu(),
    "relu_": lambda: lambda x: x.relu_(),
    "clamp": lambda: lambda x: x.clamp(min=0),
    "clamp_min": lambda: lambda x: torch.clamp_min(x, 0),
    "clamp_": lambda: clamped,
    "threshold": lambda: nn.Threshold(0, 0),
    "threshold in place": lambda: nn.Threshold(0, 0, inplace=True),
    "ReLU6, never reached": nn.ReLU6,
    "hardtanh": lambda: nn.Hardtanh(0, 99, inplace=True),
    "scripted": scripted,
}


def opened(relu: Callable[[Tensor], Tensor]) -> Session:
    session = Session()
    session.adopt(ByHand(relu), GREY_LEVELS)
    return session


def map_of(session: Session, method: str, target: Target) -> PixelMap:
    picture = image_from_array(np.repeat(PIXELS[:, :, None], 3, 2), "by hand")
    payload = finish(session, Run(method, target, picture)).payload
    assert isinstance(payload, PixelMap)
    return payload


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("method", "expected"), [("saliency", GRADIENT), ("guided-backprop", GUIDED), ("deconvnet", DECONVNET)]
)
def test_a_class_by_hand(spelling: str, method: str, expected: np.ndarray) -> None:
    found = map_of(opened(SPELLINGS[spelling]()), method, Target(class_index=0))
    np.testing.assert_allclose(found.attribution, expected[None], atol=1e-5)
    np.testing.assert_allclose(found.heat, np.abs(expected), atol=1e-5)
    # P 0 0 | 0 1 and Q 4 5 | 3 2 with their weights: −1 + 4 − 5 + 4.
    assert found.score == pytest.approx(2, abs=1e-4)
    if method != "saliency":
        assert found.coverage == Coverage(2, 2)


@pytest.mark.parametrize("method", ["guided-backprop", "deconvnet"])
def test_a_channel_and_a_unit_by_hand(method: str) -> None:
    session = opened(nn.ReLU(inplace=True))
    unit = map_of(session, method, Target("conv2", (1,), unit=(1, 1)))
    np.testing.assert_allclose(unit.attribution, UNIT[None], atol=1e-5)
    assert (unit.score, unit.coverage) == (pytest.approx(2, abs=1e-4), Coverage(1, 1))
    assert (unit.layer, unit.channel, unit.unit, unit.class_index) == ("conv2", 1, (1, 1), None)
    channel = map_of(session, method, Target("conv2", (0,)))
    np.testing.assert_allclose(channel.attribution, CHANNEL[None], atol=1e-5)
    assert channel.score == pytest.approx(-2, abs=1e-4), "the sum of P, before its ReLU in place"
    assert channel.logits.shape == (2,)
    vector = map_of(session, method, Target("head", (0,)))
    expected = {"guided-backprop": GUIDED, "deconvnet": DECONVNET}[method]
    np.testing.assert_allclose(vector.attribution, expected[None], atol=1e-5)


def test_from_behind_a_relu_that_is_shut() -> None:
    """P at row 0, column 0 is −1: DeconvNet asks only what it stands for, guided backprop whether it was on."""
    session = opened(nn.ReLU())
    deconvolved = map_of(session, "deconvnet", Target("relu#2", (0,), unit=(0, 0)))
    np.testing.assert_allclose(deconvolved.attribution, at(r1c1=1)[None], atol=1e-5)
    guided = map_of(session, "guided-backprop", Target("relu#2", (0,), unit=(0, 0)))
    assert not guided.attribution.any()


def test_below_every_relu_both_are_the_plain_gradient() -> None:
    for method in ("guided-backprop", "deconvnet"):
        found = map_of(opened(nn.ReLU()), method, Target("conv1", (1,)))
        np.testing.assert_allclose(found.attribution, np.full((1, 4, 4), -1), atol=1e-6)
        assert found.coverage == Coverage(0, 0)


def test_relu6_is_open_below_its_top_only() -> None:
    values = torch.tensor([-1.0, 0.0, 2.0, 6.0, 9.0])
    arriving = torch.tensor([3.0, 3.0, 3.0, 3.0, 3.0])
    for rule, expected in ((Rule.GUIDED, [0.0, 0, 3, 0, 0]), (Rule.DECONVNET, [3.0] * 5)):
        x = values.clone().requires_grad_(True)
        with Ruled(rule):
            y = F.relu6(x)
        assert y.tolist() == values.clamp(0, 6).tolist()
        (gradient,) = torch.autograd.grad((y * arriving).sum(), x)
        assert gradient.tolist() == expected
        (gradient,) = torch.autograd.grad((Ruled(rule).relu(x, 6.0) * -arriving).sum(), x)
        assert gradient.tolist() == [0.0] * 5, "nothing negative goes on"


# -------------------------------------------------------------------------------------------------- coverage


class Mixed(nn.Module):
    """One ReLU, two SiLUs, a squeeze-and-excitation gate, and a ReLU beside the way to the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.SiLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Sigmoid())
        self.head = nn.Linear(6, 3)
        self.seen: Tensor | None = None

    def forward(self, x: Tensor) -> Any:
        self.seen = F.relu(x).detach()
        x = F.silu(self.body(x))
        return self.head((x * self.gate(x)).mean((2, 3)))


class OwnSwish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        sigmoid = torch.sigmoid(ctx.saved_tensors[0])
        return gradients[0] * sigmoid * (1 + ctx.saved_tensors[0] * (1 - sigmoid))


def test_what_has_no_rule_is_counted_and_named() -> None:
    session = Session()
    info = session.adopt(Mixed(), PREPROCESS)
    assert dict(info.activation_functions) == {"SiLU": 2, "ReLU": 1, "Sigmoid": 1}
    result = finish(session, Run("guided-backprop", image=noise_picture()))
    assert result.payload.coverage == Coverage(1, 4, (("SiLU", 2), ("Sigmoid", 1)))
    said = next(score for score in result.scores if score.label == "Coverage")
    assert said.text == "1 of 4 activations handled, no rule for SiLU ×2, Sigmoid"
    assert said.value == 0.25
    facts = result_facts(result, "").own
    assert facts["coverage"] == {"handled": 1, "total": 4, "unhandled": {"SiLU": 2, "Sigmoid": 1}}


def test_all_handled_is_said() -> None:
    result = finish(tiny_session(), Run("deconvnet", image=noise_picture()))
    assert next(score for score in result.scores if score.label == "Coverage").text == "2 of 2 ReLUs handled"


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        (nn.SiLU, "SiLU"),
        (nn.GELU, "GELU"),
        (nn.LeakyReLU, "LeakyReLU"),
        (nn.ELU, "ELU"),
        (nn.Hardswish, "Hardswish"),
        (nn.Tanh, "Tanh"),
        (nn.Mish, "Mish"),
        (nn.PReLU, "PReLU"),
        (lambda: OwnSwish.apply, "OwnSwish"),
    ],
)
def test_without_a_relu_it_is_said_before_it_is_run(activation: Callable[[], Any], named: str) -> None:
    net: Any = tiny_net()
    del net.relu
    net.relu = activation()
    session = Session()
    info = session.adopt(net, PREPROCESS)
    assert info.activation_functions == ((named, 2),)
    for method in ("guided-backprop", "deconvnet", "guided-grad-cam"):
        reason = f"This network has no ReLU, and the rule is not defined for {named}"
        assert dict(info.cannot)[method] == reason
        with pytest.raises(EngineError, match="no ReLU"):
            finish(session, Run(method, image=noise_picture()))
    finish(session, Run("saliency", image=noise_picture()))


def test_the_network_is_not_changed_and_answers_as_ever() -> None:
    session = tiny_session()
    x, _ = session.input(noise_picture())
    parts = [(name, id(part)) for name, part in session.model.named_modules()]
    with torch.no_grad():
        before = session.model(x)
    saliency = finish(session, Run("saliency", image=noise_picture())).payload.attribution
    found = finish(session, Run("guided-backprop", image=noise_picture())).payload
    np.testing.assert_allclose(found.logits, before[0].numpy(), rtol=1e-6)
    assert [(name, id(part)) for name, part in session.model.named_modules()] == parts
    again = finish(session, Run("saliency", image=noise_picture())).payload.attribution
    np.testing.assert_array_equal(saliency, again)
    assert np.abs(found.attribution - saliency).max() > 0


# --------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (Target("conv1"), "Which channel of 'conv1'"),
        (Target("conv1", (0, 1)), "One channel is traced back at a time, not 2"),
        (Target("conv1", (0,), class_index=1), "cannot be traced back at once"),
        (Target("conv1", (0,), against=1), "cannot be traced back at once"),
        (Target("conv1", (6,)), "no channel 6"),
        (Target(None, (8,)), "'relu#2' has no channel 8"),
        (Target("conv1", (0,), unit=(32, 0)), "no position 32, 0"),
        (Target("head", (0,), unit=(0, 0)), "vector"),
        (Target("nowhere", (0,)), "no layer 'nowhere'"),
        (Target(unit=(0, 0)), "Which channel"),
        (Target(class_index=9), "no class 9"),
    ],
)
@pytest.mark.parametrize("method", ["guided-backprop", "deconvnet"])
def test_what_cannot_be_traced_back_is_said(method: str, target: Target, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence) as caught:
        finish(tiny_session(), Run(method, target, noise_picture()))
    assert caught.value.hint


def test_without_a_layer_the_channel_is_of_the_default_layer() -> None:
    session = tiny_session()
    found = finish(session, Run("deconvnet", Target(None, (3,)), noise_picture())).payload
    named = finish(session, Run("deconvnet", Target("relu#2", (3,)), noise_picture())).payload
    assert found.layer == "relu#2"
    np.testing.assert_array_equal(found.attribution, named.attribution)
