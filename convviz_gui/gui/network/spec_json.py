"""A `ModelSpec` as JSON and back. What cannot be read gives None, never an exception."""

from __future__ import annotations

import dataclasses
from typing import Any

from convviz_gui.engine.types import ModelSpec, Preprocess

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
MOST_SIDE = 100_000


def spec_to_json(spec: ModelSpec) -> dict[str, Any]:
    """Only what differs from a spec without anything but its source."""
    plain = dataclasses.asdict(ModelSpec(spec.source))
    return {"source": spec.source} | {
        name: value for name, value in dataclasses.asdict(spec).items() if value != plain[name]
    }


def spec_from_json(data: object) -> ModelSpec | None:
    """The spec in `data`, or None if anything in it is not what `spec_to_json` writes."""
    if not isinstance(data, dict) or not isinstance(data.get("source"), str):
        return None
    words = {name: data.get(name) for name in ("weights", "trusted", "class_names")}
    flags = {name: data.get(name, False) for name in ("pretrained", "partial")}
    if not all(value is None or isinstance(value, str) for value in words.values()):
        return None
    if not all(isinstance(value, bool) for value in flags.values()):
        return None
    preprocess = None
    if data.get("preprocess") is not None and (preprocess := preprocess_from_json(data["preprocess"])) is None:
        return None
    return ModelSpec(data["source"], **words, **flags, preprocess=preprocess)  # type: ignore[arg-type]


def preprocess_from_json(data: object) -> Preprocess | None:
    """The preprocessing in `data`, or None if it is none."""
    if not isinstance(data, dict):
        return None
    size, resize, source = _pair(data.get("size")), data.get("resize"), data.get("source", "")
    mean, std = _numbers(data.get("mean")), _numbers(data.get("std"))
    order, interpolation = data.get("channel_order", "rgb"), data.get("interpolation")
    if isinstance(resize, list | tuple):
        resize = _pair(resize)
        if resize is None:
            return None
    elif not (resize is None or resize == "fit" or _is_side(resize)):
        return None
    if size is None or not mean or not std or len(mean) != len(std) or not all(std):
        return None
    if interpolation not in INTERPOLATIONS or order not in ("rgb", "bgr") or not isinstance(source, str):
        return None
    return Preprocess(size, resize, interpolation, mean, std, source, order)


def _is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_SIDE


def _pair(value: object) -> tuple[int, int] | None:
    if isinstance(value, list | tuple) and len(value) == 2 and all(_is_side(side) for side in value):
        return int(value[0]), int(value[1])
    return None


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        return ()
    # No comparison with a NaN holds.
    fine = all(isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e6 for item in value)
    return tuple(float(item) for item in value) if fine else ()
