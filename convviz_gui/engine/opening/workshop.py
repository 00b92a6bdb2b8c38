"""Running a user's Python file as if it were alone: its folder importable, its words on stderr, no trace afterwards."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import sys
import time
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.opening.process_settings import settings_kept

_OURS = frozenset(
    "convviz_gui torch torchvision timm numpy PIL safetensors huggingface_hub scipy sklearn umap openTSNE numba "
    "PySide6 shiboken6 pyqtgraph pytest _pytest".split()
)
"""What this program runs on: never to be loaded a second time."""


class Workshop:
    """A place for the code of one Python file and of the modules beside it, for as long as its functions are called.

    Inside `open()` the file's folder comes first on `sys.path` and its modules are in `sys.modules`; outside neither
    is, so that another file's `utils` is another module and an edited file is read again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._folder = self._path.parent
        root = self._folder
        while (root / "__init__.py").is_file() and root.parent != root:
            root = root.parent
        # A file in a package may say `from .blocks import Block`, which needs the package's name; so may any other.
        self._root = root if root != self._folder else self._folder.parent
        self._package = ".".join(self._folder.relative_to(self._root).parts)
        self._modules: dict[str, types.ModuleType] = {}
        self._since = time.time_ns()

    def run(self, code: bytes) -> dict[str, Any]:
        """Run the file's bytes; returns its names. To be called inside `open()`."""
        name = self._path.stem
        if name in sys.modules or name in sys.stdlib_module_names:
            name = f"own_code_{name}"
        module = types.ModuleType(name)
        module.__file__ = str(self._path)
        module.__package__ = self._package
        sys.modules[name] = module
        exec(compile(code, str(self._path), "exec", dont_inherit=True), module.__dict__)
        return module.__dict__

    @contextmanager
    def open(self) -> Iterator[None]:
        """While inside, the user's code runs as in a process of its own; what it raises becomes an `EngineError`."""
        with _words_on_stderr(), settings_kept(), self._importable():
            try:
                yield
            except EngineError:
                raise
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever it is: the file is the user's
                if fault_of(error) is not None:  # memory is not the file's fault
                    raise
                raise self.in_words(error) from None

    @contextmanager
    def _importable(self) -> Iterator[None]:
        before, path, argv, no_bytecode = dict(sys.modules), list(sys.path), sys.argv, sys.dont_write_bytecode
        # Modules in memory that are called like those beside the file, of another file or as they were before an edit.
        for name in [name for name, module in before.items() if self._is_beside(name) and not _is_installed(module)]:
            del sys.modules[name]
        sys.modules.update(self._modules)
        sys.path[:0] = [str(self._folder), str(self._root)]
        sys.argv = [str(self._path)]
        sys.dont_write_bytecode = True  # its time of change has whole seconds: an edit could be missed
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.dont_write_bytecode, sys.argv, sys.path[:] = no_bytecode, argv, path
            own = [name for name, module in sys.modules.items() if self._is_own(name, module)]
            self._modules = {name: sys.modules.pop(name) for name in own}
            for name in before.keys() - sys.modules.keys():
                sys.modules[name] = before[name]
            for place in (str(self._folder), str(self._root)):
                sys.path_importer_cache.pop(place, None)

    def code(self) -> str | None:
        """A digest of the user's files as they are loaded, and of the versions of what they import.

        None if that is not certain: a file has been changed meanwhile, or what they import is not installed.
        """
        digest = hashlib.blake2b(digest_size=16)
        tops: set[str] = set()
        for name, module in sorted(self._modules.items()):
            digest.update(f"{name}\n".encode("utf-8", "surrogateescape"))
            tops |= {top for value in list(vars(module).values()) if (top := _package(value))}
            file = getattr(module, "__file__", None)
            if file is None:
                continue
            try:
                status = Path(file).stat()
                digest.update(Path(file).read_bytes())
            except OSError:
                return None
            if max(status.st_mtime_ns, status.st_ctime_ns) >= self._since:
                return None
        own = {name.partition(".")[0] for name in self._modules}
        for top in sorted(tops - own - sys.stdlib_module_names):
            if not version_of(top) or not _is_installed(sys.modules.get(top)):
                return None
            digest.update(f"{top} {version_of(top)}\n".encode())
        return digest.hexdigest()

    def _is_beside(self, name: str) -> bool:
        """Whether a module of that name would be found in the file's folder or at the root of its package."""
        top = name.partition(".")[0]
        if top in _OURS or top in sys.stdlib_module_names:
            return False
        return any((base / f"{top}.py").is_file() or (base / top).is_dir() for base in (self._folder, self._root))

    def _is_own(self, name: str, module: types.ModuleType) -> bool:
        if getattr(module, "__file__", None) == str(self._path):
            return True
        # First what is quick to tell: there are thousands of modules.
        if not self._is_beside(name):
            return False
        places = [place for place in (getattr(module, "__file__", None), *_folders(module)) if place is not None]
        return any(_in_folder(place, base) for place in places for base in (self._folder, self._root))

    def in_words(self, error: BaseException) -> EngineError:
        """What the user's code raised, in one sentence with the place in it."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _in_folder(frame.filename, self._folder)]
        file, line = (Path(own[-1].filename).name, own[-1].lineno) if own else (self._path.name, None)
        if isinstance(error, SyntaxError) and error.filename is not None:
            file, line = Path(error.filename).name, error.lineno
        place = f"{file}, line {line}" if line is not None else file
        refused = EngineError(f"{place}: {said(error)}", _remedy(error), ProblemKind.USER)
        refused.detail = "".join(traceback.format_exception(error))
        return refused


def _package(value: object) -> str:
    """The package that a name in a module stands for something of, or ""."""
    if isinstance(value, types.ModuleType):
        return value.__name__.partition(".")[0]
    known = isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType))
    return str(getattr(value, "__module__", "") or "").partition(".")[0] if known else ""


def said(error: BaseException) -> str:
    """Kind and first line of an exception's words, without a final stop."""
    if isinstance(error, SystemExit):
        return "it ends the program instead of returning a network (SystemExit)"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first[:300]}".rstrip(".: ")


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "Install it beside ConvViz, or put the module into the file's folder"
    if isinstance(error, FileNotFoundError):
        return "Name files beside the code with Path(__file__).parent, so that they are found from everywhere"
    if isinstance(error, SystemExit):
        return 'Put what starts a program behind if __name__ == "__main__":'
    return "Mend the file and open it again; the details show the way there"


@contextmanager
def _words_on_stderr() -> Iterator[None]:
    if sys.stderr is None:  # a window without a console
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            yield
        return
    with redirect_stdout(sys.stderr):
        yield


def _folders(module: Any) -> list[str]:
    try:
        return [str(place) for place in getattr(module, "__path__", ())]
    except (TypeError, KeyError):  # a namespace whose parent is gone
        return []


def _is_installed(module: Any) -> bool:
    return is_installed(str(getattr(module, "__file__", "")))


def is_installed(file: str) -> bool:
    """Whether a module's file belongs to an installed library, which nobody edits."""
    return any(part in file for part in ("site-packages", "dist-packages"))


@functools.cache
def version_of(package: str) -> str:
    """The version of a package that has been imported, or ""."""
    found = vars(sys.modules[package]).get("__version__") if package in sys.modules else None
    if isinstance(found, str):
        return found
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        return ""


def _in_folder(file: str, folder: Path) -> bool:
    try:
        place = Path(file).resolve()
    except (OSError, ValueError):
        return False
    return place.is_relative_to(folder) and not {"site-packages", "dist-packages"} & set(place.parts)
