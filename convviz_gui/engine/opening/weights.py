"""Weights files: read without running what is in them, and fitted to a network whole or not at all."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.zoo.architecture import State

NESTED = (
    "state_dict_ema",
    "model_ema",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "weights",
    "params",
)
"""Where checkpoints keep the network's state, the preferred one first (as timm prefers averaged weights)."""

_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of torch.save began before they were zip archives: its magic number, pickled."""

_WAY_OUT = "Where you trust it, load it and save its state dict: torch.save(model.state_dict(), 'weights.pth')"
MOST_UNPACKED = 20
"""Times its size that a zip archive may unpack to. PyTorch compresses nothing; a bomb unpacks to a thousand times."""

# What torch.load has been seen to raise for damaged files; tests/engine/test_weights.py flips bytes to find out.
_DAMAGE: tuple[type[Exception], ...] = (
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
)
_DAMAGE += (ArithmeticError, struct.error)

_ANEW = "Copy or download it again"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_digest(state: State) -> str:
    """SHA-256 of a state dict's names, types, shapes and bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for name, tensor in state.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_weights(path: Path) -> State:
    """The state dict in a safetensors or PyTorch file; a training checkpoint's is found inside it.

    Raises:
        EngineError: the file is missing, empty, damaged, of another kind, holds no state dict, or holds objects whose
            loading would run code. None of it is ever run.
    """
    start = _start(path)
    if start[8:9] == b"{" and not start.startswith(b"PK"):
        return _read_safetensors(path)
    if start.startswith(b"PK\x03\x04"):
        _refuse_programs(path)
    elif start[:1] == b"\x80" and not start.startswith(_LEGACY):
        raise EngineError(f"{path.name} is a Python pickle, and opening it could run code from the file", _WAY_OUT)
    elif not start.startswith(_LEGACY):
        kind = "It is an HDF5 file, as Keras writes: " if start.startswith(b"\x89HDF") else ""
        hint = f"{kind}ConvViz reads safetensors files and PyTorch state dicts"
        raise EngineError(f"{path.name} is not a weights file that can be read", hint)
    return _state_in(_read_torch(path), path.name)


def _start(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise EngineError(f"{path} is a folder, not a weights file", "Choose the file in it")
        if not stat.S_ISREG(mode):  # reading a pipe would wait for ever
            raise EngineError(f"{path} is not an ordinary file", "Save the weights to a file first")
        with path.open("rb") as file:
            start = file.read(len(_LEGACY))
    except FileNotFoundError:
        raise EngineError(f"There is no weights file {str(path)!r}", "Check the path") from None
    except (OSError, ValueError) as error:
        raise EngineError(f"{path.name} cannot be read ({error})", "Check its permissions") from None
    if not start:
        raise EngineError(f"{path.name} is empty (0 bytes)", _ANEW)
    return start


def _read_safetensors(path: Path) -> State:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(path.name, error) from None


def _refuse_programs(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error) as error:
        raise _damaged(path.name, error) from None
    if unpacked > MOST_UNPACKED * path.stat().st_size:
        title = f"{path.name} would unpack to {unpacked / path.stat().st_size:.0f} times its size, as no weights do"
        raise EngineError(title, _ANEW)
    if any(re.search(r"(^|/)(constants\.pkl|code/)", member) for member in members):
        raise _program(path.name, "a TorchScript program")
    if any(re.search(r"(^|/)(archive_format|serialized_.*\.json|models/.*\.json)$", member) for member in members):
        raise _program(path.name, "an exported program (.pt2)")


def _program(name: str, kind: str) -> EngineError:
    return EngineError(f"{name} is {kind}, and opening it could run code from the file", _WAY_OUT)


def _damaged(name: str, error: BaseException) -> EngineError:
    # torch begins with a paragraph about its own options.
    text = str(error).strip().rpartition("WeightsUnpickler error: ")[2]
    why = (text.splitlines() or [type(error).__name__])[0][:120]
    return EngineError(f"{name} is damaged or incomplete ({why})", _ANEW)


def _read_torch(path: Path) -> Any:
    try:
        # timm's and many other trainers keep their options beside the weights; a Namespace holds data and runs nothing.
        # Opened here, since by its name torch would take a pickle called .safetensors for what it says it is.
        with torch.serialization.safe_globals([argparse.Namespace]), path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL ([\w.]+)", str(error)):
            title = f"{path.name} holds more than weights ({named[1]}), and opening it could run code from the file"
            raise EngineError(title, _WAY_OUT) from None
        raise _damaged(path.name, error) from None
    except _DAMAGE as error:
        raise _damaged(path.name, error) from None


def _state_in(loaded: Any, name: str) -> State:
    if isinstance(loaded, Mapping):
        for candidate in (loaded, *(loaded.get(key) for key in NESTED)):
            if (
                isinstance(candidate, Mapping)
                and candidate
                and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in candidate.items())
            ):
                return candidate
    raise EngineError(f"{name} holds no state dict: tensors by the names of a network's parameters", _WAY_OUT)
