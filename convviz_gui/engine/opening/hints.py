"""What a weights file says of its network beside the tensors: class names, the architecture's name, preprocessing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convviz_gui.engine.opening.unpickling import Row, StandIn

CONFIG = "config.json"
"""What the hub's repositories call the description beside the weights."""

MOST_BYTES = 16_000_000
"""Larger than any description; 21,841 class names take one."""

LONGEST_NAME = 300

_NAMES = (
    "class_names",
    "label_names",
    "classes",
    "CLASSES",
    "class_labels",
    "labels",
    "categories",
    "names",
    "idx_to_class",
    "idx2class",
    "idx_to_label",
    "idx2label",
    "id2label",
    "index_to_class",
    "class_to_idx",
    "class2idx",
    "class_to_index",
    "label_to_idx",
    "label2idx",
    "label2id",
)
_ARCHITECTURE = (
    "architecture",
    "arch",
    "model_name",
    "model_arch",
    "architecture_name",
    "model",
    "network",
    "net",
    "backbone",
    "encoder_name",
    "encoder",
    "name",
    "model_type",
)
_NESTS = (
    "hyper_parameters",
    "hparams",
    "args",
    "config",
    "cfg",
    "opt",
    "options",
    "params",
    "meta",
    "metadata",
    "dataset_meta",
    "model_args",
    "model_config",
    "model",
    "data",
    "dataset",
    "datamodule_hyper_parameters",
)
"""Where trainers keep their options; `model` beside them is a state dict, or a name."""

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Hints:
    """What a file says of its network; empty where it says nothing. None of it is checked against the tensors.

    Args:
        class_names: in the order of the classes.
        architecture: a name, in whatever words the trainer used.
        settings: timm's configuration of the preprocessing (`input_size`, `mean`, …).
        source, settings_source: where the names and the settings came from, in words.
    """

    class_names: tuple[str, ...] = ()
    architecture: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = "the weights file"
    settings_source: str = "the weights file"

    def over(self, other: Hints) -> Hints:
        """These, with what they lack from `other`."""
        return Hints(
            self.class_names or other.class_names,
            self.architecture or other.architecture,
            self.settings or other.settings,
            self.source if self.class_names else other.source,
            self.settings_source if self.settings else other.settings_source,
        )


def hints_in(loaded: Any, source: str = "the weights file") -> Hints:
    """The hints in what a file holds: a dictionary, or a stand-in for an object with such attributes."""
    levels = [_with_descriptions(level) for level in _levels(loaded, 0)]
    names = (names_in(level[key]) for level in levels for key in _NAMES if key in level)
    words = (level[key] for level in levels for key in _ARCHITECTURE if isinstance(level.get(key), str))
    settings = (_settings(level["pretrained_cfg"]) for level in levels if isinstance(level.get("pretrained_cfg"), dict))
    return Hints(
        class_names=next((found for found in names if found), ()),
        architecture=next((word for word in words if 0 < len(word) <= LONGEST_NAME), ""),
        settings=next((found for found in settings if found), {}),
        source=source,
        settings_source=source,
    )


def beside(path: Path) -> Hints:
    """The hints in the config.json next to a weights file, as the hub's repositories have one."""
    config = path.parent / CONFIG
    try:
        if not config.is_file() or config.stat().st_size > MOST_BYTES:
            return Hints()
        content = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        # Many programs keep a file of this name; one that is no description is none of ours.
        return Hints()
    return hints_in(content, f"{CONFIG} beside it") if isinstance(content, dict) else Hints()


def names_in(value: Any) -> tuple[str, ...]:
    """Class names in a list of them or in a dictionary in either direction; empty if these are none."""
    if isinstance(value, StandIn):
        value = value.fields
    if isinstance(value, Row):
        value = value.values
    if isinstance(value, Mapping):
        return _names_by_index(value)
    if isinstance(value, list | tuple) and value and all(isinstance(name, str) for name in value):
        return _clean(value)
    return ()


def _names_by_index(table: Mapping[Any, Any]) -> tuple[str, ...]:
    if table and all(isinstance(name, str) for name in table.values()):
        pairs = [(_index(key), name) for key, name in table.items()]
    else:
        pairs = [(_index(value), key) for key, value in table.items() if isinstance(key, str)]
    by_index = {index: name for index, name in pairs if index is not None}
    if not by_index or len(by_index) != len(table) or sorted(by_index) != list(range(len(table))):
        return ()
    return _clean([by_index[index] for index in range(len(table))])


def _index(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _clean(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    cleaned = tuple(" ".join("".join(c if c.isprintable() else " " for c in name).split()) for name in names)
    return cleaned if all(0 < len(name) <= LONGEST_NAME for name in cleaned) else ()


def _levels(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The dictionaries in which hints are looked for, the outermost first."""
    if isinstance(value, StandIn):
        value = value.fields
    if not isinstance(value, Mapping):
        return
    yield value
    if depth < _DEPTH:
        for key in _NESTS:
            if key in value:
                yield from _levels(value[key], depth + 1)


def _with_descriptions(level: Mapping[str, Any]) -> Mapping[str, Any]:
    """timm's `label_names` may be identifiers, which its `label_descriptions` put into words."""
    names, words = level.get("label_names"), level.get("label_descriptions")
    if not (isinstance(names, list) and isinstance(words, dict) and all(isinstance(name, str) for name in names)):
        return level
    return {**level, "label_names": [words.get(name, name) for name in names]}


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What describes the preprocessing in timm's configuration, or nothing if any of it is out of its range."""
    size = _numbers(config.get("input_size"), 1, 10_000)
    mean, std = _numbers(config.get("mean"), -10, 10), _numbers(config.get("std"), 1e-6, 10)
    if len(size) != 3 or not mean or len(mean) != len(std) or not all(isinstance(side, int) for side in size):
        return {}
    found: dict[str, Any] = {"input_size": size, "mean": mean, "std": std}
    crop = config.get("crop_pct", 1.0)
    if config.get("interpolation") in ("nearest", "bilinear", "bicubic", "lanczos"):
        found["interpolation"] = config["interpolation"]
    if isinstance(crop, int | float) and 0.05 <= crop <= 1:
        found["crop_pct"] = crop
    if config.get("crop_mode") in ("center", "squash", "border"):
        found["crop_mode"] = config["crop_mode"]
    return found


def _numbers(values: Any, low: float, high: float) -> tuple[float, ...]:
    if not isinstance(values, list | tuple) or len(values) > 16:
        return ()
    fine = all(isinstance(value, int | float) and low <= value <= high for value in values)
    return tuple(values) if fine else ()
