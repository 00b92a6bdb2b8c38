"""What every network of torchvision and timm must allow: the sweep (`tests.benchmarks.zoo`) and its sample ask it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.embedding import Embedding, embed
from convviz_gui.engine.network import classes
from convviz_gui.engine.network.hooks import logits_of
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, LayerNode, ModelInfo, Preprocess, Run, Target
from tests.engine.tiny import noise_picture

N_LAYERS = 5
N_CLIMBED = 3


@dataclass(frozen=True)
class Seen:
    """What a network showed for pictures of `side` pixels.

    `layers` that ran, how many of them are maps, how many have a receptive field; the layer Grad-CAM takes by default
    and its height and width; what the health report is about; and in words whatever does not hold.
    """

    side: int
    layers: int
    maps: int
    fields: int
    cam_layer: str
    cam_map: tuple[int, int]
    penultimate: str
    findings: tuple[str, ...]
    faults: tuple[str, ...]


def awake(module: nn.Module) -> nn.Module:
    """The network with noise in place of weights that its library fills with zeros.

    Zeros in front of a residual sum or in a head switch off whole branches until training moves them: no gradient
    passes there, rightly so, and nothing could be told of what lies behind.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if not name.endswith("bias") and not bool(parameter.any()):
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=generator) + 0.02)
    return module


def fingerprint(model: nn.Module) -> tuple[Any, ...]:
    """Hooks, flags, versions and the grad mode: what everything must leave as it was."""
    hooks = tuple(
        len(getattr(module, name))
        for module in model.modules()
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    )
    flags = tuple(module.training for module in model.modules())
    tensors = tuple((p.requires_grad, p._version, p.grad is None) for p in (*model.parameters(), *model.buffers()))
    return hooks, flags, tensors, torch.is_grad_enabled(), torch.is_inference_mode_enabled()


def finish(steps: Iterator[Any]) -> Any:
    """The outcome of a generator."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def spread(nodes: list[LayerNode], n: int) -> list[LayerNode]:
    """`n` of the nodes, the first and the last among them, evenly over their order."""
    places = np.linspace(0, len(nodes) - 1, min(n, len(nodes))).round().astype(int)
    return [nodes[place] for place in places]


def opened(module: nn.Module, side: int, name: str) -> Session:
    """A session with the network open for pictures of `side` pixels."""
    session = Session()
    session.adopt(module, Preprocess((side, side), side, "bilinear", (0.5,) * 3, (0.25,) * 3, "noise"), name)
    return session


def look_through(session: Session, folder: Path) -> Seen:
    """Ask the open network for everything, and collect what does not hold. `folder` holds pictures to embed."""
    info, model = session.info, session.model
    before = fingerprint(model)
    shown = [node for node in info.layers() if node.id and node.channels]
    picture = noise_picture(info.preprocess.size[0] + 9, info.preprocess.size[0] + 30)
    asked: dict[str, Callable[[], object]] = {
        "layers": lambda: _tree(info, shown),
        "activations": lambda: _activations(session, shown, picture),
        "Grad-CAM": lambda: _grad_cam(session, picture),
        "saliency": lambda: _saliency(session, picture),
        "ascent": lambda: _ascents(session, shown),
        "overview": lambda: _overview(session, picture),
        "features": lambda: _features(session, folder),
    }
    faults = []
    for what, ask in asked.items():
        try:
            ask()
        except Exception as error:  # noqa: BLE001 - the sweep reports whatever a network does
            faults.append(f"{what}: {in_words(error)}")
        if fingerprint(model) != before:
            faults.append(f"{what}: a hook or a flag was left behind")
            before = fingerprint(model)
    cam = info.find(info.default_map_layer or "")
    return Seen(
        side=info.preprocess.size[0],
        layers=len(info.layers()),
        maps=sum(node.is_map for node in shown),
        fields=sum(node.receptive_field is not None for node in shown),
        cam_layer=info.default_map_layer or "",
        cam_map=(cam and cam.extent) or (0, 0),
        penultimate=info.penultimate_layer or "",
        findings=tuple(finding.kind for finding in info.health),
        faults=tuple(faults),
    )


def _tree(info: ModelInfo, shown: list[LayerNode]) -> None:
    depths = sorted(node.depth for node in info.root.walk() if node.depth is not None)
    assert depths == list(range(len(depths))), "the order of the layers has gaps"
    assert len(shown) >= N_LAYERS, f"only {len(shown)} layers can be shown"
    ids = [node.id for node in info.root.walk()]
    assert len(ids) == len(set(ids)), "two layers have the same id"
    fields = [node.receptive_field for node in shown if node.is_map and node.receptive_field is not None]
    assert fields, "no layer has a receptive field"
    assert all(min(field.size) >= 1 and min(field.stride) >= 0 for field in fields), "a receptive field is empty"


def _activations(session: Session, shown: list[LayerNode], picture: ImageInput) -> None:
    for node in spread(shown, N_LAYERS):
        maps = finish(session.execute(Run("activations", Target(node.id), picture))).payload.maps
        assert len(maps) == node.channels, f"{node.id} gives {maps.shape}, not {node.shape}"
        assert np.isfinite(maps).all(), f"{node.id} is not finite"


def _grad_cam(session: Session, picture: ImageInput) -> None:
    cam = finish(session.execute(Run("grad-cam", image=picture))).payload
    assert math.prod(cam.raw.shape) > 1, f"{cam.layer} has a single position"
    assert np.isfinite(cam.raw).all(), "the map is not finite"
    assert cam.raw.any(), f"the map at {cam.layer} is zero everywhere"


def _overview(session: Session, picture: ImageInput) -> None:
    overview = finish(session.execute(Run("overview", image=picture))).payload
    assert abs(float(overview.probabilities.sum()) - 1) < 1e-4, "the probabilities do not add up to 1"
    assert len(overview.layers) > 0, "no layer is listed"


def _saliency(session: Session, picture: ImageInput) -> None:
    x = session.input(picture)[0].clone().requires_grad_(True)
    scores = classes.class_scores(logits_of(session.model(x)))[0]
    assert torch.isfinite(scores).all(), "the logits are not finite"
    (gradient,) = torch.autograd.grad(scores.max(), x)
    assert torch.isfinite(gradient).all(), "the gradient with respect to the picture is not finite"
    assert gradient.any(), "the gradient with respect to the picture is zero"


def _ascents(session: Session, shown: list[LayerNode]) -> None:
    settings = (("steps", 2), ("size", session.info.preprocess.size[0]), ("crop", 0))
    for node in spread(shown, N_CLIMBED):
        run = Run("filters", Target(node.id, channels=(0, 1)), settings=settings)
        gallery = finish(session.execute(run)).payload
        assert gallery.images.shape[0] == 2
        assert np.isfinite(gallery.trace).all(), f"the ascent at {node.id} is not finite"


def _features(session: Session, folder: Path) -> None:
    layer = session.info.penultimate_layer
    assert layer is not None, "the layer that the classifier looks at is not found"
    paths = tuple(str(path) for path in sorted(folder.glob("*.png")))
    found: Embedding = finish(embed(session, Listing(paths, ("",) * len(paths), ()), layer, 2))
    assert found.features.shape[0] == len(paths)
    assert np.isfinite(found.features).all(), f"the features at {layer} are not finite"
    assert found.features.shape[1] > 1, f"the features at {layer} are a single number"


def in_words(error: BaseException) -> str:
    """An exception as one line of a table."""
    text = str(error) if isinstance(error, EngineError | AssertionError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:300]
