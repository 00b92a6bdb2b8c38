"""What networks and layers return: the tensor in it, the class scores in it, and another tensor in its place."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Finding, Level

_LOGITS = ("logits", "class_logits", "out", "output", "outputs", "pred", "preds", "prediction", "predictions", "scores")
"""Under which names networks return their class scores, the plainest first."""


def tensor_of(output: Any) -> Tensor | None:
    """The (first) floating-point tensor in a module's output, or None."""
    return next((tensor for _, tensor in _tensors(output)), None)


def replaced(output: Any, tensor: Tensor, replacement: Tensor) -> Any:
    """`output` with `replacement` where it holds `tensor`; containers are copied, never changed."""
    if output is tensor:
        return replacement
    for key, item in _items(output):
        if _holds(item, tensor):
            return _with(output, key, replaced(item, tensor, replacement))
    return output


def logits_of(output: Any) -> Tensor:
    """The class scores [B, K] before softmax in a network's output; float64 stays, all else becomes float32.

    The output is a tensor, or the one called "logits" or alike in a dict, dataclass or named tuple, or else the first
    [B, K] in it. Scores per position, [B, K, h, w], are averaged; [B] is [B, 1].

    Raises:
        EngineError: there is no such tensor.
    """
    logits = _chosen(output)
    if logits is None:
        found = [tuple(tensor.shape) for _, tensor in _tensors(output)]
        shape = f"a tensor of shape {found[0]}" if found else "no tensor"
        raise EngineError(f"This network returns {shape}, not class scores", "Open a network that classifies images")
    if logits.ndim == 4:
        logits = logits.mean(dim=(2, 3))
    if logits.ndim == 1:
        logits = logits.unsqueeze(1)
    if not logits.shape[1]:
        raise EngineError("This network has no classes", "Give it a head with at least one output")
    return logits if logits.dtype == torch.float64 else logits.float()


def findings_of(output: Any) -> tuple[Finding, ...]:
    """What had to be decided to find class scores in a network's output."""
    logits, tensors = _chosen(output), list(_tensors(output))
    found = []
    if len(tensors) > 1:
        name = next((name for name, tensor in tensors if tensor is logits), "")
        title = f"The network returns {len(tensors)} tensors"
        found.append(Finding("outputs", Level.HANDLED, title, f"Class scores are taken from {name}"))
    if logits is not None and logits.ndim == 4 and logits.shape[2] * logits.shape[3] > 1:
        title = f"The network gives scores for each of {logits.shape[2]}×{logits.shape[3]} positions"
        found.append(Finding("dense", Level.HANDLED, title, "A class's score is the average over the positions"))
    return tuple(found)


def _chosen(output: Any) -> Tensor | None:
    """The tensor that holds the class scores: by its name, or the first of the plainest shape."""
    tensors = list(_tensors(output))
    for wanted in _LOGITS:
        for name, tensor in tensors:
            if wanted in name.lower().split(".") and tensor.ndim in (1, 2, 4):
                return tensor
    for ndim in (2, 1, 4):
        for _, tensor in tensors:
            if tensor.ndim == ndim:
                return tensor
    return None


def _tensors(output: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every floating-point tensor with its name ("out", "0.logits"), in the output's own order."""
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield name or "the output", output
        return
    for key, item in _items(output):
        yield from _tensors(item, f"{name}.{key}" if name else str(key))


def _items(output: Any) -> list[tuple[Any, Any]]:
    if isinstance(output, Mapping):
        return list(output.items())
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(zip(output._fields, output, strict=True))
    if isinstance(output, (tuple, list)):
        return list(enumerate(output))
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return [(field.name, getattr(output, field.name)) for field in dataclasses.fields(output)]
    if hasattr(output, "__dict__") and not isinstance(output, (type, nn.Module)):
        return [(name, value) for name, value in vars(output).items() if isinstance(value, Tensor)]
    return []


def _holds(output: Any, tensor: Tensor) -> bool:
    return output is tensor or any(_holds(item, tensor) for _, item in _items(output))


def _with(output: Any, key: Any, item: Any) -> Any:
    """A copy of a container with another item at `key`."""
    if isinstance(output, MutableMapping):
        twin = copy.copy(output)
        twin[key] = item
        return twin
    if isinstance(output, Mapping):
        return {**output, key: item}
    if isinstance(output, tuple) and hasattr(output, "_replace"):
        return output._replace(**{key: item})
    if isinstance(output, (tuple, list)):
        return type(output)([item if index == key else kept for index, kept in enumerate(output)])
    twin = copy.copy(output)
    object.__setattr__(twin, key, item)  # a frozen dataclass too
    return twin
