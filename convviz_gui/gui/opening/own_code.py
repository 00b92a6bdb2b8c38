"""What a Python file offers, told by reading it: nothing in it is run."""

from __future__ import annotations

import ast
import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.errors import EngineError

LARGEST = 8_000_000
"""Bytes of a Python file that is read; nobody writes longer ones by hand."""

_LIKELY = ("model", "net", "build", "create", "make", "get", "main")


@dataclass(frozen=True, slots=True)
class Factory:
    """A top-level function or class. `needs` names the arguments that it cannot be called without."""

    name: str
    kind: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A Python file: its SHA-256 and what can be called in it, the likeliest first."""

    path: str
    digest: str
    factories: tuple[Factory, ...]


def split_source(source: str) -> tuple[str, str] | None:
    """(path, factory) of a source "FILE.py:FACTORY"; None for any other."""
    path, colon, factory = source.rpartition(":")
    return (path, factory) if colon and path.lower().endswith(".py") else None


def read_own_code(path: Path) -> OwnCode:
    """Read a Python file without running it. Raises `EngineError` if it is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise EngineError(f"{path} is not an ordinary file", "Choose a Python file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise EngineError(f"{path.name} cannot be read ({why})", "Check the path") from None
    if len(content) > LARGEST:
        raise EngineError(f"{path.name} is too long for a file written by hand", "Choose the file with the network")
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        place = f", line {error.lineno}" if error.lineno else ""
        raise EngineError(f"{path.name} is not valid Python ({error.msg}{place})", "Mend it, then choose it") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EngineError(f"{path.name} is not valid Python ({error})", "Choose the file with the network") from None
    return OwnCode(str(path), hashlib.sha256(content).hexdigest(), _factories(tree))


def digest_of(path: str) -> str | None:
    """SHA-256 of a file as it is now, or None if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else None
    except (OSError, ValueError):
        return None


def _factories(tree: ast.Module) -> tuple[Factory, ...]:
    found = [factory for node in tree.body if (factory := _factory(node)) is not None]
    return tuple(sorted(found, key=_rank))


def _factory(node: ast.stmt) -> Factory | None:
    if isinstance(node, ast.FunctionDef):
        return Factory(node.name, "function", _needed(node.args, bound=False))
    if isinstance(node, ast.ClassDef):
        start = next(
            (part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None
        )
        kind = "network" if any("Module" in ast.unparse(base) for base in node.bases) else "class"
        return Factory(node.name, kind, _needed(start.args, bound=True) if start is not None else ())
    return None


def _needed(arguments: ast.arguments, *, bound: bool) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    positional = positional[1 if bound else 0 : len(positional) - len(arguments.defaults)]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return tuple(item.arg for item in (*positional, *(item for item, default in keywords if default is None)))


def _rank(factory: Factory) -> tuple[bool, bool, int]:
    likely = factory.kind == "function" and any(word in factory.name.lower() for word in _LIKELY)
    # The sort is stable: within a rank the order stays the file's.
    return (bool(factory.needs), factory.name.startswith("_"), 0 if likely else 1 if factory.kind == "network" else 2)
