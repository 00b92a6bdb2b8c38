"""What a preprocessing may be, and how single fields of it are changed. Neither torch nor Pillow: the forms ask too."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Preprocess, PreprocessChange

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
ORDERS = ("rgb", "bgr")
COLOURS = 3
"""Channels of a photo; what a network has beyond them is filled up."""
LARGEST = 4096
"""Pixels a side, of the input and of what the photo is resized to."""
MOST_CHANNELS = 1024

EDITED = "edited"
"""The `source` of a preprocessing that the user has changed."""

PRESETS: tuple[tuple[str, tuple[float, ...], tuple[float, ...], str], ...] = (
    ("ImageNet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "rgb"),
    ("−1…1 (mean 0.5, std 0.5)", (0.5,) * 3, (0.5,) * 3, "rgb"),
    ("0…1 (none)", (0.0,) * 3, (1.0,) * 3, "rgb"),
    ("CIFAR-10", (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616), "rgb"),
    ("CLIP", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "rgb"),
    ("Caffe (0…255, BGR)", (103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3, "bgr"),
)
"""Usual normalisations: (title, mean, std, channel order), in the order of the channels in the tensor."""


def checked(preprocess: Preprocess) -> Preprocess:
    """The same, if it makes sense.

    Raises:
        EngineError: a side is not within 1…`LARGEST`, mean and std are of different lengths, not finite or 0 (std), or
            a word is not known.
    """
    _check_sides("The input size", preprocess.size)
    resize = preprocess.resize
    if isinstance(resize, str):
        if resize != "fit":
            raise EngineError(f"There is no resize rule called {resize!r}", 'Give pixels, "squash" or "fit"')
    elif resize is not None:
        _check_sides("The size to resize to", resize if isinstance(resize, tuple) else (resize, resize))
    _check_word("interpolation", preprocess.interpolation, INTERPOLATIONS)
    _check_word("channel order", preprocess.channel_order, ORDERS)
    _check_numbers(preprocess.mean, preprocess.std)
    return preprocess


def _check_sides(what: str, sides: tuple[int, int]) -> None:
    if not all(isinstance(side, int) and 1 <= side <= LARGEST for side in sides):
        title = f"{what} cannot be {'×'.join(map(str, sides))}"
        raise EngineError(title, f"Sides are whole numbers from 1 to {LARGEST}")


def _check_word(what: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise EngineError(f"There is no {what} called {word!r}", "Known: " + ", ".join(known))


def _check_numbers(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if not 1 <= len(mean) <= MOST_CHANNELS:
        raise EngineError(f"A network cannot have {len(mean)} input channels", f"Give 1 to {MOST_CHANNELS} means")
    if len(mean) != len(std):
        title = f"The mean has {_values(len(mean))}, the standard deviation {len(std)}"
        raise EngineError(title, "Give both one value for each input channel")
    for name, values in (("mean", mean), ("standard deviation", std)):
        wrong = [number for number in values if not math.isfinite(number) or abs(number) > 1e6]
        if wrong:
            raise EngineError(f"The {name} cannot be {wrong[0]:g}", "Give finite numbers, of values in 0…1")
    if small := [number for number in std if abs(number) < 1e-6]:
        title = f"The standard deviation cannot be {small[0]:g}: values are divided by it"
        raise EngineError(title, "Give 1 to leave values as they are")


def _values(n: int) -> str:
    return "1 value" if n == 1 else f"{n} values"


def changed(found: Preprocess, change: PreprocessChange) -> Preprocess:
    """`found` with the fields that `change` has, checked.

    What belongs together goes along unless it is given too: a number of pixels to resize to keeps its proportion to the
    size; mean and std keep to their colours in the other channel order; grey takes their average. A single mean or
    standard deviation is for every channel.

    Raises:
        EngineError: as `checked`.
    """
    made = found
    if change.size is not None:
        made = dataclasses.replace(made, size=change.size, resize=_in_proportion(found, change.size))
    if change.resize is not None:
        made = dataclasses.replace(made, resize=None if change.resize == "squash" else change.resize)
    if change.interpolation is not None:
        made = dataclasses.replace(made, interpolation=change.interpolation)
    if change.channel_order is not None and change.channel_order != found.channel_order:
        made = reordered(made)
        made = dataclasses.replace(made, channel_order=change.channel_order)
    if change.grey:
        made = with_channels(made, 1)
    n = max(len(change.mean or ()), len(change.std or ()))
    n = n if n > 1 else made.channels
    mean, std = (
        values * n if len(values) == 1 else values for values in (change.mean or made.mean, change.std or made.std)
    )
    made = dataclasses.replace(made, mean=mean, std=std)
    if change.grey and made.channels != 1:
        title = f"A grey input has one channel, but {made.channels} means or standard deviations are given"
        raise EngineError(title, "Give one of each, or leave grey away")
    return checked(made if made == found else dataclasses.replace(made, source=EDITED))


def _in_proportion(found: Preprocess, size: tuple[int, int]) -> int | tuple[int, int] | Literal["fit"] | None:
    if not isinstance(found.resize, int | tuple):
        return found.resize
    _check_sides("The input size", size)
    if isinstance(found.resize, int):
        return min(max(round(found.resize * min(size) / min(found.size)), 1), LARGEST)
    sides = [
        min(max(round(side * new / old), 1), LARGEST)
        for side, new, old in zip(found.resize, size, found.size, strict=True)
    ]
    return sides[0], sides[1]


def reordered(preprocess: Preprocess) -> Preprocess:
    """The same colours' normalisation in the other channel order."""
    mean, std = (values[:COLOURS][::-1] + values[COLOURS:] for values in (preprocess.mean, preprocess.std))
    order = ORDERS[1 - ORDERS.index(preprocess.channel_order)] if preprocess.channel_order in ORDERS else "rgb"
    if preprocess.channels < COLOURS:
        # Two channels are red and green in one order, blue and green in the other: nothing to keep to.
        mean, std = preprocess.mean, preprocess.std
    return dataclasses.replace(preprocess, mean=mean, std=std, channel_order=order)


def with_channels(preprocess: Preprocess, channels: int) -> Preprocess:
    """The same for another number of input channels: each with the average of mean and std."""
    if preprocess.channels == channels:
        return preprocess
    mean, std = (sum(values) / len(values) for values in (preprocess.mean, preprocess.std))
    return dataclasses.replace(preprocess, mean=(mean,) * channels, std=(std,) * channels)


def same_numbers(one: Preprocess, other: Preprocess) -> bool:
    """True if both make the same tensor of every photo, wherever they came from."""
    return dataclasses.replace(one, source="") == dataclasses.replace(other, source="")


def in_words(preprocess: Preprocess) -> str:
    """A preprocessing in one line: "224×224 from a shorter side of 256, bilinear, mean 0.485 …, std 0.229 …"."""
    resize = preprocess.resize
    match resize:
        case None:
            how = "squashed whole"
        case "fit":
            how = "whole, with margins"
        case int():
            how = f"from a shorter side of {resize}"
        case _:
            how = f"from {resize[0]}×{resize[1]}"
    order = "" if preprocess.channel_order == "rgb" else ", blue first"
    grey = ", grey" if preprocess.channels == 1 else ""
    mean, std = (_numbers(values) for values in (preprocess.mean, preprocess.std))
    size = f"{preprocess.size[0]}×{preprocess.size[1]}"
    return f"{size} {how}, {preprocess.interpolation}{grey}{order}, mean {mean}, std {std}"


def _numbers(values: tuple[float, ...]) -> str:
    written = [f"{value:.4g}" for value in values[:4]]
    return written[0] if len(set(values)) == 1 else " ".join(written) + (" …" if len(values) > 4 else "")


def channel_names(preprocess: Preprocess) -> tuple[str, ...]:
    """What each channel of the tensor holds: "red", "green" and "blue" in its order, "grey", or "empty"."""
    if preprocess.channels == 1:
        return ("grey",)
    names = ("red", "green", "blue") if preprocess.channel_order == "rgb" else ("blue", "green", "red")
    return names[: preprocess.channels] + ("empty",) * (preprocess.channels - COLOURS)
