"""What training puts around a network is taken off; nothing in it is replaced; nothing stays switched."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from convviz_gui.engine.network.passes import running
from convviz_gui.engine.network.readying import made_ready
from convviz_gui.engine.network.wrappers import on_one_device, unwrapped
from convviz_gui.engine.types import Level
from tests.engine.nasty import Plain

CPU = torch.device("cpu")


def wrapped(kind: str, net: nn.Module) -> Any:
    import timm.utils

    match kind:
        case "DataParallel":
            return nn.DataParallel(net)
        case "torch.compile":
            return torch.compile(net, backend="eager")
        case "AveragedModel":
            return torch.optim.swa_utils.AveragedModel(net)
        case _:
            return getattr(timm.utils, kind)(net)


@pytest.mark.parametrize(
    "kind", ["DataParallel", "torch.compile", "AveragedModel", "ModelEma", "ModelEmaV2", "ModelEmaV3"]
)
def test_every_wrapper_is_taken_off_and_said(kind: str) -> None:
    net = Plain()
    inside, findings = unwrapped(wrapped(kind, net))
    assert type(inside) is Plain
    assert inside.state_dict().keys() == net.state_dict().keys()
    assert [(f.kind, f.level) for f in findings] == [("wrappers", Level.HANDLED)]
    assert kind in findings[0].title


def test_wrappers_around_wrappers() -> None:
    net = Plain()
    inside, findings = unwrapped(torch.compile(nn.DataParallel(nn.DataParallel(net)), backend="eager"))
    assert inside is net
    assert len(findings) == 3


def test_what_only_looks_like_a_wrapper_is_left_alone() -> None:
    class DataParallel(nn.Module):  # the user's own
        def __init__(self) -> None:
            super().__init__()
            self.module = Plain()

    for net in (DataParallel(), Plain(), nn.Sequential(Plain())):
        assert unwrapped(net) == (net, ())


def test_parts_keep_their_names_and_classes() -> None:
    net = nn.Sequential(nn.DataParallel(nn.Conv2d(3, 4, 3)), nn.ReLU())
    net[1].compile(backend="eager")
    before = [(path, id(part)) for path, part in net.named_modules()]
    net[0].device_ids = [0, 1]  # as on a machine with two GPUs
    findings = on_one_device(net)
    assert [(path, id(part)) for path, part in net.named_modules()] == before
    assert sorted(f.title for f in findings) == ["'0' is wrapped in DataParallel", "'1' is wrapped in torch.compile"]
    net(torch.zeros(1, 3, 8, 8))


def test_compiling_goes_on_afterwards() -> None:
    before = torch._dynamo.eval_frame._stance.stance
    with running():
        assert torch._dynamo.eval_frame._stance.stance == "force_eager"
    assert torch._dynamo.eval_frame._stance.stance == before
    with pytest.raises(ZeroDivisionError), running():
        raise ZeroDivisionError
    assert torch._dynamo.eval_frame._stance.stance == before


def test_half_precision_is_held_exactly_and_mixed_networks_become_of_one_type() -> None:
    net: Any = Plain().half()
    net.bn1.float()
    expected = copy.deepcopy(net.state_dict())
    ready, findings = made_ready(net, CPU)
    assert {tensor.dtype for tensor in ready.parameters()} == {torch.float32}
    for name, value in ready.state_dict().items():
        assert torch.equal(value, expected[name].to(value.dtype))
    assert [f.title for f in findings] == ["The weights are float16"]
    assert made_ready(net, CPU)[1] == ()


def test_a_network_with_three_dimensional_weights_is_not_laid_out_anew() -> None:
    class Video(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv3d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x[:, None]).mean((2, 3, 4))

    made_ready(Video(), CPU)
