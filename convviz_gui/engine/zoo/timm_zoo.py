"""timm's networks, with preprocessing from their own data configuration."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import timm
from timm.data import ImageNetInfo, infer_imagenet_subset, resolve_data_config
from timm.models import get_pretrained_cfg
from torch import nn

from convviz_gui.engine.types import Preprocess
from convviz_gui.engine.zoo.architecture import Architecture, Published

PREFIX = "timm:"


def names() -> tuple[str, ...]:
    """Every network: architectures (`resnet50`: with the default weights) and weights (`resnet50.a1_in1k`)."""
    return tuple(sorted({*timm.list_models(), *timm.list_pretrained()}))


def architecture(name: str) -> Architecture:
    """The network `name`, one of `names()`."""
    config = get_pretrained_cfg(name)
    settings = config.to_dict() if config else {}

    def build(n_classes: int | None, channels: int | None) -> nn.Module:
        return timm.create_model(name, pretrained=False, num_classes=n_classes, in_chans=channels)  # type: ignore[no-any-return]

    return Architecture(
        source=PREFIX + name,
        name=name,
        preprocess=preprocess_of(name, settings),
        class_names=_class_names(settings),
        n_classes=settings.get("num_classes", 1000),
        build=build,
        takes_channels=True,
        published=_published(name, config),
    )


def preprocess_of(name: str, settings: dict[str, Any]) -> Preprocess:
    """The evaluation transform that timm resolves from a network's configuration."""
    found = resolve_data_config(pretrained_cfg=settings)
    _, height, width = found["input_size"]
    sides = (math.floor(height / found["crop_pct"]), math.floor(width / found["crop_pct"]))
    resize, otherwise = _resize(found["crop_mode"], sides, (height, width))
    source = f"timm data config of {name}" + (f", but {otherwise}" if otherwise else "")
    return Preprocess(
        size=(height, width),
        resize=resize,
        interpolation=found["interpolation"],
        mean=tuple(found["mean"]),
        std=tuple(found["std"]),
        source=source,
    )


def _resize(
    crop_mode: str, sides: tuple[int, int], size: tuple[int, int]
) -> tuple[int | tuple[int, int] | Literal["fit"], str]:
    """The rule for a photo that is to have `sides` before it is cut to `size`, and what timm does otherwise."""
    match crop_mode:
        case "center":
            other = "" if sides[0] == sides[1] else "the shorter side is fixed: timm has the photo fill both"
            return min(sides), other
        case "squash":
            return sides, ""
        case "border" if sides == size:
            return "fit", ""
    return sides, f"squashed: timm uses mode {crop_mode!r}"


def _class_names(settings: dict[str, Any]) -> tuple[str, ...]:
    subset = infer_imagenet_subset(settings)
    if subset is None:
        return ()
    if subset == "imagenet-1k":  # torchvision's names are one word or two, timm's lists of synonyms
        from convviz_gui.engine.zoo import torchvision_zoo

        return tuple(torchvision_zoo.weights_of("resnet18").meta["categories"])
    return tuple(ImageNetInfo(subset).label_descriptions())


def _published(name: str, config: Any) -> Published | None:
    if config is None or not config.has_weights:
        return None
    tag = f"{config.architecture}.{config.tag}" if config.tag else name

    def load(file: Path) -> nn.Module:
        # A hub's file is converted already; only those from elsewhere need the network's own way of loading.
        overlay = {"file": str(file), "custom_load": bool(config.custom_load and not config.hf_hub_id)}
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)  # type: ignore[no-any-return]

    if config.hf_hub_id:
        files = (config.hf_hub_filename,) if config.hf_hub_filename else ("model.safetensors", "pytorch_model.bin")
        return Published(tag, repository=config.hf_hub_id, files=files, load=load)
    return Published(tag, url=config.url, load=load)
