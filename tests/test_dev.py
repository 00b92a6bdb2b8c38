"""dev.py: its decisions one by one, and a whole installation of a small stand-in project, offline."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "dev", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 7, 0), (2, 7, 18)])
def test_an_old_python_gets_one_sentence(dev: ModuleType, version: tuple[int, ...]) -> None:
    problem = dev.python_problem(version)
    assert f"this is {version[0]}.{version[1]}" in problem
    assert "3.11 or newer" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 14, 2), (4, 0, 0)])
def test_a_new_python_will_do(dev: ModuleType, version: tuple[int, ...]) -> None:
    assert dev.python_problem(version) == ""


def test_an_old_python_can_read_the_file_as_far_as_that_sentence() -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", "offscreen"),
        ({"DISPLAY": ""}, "linux", "offscreen"),
        ({"DISPLAY": ":0"}, "linux", "x11"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", "wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb"}, "linux", "x11"),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen:configfile=x"}, "linux", "offscreen"),
        ({}, "darwin", "native"),
        ({}, "win32", "native"),
    ],
)
def test_session(dev: ModuleType, environ: dict[str, str], platform: str, expected: str) -> None:
    assert dev.session(environ, platform) == expected


def test_without_a_screen_the_tour_is_run(dev: ModuleType) -> None:
    assert dev.launch("offscreen", ["cat.png"]) == ["-m", "convviz_gui.cli", "tour", "--out", "convviz-tour"]
    assert dev.launch("x11", ["cat.png"]) == ["-m", "convviz_gui", "cat.png"]


def test_missing_libraries_make_one_apt_line(dev: ModuleType) -> None:
    absent = {"libxcb-cursor.so.0", "libEGL.so.1"}
    problem = dev.library_problem("x11", loads=lambda soname: soname not in absent)
    [line] = [line for line in problem.splitlines() if "apt-get" in line]
    assert line.endswith("apt-get install -y libegl1 libxcb-cursor0")
    assert all(soname in problem for soname in absent)


def test_only_what_the_session_uses_is_asked_for(dev: ModuleType) -> None:
    asked: dict[str, set[str]] = {}
    for where in ("native", "offscreen", "x11", "wayland"):
        problem = dev.library_problem(where, loads=lambda _: False)
        asked[where] = set(problem.partition("install -y ")[2].split())
    assert asked["native"] == set()
    assert "libegl1" in asked["offscreen"] & asked["x11"] & asked["wayland"]
    assert "libxcb-cursor0" in asked["x11"] - asked["offscreen"] - asked["wayland"]
    assert "libwayland-cursor0" in asked["wayland"] - asked["offscreen"] - asked["x11"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of Linux libraries")
def test_libraries_are_really_loaded(dev: ModuleType) -> None:
    assert dev.can_load("libc.so.6")
    assert not dev.can_load("libconvviz-has-no-such-library.so.1")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt brings its libraries elsewhere")
def test_a_missing_library_ends_the_command_with_status_2(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setitem(dev.OFFSCREEN, "libabsent.so.1", "libabsent1")
    with pytest.raises(SystemExit) as exit:
        dev.main(["run"])
    assert exit.value.code == 2
    assert "apt-get install -y libabsent1" in capsys.readouterr().err


def test_a_python_without_venv_gets_the_apt_line(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit) as exit:
        dev.make_venv()
    assert exit.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith("apt-get install -y python3-venv")


@pytest.mark.parametrize("arguments", [[], ["fly"]])
def test_usage(dev: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        dev.main(arguments)
    assert exit.value.code == 2
    assert "dev.py test" in capsys.readouterr().err


# A build backend of two lines, so that the test needs nothing from a network.
BACKEND = """
import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy({wheel!r}, folder).rpartition("/")[2]
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "standin"
version = "1"
dependencies = ["tiny"]
[project.optional-dependencies]
test = []
lint = []

[tool.hatch]
"""
CLI = """
import pathlib, sys, tiny
pathlib.Path(sys.argv[3]).mkdir(exist_ok=True)
pathlib.Path(sys.argv[3], "index.html").write_text(f"{sys.argv[1]} with tiny {tiny.VERSION}")
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A wheel of exactly these files."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{info}/RECORD,,"]
    for path, text in files.items():
        checksum = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={checksum},{len(text.encode())}")
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": "\n".join(lines)}.items():
            archive.writestr(path, text)
    return wheel


@pytest.fixture
def standin(tmp_path: Path) -> Path:
    """A checkout with the real dev.py over a project that depends on one tiny package, in two versions."""
    checkout, wheels = tmp_path / "a checkout", tmp_path / "wheels"
    for folder in (checkout / "convviz_gui", wheels):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "dev.py", checkout)
    (checkout / "pyproject.toml").write_text(PYPROJECT)
    (checkout / "constraints.txt").write_text("tiny==1\n")
    editable = write_wheel(tmp_path, "standin", "1", {"standin.pth": str(checkout)})
    (checkout / "backend.py").write_text(BACKEND.format(wheel=str(editable)))
    (checkout / "convviz_gui" / "__init__.py").write_text("")
    (checkout / "convviz_gui" / "cli.py").write_text(CLI)
    for version in ("1", "2"):
        write_wheel(wheels, "tiny", version, {"tiny.py": f"VERSION = {version}\n"})
    uv = wheels / "uv"  # one that cannot reach its index
    uv.write_text("#!/bin/sh\nexit 2\n")
    uv.chmod(0o755)
    return checkout


def run(checkout: Path) -> str:
    """`dev.py run` there without a screen or a network; its output."""
    wheels = checkout.parent / "wheels"
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONPATH"}
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    environ["PATH"] = os.pathsep.join([str(wheels), environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "dev.py", "run"], cwd=checkout, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is a screen")
def test_installation_from_nothing_and_again(standin: Path) -> None:
    index = standin / "convviz-tour" / "index.html"

    output = run(standin)
    assert "Installing" in output
    assert "trying with pip" in output
    assert "no screen" in output
    assert index.read_text() == "tour with tiny 1"

    assert "Installing" not in run(standin), "an installed program starts at once"

    # As after a kill in the middle of an installation: pip alone would take `tiny` for installed.
    [site] = (standin / ".venv").glob("lib/python*/site-packages")
    (site / "tiny.py").unlink()
    (site / "tiny-1.dist-info" / "INSTALLER").unlink()
    for file in (standin / ".venv").glob("installed-*"):
        file.unlink()
    assert "Installing" in run(standin)

    (standin / "constraints.txt").write_text("tiny==2\n")
    assert "Installing" in run(standin)
    assert index.read_text() == "tour with tiny 2"

    with (standin / "pyproject.toml").open("a") as pyproject:
        pyproject.write("\n[tool.ruff]\nline-length = 99\n")
    assert "Installing" not in run(standin), "a linter's setting installs nothing"

    # As after an upgrade of the system's Python.
    python = standin / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(standin / "gone")
    assert "Installing" in run(standin)
