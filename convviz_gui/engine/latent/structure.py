"""A network's structure in words: its modules, their settings, and the code and the libraries they are of."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convviz_gui.engine.opening.workshop import is_installed, version_of

_OURS = "convviz_gui"
_INTERNAL = frozenset(vars(nn.Module()))
"""What every module has: its parts, tensors and hooks."""
_MOST_WORDS = 20_000


class NotToldError(Exception):
    """It cannot be told for sure what a network is."""


def structure(model: nn.Module) -> Iterator[str]:
    """A line for each part: path, class and settings; then one for each library and source file they come from.

    Equal for two networks that were built alike, in whatever process; no line holds a path or an address. Raises
    `NotToldError` where a file cannot be read.
    """
    files: dict[str, str] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        settings = {name: value for name, value in vars(module).items() if name not in _INTERNAL}
        yield f"{path} {_kind(module)} {module.training} {_words(settings)} {_hooks(module)}"
        for cls in type(module).__mro__:
            if issubclass(cls, nn.Module) and cls.__module__.partition(".")[0] != "torch":
                _add_source(cls, files)
    for name, digest in sorted(files.items()):
        yield f"{name} {digest}"


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _hooks(module: nn.Module) -> str:
    """Functions that work on what goes in or comes out."""
    hooks = (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    return _words(hooks) + (_words(vars(module)["forward"]) if "forward" in vars(module) else "")


def _words(value: Any) -> str:
    """A value as text that is the same in every process."""
    if isinstance(value, Tensor):
        array = value.detach().cpu().contiguous().reshape(-1)
        digest = hashlib.blake2b(array.view(torch.uint8).numpy().data, digest_size=16).hexdigest()
        return f"{value.dtype} {tuple(value.shape)} {digest}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_words(key)}: {_words(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_words, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(_words, value))) + "}"
    if isinstance(value, functools.partial):
        return f"partial {_words(value.func)} {_words(value.args)} {_words(value.keywords)}"
    if isinstance(value, FunctionType):
        code = hashlib.blake2b(value.__code__.co_code, digest_size=16).hexdigest()
        return f"{value.__module__}.{value.__qualname__} {code} {value.__code__.co_consts!r:.2000}".partition(" at 0x")[
            0
        ]
    if isinstance(value, nn.Module):
        return _kind(value)
    text = repr(value)
    return (
        text
        if " at 0x" not in text and len(text) <= _MOST_WORDS
        else f"{_kind(value)} {getattr(value, '__name__', '')}"
    )


def _add_source(cls: type, files: dict[str, str]) -> None:
    """The class's file and its library's version; a user's own files are told otherwise (`OpenedModel.code`)."""
    name = cls.__module__
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or name in files:
        return
    if top != _OURS and not is_installed(file):  # it may have been edited since it was imported
        raise NotToldError
    try:
        files[name] = hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        raise NotToldError from None
    files[top] = version_of(top)
