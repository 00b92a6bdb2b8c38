"""PyTorch files read as data: what is neither a tensor nor plain data becomes a stand-in that can do nothing.

torch's restricted unpickler resolves no name that a file gives unless it is on a list. The list is lengthened here only
by classes and functions of this module, under the names that checkpoints give: nothing of the file's choosing is ever
imported, and numpy's own constructors, which trust the file with memory, are not called either.
"""

from __future__ import annotations

import pickle
import re
import struct
import sys
import warnings
from _compat_pickle import IMPORT_MAPPING
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import torch

from convviz_gui.engine.opening.survey import survey

MOST_KINDS = 200
"""Kinds of objects beside the weights before a file is given up."""

# It is said in a sentence of our own.
warnings.filterwarnings("ignore", "Detected pickle protocol")


class CallError(Exception):
    """A file asks for a function to be called; `args[0]` is its name."""


class StandIn:
    """An object whose class was not loaded: takes whatever it is given and does nothing; `fields` are its attributes.

    Subclasses are made while a file is read, one for every name in it. `kind` is that name.
    """

    kind: ClassVar[str] = ""
    callable: ClassVar[bool] = True
    fields: dict[str, Any]

    def __new__(cls, *_values: object, **_options: object) -> StandIn:
        """An empty one. Raises `CallError` where the name is a function's."""
        if not cls.callable:
            raise CallError(cls.kind)
        made = object.__new__(cls)
        made.fields = {}
        return made

    def __init__(self, *_values: object, **_options: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        # Classes with slots keep two of them.
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.fields |= {key: value for key, value in part.items() if isinstance(key, str)}


# ------------------------------------------------------------------------------------- numpy, as plain values


class _Dtype:
    """numpy.dtype: only its code, such as "f8"."""

    code: str

    def __new__(cls, code: object = "", *_flags: object) -> _Dtype:
        made = object.__new__(cls)
        made.code = code if isinstance(code, str) else ""
        return made

    def __init__(self, *_values: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        # The byte order; the rest describes records, which are not read.
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.code = f"{state[1]}{self.code}"

    def plain(self) -> np.dtype[Any] | None:
        """The type if it is one of numbers or texts; None for anything else, objects above all."""
        known = re.fullmatch(r"[<>]?(b1|[iu][1248]|f[248]|c8|c16|U[1-9]\d{0,4})", self.code)
        return np.dtype(self.code) if known else None

    def read(self, raw: bytes) -> list[Any] | None:
        """The values in an array's bytes, or None if they are not whole or of another type."""
        plain = self.plain()
        if plain is None or len(raw) % plain.itemsize:
            return None
        try:
            values: list[Any] = np.frombuffer(raw, plain).tolist()
        except ValueError:  # no characters
            return None
        return values


class Row:
    """numpy.ndarray of one axis: `values` is a list, or None where it holds anything but data."""

    def __init__(self, *_values: object) -> None:
        self.values: list[Any] | None = None

    def __setstate__(self, state: object) -> None:
        match state:
            case (_, tuple(shape), _Dtype() as dtype, bool(), bytes(raw)) if len(shape) == 1:
                self.values = dtype.read(raw)
            case (_, tuple(shape), _Dtype(), bool(), list(objects)) if len(shape) == 1:
                self.values = objects


def _scalar(dtype: object, raw: object = b"") -> Any:
    values = dtype.read(raw) if isinstance(dtype, _Dtype) and isinstance(raw, bytes) else None
    return values[0] if values and len(values) == 1 else None


# Functions, for these are called: the unpickler fills only what is exactly a list or an ordered dictionary.
def _list(*_values: object) -> list[Any]:
    return []


def _dictionary(*_values: object) -> OrderedDict[Any, Any]:
    return OrderedDict()


def _array(*_values: object) -> Row:
    return Row()


def _bytes(*_values: object) -> bytes:
    # Those that are not empty are written as text.
    return b""


_KNOWN: dict[str, Any] = {
    "numpy.dtype": _Dtype,
    "numpy.ndarray": Row,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _bytes,
    "collections.deque": _list,
    "collections.defaultdict": _dictionary,
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray._reconstruct": _array for core in ("core", "_core")},
}

_DATA = re.compile(
    r"argparse\.Namespace|types\.SimpleNamespace|typing\.\w+|enum\.\w+|datetime\.\w+|uuid\.\w+|decimal\.Decimal"
    r"|fractions\.Fraction|pathlib(\._local)?\.(Pure)?(Posix|Windows)?Path|ipaddress\.\w+"
)
"""Classes of the standard library that hold data; any other call into it is refused."""


def _is_class_of_data(name: str) -> bool:
    """True for names whose objects can be passed over in silence; others are functions, or work with the machine."""
    if _DATA.fullmatch(name):
        return True
    module, _, last = name.rpartition(".")
    # torch.save writes the standard library's modules by the names of Python 2.
    outermost = IMPORT_MAPPING.get(module, module).partition(".")[0]
    return bool(re.match(r"_*[A-Z]", last)) and outermost not in sys.stdlib_module_names


class _Names:
    """The names that one file gives, and what they stand for while it is read."""

    def __init__(self) -> None:
        self.meanings = dict(_KNOWN)
        self.kinds: list[str] = []

    def add(self, name: str) -> bool:
        """Give a name a stand-in; False if it has a meaning already or there are too many."""
        if name in self.meanings or len(self.kinds) >= MOST_KINDS:
            return False
        parts = {"kind": name, "callable": _is_class_of_data(name)}
        self.meanings[name] = type(f"StandIn{len(self.kinds)}", (StandIn,), parts)
        self.kinds.append(name)
        return True

    def reshape(self, message: str) -> bool:
        """Make a container of the stand-in that the unpickler wanted to fill; False if the message tells of none."""
        found = re.search(r"Can only (SETITEM|append|extend).*StandIn(\d+)'", message, re.DOTALL)
        if not found or int(found[2]) >= len(self.kinds):
            return False
        self.meanings[self.kinds[int(found[2])]] = OrderedDict if found[1] == "SETITEM" else list
        return True

    def unopened(self) -> tuple[str, ...]:
        """The names whose objects were passed over and could be missed, in the order in which they turned up."""
        stood_in = (name for name in self.kinds if self.meanings[name] not in (OrderedDict, list))
        return tuple(name for name in stood_in if not (_DATA.fullmatch(name) or name.startswith("builtins.")))

    def learn(self, error: pickle.UnpicklingError) -> bool:
        """Whether reading again may come further than this error."""
        message = str(error)
        if "is blocked" not in message and (named := re.search(r"Unsupported global: GLOBAL (\S+)", message)):
            # torch leaves out the module's name where it is that of the built-in functions.
            return self.add(named[1] if "." in named[1] else f"builtins.{named[1]}")
        return self.reshape(message)


def load(path: Path) -> tuple[Any, tuple[str, ...]]:
    """What torch.save put into a file, and the names of the kinds of objects that stand-ins stand for.

    Raises:
        CallError: the file asks for a function that is not among torch's own for tensors.
        pickle.UnpicklingError: it is damaged, asks for what torch refuses outright, or would take endless time to read.
        Exception: whatever else torch raises for damaged files.
    """
    # Opened once, so that what is read is what was surveyed; and opened here, since by its name torch would take a
    # pickle called .safetensors for what it says it is.
    with path.open("rb") as file:
        survey(file)
        names = _Names()
        for name in _unknown_in(file):
            names.add(name)
        while True:
            meanings: list[Any] = [(meaning, name) for name, meaning in names.meanings.items()]
            file.seek(0)
            try:
                with torch.serialization.safe_globals(meanings):
                    loaded = torch.load(file, map_location="cpu", weights_only=True)
            except pickle.UnpicklingError as error:
                if not names.learn(error):
                    raise
            else:
                _bare(loaded)
                return loaded, names.unopened()


def _bare(loaded: Any) -> None:
    """Take from the dictionaries what a file may attach to them: an `items` that is no method, say.

    Of what torch attaches itself, the versions of modules are kept; it would follow other words there as orders.
    """
    seen: set[int] = set()
    left = [loaded]
    while left:
        value = left.pop()
        if not isinstance(value, (dict, list, tuple, StandIn, Row)) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, OrderedDict):
            versions = _versions(vars(value).get("_metadata"))
            vars(value).clear()
            if versions:
                value._metadata = versions  # type: ignore[attr-defined]
        if isinstance(value, dict):
            left += dict.values(value)
        elif isinstance(value, (list, tuple)):
            left += value
        else:
            left += vars(value).values()


def _versions(metadata: Any) -> dict[str, dict[str, int]]:
    if not isinstance(metadata, dict):
        return {}
    kept = {}
    for path, words in dict.items(metadata):
        if isinstance(path, str) and isinstance(words, dict):
            version = dict.get(words, "version")
            kept[path] = {"version": version} if type(version) is int else {}
    return kept


def _unknown_in(file: BinaryIO) -> list[str]:
    """Names that torch would refuse, told without loading; none for the older form, where they turn up one by one."""
    file.seek(0)
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, LookupError, OSError, struct.error):
        return []
