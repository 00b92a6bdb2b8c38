"""What is compared of a result: one map or one picture, with what its numbers mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import ByteArray, FloatArray, frozen
from convviz_gui.engine.preprocess_rules import checked
from convviz_gui.engine.render import mosaic
from convviz_gui.engine.types import Preprocess

Values = Mapping[str, NDArray[Any]]
"""What `data.npz` holds, by name."""

BRIGHTNESS = "brightness, 0…255"
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_ANEW = "Write the result anew with convviz run"
_IN_LOGITS = ("integrated-gradients", "grad-x-input")
_PER_INPUT = ("saliency", "smoothgrad")


@dataclass(frozen=True, slots=True)
class Shown:
    """One map or picture.

    Args:
        kind: "class map", "pixel map", "occlusion", "channel", "vector", "input", "synthetic picture", "patches" or
            "kernel".
        values: f32 [h, w], raw and never normalised; a vector is [1, C]; of a picture its brightness.
        unit: what a value is, in words. Values of equal units are compared on one scale.
        signed: drawn in two colours around 0.
        picture: u8 [h, w, 3] where it is colours that are shown, else None.
        box: f32 [4], x, y, width, height of what it covers in its photo's pixels, or None without a photo.
        item: which channel, tile or kernel it is, by its row in the arrays; None where there is but one.
        count: how many items there are to choose from.
        label: the item in words ("channel 17").
    """

    kind: str
    values: FloatArray = field(repr=False, compare=False)
    unit: str
    signed: bool = False
    picture: ByteArray | None = field(default=None, repr=False, compare=False)
    box: FloatArray | None = field(default=None, repr=False, compare=False)
    item: int | None = None
    count: int = 1
    label: str = ""

    @property
    def is_picture(self) -> bool:
        """True if colours are shown, not numbers."""
        return self.picture is not None


def shown_map(arrays: Values, record: Mapping[str, Any], item: int | None = None) -> Shown:
    """What is compared of a result with the arrays of `data.npz`.

    Args:
        arrays: by the names of docs/cli.md, which tell the kind.
        record: the manifest's entries; method, layer and preprocessing are part of what the numbers mean.
        item: row of the channel, tile, kernel or stage; None takes the strongest channel, the first tile or kernel,
            the last stage.

    Raises `EngineError` for results that show nothing to compare, and for an item that is not there.
    """
    for names, make in _KINDS:
        if set(names) <= arrays.keys():
            try:
                return make(arrays, record, item)
            except (TypeError, ValueError, LookupError, ArithmeticError) as error:
                raise EngineError("The arrays of the result do not belong together", _ANEW) from error
    raise EngineError(
        f"A result of {_method(record)} holds no map or picture to compare",
        "Compare class maps, pixel maps, occlusion, activations, filters, weights, patches or inputs",
    )


def is_comparable(arrays: Values) -> bool:
    """True if `shown_map` finds something in these arrays."""
    return any(set(names) <= arrays.keys() for names, _ in _KINDS)


def _method(record: Mapping[str, Any]) -> str:
    return str(record.get("method", "an unknown method"))


def _layer(record: Mapping[str, Any]) -> str:
    target = record.get("target")
    asked = target.get("layer") if isinstance(target, Mapping) else None
    return str(record.get("layer") or asked or "the layer")


def _class_map(arrays: Values, record: Mapping[str, Any], _item: int | None) -> Shown:
    raw = _map(arrays["raw"])
    return Shown("class map", raw, f"{_method(record)} values at {_size(raw)} places", signed=True, box=_box(arrays))


def _occlusion(arrays: Values, _record: Mapping[str, Any], _item: int | None) -> Shown:
    return Shown("occlusion", _map(arrays["heat"]), "logits lost", signed=True, box=_box(arrays))


def _pixel_map(arrays: Values, record: Mapping[str, Any], _item: int | None) -> Shown:
    heat, method = _map(arrays["heat"]), _method(record)
    of = "" if "class_index" in arrays else f" of {_layer(record)}"
    unit = f"{method} values{of}"
    if method in _IN_LOGITS:
        unit = f"logits{of}"
    elif method in _PER_INPUT:
        unit = f"logits per unit of input{of}"
    return Shown("pixel map", heat, unit, signed=bool((heat < 0).any()), box=_box(arrays))


def _channel(arrays: Values, record: Mapping[str, Any], item: int | None) -> Shown:
    maps = arrays["maps"]
    if maps.ndim != 3:
        raise EngineError("The activations are no stack of maps", _ANEW)
    unit = f"activation of {_layer(record)}"
    if maps.shape[1:] == (1, 1):
        return Shown("vector", _map(maps.reshape(1, -1)), unit)
    if item is None:
        item = int(np.nan_to_num(maps, nan=-np.inf).reshape(len(maps), -1).max(axis=1).argmax())
    item = _row(item, len(maps), "channel")
    return Shown("channel", _map(maps[item]), unit, False, None, _box(arrays), item, len(maps), f"channel {item}")


def _input(arrays: Values, record: Mapping[str, Any], _item: int | None) -> Shown:
    told = record.get("preprocessing")
    try:
        # Here, since the window that compares must be on screen before Pillow is imported.
        from convviz_gui.engine.preprocess import as_colours

        picture, _clipped = as_colours(arrays["input"], _preprocess(told if isinstance(told, Mapping) else {}))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise EngineError("The input of the result cannot be turned into colours", _ANEW) from error
    return _pictured("input", picture, box=_box(arrays))


def _tile(arrays: Values, _record: Mapping[str, Any], item: int | None) -> Shown:
    images, channels = arrays["images"], arrays["channels"]
    item = _row(item or 0, len(images), "picture")
    number = int(channels[item]) if len(channels) == len(images) else item
    return _pictured("synthetic picture", images[item], None, item, len(images), f"channel {number}")


def _patches(arrays: Values, _record: Mapping[str, Any], item: int | None) -> Shown:
    """A channel's strongest patches in a square, as `patches` draws them."""
    images, channels = arrays["images"], arrays["channels"]
    item = _row(item or 0, len(images), "channel")
    if images.ndim != 5 or len(channels) != len(images):
        raise EngineError("The patches are no pictures", _ANEW)
    sheet = mosaic(images[item], math.ceil(math.sqrt(images.shape[1])))
    return _pictured("patches", sheet, None, item, len(images), f"patches of channel {int(channels[item])}")


def _kernel(arrays: Values, record: Mapping[str, Any], item: int | None) -> Shown:
    """All weights of one filter: a square for each input channel, row by row, with nothing between them."""
    weights = arrays["weights"]
    if weights.ndim != 4 or not weights.size:
        raise EngineError("The weights are no kernels", _ANEW)
    item = _row(item or 0, len(weights), "kernel")
    _, inputs, height, width = weights.shape
    rows = max(n for n in range(1, math.isqrt(inputs) + 1) if inputs % n == 0)
    squares = weights[item].reshape(rows, inputs // rows, height, width).transpose(0, 2, 1, 3)
    values = _map(squares.reshape(rows * height, -1))
    unit = f"weights of {_layer(record)}, one {height} × {width} square for each of {inputs} inputs"
    return Shown("kernel", values, unit, True, None, None, item, len(weights), f"kernel {item}")


def _stage(arrays: Values, _record: Mapping[str, Any], item: int | None) -> Shown:
    """One layer's map of a film strip, which is Grad-CAM's; by default the last."""
    layers = arrays["layers"]
    item = _row(len(layers) - 1 if item is None else item, len(layers), "stage")
    raw = _map(arrays[f"raw_{item}"] if f"raw_{item}" in arrays else np.zeros(0))
    unit, box = f"grad-cam values at {_size(raw)} places", _box(arrays)
    return Shown("class map", raw, unit, True, None, box, item, len(layers), str(layers[item]))


def _pictured(
    kind: str,
    picture: ByteArray,
    box: FloatArray | None = None,
    item: int | None = None,
    count: int = 1,
    label: str = "",
) -> Shown:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise EngineError("A picture of the result is no picture", _ANEW)
    brightness = frozen(picture.astype(np.float32) @ _LUMINANCE)
    return Shown(kind, brightness, BRIGHTNESS, False, frozen(picture), box, item, count, label)


def _preprocess(told: Mapping[str, Any]) -> Preprocess:
    resize = told["resize"]
    return checked(
        Preprocess(
            tuple(told["size"]),
            tuple(resize) if isinstance(resize, list) else resize,
            told["interpolation"],
            tuple(told["mean"]),
            tuple(told["std"]),
            channel_order=told["channel_order"],
        )
    )


def _map(values: NDArray[Any]) -> FloatArray:
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiub":
        raise EngineError("The map of the result is empty or no map", _ANEW)
    return frozen(values.astype(np.float32, copy=False))


def _box(arrays: Values) -> FloatArray | None:
    box = arrays.get("box")
    if box is None or box.shape != (4,) or not np.isfinite(box).all() or not (box[2:] > 0).all():
        return None
    return frozen(box.astype(np.float32, copy=False))


def _row(item: int, count: int, name: str) -> int:
    if not 0 <= item < count:
        raise EngineError(f"There is no {name} {item}: the result has {count}", f"Choose one from 0 to {count - 1}")
    return item


def _size(values: FloatArray) -> str:
    return f"{values.shape[0]} × {values.shape[1]}"


_KINDS: tuple[tuple[tuple[str, ...], Callable[[Values, Mapping[str, Any], int | None], Shown]], ...] = (
    (("raw", "heat"), _class_map),
    (("raw_0", "layers", "heat"), _stage),
    (("drop", "heat"), _occlusion),
    (("attribution", "heat"), _pixel_map),
    (("maps",), _channel),
    (("images", "channels", "trace"), _tile),
    (("images", "channels", "values", "boxes"), _patches),
    (("weights",), _kernel),
    (("input",), _input),
)
"""The arrays that tell what a result is, and what is made of it."""
