"""Opening a network: build it, get its weights, and say what was opened."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.opening import own_code
from convviz_gui.engine.opening.download import fetch
from convviz_gui.engine.opening.fitting import Fitted, fit
from convviz_gui.engine.opening.trust import is_own_code
from convviz_gui.engine.opening.weights import file_digest, read_weights, state_digest
from convviz_gui.engine.types import Finding, ModelSpec, Preprocess
from convviz_gui.engine.zoo.architecture import Architecture
from convviz_gui.engine.zoo.catalogue import ModelEntry, find, search_models
from convviz_gui.paths import resource

__all__ = ["ModelEntry", "OpenedModel", "open_model", "search_models"]

SEED = 0
"""Random weights are drawn with this seed, so that they are the same every time."""

RANDOM = "random weights"


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A network in memory, on the CPU; fields as in `ModelInfo`.

    `digest` is the SHA-256 of the weights' file, or of the state dict where there is none. `findings` are what the door
    it came in by has to say; `spec` is what was opened where that says more than what was asked (a recognised file).
    """

    module: nn.Module
    name: str
    weights: str
    trained: bool
    digest: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    spec: ModelSpec | None = None


def open_model(spec: ModelSpec) -> Steps[OpenedModel]:
    """Build a network and load its weights, downloading them only if `spec.pretrained` asks for it.

    Raises:
        EngineError: there is no such network, the file is bad or of another network, or the download failed.
    """
    if spec.weights is not None and spec.pretrained:
        raise EngineError("Weights from a file and published weights were both asked for", "Choose one of the two")
    if is_own_code(spec.source):
        # Before it is run: what the window says meanwhile should name the file.
        yield Update(0, 0, f"running {spec.source}")
        architecture = own_code.architecture(spec)
    else:
        architecture = find(spec.source)
    yield Update(0, 0, f"building {architecture.name}")
    if spec.weights is not None:
        return _from_file(architecture, Path(spec.weights), Path(spec.weights).name)
    if spec.source == "demo":
        return _from_file(architecture, _demo_weights(), "trained on Toybox")
    if spec.pretrained:
        return (yield from _published(architecture))
    return _built(architecture)


def _demo_weights() -> Path:
    from convviz_gui.engine.zoo.demo_zoo import WEIGHTS

    try:
        return resource(WEIGHTS)
    except FileNotFoundError as error:
        raise EngineError(str(error).rstrip("."), "Install ConvViz again, or open another network") from None


def _from_file(architecture: Architecture, path: Path, label: str) -> OpenedModel:
    fitted = fit(architecture, read_weights(path), path.name)
    return _opened(architecture, fitted, label, file_digest(path))


def _published(architecture: Architecture) -> Steps[OpenedModel]:
    published = architecture.published
    if published is None:
        raise EngineError(f"No weights are published for {architecture.source}", "Give a weights file")
    path = yield from fetch(published)
    if published.load is None:
        return _from_file(architecture, path, published.label)
    module = published.load(path)
    return _opened(architecture, Fitted(module), published.label, file_digest(path))


def _built(architecture: Architecture) -> OpenedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = architecture.build(None, None)
    if architecture.made:
        return _opened(architecture, Fitted(module), architecture.made, state_digest(module.state_dict()))
    note = "Random weights: this network has learned nothing yet"
    opened = _opened(architecture, Fitted(module), RANDOM, state_digest(module.state_dict()))
    return dataclasses.replace(opened, trained=False, notes=(note, *opened.notes))


def _opened(architecture: Architecture, fitted: Fitted, label: str, digest: str) -> OpenedModel:
    names, preprocess, notes = architecture.class_names, architecture.preprocess, []
    if fitted.n_classes is not None:
        names = ()
        notes.append(f"{fitted.n_classes} classes, as in the weights; their names are not known")
    if fitted.channels is not None:
        preprocess = _for_channels(preprocess, fitted.channels)
        notes.append(f"{fitted.channels} input channels, as in the weights")
    return OpenedModel(
        module=fitted.module.eval(),
        name=architecture.name,
        weights=label,
        trained=True,
        digest=digest,
        preprocess=preprocess,
        class_names=names,
        notes=tuple(notes),
        findings=architecture.findings,
    )


def _for_channels(preprocess: Preprocess, channels: int) -> Preprocess:
    mean, std = (sum(values) / len(values) for values in (preprocess.mean, preprocess.std))
    return dataclasses.replace(preprocess, mean=(mean,) * channels, std=(std,) * channels)
