"""A private copy of the network whose weights are shuffled stage by stage (Adebayo et al. 2018)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.outputs import tensor_of
from convviz_gui.engine.network.passes import forward


@dataclass(frozen=True, slots=True)
class Stage:
    """Layers that are shuffled together: `name` is "last – first" of them, `parts` their modules."""

    name: str
    parts: tuple[nn.Module, ...]


def twin_of(model: nn.Module) -> nn.Module:
    """A copy that shares no weight with the network. Raises `EngineError` if it cannot be copied."""
    try:
        twin = copy.deepcopy(model)
    except Exception as error:
        if fault_of(error) is not None:
            raise
        raise EngineError("This network cannot be copied, so its weights were not shuffled", "") from None
    theirs = {tensor.data_ptr() for tensor in _tensors(model)}
    if any(tensor.data_ptr() in theirs for tensor in _tensors(twin)):
        raise EngineError("A copy of this network shares its weights, so they were not shuffled", "")
    return twin


def stages_of(twin: nn.Module, x: Tensor, most: int) -> list[Stage]:
    """The layers with weights in at most `most` stages of about as many, from the logits down; the last layer alone.

    In the order in which they are called for `x` [1, C, H, W]; a part whose weights are used without a call goes with
    the part around it, and a normalisation with the layer before it.
    """
    units: list[list[tuple[str, nn.Module]]] = []
    for path, part in _in_order(twin, x):
        own = [*part.parameters(recurse=False), *part.buffers(recurse=False)]
        if units and all(tensor.ndim < 2 for tensor in own):
            units[-1].append((path, part))
        else:
            units.append([(path, part)])
    units.reverse()
    if not units:
        return []
    n_rest = min(most - 1, len(units) - 1)
    rest = np.array_split(np.arange(1, len(units)), n_rest) if n_rest > 0 else []
    groups = [[units[0]], *([units[i] for i in group] for group in rest)]
    return [_stage(group) for group in groups]


def shuffle(stage: Stage, draw: torch.Generator) -> None:
    """Put the entries of every weight tensor of a stage into another order and give each a random sign.

    Sizes stay as they were and with them the strength of the signal. The layers' own initialisation would shrink it
    from layer to layer where there is no normalisation, until the biases alone are left; and with the signs kept,
    weights that are negative on the whole silence every ReLU.
    """
    for part in stage.parts:
        for tensor in _weights(part):
            order = torch.randperm(tensor.numel(), generator=draw).to(tensor.device)
            signs = (torch.randint(0, 2, (tensor.numel(),), generator=draw) * 2 - 1).to(tensor.device)
            mixed = (tensor.detach().flatten()[order] * signs).view(tensor.shape)
            tensor.data = torch.empty_like(tensor).copy_(mixed)


def settle(twin: nn.Module, stages: Sequence[Stage], x: Tensor) -> None:
    """Give the batch normalisations of these stages the statistics of this photo, as at the start of a training.

    Those of the trained network are of signals that there are no more.
    """
    handles = [
        part.register_forward_pre_hook(_take_statistics, with_kwargs=True)
        for stage in stages
        for part in stage.parts
        if isinstance(getattr(part, "running_var", None), Tensor)
    ]
    if not handles:
        return
    try:
        with torch.no_grad():
            forward(twin, x)
    finally:
        for handle in handles:
            handle.remove()


def _take_statistics(part: nn.Module, inputs: Any, words: Any) -> None:
    given = tensor_of((inputs, words))
    values = given.detach().transpose(0, 1).flatten(1) if given is not None else None
    if values is not None and values.shape[1] > 1:
        part.running_mean = values.mean(dim=1)
        part.running_var = values.var(dim=1)


def _in_order(twin: nn.Module, x: Tensor) -> list[tuple[str, nn.Module]]:
    """Parts with weights of their own in the order in which they begin."""
    began: dict[str, int] = {}

    def note(path: str) -> None:
        began.setdefault(path, len(began))

    named = list(twin.named_modules())
    handles = [part.register_forward_pre_hook(lambda _part, _inputs, path=path: note(path)) for path, part in named]
    try:
        with torch.no_grad():
            forward(twin, x)
    finally:
        for handle in handles:
            handle.remove()

    def place(path: str) -> int:
        while path and path not in began:
            path = path.rpartition(".")[0]
        return began.get(path, 0)

    bearing = [(path, part) for path, part in named if _weights(part) or hasattr(part, "running_var")]
    return sorted(bearing, key=lambda item: place(item[0]))


def _weights(part: nn.Module) -> list[Tensor]:
    """A part's own tensors that could have been learned, as far as there are entries to mix."""
    return [
        tensor
        for tensor in part.parameters(recurse=False)
        if not is_lazy(tensor) and tensor.is_floating_point() and tensor.numel() > 1
    ]


def _tensors(model: nn.Module) -> list[Tensor]:
    tensors = [tensor for tensor in (*model.parameters(), *model.buffers()) if not is_lazy(tensor)]
    return [tensor for tensor in tensors if tensor.numel()]


def _stage(group: Sequence[Sequence[tuple[str, nn.Module]]]) -> Stage:
    last, first = group[0][0][0], group[-1][0][0]
    name = last if last == first else f"{last} – {first}"
    return Stage(name or "the network", tuple(part for unit in group for _, part in unit))
