"""Weights files: read without running what is in them."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import re
import stat
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening import hints, unpickling
from convviz_gui.engine.opening.hints import Hints
from convviz_gui.engine.opening.nests import find_state
from convviz_gui.engine.types import Finding, Level
from convviz_gui.engine.zoo.architecture import State

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
_DAMAGE += (ArithmeticError, struct.error, pickle.UnpicklingError, RecursionError, zipfile.BadZipFile)

_ANEW = "Copy or download it again"

_OTHER_KINDS = (
    (b"\x89HDF", "It is an HDF5 file, as Keras writes"),
    (b"\x1f\x8b", "It is a gzip archive: unpack it first"),
    (b"7z\xbc\xaf", "It is a 7z archive: unpack it first"),
    (b"GGUF", "It is a GGUF file, as language models come in"),
    (b"\x93NUMPY", "It is a NumPy array"),
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a weights file holds: `state` and what its surroundings say of the network.

    `findings` say what was chosen or passed over in reading.
    """

    state: State
    hints: Hints = field(default_factory=Hints)
    findings: tuple[Finding, ...] = ()


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
    """The state dict in a safetensors or PyTorch file. Raises as `read_checkpoint`."""
    return read_checkpoint(path).state


def read_checkpoint(path: Path) -> Checkpoint:
    """The state dict in a safetensors or PyTorch file, and what is beside it there and in a config.json next to it.

    The content decides what kind of file it is, not its name. A training checkpoint's state dict is found inside it.

    Raises:
        EngineError: the file is missing, empty, damaged, of another kind, holds no state dict, or holds objects whose
            loading would run code. None of it is ever run.
    """
    start = _start(path)
    if start[8:9] == b"{" and not start.startswith(b"PK"):
        checkpoint = _read_safetensors(path)
    else:
        _refuse_others(path, start)
        checkpoint = _read_torch(path)
    _check_tensors(path, checkpoint.state)
    beside = hints.beside(path)
    return Checkpoint(checkpoint.state, checkpoint.hints.over(beside), checkpoint.findings)


def _check_tensors(path: Path, state: State) -> None:
    """Refuse names that cannot be shown, and tensors that the file cannot have the values of."""
    if strange := next((name for name in state if not name.isprintable()), None):
        title = f"{path.name} has a tensor whose name is no text that can be shown ({ascii(strange)[:60]})"
        raise EngineError(title, "Rename it in the program that made the file")
    if hollow := next((name for name, tensor in state.items() if tensor.is_meta), None):
        title = f"{path.name} was saved without values, such as those of {hollow!r}"
        raise EngineError(title, "Load the weights to the CPU before saving their state dict")
    # Strides of zero make a terabyte of four bytes, and a network of so many classes would need the memory.
    claimed = sum(math.prod(max(side, 1) for side in tensor.shape) * tensor.itemsize for tensor in state.values())
    if claimed > MOST_UNPACKED * path.stat().st_size:
        times = f"{claimed / path.stat().st_size:,.0f}"
        raise EngineError(f"The tensors in {path.name} claim to be {times} times its size, as no weights are", _ANEW)


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


# ------------------------------------------------------------------------------------------- safetensors


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        state = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(path.name, error) from None
    if not state:
        raise _no_state(path.name)
    return Checkpoint(state, hints.hints_in({key: _decoded(value) for key, value in metadata.items()}))


def _decoded(text: str) -> Any:
    """Metadata are texts; lists and dictionaries in them are JSON."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


# ------------------------------------------------------------------------------------------------- torch


def _refuse_others(path: Path, start: bytes) -> None:
    if start.startswith(b"PK\x03\x04"):
        _refuse_programs(path)
    elif start[:1] == b"\x80" and not start.startswith(_LEGACY):
        raise EngineError(f"{path.name} is a Python pickle, and opening it could run code from the file", _WAY_OUT)
    elif not start.startswith(_LEGACY):
        kind = next((f"{words}: " for begin, words in _OTHER_KINDS if start.startswith(begin)), "")
        kind = kind or ("It is a tar archive: " if _is_tar(path) else "")
        hint = f"{kind}ConvViz reads safetensors files and PyTorch state dicts"
        raise EngineError(f"{path.name} is not a weights file that can be read", hint)


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(262)[257:] == b"ustar"


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
    if not any(re.search(r"(^|/)data\.pkl$", member) for member in members):
        arrays = bool(members) and all(member.endswith(".npy") for member in members)
        hint = "It holds NumPy arrays" if arrays else "It is a zip archive that PyTorch did not write"
        title = f"{path.name} is not a weights file that can be read"
        raise EngineError(title, f"{hint}: ConvViz reads safetensors files and PyTorch state dicts")


def _program(name: str, kind: str) -> EngineError:
    return EngineError(f"{name} is {kind}, and opening it could run code from the file", _WAY_OUT)


def _damaged(name: str, error: BaseException) -> EngineError:
    # torch begins with a paragraph about its own options.
    text = str(error).strip().rpartition("WeightsUnpickler error: ")[2].strip()
    why = (text.splitlines() or [type(error).__name__])[0][:120]
    return EngineError(f"{name} is damaged or incomplete ({why})", _ANEW)


def _more_than_weights(name: str, kind: str) -> EngineError:
    title = f"{name} holds more than weights ({kind}), and opening it could run code from the file"
    return EngineError(title, _WAY_OUT)


def _no_state(name: str) -> EngineError:
    return EngineError(f"{name} holds no state dict: tensors by the names of a network's parameters", _WAY_OUT)


def _read_torch(path: Path) -> Checkpoint:
    try:
        loaded, unopened = unpickling.load(path)
    except unpickling.CallError as error:
        raise _more_than_weights(path.name, error.args[0]) from None
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise _more_than_weights(path.name, named[1]) from None
        if "persistent_load of storage" in str(error):  # the older form writes modules with their source
            raise _more_than_weights(path.name, "a module and its source code") from None
        if "Unsupported operand" in str(error):
            title = f"{path.name} is written in a form of Python's pickle that PyTorch does not read safely"
            raise EngineError(title, "Save it with torch.save as it comes, without another pickle_protocol") from None
        raise _damaged(path.name, error) from None
    except _DAMAGE as error:
        raise _damaged(path.name, error) from None
    found = find_state(loaded)
    if found is None:
        if isinstance(loaded, unpickling.StandIn) or unopened:
            raise _whole_model(path.name, loaded, unopened)
        raise _no_state(path.name)
    return Checkpoint(found.state, hints.hints_in(loaded), _findings(found.findings, unopened))


def _whole_model(name: str, loaded: Any, kinds: tuple[str, ...]) -> EngineError:
    kind = loaded.kind if isinstance(loaded, unpickling.StandIn) else kinds[0]
    title = f"{name} holds whole Python objects ({kind}) and no state dict, and opening them could run code"
    return EngineError(f"{title} from the file", _WAY_OUT)


def _findings(findings: tuple[Finding, ...], unopened: tuple[str, ...]) -> tuple[Finding, ...]:
    if not unopened:
        return findings
    shown = ", ".join(unopened[:3]) + (" and others" if len(unopened) > 3 else "")
    title = f"The file holds objects that are no weights; they were not opened ({shown})"
    return (*findings, Finding("weights", Level.FACT, title, "Nothing of them was run"))
