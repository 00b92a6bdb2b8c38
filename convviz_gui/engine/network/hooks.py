"""Reading tensors in the middle of a forward pass. Every hook set here is gone when the function returns.

A layer id is a dotted module path; "relu#2" is the second call of a module that the network calls several times,
and "fc@input" the tensor that goes *into* a layer. Outputs are taken before any in-place operation that follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.outputs import logits_of, replaced, tensor_of
from convviz_gui.engine.network.passes import forward

__all__ = [
    "INPUT_MARK",
    "Visit",
    "activations",
    "depends_on",
    "features_and_logits",
    "gradient_of",
    "gradients_of",
    "logits_and_leaf",
    "logits_of",
    "module_at",
    "never_ran",
    "not_differentiable",
    "reach",
    "readings",
    "readings_and_logits",
    "run_to",
    "split_call",
    "tensor_of",
    "visiting",
]

T = TypeVar("T")

INPUT_MARK = "@input"

Visit = Callable[[Tensor], Tensor | None]
"""Called with a layer's output [B, ...]; a tensor that it returns takes the output's place."""


class _Stop(BaseException):
    """Ends a forward pass early. Not an `Exception`, so that no `except Exception` in a user's model keeps it."""


def split_call(layer: str) -> tuple[str, int]:
    """Module path and call number, from 1: "relu#2" → ("relu", 2), "fc" → ("fc", 1)."""
    path, mark, number = layer.partition("#")
    if mark and not (number.isdecimal() and int(number) > 0):
        raise _unknown(layer)
    return path, int(number) if mark else 1


def module_at(model: nn.Module, layer: str) -> nn.Module:
    """The module a layer id names; raises `EngineError` if there is none."""
    try:
        return model.get_submodule(split_call(layer.removesuffix(INPUT_MARK))[0])
    except AttributeError:
        raise _unknown(layer) from None


@contextmanager
def visiting(model: nn.Module, visits: Mapping[str, Visit]) -> Iterator[None]:
    """While inside, each visit is called with its layer's output during forward passes, on the right call only."""
    handles = []
    try:
        for layer, visit in visits.items():
            module = module_at(model, layer)
            call = split_call(layer.removesuffix(INPUT_MARK))[1]
            if layer.endswith(INPUT_MARK):
                handles.append(module.register_forward_pre_hook(_input_hook(layer, visit, call), with_kwargs=True))
            else:
                handles.append(module.register_forward_hook(_output_hook(layer, visit, call)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def run_to(model: nn.Module, x: Tensor, layer: str) -> Tensor:
    """Run the network on `x` [B, C, H, W] up to `layer` and return its output; what lies behind is not computed.

    Gradients follow the ambient grad mode. Raises `EngineError` if there is no such layer or it does not run.
    """
    return activations(model, x, [layer])[layer]


def reach(model: nn.Module, x: Tensor, layer: str | None) -> Tensor:
    """What `run_to` returns, or for None the logits [B, K], for which the whole network runs."""
    return logits_of(forward(model, x)) if layer is None else run_to(model, x, layer)


def activations(model: nn.Module, x: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """The outputs of several layers from one forward pass, which ends at the deepest of them."""
    wanted = set(layers)
    caught, ended = _caught(model, x, wanted, stop=True)
    if not ended and caught.keys() == wanted:
        # A network that swallows every exception went on and may have worked in place on the last one.
        caught, _ = _caught(model, x, wanted, stop=False)
    if missing := wanted - caught.keys():
        raise never_ran(", ".join(sorted(missing)))
    return caught


def _caught(model: nn.Module, x: Tensor, wanted: set[str], *, stop: bool) -> tuple[dict[str, Tensor], bool]:
    """The outputs of the layers that ran, and whether the pass ended at the last of them."""
    caught: dict[str, Tensor] = {}

    def visit_for(layer: str) -> Visit:
        def visit(output: Tensor) -> None:
            last = stop and len(caught) == len(wanted) - 1
            # Nothing runs after the last one that could change it in place.
            caught[layer] = output if last else output.clone()
            if last:
                raise _Stop

        return visit

    with visiting(model, {layer: visit_for(layer) for layer in wanted}):
        try:
            forward(model, x)
        except _Stop:
            return caught, True
    return caught, False


def readings(model: nn.Module, x: Tensor, reads: Mapping[str, Callable[[Tensor], T]]) -> dict[str, T]:
    """What `reads` make of their layers' outputs [B, ...], from one forward pass, which ends at the deepest of them.

    Outputs are read as they come and none is kept, so that memory does not grow with the number of layers; a reader
    must not return a view on what it is given. Raises `EngineError` if a layer does not run.
    """
    made: dict[str, T] = {}

    def visit_for(layer: str, read: Callable[[Tensor], T]) -> Visit:
        def visit(output: Tensor) -> None:
            made[layer] = read(output)
            if len(made) == len(reads):
                raise _Stop

        return visit

    with visiting(model, {layer: visit_for(layer, read) for layer, read in reads.items()}), suppress(_Stop):
        forward(model, x)
    if missing := reads.keys() - made.keys():
        raise never_ran(", ".join(sorted(missing)))
    return made


def readings_and_logits(
    model: nn.Module, x: Tensor, reads: Mapping[str, Callable[[Tensor], T]]
) -> tuple[dict[str, T], Tensor]:
    """What `reads` make of their layers' outputs (see `readings`) and the logits [B, K], without gradients."""
    made: dict[str, T] = {}

    def visit_for(layer: str, read: Callable[[Tensor], T]) -> Visit:
        def visit(output: Tensor) -> None:
            made[layer] = read(output)

        return visit

    with torch.no_grad(), visiting(model, {layer: visit_for(layer, read) for layer, read in reads.items()}):
        logits = logits_of(forward(model, x))
    if missing := reads.keys() - made.keys():
        raise never_ran(", ".join(sorted(missing)))
    return made, logits


def features_and_logits(model: nn.Module, x: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """A layer's output and the logits [B, K] from one forward pass without gradients."""
    caught: list[Tensor] = []
    with torch.no_grad(), visiting(model, {layer: lambda output: caught.append(output.clone())}):
        logits = logits_of(forward(model, x))
    if not caught:
        raise never_ran(layer)
    return caught[0], logits


def logits_and_leaf(model: nn.Module, x: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Logits [B, K] that can be differentiated with respect to `leaf`, the output of `layer`, and no further down.

    Parameters that require no gradient make the pass below the layer as cheap as a bare forward pass. The network
    goes on with a copy of the leaf: a later in-place operation changes neither it nor its gradient. A layer inside a
    part that runs without gradients can be looked at if what follows that part is differentiable.
    Raises `EngineError` if the layer does not run or the logits do not depend on it differentiably.
    """
    caught: list[Tensor] = []

    def visit(output: Tensor) -> Tensor:
        with torch.enable_grad():  # the network may have switched it off around this layer
            caught.append(output.detach().clone().requires_grad_(True))
            return caught[0].clone()

    with torch.enable_grad(), visiting(model, {layer: visit}):
        logits = logits_of(forward(model, x))
    if not caught:
        raise never_ran(layer)
    if not depends_on(logits, caught[0]):
        raise not_differentiable(layer)
    return logits, caught[0]


def gradient_of(score: Tensor, leaf: Tensor) -> Tensor:
    """The gradient of a number with respect to `leaf`, of its shape.

    Raises `EngineError` if the network overwrites in place what its own gradient needs.
    """
    gradient = gradients_of(score, [leaf])[0]
    if gradient is None:
        raise RuntimeError("the score does not depend on the leaf")
    return gradient


def gradients_of(score: Tensor, tensors: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients of a number with respect to several tensors, from one backward pass; None if it depends not on one.

    Raises `EngineError` if the network overwrites in place what its own gradient needs.
    """
    try:
        return list(torch.autograd.grad(score, list(tensors), allow_unused=True))
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        raise EngineError(
            "The network overwrites values in place that its own gradient needs, so it has no gradient to show",
            "Take the in-place operation behind an activation out (x += 1, x.clamp_()): it could not be trained either",
        ) from None


def depends_on(logits: Tensor, leaf: Tensor) -> bool:
    """Whether the graph of a result reaches the leaf; with trainable parameters it may have other ends only."""
    seen, waiting = set(), [logits.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if getattr(node, "variable", None) is leaf:
            return True
        seen.add(node)
        waiting += [step for step, _ in node.next_functions]
    return False


def _output_hook(layer: str, visit: Visit, call: int) -> Callable[[nn.Module, Any, Any], Any]:
    calls = 0

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        return _visited(layer, visit, output) if calls == call else None

    return hook


def _input_hook(layer: str, visit: Visit, call: int) -> Callable[[nn.Module, Any, Any], Any]:
    calls = 0

    def hook(_module: nn.Module, inputs: Any, words: Any) -> Any:
        nonlocal calls
        calls += 1
        return _visited(layer, visit, (inputs, words)) if calls == call else None

    return hook


def _visited(layer: str, visit: Visit, output: Any) -> Any:
    tensor = tensor_of(output)
    if tensor is None:
        raise EngineError(f"Layer {layer!r} returns no tensor that could be shown", "Choose a layer inside it")
    replacement = visit(tensor)
    return None if replacement is None else replaced(output, tensor, replacement)


def not_differentiable(layer: str) -> EngineError:
    """What is said of a layer that the class scores do not depend on in a way that has a gradient."""
    return EngineError(
        f"The network's output does not depend differentiably on {layer!r}",
        "Choose a deeper layer; a part of this network that runs without gradients cannot be looked through",
    )


def _unknown(layer: str) -> EngineError:
    return EngineError(f"There is no layer {layer!r} in this network", "List them with: convviz layers --model …")


class NeverRanError(EngineError):
    """A layer is there and the forward pass does not come to it."""


def never_ran(layer: str) -> NeverRanError:
    """What is said of a layer that the forward pass does not come to."""
    return NeverRanError(f"Layer {layer!r} does not run in this network's forward pass", "Choose another layer")
