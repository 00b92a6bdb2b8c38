"""How a network's pictures were prepared, when nobody wrote it down: as it says itself, or guessed and said to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from convviz_gui.engine.network.classes import n_classes
from convviz_gui.engine.network.readying import made_ready
from convviz_gui.engine.opening import descriptions
from convviz_gui.engine.opening.probing import Probe
from convviz_gui.engine.preprocess_rules import with_channels
from convviz_gui.engine.types import Finding, Level, Preprocess

GUESSED = "guessed: "
"""How the source of a preprocessing begins that the network says nothing of."""

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_SIDES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 512)
_UNUSUAL: tuple[int, ...] = (
    48,
    56,
    72,
    80,
    100,
    112,
    120,
    144,
    150,
    160,
    176,
    180,
    192,
    200,
    227,
    240,
    280,
    288,
    300,
    320,
    331,
    336,
)
_UNUSUAL += (360, 400, 416, 448, 480, 600, 640, 40, 36, 24, 20, 16, 8)
_SMALL = 128
"""Photos for networks with smaller inputs were small themselves, and not cropped."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network tells of itself: how to prepare pictures for it, what its classes are called, and how many."""

    preprocess: Preprocess
    class_names: tuple[str, ...]
    n_classes: int
    findings: tuple[Finding, ...] = ()


def look_at(module: nn.Module, names: Mapping[str, Any] | None = None, n_supposed: int = 1000) -> Seen:
    """What can be told of a network in memory, from its own attributes and those of the file it is from (`names`).

    What it does not say is tried out: the number of channels and the size that its forward pass takes. If it takes
    nothing that was tried, the guess is 224 pixels in colour, and `n_supposed` classes.

    The network is put in eval mode and its parameters are frozen.
    """
    fill(module)
    module, _ = made_ready(module, torch.device("cpu"), torch.contiguous_format)
    given = names or {}
    described = descriptions.preprocess_of(module, given)
    probe = Probe(module)
    size = described.size if described and described.size else descriptions.size_of(module)
    with probe.quietly():
        channels, side = _fitting(probe, size, described)
        found, findings = _preprocess(probe, described, channels, side)
    n_found = n_classes(probe.n_logits) if probe.n_logits else n_supposed
    return Seen(found, descriptions.class_names(module, n_found, given), n_found, findings)


def fill(module: nn.Module, preprocess: Preprocess | None = None) -> None:
    """Let layers that learn their sizes from their first input learn them, unless told otherwise from 224² pixels."""
    if isinstance(module, nn.Module) and any(map(is_lazy, module.parameters())):
        module.eval()
        probe = Probe(module)
        with probe.quietly():
            probe.takes(*((preprocess.channels, preprocess.size) if preprocess else (3, (_SIDES[0], _SIDES[0]))))


def class_names(module: nn.Module, n: int) -> tuple[str, ...]:
    """What a network itself calls its `n` classes, or nothing."""
    return descriptions.class_names(module, n, {})


def _fitting(
    probe: Probe, size: tuple[int, int] | None, described: descriptions.Described | None
) -> tuple[int, tuple[int, int]]:
    """Number of channels and size that the network takes, the described ones if it can be."""
    told = [len(described.mean)] if described and len(described.mean) > 1 else []
    channels = list(dict.fromkeys([*told, *probe.channels()]))
    for n in channels:
        for side in _sides(probe, n, size):
            if probe.hopeless:
                break
            if probe.takes(n, side):
                return n, _as_for_cifar(probe, n, side) if size is None else side
    return (channels or [3])[0], size or (_SIDES[0], _SIDES[0])


def _sides(probe: Probe, n: int, size: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
    if size is not None:
        yield size
    solved = probe.side_of_flat_input(n)
    if solved is not None:
        yield solved, solved
        return
    for side in (*_SIDES, *sorted(_UNUSUAL, key=lambda side: abs(side - _SIDES[0]))):
        if not probe.excludes(side):
            yield side, side


def _as_for_cifar(probe: Probe, channels: int, side: tuple[int, int]) -> tuple[int, int]:
    """32 pixels, 28 for one channel, for a network that shrinks them by 8 at most and starts without shrinking."""
    small = 28 if channels == 1 else 32
    if side[0] <= small or not probe.starts_gently() or side[0] / probe.smallest_map > 8:
        return side
    return (small, small) if probe.takes(channels, (small, small)) else side


def _preprocess(
    probe: Probe, described: descriptions.Described | None, channels: int, size: tuple[int, int]
) -> tuple[Preprocess, tuple[Finding, ...]]:
    inside = descriptions.normalises_inside(probe.module, channels, lambda: probe.answer(channels, size))
    if described and described.whole is not None and inside is None:
        return with_channels(described.whole, channels), ()
    source, mean, std = _normalisation(described, inside, channels)
    resize = size[0] if size[0] == size[1] and size[0] < _SMALL else round(min(size) * 256 / 224)
    found = Preprocess(size, resize if size[0] == size[1] else size, "bilinear", mean, std, source)
    if described and described.size and described.mean:
        return dataclasses.replace(found, source=described.source), ()
    return found, (_warning(found),)


def _normalisation(
    described: descriptions.Described | None, inside: str | None, channels: int
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Where it is from, mean and standard deviation."""
    if inside is not None:
        top = 255.0 if inside.endswith("255") else 1.0
        return f"{GUESSED}values in {inside}, since the network normalises them itself", *_flat(0.0, 1 / top, channels)
    if described and described.mean and len(described.mean) == channels:
        return f"{GUESSED}size; mean and deviation as in {described.source}", described.mean, described.std
    if channels == 3:
        return f"{GUESSED}size, and mean and deviation of ImageNet", *_IMAGENET
    return f"{GUESSED}size, and values in −1…1", *_flat(0.5, 0.5, channels)


def _flat(mean: float, std: float, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return (mean,) * channels, (std,) * channels


def _warning(found: Preprocess) -> Finding:
    height, width = found.size
    what = found.source.removeprefix(GUESSED)
    colours = "grey" if found.channels == 1 else f"{found.channels} channels"
    title = f"The preprocessing is guessed ({what}): {width}×{height} pixels, {colours}"
    detail = "Nothing in the network says how its pictures were prepared: look at “what the model saw”, and edit it if "
    return Finding("preprocessing", Level.WARNING, title, detail + "its training was otherwise")
