"""A state dict into a network: names matched, class count read from the head, all tensors or none."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.zoo.architecture import Architecture, State

COUNTER = "num_batches_tracked"
"""Batch normalisation's counter: evaluation has no use for it, and older files lack it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A network with its weights in it. `n_classes` and `channels` are None where they are as published."""

    module: nn.Module
    n_classes: int | None = None
    channels: int | None = None


def fit(architecture: Architecture, state: State, file: str) -> Fitted:
    """Build the network and load `state` into it, with the class count and input channels that `state` has.

    Raises:
        EngineError: it belongs to another network, or holds NaN; `file` is how the sentence calls it.
    """
    module = architecture.build(None, None)
    n_classes = channels = None
    wanted = module.state_dict()
    state = architecture.adapt(_unprefixed(state, [name for name, _ in module.named_children()]))
    reshaped = {key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape}
    if reshaped:
        n_classes = _class_count(reshaped, wanted, state, architecture.n_classes)
        channels = _channel_count(reshaped, wanted, state) if architecture.takes_channels else None
    if n_classes is not None or channels is not None:
        module = architecture.build(n_classes, channels)
        wanted = module.state_dict()
    _check(architecture, wanted, state, file)
    _load(module, wanted, state)
    _check_finite(module, file)
    return Fitted(module, n_classes, channels)


def _load(module: nn.Module, wanted: dict[str, Tensor], state: State) -> None:
    loaded = OrderedDict(wanted | dict(state))
    # Some networks look up in here which version of themselves the file is of.
    loaded._metadata = getattr(state, "_metadata", getattr(wanted, "_metadata", {}))  # type: ignore[attr-defined]
    module.load_state_dict(loaded)


def _unprefixed(state: State, children: Iterable[str]) -> State:
    """Without what wrappers put before every name: `module.`, `_orig_mod.`, a trainer's `model.`."""
    first = {key.partition(".")[0] for key in state}
    known = set(children)
    while len(first) == 1 and not first & known and all("." in key for key in state):
        state = {key.partition(".")[2]: value for key, value in state.items()}
        first = {key.partition(".")[0] for key in state}
    return state


def _class_count(reshaped: set[str], wanted: State, state: State, published: int) -> int | None:
    """The class count that explains every tensor whose first axis differs, or None."""
    heads = {key for key in reshaped if _differs_in(wanted[key], state[key]) == [0]}
    found = {(wanted[key].shape[0], state[key].shape[0]) for key in heads}
    if len(found) != 1:
        return None
    before, after = found.pop()
    return after if before == published else None


def _channel_count(reshaped: set[str], wanted: State, state: State) -> int | None:
    """The number of input channels that explains every convolution whose second axis differs, or None."""
    stems = {key for key in reshaped if wanted[key].ndim == 4 and _differs_in(wanted[key], state[key]) == [1]}
    found = {(wanted[key].shape[1], state[key].shape[1]) for key in stems}
    if len(found) != 1:
        return None
    before, after = found.pop()
    return after if before == 3 else None


def _differs_in(one: Tensor, other: Tensor) -> list[int]:
    if one.ndim != other.ndim:
        return []
    return [axis for axis in range(one.ndim) if one.shape[axis] != other.shape[axis]]


def _check(architecture: Architecture, wanted: State, state: State, file: str) -> None:
    missing = [key for key in wanted if key not in state and not key.endswith(COUNTER)]
    unknown = [key for key in state if key not in wanted]
    reshaped = [key for key in wanted if key in state and wanted[key].shape != state[key].shape]
    faults = []
    if missing:
        faults.append(f"{len(missing)} of the network's {len(wanted)} tensors are missing, such as {missing[0]!r}")
    if unknown:
        faults.append(f"{len(unknown)} of the file's {len(state)} are unknown to it, such as {unknown[0]!r}")
    if reshaped:
        key = reshaped[0]
        shapes = f"{key!r} is {_shape(state[key])} instead of {_shape(wanted[key])}"
        faults.append(f"{len(reshaped)} have another shape, such as {shapes}")
    if not faults and (unfit := _unfit(wanted, state)):
        title = f"The weights in {file} are not plain floating-point numbers, such as {unfit[0]!r}"
        hint = "Convert them to float32 in the program that made them, and save its state dict"
        raise EngineError(f"{title} ({_form(state[unfit[0]])})", hint)
    if faults:
        title = f"The weights in {file} are not of {architecture.source}: " + "; ".join(faults)
        raise EngineError(title, "Choose the network that these weights were trained in")


def _unfit(wanted: State, state: State) -> list[str]:
    """Names of tensors that could be loaded only by changing or losing values, or not at all."""
    return [
        key
        for key in wanted
        if key in state
        and (
            state[key].layout != torch.strided
            or state[key].is_quantized
            or state[key].is_meta
            or (wanted[key].is_floating_point() and not state[key].is_floating_point())
        )
    ]


def _form(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "saved without its values"
    kind = str(tensor.dtype).removeprefix("torch.")
    return kind if tensor.layout == torch.strided else f"{kind}, {str(tensor.layout).removeprefix('torch.')}"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _check_finite(module: nn.Module, file: str) -> None:
    broken = [name for name, parameter in module.named_parameters() if not torch.isfinite(parameter).all()]
    # A buffer may hold an infinity on purpose, as masks do.
    broken += [name for name, buffer in module.named_buffers() if torch.isnan(buffer).any()]
    if broken:
        title = (
            f"The weights in {file} are not numbers (NaN or infinite) in {len(broken)} tensors, such as {broken[0]!r}"
        )
        raise EngineError(title, "Its training diverged: choose an earlier checkpoint")
