"""The one place where a network is run: eagerly, on an input of its own kind, its words kept out of our output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def forward(model: nn.Module, x: Tensor) -> Any:
    """What the network returns for `x` [B, C, H, W], given to it in the layout and floating type of its weights.

    Compiled parts run uncompiled, since a compiled one passes hooks by. What the network prints goes to stderr:
    stdout is the command line's own. Gradients follow the ambient grad mode. A network that works in place on what it
    is given changes a copy, never `x`.
    """
    dtype = floating_type(model)
    if dtype is not None and x.dtype != dtype:
        x = x.to(dtype)
    with running():
        return model(x.clone(memory_format=layout(model)))


@contextmanager
def running() -> Iterator[None]:
    """While inside, compiled networks run eagerly and stdout is stderr."""
    with ExitStack() as stack:
        if "torch._dynamo" in sys.modules:  # without it nothing can have been compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        if sys.stderr is not None:  # as in a window without a console
            stack.enter_context(redirect_stdout(sys.stderr))
        yield


def layout(model: nn.Module) -> torch.memory_format:
    """The layout of the network's weights, which its inputs have to share: channels-last, or the plain one."""
    for parameter in model.parameters():
        if not is_lazy(parameter) and parameter.ndim == 4:
            plain = parameter.is_contiguous()
            if plain != parameter.is_contiguous(memory_format=torch.channels_last):
                return torch.contiguous_format if plain else torch.channels_last
    return torch.contiguous_format


def floating_type(model: nn.Module) -> torch.dtype | None:
    """The type of the network's first floating-point parameter, or of its first such buffer; None without either."""
    for tensors in (model.parameters(), model.buffers()):
        found = next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), None)
        if found is not None:
            return found
    return None
