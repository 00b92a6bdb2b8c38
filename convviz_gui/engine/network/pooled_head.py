"""Class scores that are a linear layer of maps averaged over all places: found by watching a pass, and read in another.

What is averaged need be no layer's output: DenseNet's maps go through a function first. So it is caught where the
averaging happens, be that a module, a function or a method of tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.hooks import INPUT_MARK, logits_of, module_at, visiting
from convviz_gui.engine.network.layers import Trace, channels_first, classifier_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.types import LayerNode, PooledHead

_PASSING_ON = ("Dropout", "Dropout2d", "Identity")
"""Kinds of layers that make nothing: the one before them has the same maps and a name that says more."""
_AVERAGES = frozenset(("mean", "adaptive_avg_pool2d", "avg_pool2d"))


@dataclass(frozen=True, slots=True)
class Pooled:
    """One pass. `maps` [1, C, h, w] as the classifier, or the average before it, gets them; `logits` [1, K].

    `weight` [K, C] and `bias` [K] are the classifier's.
    """

    maps: Tensor
    weight: Tensor
    bias: Tensor
    logits: Tensor

    def evidence(self) -> Tensor:
        """Every class's score at every place, without the bias, [K, h, w]."""
        return torch.einsum("kc,chw->khw", self.weight, self.maps[0])

    def explains(self, head: PooledHead) -> bool:
        """Whether the logits really are what the maps, the weights and the average make."""
        scores = self.evidence().flatten(1) + self.bias[:, None]
        scores = scores.relu() if head.rectified else scores
        return scores.shape[0] == self.logits.shape[1] and torch.allclose(
            scores.mean(dim=1), self.logits[0].to(scores.dtype), rtol=1e-3, atol=1e-5, equal_nan=True
        )


def find_pooled_head(model: nn.Module, root: LayerNode, found: Trace, x: Tensor) -> PooledHead | None:
    """How the class scores of `x` [1, C, H, W] come from maps, if by a linear layer and an average; else None."""
    call = classifier_of(found)
    if call is None:
        return None
    classifier = found.layer_id(call)
    try:
        caught = _caught(model, x, classifier)
        pooled = caught.pooled is not None
        node = _layer_of(caught, [node for node in root.walk() if node.depth is not None and node.depth < call.depth])
        if node is None:
            return None
        for rectified in (False,) if pooled else (False, True):
            head = PooledHead(node.id, classifier, pooled, rectified)
            if _pooled(model, caught, node, head).explains(head):
                return head
    except (EngineError, RuntimeError) as error:
        if fault_of(error) is not None:
            raise
    return None


def pooled_maps(model: nn.Module, x: Tensor, node: LayerNode, head: PooledHead) -> Pooled:
    """The maps behind the class scores of `x` [1, C, H, W]; `node` is the layer of that head.

    Raises `EngineError` if the scores of this picture come about in another way.
    """
    caught = _caught(model, x, head.classifier)
    if head.pooled and caught.pooled is None:
        raise _another_way(head)
    read = _pooled(model, caught, node, head)
    if not read.explains(head):
        raise _another_way(head)
    return read


def _another_way(head: PooledHead) -> EngineError:
    return EngineError(
        f"For this picture, the class scores are not {head.classifier!r} of maps averaged over all places",
        "Take Grad-CAM, which needs no such thing",
    )


@dataclass(slots=True)
class _Caught:
    """What goes into the classifier; what was averaged to give that, if anything was; and the logits."""

    given: Tensor
    pooled: Tensor | None
    logits: Tensor


class _Averages(TorchFunctionMode):
    """Keeps what went into the latest average over places that gave so many numbers."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self.latest: tuple[Tensor, Tensor] | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        words = kwargs or {}
        result = func(*args, **words)
        if getattr(func, "__name__", "") in _AVERAGES:
            given = args[0] if args else words.get("input")
            if isinstance(given, Tensor) and isinstance(result, Tensor) and result.numel() == self._count:
                self.latest = given, result
        return result


def _caught(model: nn.Module, x: Tensor, classifier: str) -> _Caught:
    weight: Any = module_at(model, classifier).weight
    averages = _Averages(weight.shape[1])
    given: list[Tensor] = []
    pooled: list[Tensor] = []

    def before(tensor: Tensor) -> None:
        given.append(tensor.clone())
        # Only an average that is what the classifier gets; squeeze and excitation averages, too.
        if averages.latest is not None and _same(averages.latest[1], tensor):
            pooled.append(averages.latest[0].clone())

    with torch.no_grad(), averages, visiting(model, {classifier + INPUT_MARK: before}):
        logits = logits_of(forward(model, x))
    if not given:
        raise EngineError(f"Layer {classifier!r} does not run in this network's forward pass", "Take Grad-CAM instead")
    return _Caught(given[0], pooled[0] if pooled else None, logits)


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first.flatten(), second.flatten(), rtol=0, atol=0, equal_nan=True)


def _layer_of(caught: _Caught, before: list[LayerNode]) -> LayerNode | None:
    """The last of the layers before the classifier that gives maps like those averaged or classified."""
    pooled = caught.pooled is not None
    maps = caught.pooled if caught.pooled is not None else caught.given
    fitting = [node for node in before if node.id and _holds(node, maps, pooled=pooled)]
    fitting.sort(key=lambda node: (node.kind not in _PASSING_ON, node.depth or 0))
    return fitting[-1] if fitting else None


def _holds(node: LayerNode, maps: Tensor, *, pooled: bool) -> bool:
    """Whether a layer's output has the form of these maps, and more than one place."""
    if node.shape != tuple(maps.shape[1:]) or node.extent in (None, (1, 1)):
        return False
    if node.grid is not None:
        return pooled and not node.grid.before
    # A convolution takes channels first.
    return pooled or not node.channels_last


def _pooled(model: nn.Module, caught: _Caught, node: LayerNode, head: PooledHead) -> Pooled:
    module: Any = module_at(model, head.classifier)
    maps = caught.pooled if head.pooled and caught.pooled is not None else caught.given
    weight = module.weight.detach().flatten(1)
    bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    return Pooled(channels_first(maps, node).to(weight.dtype), weight, bias, caught.logits)
