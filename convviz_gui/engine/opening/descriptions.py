"""What networks and the files they are from say of their pictures and classes, in the usual places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.preprocess_rules import INTERPOLATIONS, checked
from convviz_gui.engine.types import Preprocess

_IN_FILES = (
    "PREPROCESS preprocess PREPROCESSING preprocessing TRANSFORM transform TRANSFORMS transforms eval_transform "
    "eval_transforms test_transform test_transforms val_transform val_transforms"
).split()
_IN_MODULES = ("preprocess", "transform", "transforms", "eval_transform", "val_transform", "test_transform")
_MEANS: tuple[tuple[str, str], ...] = (
    ("mean", "std"),
    ("image_mean", "image_std"),
    ("pixel_mean", "pixel_std"),
    ("norm_mean", "norm_std"),
)
_MEANS += (("MEAN", "STD"), ("IMAGE_MEAN", "IMAGE_STD"))
_SIZES = ("input_size", "image_size", "img_size", "INPUT_SIZE", "IMAGE_SIZE", "IMG_SIZE", "default_input_size")
_NAMES: tuple[str, ...] = (
    "class_names",
    "CLASS_NAMES",
    "classes",
    "CLASSES",
    "categories",
    "CATEGORIES",
    "labels",
    "LABELS",
)
_NAMES += ("id2label", "idx_to_class", "label2id", "class_to_idx")


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of the preprocessing, as far as it is; `whole` if all of it is. `source` says where."""

    source: str
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    whole: Preprocess | None = None


def preprocess_of(module: nn.Module, names: Mapping[str, Any]) -> Described | None:
    """What the file says (`names`), or else the network: a transform, timm's configuration, or mean and deviation."""
    found = [_read(names[key], f"{key} in the file") for key in _IN_FILES if key in names]
    settings = next((c for part in module.modules() if (c := _timm_settings(part))), None)
    if settings is not None:
        found.append(_from_timm(settings))
    weights: Any = _attributes(module).get("weights")
    if callable(getattr(weights, "transforms", None)):
        found.append(_read(weights.transforms(), f"{weights}"))
    found += [_read(getattr(module, key), f"the network's {key}") for key in _IN_MODULES if _plain(module, key)]
    found += [_statistics(names, "the file"), _statistics(_attributes(module), "the network")]
    told = [one for one in found if one is not None]
    return next((one for one in told if one.whole is not None), next(iter(told), None))


def size_of(module: nn.Module) -> tuple[int, int] | None:
    """The input size (H, W) that a network or its configuration states, or None."""
    for part in (module, *list(module.children())[:8]):
        for place in (_attributes(part), _config(part)):
            for key in _SIZES:
                size = _size(place.get(key))
                if size is not None:
                    return size
    return None


def class_names(module: nn.Module, n: int, names: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of `n` classes from the file or the network, or nothing if none are there that fit in number."""
    for place in (names, _attributes(module), _config(module)):
        for key in _NAMES:
            found = _names(place.get(key))
            if len(found) == n:
                return found
    return ()


def normalises_inside(module: nn.Module, channels: int, answer: Callable[[], Tensor | None]) -> str | None:
    """The range of values, "0…1" or "0…255", that a network takes which subtracts its own mean; None if it does not.

    A mean that is only written down and one that is used cannot be told apart by looking: whether it is used is tried,
    by changing it, comparing the class scores (`answer`), and putting it back.
    """
    for part in module.modules():
        for mean_name, _ in _MEANS:
            values = _numbers(_attributes(part).get(mean_name))
            if len(values) in (1, channels) and _is_used(part, mean_name, answer):
                return "0…255" if max(values) > 2 else "0…1"
    return None


def _is_used(part: nn.Module, name: str, answer: Callable[[], Tensor | None]) -> bool:
    before, value = answer(), getattr(part, name)
    if before is None:
        return False
    kept = value.data if isinstance(value, Tensor) else value
    try:
        if isinstance(value, Tensor):
            value.data = kept + 1
        else:
            more = [number + 1 for number in _numbers(value)] if isinstance(value, Sequence) else value + 1
            setattr(part, name, more)
        after = answer()
    finally:
        if isinstance(value, Tensor):
            value.data = kept
        else:
            setattr(part, name, kept)
    return after is not None and not torch.equal(before, after)


def _read(value: Any, source: str) -> Described | None:
    """From a `Preprocess`, a dictionary as timm's, or a transform of torchvision's; None if it is none of them."""
    if isinstance(value, Preprocess):
        return _whole(value, source)
    if isinstance(value, Mapping):
        size, mean = _size(_first(value, (*_SIZES, "size"))), _numbers(value.get("mean"))
        return Described(source, size, *_scaled(mean, _numbers(value.get("std")))) if size or mean else None
    steps = getattr(value, "transforms", None)
    if isinstance(steps, (list, tuple)):
        return _from_steps(list(steps), source)
    fields = {key: getattr(value, key, None) for key in ("crop_size", "resize_size", "mean", "std")}
    if all(found is not None for found in fields.values()):  # torchvision's ImageClassification
        return _from_preset(value, source)
    return _from_steps([value], source) if type(value).__name__ == "Normalize" else None


def _from_preset(value: Any, source: str) -> Described | None:
    size = _size(value.crop_size)
    if size is None:
        return None
    found = Preprocess(size, value.resize_size[0], _mode(value), tuple(value.mean), tuple(value.std), source)
    return _whole(found, source)


def _from_steps(steps: list[Any], source: str) -> Described | None:
    """From the steps of a torchvision `Compose`: the last resize, crop and normalisation in it."""
    resize: int | tuple[int, int] | None = None
    crop, mode = None, "bilinear"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    for step in steps:
        kind = type(step).__name__
        if kind == "Resize":
            mode = _mode(step)
            asked = step.size
            resize = int(asked) if isinstance(asked, int) else _shorter_or_both(asked)
        elif kind in ("CenterCrop", "RandomCrop", "RandomResizedCrop"):
            crop = _size(step.size)
            resize = crop if kind == "RandomResizedCrop" and crop else resize
        elif kind == "Normalize":
            mean, std = _numbers(step.mean), _numbers(step.std)
    size = crop or (resize if isinstance(resize, tuple) else None)
    if size is None and isinstance(resize, int):
        size = (resize, resize)
    if size is None or not mean:
        return Described(source, size, mean, std) if size or mean else None
    rule = None if resize == size else resize if resize is not None else min(size)
    return _whole(Preprocess(size, rule, mode, mean, std, source), source)


def _shorter_or_both(asked: Any) -> int | tuple[int, int] | None:
    sides = [int(side) for side in asked]
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def _mode(step: Any) -> str:
    mode = getattr(step, "interpolation", "bilinear")
    word = str(getattr(mode, "value", mode)).lower()
    return word if word in INTERPOLATIONS else "bilinear"


def _whole(found: Preprocess, source: str) -> Described | None:
    try:
        checked(found)
    except EngineError:
        return None
    return Described(source, found.size, found.mean, found.std, found)


def _timm_settings(part: nn.Module) -> dict[str, Any] | None:
    for key in ("pretrained_cfg", "default_cfg"):
        config: Any = _attributes(part).get(key)
        config = config.to_dict() if callable(getattr(config, "to_dict", None)) else config
        if isinstance(config, Mapping) and config.get("input_size") and config.get("mean"):
            return dict(config)
    return None


def _from_timm(settings: dict[str, Any]) -> Described | None:
    from convviz_gui.engine.zoo import timm_zoo

    name = str(settings.get("architecture") or "the network")
    found = timm_zoo.preprocess_of(name, settings)
    return _whole(found, found.source)


def _statistics(place: Mapping[str, Any], owner: str) -> Described | None:
    for mean_name, std_name in _MEANS:
        mean, std = _scaled(_numbers(place.get(mean_name)), _numbers(place.get(std_name)))
        if mean and len(mean) == len(std):
            return Described(f"{owner}'s {mean_name}", None, mean, std)
    return None


def _scaled(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of values in 0…1; many write them for 0…255."""
    if mean and max(*mean, *std, 0) > 2:
        return tuple(value / 255 for value in mean), tuple(value / 255 for value in std)
    return mean, std


def _numbers(value: Any) -> tuple[float, ...]:
    if isinstance(value, Tensor):
        value = value.detach().flatten().tolist() if value.numel() <= 64 and not value.is_complex() else None
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (float(value),)
    if not isinstance(value, (list, tuple)) or len(value) > 64:
        return ()
    if all(isinstance(number, (int, float)) for number in value):
        return tuple(float(number) for number in value)
    inner = [_numbers(item) for item in value]
    return tuple(item[0] for item in inner) if all(len(item) == 1 for item in inner) else ()


def _size(value: Any) -> tuple[int, int] | None:
    """(H, W) from 224, (224, 224) or (3, 224, 224)."""
    sides = _numbers(value)
    if not 1 <= len(sides) <= 3:
        return None
    height, width = (sides[0], sides[0]) if len(sides) == 1 else sides[-2:]
    return (int(height), int(width)) if 1 < min(height, width) <= max(height, width) <= 4096 else None


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        if all(isinstance(name, str) and isinstance(index, int) for name, index in value.items()):
            value = {index: name for name, index in value.items()}
        try:
            ordered = {int(index): name for index, name in value.items()}
        except (TypeError, ValueError):
            return ()
        if set(ordered) != set(range(len(ordered))):
            return ()
        value = [ordered[index] for index in range(len(ordered))]
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        return ()
    return tuple(value)


def _attributes(part: nn.Module) -> Mapping[str, Any]:
    """What was assigned to a module or its class, and its buffers; properties and `__getattr__` may do anything."""
    kind = {key: value for key, value in vars(type(part)).items() if not hasattr(value, "__get__")}
    return {**kind, **vars(part), **part._buffers}


def _config(part: nn.Module) -> Mapping[str, Any]:
    config = _attributes(part).get("config")
    return config if isinstance(config, Mapping) else getattr(config, "__dict__", {})


def _plain(module: nn.Module, key: str) -> bool:
    return key in _attributes(module) or key in module._modules


def _first(place: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((place[key] for key in keys if key in place), None)
