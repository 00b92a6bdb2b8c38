"""Opening a network: build it, get its weights, and say what was opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.classes import n_classes
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.opening import own_code
from convviz_gui.engine.opening.comparison import reseeded
from convviz_gui.engine.opening.download import fetch, published_digest
from convviz_gui.engine.opening.fitting import Fitted, fit
from convviz_gui.engine.opening.hints import Hints
from convviz_gui.engine.opening.recognition import recognised
from convviz_gui.engine.opening.trust import is_own_code
from convviz_gui.engine.opening.weights import Checkpoint, file_digest, read_checkpoint, state_digest
from convviz_gui.engine.preprocess_rules import with_channels
from convviz_gui.engine.types import Candidates, Finding, Level, ModelSpec
from convviz_gui.engine.zoo.architecture import Architecture
from convviz_gui.engine.zoo.catalogue import ModelEntry, find, search_models
from convviz_gui.paths import resource

__all__ = ["ModelEntry", "open_model", "search_models"]

RANDOM = "random weights"
UNKNOWN_NAMES = "; their names are not known"


def open_model(spec: ModelSpec) -> Steps[OpenedModel]:
    """Build a network and load its weights, downloading them only if `spec.pretrained` asks for it.

    Raises:
        EngineError: there is no such network, the file is bad or of another network, or the download failed.
    """
    if spec.weights is not None and spec.pretrained:
        raise EngineError("Weights from a file and published weights were both asked for", "Choose one of the two")
    if spec.partial and spec.weights is None:
        raise EngineError("Only a weights file can be loaded in part", "Give one (command line: --weights FILE)")
    if not spec.source:
        return (yield from _recognised(spec))
    if is_own_code(spec.source):
        # Before it is run: what the window says meanwhile should name the file.
        yield Update(0, 0, f"running {spec.source}")
        architecture = own_code.architecture(spec)
    else:
        architecture = find(spec.source)
    yield Update(0, 0, f"building {architecture.name}")
    if spec.weights is not None:
        path = Path(spec.weights)
        return _own(architecture, _from_file(architecture, path, path.name, spec.partial))
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


def _from_file(architecture: Architecture, path: Path, label: str, partial: bool = False) -> OpenedModel:
    return _loaded(architecture, read_checkpoint(path), path, label, partial)


def _loaded(
    architecture: Architecture, checkpoint: Checkpoint, path: Path, label: str, partial: bool = False
) -> OpenedModel:
    fitted = fit(architecture, checkpoint.state, path.name, partial)
    if fitted.left_out:
        label += f", {fitted.left_out} of {fitted.total} tensors left out"
    elif fitted.unused:
        label += f", {fitted.unused} of its tensors not used"
    opened = _opened(architecture, fitted, label, file_digest(path))
    findings = (*checkpoint.findings, *fitted.findings, *opened.findings)
    n_logits = fitted.n_classes or architecture.n_classes
    return hinted(dataclasses.replace(opened, findings=findings), checkpoint.hints, n_logits and n_classes(n_logits))


def _own(architecture: Architecture, opened: OpenedModel) -> OpenedModel:
    """A network with the user's own weights, unless the file is the published one."""
    url = architecture.published.url if architecture.published else ""
    if (digest := published_digest(url)) and opened.digest.startswith(digest):
        return opened
    return dataclasses.replace(opened, findings=(*opened.findings, *architecture.file_findings))


def _recognised(spec: ModelSpec) -> Steps[OpenedModel]:
    """The network that a weights file is of, as its names and shapes tell."""
    if spec.weights is None:
        raise EngineError("No network is named", "Name one, or give a weights file (command line: --weights FILE)")
    path = Path(spec.weights)
    yield Update(0, 0, f"reading {path.name}")
    checkpoint = read_checkpoint(path)
    found = yield from recognised(checkpoint, path)
    source = found.candidates[0].model
    yield Update(0, 0, f"building {source}")
    architecture = find(source)
    opened = _own(architecture, _loaded(architecture, checkpoint, path, path.name, spec.partial))
    findings = (_recognition(found), *opened.findings)
    return dataclasses.replace(opened, findings=findings, spec=dataclasses.replace(spec, source=source))


def _recognition(found: Candidates) -> Finding:
    first, *others = [candidate.model for candidate in found.candidates]
    if not others:
        return Finding("weights", Level.FACT, f"Recognised as {first}", "No other known network has these tensors")
    named = ", ".join(others[:2]) + (f" and {len(others) - 2} more" if len(others) > 2 else "")
    title = f"Recognised as {first} ({named} {'fits' if len(others) == 1 else 'fit'} as well)"
    return Finding("weights", Level.FACT, title, "Name the network if it is another one of them (--model)")


def _published(architecture: Architecture) -> Steps[OpenedModel]:
    published = architecture.published
    if published is None:
        raise EngineError(f"No weights are published for {architecture.source}", "Give a weights file")
    path = yield from fetch(published)
    if published.load is None:
        return _from_file(architecture, path, published.label)
    module = _loaded_by_library(published.load, published.label, path)
    return _opened(architecture, Fitted(module), published.label, file_digest(path))


def _loaded_by_library(load: Callable[[Path], nn.Module], label: str, path: Path) -> nn.Module:
    if path.suffix not in (".safetensors", ".npz"):
        # Older versions of timm open pickles without care.
        read_checkpoint(path)
    try:
        return load(path)
    except (RuntimeError, ValueError, LookupError, TypeError, OSError, EOFError, SafetensorError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        title = f"The published weights {label} cannot be read ({why})"
        raise EngineError(title, f"Remove {path}, so that they are downloaded again") from None


def _built(architecture: Architecture) -> OpenedModel:
    module = reseeded(architecture)
    if architecture.made:
        return _opened(architecture, Fitted(module), architecture.made, state_digest(module.state_dict()))
    opened = _opened(architecture, Fitted(module), RANDOM, state_digest(module.state_dict()))
    return dataclasses.replace(opened, trained=False)


def _opened(architecture: Architecture, fitted: Fitted, label: str, digest: str) -> OpenedModel:
    names, preprocess, notes = architecture.class_names, architecture.preprocess, []
    if fitted.n_classes is not None:
        names = ()
        single = " told apart by a single logit" if fitted.n_classes == 1 else ""
        notes.append(f"{n_classes(fitted.n_classes)} classes{single}, as in the weights{UNKNOWN_NAMES}")
    if fitted.channels is not None:
        source = f"{preprocess.source}, averaged over its channels"
        preprocess = dataclasses.replace(with_channels(preprocess, fitted.channels), source=source)
        channels = "1 input channel" if fitted.channels == 1 else f"{fitted.channels} input channels"
        notes.append(f"{channels}, as in the weights")
    return OpenedModel(
        module=fitted.module.eval(),
        name=architecture.name,
        weights=label,
        trained=True,
        digest=digest,
        preprocess=preprocess,
        class_names=names,
        notes=tuple(notes),
        findings=(*architecture.findings, *_headless(architecture, fitted)),
        code=architecture.code,
    )


def _headless(architecture: Architecture, fitted: Fitted) -> tuple[Finding, ...]:
    if architecture.n_classes or fitted.n_classes:
        return ()
    detail = "Its features stand where other networks have class scores: they name no classes"
    return (Finding("no-classifier", Level.WARNING, "This network is published without a classifier", detail),)


def hinted(opened: OpenedModel, hints: Hints, n_told_apart: int) -> OpenedModel:
    """With the class names and the preprocessing that the file, or a config.json beside it, tells of.

    Args:
        n_told_apart: number of classes that the network tells apart; 0 if it has no classifier.
    """
    n_names = len(hints.class_names)
    if n_names and n_names == n_told_apart:
        notes = tuple(note.removesuffix(UNKNOWN_NAMES) for note in opened.notes)
        finding = Finding("class-names", Level.FACT, f"{n_names} class names are from {hints.source}")
        findings = (*opened.findings, finding)
        opened = dataclasses.replace(opened, class_names=hints.class_names, notes=notes, findings=findings)
    elif n_names:
        why = f"the network tells {n_told_apart} classes apart" if n_told_apart else "the network has no classifier"
        title = f"{n_names} class names in {hints.source} were not taken: {why}"
        finding = Finding("class-names", Level.FACT, title)
        opened = dataclasses.replace(opened, findings=(*opened.findings, finding))
    if hints.settings and len(hints.settings["mean"]) == opened.preprocess.channels:
        from convviz_gui.engine.zoo import timm_zoo

        found = timm_zoo.preprocess_of(opened.name, dict(hints.settings))
        found = dataclasses.replace(found, source=f"pretrained_cfg in {hints.settings_source}")
        opened = dataclasses.replace(opened, preprocess=found)
    return opened
