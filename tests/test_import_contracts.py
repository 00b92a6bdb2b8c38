"""The import contracts again, in real processes: imports made by name at run time escape a linter.

Each test imports one side of a contract where the other side's packages cannot be imported, and also fails
when such an import was tried and the failure swallowed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
QT = ("PySide6", "shiboken6", "pyqtgraph", "convviz_gui.gui", "convviz_gui.worker", "convviz_gui.app")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
[TORCH_FREE] = [one for one in CONTRACTS if one["name"] == "The window and the vocabulary start without torch"]
HEAVY = TORCH_FREE["forbidden_modules"]

# Refuses the forbidden packages as if they were not installed and remembers who was asked for.
PRELUDE = """
import importlib, json, sys

forbidden, names, arguments = json.loads(sys.argv[1])
tried = []

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in forbidden):
            tried.append(name)
            raise ModuleNotFoundError(f"{name} is forbidden here", name=name)
        return None

sys.meta_path.insert(0, Blocker())
"""
IMPORT_ALL = """
for name in names:
    importlib.import_module(name)
assert not tried, tried
"""
IMPORT_ONE_BY_ONE = """
for name in names:
    for loaded in [one for one in sys.modules if one.partition(".")[0] == "convviz_gui"]:
        del sys.modules[loaded]
    importlib.import_module(name)
    others = [one for one in names if one != name and one in sys.modules]
    assert not others, f"{name} imports {others}"
"""
RUN_COMMAND = """
from convviz_gui.cli import main

try:
    status = main(arguments)
except SystemExit as exit:
    status = exit.code
assert not status, status
assert not tried, tried
"""


def modules(under: str) -> list[str]:
    """The names of a package and of everything in it, or of one module."""
    path = ROOT.joinpath(*under.split("."))
    if path.with_suffix(".py").is_file():
        return [under]
    files = sorted(path.rglob("*.py"))
    assert files, f"{under} is empty: the contract would hold for nothing"
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def siblings(package: str) -> list[str]:
    """The modules of a package that must not know each other; `base` is what views share."""
    return [name for name in modules(package) if name not in (package, f"{package}.base")]


def python(
    body: str, forbidden: Iterable[str], names: Iterable[str], arguments: Iterable[str] = (), cwd: Path = ROOT
) -> None:
    payload = json.dumps([list(forbidden), list(names), list(arguments)])
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + body, payload], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_engine_and_command_line_do_without_qt() -> None:
    names = modules("convviz_gui.engine") + modules("convviz_gui.cli")
    python(IMPORT_ALL, QT, names)


def test_a_command_runs_without_qt(tmp_path: Path) -> None:
    python(RUN_COMMAND, QT, [], ["layers", "--model", "demo", "--json"], cwd=tmp_path)


@pytest.mark.parametrize("name", TORCH_FREE["source_modules"])
def test_window_and_vocabulary_do_without_torch(name: str) -> None:
    python(IMPORT_ALL, HEAVY, modules(name))


def test_mailbox_does_without_qt() -> None:
    python(IMPORT_ALL, [*HEAVY, "PySide6", "shiboken6"], ["convviz_gui.worker.mailbox"])


@pytest.mark.parametrize("package", ["convviz_gui.engine.methods", "convviz_gui.gui.views"])
def test_siblings_do_not_import_each_other(package: str) -> None:
    python(IMPORT_ONE_BY_ONE, [], siblings(package))


def test_a_forbidden_import_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "sneaky.py").write_text("try:\n    import torch\nexcept ImportError:\n    pass\n")
    with pytest.raises(AssertionError, match="torch"):
        python(IMPORT_ALL, HEAVY, ["sneaky"], cwd=tmp_path)
