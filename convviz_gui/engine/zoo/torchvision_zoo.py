"""torchvision's classification networks, with the preprocessing and class names of their published weights."""

from __future__ import annotations

import re
from typing import Any

from torch import nn
from torchvision import models

from convviz_gui.engine.types import Finding, Level, Preprocess
from convviz_gui.engine.zoo.architecture import Architecture, Published, State

PREFIX = "torchvision:"

# Training alone uses these heads; an evaluated network neither has nor needs them.
_TRAINING_ONLY = ("aux1.", "aux2.", "AuxLogits.")
_WITH_AUXILIARIES = ("googlenet", "inception_v3")
# ImageNet's mean and standard deviation where the network then turns (x − m) / s into 2x − 1: m + s(2m − 1), and 2s².
_RESCALED = Finding(
    "preprocessing",
    Level.FACT,
    "The network rescales its input by itself, as torchvision's own weights need it",
    "Weights trained with transform_input=False see other colours: for them set the mean to 0.4781, 0.4363, 0.3637 and "
    "the standard deviation to 0.1049, 0.1004, 0.1013, which undoes it",
)


def names() -> tuple[str, ...]:
    """The networks that classify images, without the library's prefix."""
    return tuple(models.list_models(models))


def weights_of(name: str) -> Any:
    """The default published weights (torchvision's `WeightsEnum` member) of a network."""
    return models.get_model_weights(name).DEFAULT


def architecture(name: str) -> Architecture:
    """The network `name`, one of `names()`."""
    weights = weights_of(name)
    preprocess = preprocess_of(weights)
    categories = tuple(weights.meta["categories"])

    def build(n_classes: int | None, _channels: int | None) -> nn.Module:
        options: dict[str, Any] = {} if n_classes is None else {"num_classes": n_classes}
        if name in _WITH_AUXILIARIES:  # transform_input: their weights came from another library, as did their range
            options |= {"aux_logits": False, "init_weights": True, "transform_input": True}
        if name.startswith("vit_"):
            options["image_size"] = preprocess.size[0]
        return models.get_model(name, weights=None, **options)  # type: ignore[no-any-return]

    return Architecture(
        source=PREFIX + name,
        name=name,
        preprocess=preprocess,
        class_names=categories,
        n_classes=len(categories),
        build=build,
        adapt=_adapt,
        published=Published(weights.name, url=weights.url),
        file_findings=(_RESCALED,) if name in _WITH_AUXILIARIES else (),
    )


def preprocess_of(weights: Any) -> Preprocess:
    """The evaluation transform that published weights come with."""
    transform = weights.transforms()
    return Preprocess(
        size=(transform.crop_size[0], transform.crop_size[0]),
        resize=transform.resize_size[0],
        interpolation=transform.interpolation.value,
        mean=tuple(transform.mean),
        std=tuple(transform.std),
        source=f"torchvision {weights}",
    )


# Published DenseNet weights are older than the rule that module names have no dots.
_DOTTED = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")


def _adapt(state: State) -> State:
    kept = {key: value for key, value in state.items() if not key.startswith(_TRAINING_ONLY)}
    return {_DOTTED.sub(r"\1\2", key): value for key, value in kept.items()}
