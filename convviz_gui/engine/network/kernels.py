"""A layer's weights as it uses them: plain, parametrised, standardised on the way, transposed or quantised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import module_at, readings
from convviz_gui.engine.types import LayerNode, ModelInfo

_PLAIN = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Linear)
_USES = {
    "conv1d": False,
    "conv2d": False,
    "linear": False,
    "conv_transpose1d": True,
    "conv_transpose2d": True,
}
"""Functions that take an input and a weight, and whether the weight has its input channels first."""


@dataclass(frozen=True, slots=True)
class Read:
    """Weights f32 [N, C, kh, kw] on the host's side of nothing yet: wherever the network is. See `payloads.Kernels`."""

    weights: Tensor
    groups: int
    how: str = ""


def has_kernels(module: nn.Module) -> bool:
    """True if the module itself has weights in the form of filters; not for what is inside of it."""
    weight = getattr(module, "weight", None)
    if callable(weight) and not isinstance(weight, Tensor):
        # Quantised modules pack their weights, and give them by a function.
        return hasattr(module, "scale") or "quantized" in type(module).__module__
    return isinstance(weight, Tensor) and weight.ndim in (2, 3, 4) and not isinstance(module, nn.Embedding)


def layers_with_kernels(model: nn.Module, info: ModelInfo) -> list[LayerNode]:
    """The layers that have weights in the form of filters, in order of execution."""
    return [node for node in info.layers() if node.id and has_kernels(module_at(model, node.id))]


def read_kernels(model: nn.Module, x: Tensor, layer: str) -> Read:
    """The weights of a layer that `has_kernels`, as they are used.

    Args:
        x: an input [1, C, H, W]; the network is run on it up to the layer, where its weights are not simply there.

    Raises:
        EngineError: they cannot be read, or are no filters of rows and columns.
    """
    module = module_at(model, layer)
    groups = int(getattr(module, "groups", 1) or 1)
    if not isinstance(module.weight, Tensor):
        return _quantised(module, layer, groups)
    with torch.no_grad():
        if type(module) in _PLAIN and not _is_changed(module):
            transposed = isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d))
            return Read(_shaped(module.weight, layer, groups, transposed=transposed), groups)
        used = _used(model, x, layer)
        if used is None:
            how = "as stored: how the layer uses them could not be seen"
            return Read(_shaped(module.weight, layer, groups, transposed=False), groups, how)
        weight, transposed = used
        how = ""
        if _is_changed(module):
            how = "as the layer uses them, after its parametrisation"
        elif weight.shape != module.weight.shape or not torch.equal(weight.float(), module.weight.float()):
            how = f"as the layer uses them: {type(module).__name__} makes them anew in each pass"
        return Read(_shaped(weight, layer, groups, transposed=transposed), groups, how)


def _is_changed(module: nn.Module) -> bool:
    """True if something makes the weight from others: `parametrize`, or a hook before the pass, as older code has."""
    return parametrize.is_parametrized(module, "weight") or "weight" not in module._parameters


def _quantised(module: nn.Module, layer: str, groups: int) -> Read:
    make: Callable[[], Any] = module.weight  # type: ignore[assignment]
    try:
        weight = make()
        weight = weight.dequantize() if weight.is_quantized else weight
    except (RuntimeError, TypeError, AttributeError):
        raise EngineError(
            f"The weights of {layer!r} are packed in a form that cannot be read",
            "Open the network from before it was quantised",
        ) from None
    return Read(_shaped(weight, layer, groups, transposed=False), groups, "quantised: rounded to what is stored")


class _Listening(TorchFunctionMode):
    """Notes the weight of the first convolution or linear function that is called while `on`."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.heard: tuple[Tensor, bool] | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        words, name = kwargs or {}, getattr(func, "__name__", "")
        if self.on and self.heard is None and name in _USES:
            weight = words.get("weight", args[1] if len(args) > 1 else None)
            if isinstance(weight, Tensor):
                self.heard = weight.detach().clone(), _USES[name]
        return func(*args, **words)


def _used(model: nn.Module, x: Tensor, layer: str) -> tuple[Tensor, bool] | None:
    """The weight that the layer convolves with in a pass on `x`, and whether its input channels stand first."""
    listening = _Listening()
    module = module_at(model, layer)

    def begin(_module: nn.Module, _inputs: Any) -> None:
        listening.on = True

    handle = module.register_forward_pre_hook(begin)
    try:
        with listening:
            readings(model, x, {layer: lambda output: None})
    finally:
        handle.remove()
    return listening.heard


def _shaped(weight: Tensor, layer: str, groups: int, *, transposed: bool) -> Tensor:
    """Any filters as [N, C, kh, kw]."""
    weight = weight.detach().float()
    if weight.ndim == 3:
        weight = weight[:, :, None]
    if weight.ndim == 2:
        weight = weight[:, :, None, None]
    if weight.ndim != 4:
        raise EngineError(
            f"The weights of {layer!r} have {weight.ndim} axes, and filters of rows and columns have four",
            "Choose a convolution or a linear layer",
        )
    if not transposed:
        return weight
    inputs, outputs, height, width = weight.shape
    # [C·groups, N / groups, …]: each group's inputs are the channels of its own filters.
    parts = weight.reshape(groups, inputs // groups, outputs, height, width).transpose(1, 2)
    return parts.reshape(groups * outputs, inputs // groups, height, width)
