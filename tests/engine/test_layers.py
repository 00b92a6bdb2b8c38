"""The layer tree against networks whose structure is known."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convviz_gui.engine.network.hooks import features_and_logits
from convviz_gui.engine.network.layers import default_map_layer, layer_tree, penultimate_layer, trace

CPU = torch.device("cpu")


def tree_of(model: nn.Module, side: int = 64):
    model.eval()
    found = trace(model, (3, side, side), CPU)
    return layer_tree(model, found, "net"), found


class Reusing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.unused = nn.Conv2d(3, 3, 1)
        self.body = nn.ModuleList([nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)])
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.body:
            x = self.relu(conv(x))
        return self.head(x.mean((2, 3)))


def test_shapes_parameters_and_order() -> None:
    root, _ = tree_of(torchvision.models.resnet18(weights=None))
    conv = next(node for node in root.walk() if node.id == "layer2.0.conv1")
    assert (conv.kind, conv.shape, conv.channels) == ("Conv2d", (128, 8, 8), 128)
    assert conv.n_params == 64 * 128 * 9
    assert root.n_params == 11_689_512
    depths = [node.depth for node in root.walk() if node.depth is not None]
    assert sorted(depths) == list(range(len(depths)))


def test_every_call_of_a_reused_module_is_a_layer() -> None:
    root, _ = tree_of(Reusing())
    ids = {node.id for node in root.walk()}
    assert {"relu#1", "relu#2", "body.0", "body.1", "head"} <= ids
    assert "relu" not in ids
    unused = next(node for node in root.walk() if node.id == "unused")
    assert unused.shape is None
    assert unused.depth is None


@pytest.mark.parametrize(
    ("name", "maps", "penultimate"),
    [
        ("resnet18", "layer4", "avgpool"),
        ("squeezenet1_1", "classifier.2", "features"),
        ("vgg11", "avgpool", "classifier.4"),
        ("densenet121", "features", "classifier@input"),
        ("mobilenet_v3_small", "features", "classifier.1"),
    ],
)
def test_default_layers(name: str, maps: str, penultimate: str) -> None:
    root, found = tree_of(torchvision.models.get_model(name, weights=None))
    assert default_map_layer(root) == maps
    assert penultimate_layer(found) == penultimate


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "vgg11", "squeezenet1_1"])
def test_penultimate_features_are_the_classifiers_input(name: str) -> None:
    model = torchvision.models.get_model(name, weights=None).eval()
    _, found = tree_of(model)
    layer = penultimate_layer(found)
    assert layer is not None
    x = torch.randn(1, 3, 64, 64)
    classifier = [module for module in model.modules() if isinstance(module, (nn.Linear, nn.Conv2d))][-1]
    seen: list[Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].clone()))
    features, _ = features_and_logits(model, x, layer)
    handle.remove()
    torch.testing.assert_close(
        features.flatten(2).mean(2) if features.ndim == 4 else features,
        seen[0].flatten(2).mean(2) if seen[0].ndim == 4 else seen[0],
    )


def test_nothing_is_left_behind() -> None:
    model = Reusing().eval()
    tree_of(model)
    assert all(not module._forward_hooks for module in model.modules())


class TwoHeads(nn.Module):
    """The second head runs last and is only an aid in training."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 6, 3)
        self.features = nn.Linear(6, 8)
        self.head = nn.Linear(8, 4)
        self.aid = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x).mean((2, 3))
        return self.head(self.features(x)), self.aid(x)


def test_the_head_whose_scores_are_returned_is_the_classifier() -> None:
    root, found = tree_of(TwoHeads())
    assert penultimate_layer(found) == "features"
    assert default_map_layer(root) == "body"


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning", "ignore:.*torch.jit.*:DeprecationWarning")
def test_a_scripted_part_is_one_layer_that_cannot_be_watched() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), torch.jit.script(nn.Sequential(nn.ReLU())), nn.Flatten(), nn.LazyLinear(2)
    )
    root, _ = tree_of(model.eval(), 8)
    depths = {node.id: node.depth for node in root.walk()}
    assert depths["1"] is None
    assert depths["0"] == 0
