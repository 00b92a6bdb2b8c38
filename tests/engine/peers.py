"""pytorch-grad-cam's raw maps, before it takes the positive part, subtracts the minimum and interpolates."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor, nn

from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Preprocess
from tests.engine.tiny import PREPROCESS


def peer_raw(kind: type[Any], model: nn.Module, layer: str, x: Tensor, target: Any, reshape: Any = None) -> Any:
    """The peer's map [h, w] at a layer, and the activations [C, h, w] and gradients that it was made of.

    `target` is a class index or a function of the logits [K]. The gradients are None for methods without.
    """
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    class Raw(kind):  # type: ignore[misc]
        def get_cam_image(self, *args: Any, **words: Any) -> Any:
            self.raw = super().get_cam_image(*args, **words)
            return self.raw

    # It sets hooks and wants gradients: a model of its own, in the plain layout.
    twin = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    wanted = target if callable(target) else ClassifierOutputTarget(target)
    with Raw(twin, [twin.get_submodule(layer)], reshape) as cam:
        cam(x.contiguous().clone().requires_grad_(True), [wanted])
        seen = cam.activations_and_grads
        gradients = seen.gradients[0][0].numpy() if seen.gradients else None
        return cam.raw[0], seen.activations[0][0].numpy(), gradients


def agree(ours: np.ndarray, other: np.ndarray, tolerance: float = 1e-4) -> None:
    """Hold two maps to be equal within a part of the largest value."""
    assert ours.shape == other.shape
    np.testing.assert_allclose(ours, other, rtol=0, atol=tolerance * float(np.abs(other).max()))


def relative(ours: np.ndarray, other: np.ndarray) -> float:
    """The largest difference as a part of the largest value."""
    return float(np.abs(ours - other).max() / np.abs(other).max())


def resnet_session(side: int = 96) -> Session:
    """A ResNet-18 with random weights and batch-norm statistics that are not the trivial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = torchvision.models.resnet18(weights=None)
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.running_mean, std=0.1)
                nn.init.uniform_(part.running_var, 0.5, 1.5)
                nn.init.uniform_(part.weight, 0.8, 1.2)
                nn.init.normal_(part.bias, std=0.1)
    session = Session()
    session.adopt(model, Preprocess((side, side), side, "bilinear", PREPROCESS.mean, PREPROCESS.std), "resnet18")
    return session


def squeezenet_session(weights: Path) -> Session:
    """The real SqueezeNet."""
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", weights=str(weights)))):
        pass
    return session
