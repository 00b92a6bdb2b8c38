"""What a Python file offers, told by reading it: nothing in it is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.factory_names import CHANNELS, CLASSES
from convviz_gui.engine.opening.trust import is_own_code, own_code_digest, read_own_code, split_own_code

LARGEST = 8_000_000
"""Bytes of a Python file that is read; nobody writes longer ones by hand."""

_GIVEN = frozenset({*CLASSES, *CHANNELS})
_LIKELY = ("model", "net", "build", "create", "make", "get", "main")


@dataclass(frozen=True, slots=True)
class Factory:
    """A top-level function, class or variable that may make a network, or be one.

    `needs` names the arguments that it cannot be called without; numbers of classes and channels it is given.
    """

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
    if not is_own_code(source):
        return None
    path, factory = split_own_code(source)
    return str(path), factory


def read_offer(path: Path) -> OwnCode:
    """What a Python file offers, told without running it. Raises `EngineError` if it is none."""
    content, digest = read_own_code(path)
    if len(content) > LARGEST:
        raise EngineError(f"{path.name} is too long for a file written by hand", "Choose the file with the network")
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        place = f", line {error.lineno}" if error.lineno else ""
        raise EngineError(f"{path.name} is not valid Python ({error.msg}{place})", "Mend it, then choose it") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EngineError(f"{path.name} is not valid Python ({error})", "Choose the file with the network") from None
    return OwnCode(str(path), digest, _factories(tree))


def digest_of(path: str) -> str | None:
    """SHA-256 of a Python file as it is now, or None if it cannot be read."""
    try:
        return own_code_digest(path)
    except EngineError:
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
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
        return Factory(node.targets[0].id, "variable")
    return None


def _needed(arguments: ast.arguments, *, bound: bool) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    positional = positional[1 if bound else 0 : len(positional) - len(arguments.defaults)]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    names = [item.arg for item in (*positional, *(item for item, default in keywords if default is None))]
    return tuple(name for name in names if name not in _GIVEN)


def _rank(factory: Factory) -> tuple[bool, bool, int]:
    likely = factory.kind == "function" and any(word in factory.name.lower() for word in _LIKELY)
    # The sort is stable: within a rank the order stays the file's.
    return (bool(factory.needs), factory.name.startswith("_"), 0 if likely else 1 if factory.kind == "network" else 2)
