"""The layer tree of a network, found by watching one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.activation_steps import activations_in, steps_below
from convviz_gui.engine.network.functional import recording_dependence
from convviz_gui.engine.network.hooks import INPUT_MARK
from convviz_gui.engine.network.outputs import findings_of, logits_of, tensor_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.network.receptive.field import Layout, layout, receptive_field, receptive_field_of_tokens
from convviz_gui.engine.network.receptive.reach import Reach
from convviz_gui.engine.network.receptive.sight import Sight
from convviz_gui.engine.network.tokens import Grids, maps_of
from convviz_gui.engine.types import Finding, LayerNode, ReceptiveField, TokenGrid

_PASSING_ON = (nn.Flatten, nn.Dropout, nn.Dropout2d, nn.Identity)
"""In eval mode these make nothing: the layer before them has the same features and a name that says more."""
_CHANNELS_FIRST = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
"""PyTorch's own modules for maps, whatever proportions they give them."""
TRACE_SEED = 0
"""The traced input is noise, so that two layers agree in their values only if one passes on what the other made."""


@dataclass(slots=True)
class Call:
    """One call of one module during a forward pass.

    `channel_axis`: which of `shape`'s axes holds the channels, 0 or 2; None if it is neither of maps nor of a vector.
    `mean_in`, `mean_out`: [C], batch and positions averaged away. `differentiable`: whether the output depends
    differentiably on the picture; `counts`: whether the logits depend differentiably on the output.
    """

    path: str
    number: int
    module: nn.Module
    depth: int
    shape: tuple[int, ...] | None
    channel_axis: int | None
    mean_in: Tensor | None
    mean_out: Tensor | None
    differentiable: bool = False
    counts: bool = False
    grid: TokenGrid | None = None
    receptive_field: ReceptiveField | None = None


@dataclass(slots=True)
class Trace:
    """All calls of a forward pass in the order in which they finished, the logits [K], and how they were found.

    `differentiable`: whether the logits depend differentiably on the picture; None if it was not asked.
    `activation_functions`: those between the two with their number; none unless it was asked.
    """

    calls: list[Call] = field(default_factory=list)
    n_logits: int = 0
    findings: tuple[Finding, ...] = ()
    logits: Tensor | None = None
    differentiable: bool | None = None
    activation_functions: tuple[tuple[str, int], ...] = ()

    def layer_id(self, call: Call) -> str:
        """The id of a call's layer in the tree."""
        reused = any(other.number > 1 and other.path == call.path for other in self.calls)
        return f"{call.path}#{call.number}" if reused else call.path


Watch = Callable[[str, int, nn.Module, Any, Any], None]
"""Called after every module call with path, call number from 1, module, inputs and output."""


@contextmanager
def watching(model: nn.Module, watch: Watch) -> Iterator[None]:
    """While inside, `watch` is called after every call of every module of `model`."""
    handles = []
    try:
        for path, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue  # it takes no hooks
            handles.append(module.register_forward_hook(_counting(path, watch), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _counting(path: str, watch: Watch) -> Callable[[nn.Module, Any, Any, Any], None]:
    calls = 0

    def hook(module: nn.Module, inputs: Any, words: Any, output: Any) -> None:
        nonlocal calls
        calls += 1
        watch(path, calls, module, (*inputs, *words.values()), output)

    return hook


def noise(shape: tuple[int, int, int], device: torch.device) -> Tensor:
    """An input [1, C, H, W] of seeded noise for a shape [C, H, W]."""
    return torch.randn((1, *shape), generator=torch.Generator().manual_seed(TRACE_SEED)).to(device)


def trace(
    model: nn.Module, example_shape: tuple[int, int, int], device: torch.device, *, dependence: bool = False
) -> Trace:
    """Watch one forward pass of an input [C, H, W] of seeded noise.

    With `dependence` it is found, too, what depends differentiably on the picture. Some networks cannot run that way.
    """
    try:
        return _traced(model, example_shape, device, dependence=dependence, followed=True)
    except EngineError:
        raise
    except Exception as error:
        if fault_of(error) is not None:
            raise
        # What is wrong with the network itself comes again.
        return _traced(model, example_shape, device, dependence=dependence, followed=False)


def _traced(
    model: nn.Module, example_shape: tuple[int, int, int], device: torch.device, *, dependence: bool, followed: bool
) -> Trace:
    """The trace; without receptive fields unless the picture is `followed`, which some code may not stand."""
    found = Trace()
    x = noise(example_shape, device)
    sight = Sight(x)
    grids = Grids(model, example_shape[1:])
    made_by: list[Any] = []

    def watch(path: str, number: int, module: nn.Module, inputs: Any, output: Any) -> None:
        before, after = tensor_of(inputs), tensor_of(output)
        with sight.looking_away():
            means = _channel_means(before), _channel_means(after)
        call = Call(path, number, module, len(found.calls), None, None, *means)
        if after is not None:
            call.differentiable = after.requires_grad
            _describe(call, before, after, sight, grids)
            _find_grid(call, after, grids, sight.of(after))
        found.calls.append(call)
        made_by.append(after.grad_fn if after is not None else None)

    grads = recording_dependence() if dependence else torch.no_grad()
    with grads, watching(model, watch), sight if followed else nullcontext():
        # A copy: what an input itself requires a gradient for must not be changed in place.
        output = forward(model, x.requires_grad_().clone() if dependence else x)
        logits = logits_of(output)[0]
    found.n_logits, found.logits = len(logits), logits.detach()
    found.differentiable = logits.requires_grad if dependence else None
    found.findings = findings_of(output)
    reached = steps_below(logits.grad_fn)
    found.activation_functions = activations_in(reached)
    for call, step in zip(found.calls, made_by, strict=True):
        call.counts = step in reached
    return found


def _describe(call: Call, before: Tensor | None, after: Tensor, sight: Sight, grids: Grids) -> None:
    """Shape, channel axis and receptive field of a module's output."""
    reach = sight.of(after)
    if reach is None and sight.lost(after) and before is not None and sight.of(before) is not None:
        reach = sight.forget(after)
    call.shape = tuple(after.shape[1:])
    # Some blocks cut the picture into windows and take these for a batch.
    if after.ndim and after.shape[0] == 1:
        held = layout(reach) if reach is not None and after.ndim == 4 else Layout.UNKNOWN
        call.channel_axis = _channel_axis(call.module, call.shape, sight.size, held)
        if len(call.shape) == 3 and not isinstance(call.module, _CHANNELS_FIRST):
            # Attention weights, [heads, N, N], are square too, and an attention's features no map.
            rows, columns = call.shape[1:] if call.channel_axis == 0 else call.shape[:2]
            followed = held in (Layout.CHANNELS_FIRST, Layout.CHANNELS_LAST)
            if not (grids.allow if followed else grids.expect)(rows, columns):
                call.channel_axis = None
    if reach is not None:
        places = None
        if after.ndim == 4 and call.channel_axis is not None:
            places = (2, 3) if call.channel_axis == 0 else (1, 2)
        call.receptive_field = receptive_field(reach, places)


def _find_grid(call: Call, after: Tensor, grids: Grids, reach: Reach | None) -> None:
    """The places of the picture in a module's output, if that is tokens."""
    if after.ndim == 4 and call.shape is not None and call.channel_axis is not None:
        shape = call.shape
        grids.see(*(shape if call.channel_axis == 0 else (shape[2], *shape[:2])))
    elif after.ndim == 3 and len(after) == 1:
        call.grid = grids.of(tuple(after.shape[1:]))
        call.channel_axis = 1 if call.grid is not None else None
        if call.grid is not None and reach is not None:
            call.receptive_field = receptive_field_of_tokens(reach, call.grid)


def _channel_axis(module: nn.Module, shape: tuple[int, ...], size: tuple[int, int], held: Layout) -> int | None:
    """The axis of the channels: as followed from the picture, or else from the shape.

    Maps have the input's proportions, exactly or but for one position; tokens do not.
    """
    if len(shape) not in (1, 3):
        return None
    if len(shape) == 1 or isinstance(module, _CHANNELS_FIRST) or held is Layout.CHANNELS_FIRST:
        return 0
    if held is Layout.CHANNELS_LAST:
        return 2
    for tolerance in (0, max(size)):
        for axis, (height, width) in ((0, shape[1:]), (2, shape[:2])):
            if abs(height * size[1] - width * size[0]) <= tolerance:
                return axis
    return None


def channels_first(output: Tensor, node: LayerNode) -> Tensor:
    """A layer's output as maps [B, C, h, w] or vectors [B, C]; raises `EngineError` if it makes neither."""
    if node.channels is None:
        raise EngineError(
            f"Layer {node.id!r} gives {list(output.shape[1:])} for each picture, neither maps nor a vector",
            "Choose a convolution, a pooling or a linear layer",
        )
    if node.grid is not None:
        return maps_of(output, node.grid)
    return output.movedim(-1, 1) if node.channels_last else output


def _channel_means(tensor: Tensor | None) -> Tensor | None:
    if tensor is None or tensor.ndim not in (2, 4):
        return None
    tensor = tensor.detach()
    return tensor[0].flatten(1).mean(dim=1) if tensor.ndim == 4 else tensor[0].clone()


def layer_tree(model: nn.Module, found: Trace, name: str) -> LayerNode:
    """The tree of modules with what the trace saw; each call of a reused module is a layer of its own."""
    calls: dict[str, list[Call]] = {}
    for call in found.calls:
        calls.setdefault(call.path, []).append(call)

    def build(path: str, label: str, module: nn.Module) -> list[LayerNode]:
        children = tuple(
            node
            for child_name, child in module.named_children()
            for node in build(f"{path}.{child_name}" if path else child_name, child_name, child)
        )
        n_params = sum(parameter.numel() for parameter in module.parameters())
        made = calls.get(path, [])
        if len(made) <= 1:
            return [_node(path, label, module, n_params, made[0] if made else None, children)]
        return [
            _node(f"{path}#{call.number}", f"{label}#{call.number}", module, n_params, call, children if i == 0 else ())
            for i, call in enumerate(made)
        ]

    return build("", name, model)[0]


def _node(
    layer_id: str, label: str, module: nn.Module, n_params: int, call: Call | None, children: tuple[LayerNode, ...]
) -> LayerNode:
    shape, axis = (call.shape, call.channel_axis) if call else (None, None)
    return LayerNode(
        id=layer_id,
        name=label,
        kind=type(module).__name__,
        shape=shape,
        channels=shape[axis] if shape is not None and axis is not None else None,
        n_params=n_params,
        depth=call.depth if call else None,
        children=children,
        channels_last=axis == 2,
        receptive_field=call.receptive_field if call else None,
        grid=call.grid if call else None,
    )


def default_map_layer(root: LayerNode, found: Trace | None = None) -> str | None:
    """The last layer to finish whose maps have a spatial extent above 1.

    Of those on whose maps the logits depend, if `found` tells that of any.
    """
    maps = [node for node in root.walk() if node.is_map and node.depth is not None and node.id]
    spatial = [node for node in maps if node.extent != (1, 1)]
    counting = {call.depth for call in found.calls if call.counts} if found is not None else set()
    telling = [node for node in spatial if node.depth in counting]
    return max(telling or spatial, key=lambda node: node.depth or 0).id if spatial else None


def penultimate_layer(found: Trace) -> str | None:
    """The layer whose output, averaged over positions, is the classifier's input.

    The classifier is the last linear layer or 1×1 convolution that has as many outputs as there are logits. Where its
    input is made by a function rather than a module, the id names that input ("fc@input"). None if there is no such
    classifier.
    """
    classifier = classifier_of(found)
    if classifier is None:
        return None
    makers = [call for call in found.calls[: classifier.depth] if _same(call.mean_out, classifier.mean_in)]
    telling = [call for call in makers if not isinstance(call.module, _PASSING_ON)]
    return found.layer_id((telling or makers)[-1]) if makers else found.layer_id(classifier) + INPUT_MARK


def classifier_of(found: Trace) -> Call | None:
    """The last linear layer or 1×1 convolution that has as many outputs as there are logits, or None."""
    classifiers = [call for call in found.calls if _is_classifier(call, found.n_logits) and call.mean_in is not None]
    # Of several heads the one whose output the network returns; some return a mean of theirs.
    returned = (call for call in reversed(classifiers) if _same(call.mean_out, found.logits))
    return next(returned, classifiers[-1] if classifiers else None)


def _is_classifier(call: Call, n_logits: int) -> bool:
    module = call.module
    if isinstance(module, nn.Linear):
        return module.out_features == n_logits
    return isinstance(module, nn.Conv2d) and module.out_channels == n_logits and module.kernel_size == (1, 1)


def _same(first: Tensor | None, second: Tensor | None) -> bool:
    if first is None or second is None or first.shape != second.shape:
        return False
    return torch.allclose(first, second, rtol=1e-4, atol=1e-6)
