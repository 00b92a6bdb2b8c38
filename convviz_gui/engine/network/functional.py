"""What a network does by functions, which no hook sees: activations, changes in place, chance, weights in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_ACTIVATIONS = frozenset(
    "relu relu6 silu gelu hardswish elu selu celu leaky_relu rrelu mish softplus hardtanh threshold".split()
)
_DROPOUTS = frozenset(
    "dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout".split()
)
_DRAWS = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like bernoulli normal uniform multinomial".split()
)


@dataclass(slots=True)
class Heard:
    """What was heard during a forward pass.

    Args:
        activations: how often each activation function was called outside layers that are nothing but activations.
        in_place: how many of these overwrote their input.
        chance: how often each source of chance was drawn from; an evaluated network should draw from none.
        used: ids of the parameters that went into any function.
    """

    activations: Counter[str] = field(default_factory=Counter)
    in_place: int = 0
    chance: Counter[str] = field(default_factory=Counter)
    used: set[int] = field(default_factory=set)


@contextmanager
def listening(model: nn.Module) -> Iterator[Heard]:
    """While inside, every function of torch that runs in the network is heard; it computes what it always does."""
    ear = _Ear()
    handles = []
    try:
        handles.append(model.register_forward_pre_hook(ear.begin))
        handles.append(model.register_forward_hook(ear.end, always_call=True))
        for module in model.modules():
            if module is not model and _is_plain(module):
                handles.append(module.register_forward_pre_hook(ear.enter))
                handles.append(module.register_forward_hook(ear.leave, always_call=True))
        with ear:
            yield ear.heard
    finally:
        for handle in handles:
            handle.remove()


def _is_plain(module: nn.Module) -> bool:
    """True for a layer with neither parts nor weights: what it does is the whole of it, and hooks see that."""
    if isinstance(module, torch.jit.ScriptModule):
        return False  # it takes no hooks
    return next(module.children(), None) is None and next(module.parameters(recurse=False), None) is None


class _Ear(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.heard = Heard()
        self._running = False
        self._inside = 0

    def begin(self, _module: nn.Module, _inputs: Any) -> None:
        self._running = True

    def end(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._running = False

    def enter(self, _module: nn.Module, _inputs: Any) -> None:
        self._inside += 1

    def leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._inside -= 1

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        words = kwargs or {}
        name = getattr(func, "__name__", "")
        if self._running and name != "__get__":  # looking at a weight's shape is not using it
            self._hear(name, args, words)
        return func(*args, **words)

    def _hear(self, name: str, args: tuple[Any, ...], words: Mapping[str, Any]) -> None:
        heard, plain = self.heard, name.removesuffix("_")
        heard.used.update(id(value) for value in _values((*args, *words.values())) if isinstance(value, nn.Parameter))
        if plain in _ACTIVATIONS and not self._inside:
            heard.activations[plain] += 1
            heard.in_place += name != plain or words.get("inplace") is True or args[1:] == (True,)
        if plain in _DRAWS or (plain in _DROPOUTS and _drops(args, words)):
            heard.chance[plain] += 1
        elif name == "scaled_dot_product_attention" and _given(args, words, 4, "dropout_p", 0.0):
            heard.chance["dropout in attention"] += 1


def _values(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _drops(args: tuple[Any, ...], words: Mapping[str, Any]) -> bool:
    """Whether a call of a dropout drops anything: `training` is True unless it is told otherwise."""
    training = _given(args, words, 2, "train" if "train" in words else "training", True)
    return bool(training) and bool(_given(args, words, 1, "p", 0.5))


def _given(args: tuple[Any, ...], words: Mapping[str, Any], place: int, name: str, default: Any) -> Any:
    return args[place] if len(args) > place else words.get(name, default)


@contextmanager
def recording_dependence() -> Iterator[None]:
    """While inside, a result's `requires_grad` tells whether it depends differentiably on an input that requires it.

    No tensor is kept for a backward pass, so that it costs the time and the memory of a pass without gradients.
    """

    def forget(_tensor: Tensor) -> None:
        return None

    def refuse(_nothing: None) -> Tensor:
        raise RuntimeError("this pass kept nothing to go back with")

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(forget, refuse):
        yield
