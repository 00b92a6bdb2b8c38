"""What is shipped: the wheel and its resources, the pins, the desktop entry and the icon."""

from __future__ import annotations

import configparser
import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

import convviz_gui

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
APP_ID = "io.github.convviz.ConvViz"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RESOURCES = [path.relative_to(ROOT / "resources") for path in (ROOT / "resources").rglob("*") if path.is_file()]

READ_RESOURCES = """
import json, sys
from hashlib import sha256
from convviz_gui.paths import resource
found = {name: [str(resource(name)), sha256(resource(name).read_bytes()).hexdigest()] for name in sys.argv[1:]}
print(json.dumps([sys.path, found]))
"""


def call(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    call(*pip, "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and nothing else."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", environment)
    pip = [sys.executable, "-m", "pip", "--python", str(environment), "--disable-pip-version-check"]
    call(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    return environment


def binary(environment: Path, name: str) -> Path:
    [found] = environment.glob(f"[bS]*/{name}*")
    return found


def test_installed_wheel_reads_every_resource(installed: Path, tmp_path: Path) -> None:
    names = [path.as_posix() for path in RESOURCES]
    assert "convviz.svg" in names
    python = next(installed.glob("[bS]*/python*"))
    searched, found = json.loads(call(python, "-I", "-c", READ_RESOURCES, *names, cwd=tmp_path))
    assert str(ROOT) not in searched
    for name, (path, digest) in found.items():
        assert Path(path).is_relative_to(installed)
        assert digest == sha256((ROOT / "resources" / name).read_bytes()).hexdigest()


def test_wheel_holds_the_package_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"convviz_gui", f"convviz_gui-{convviz_gui.__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name]
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "convviz_gui").rglob("*.py")}
    assert modules <= set(names)


def test_wheel_brings_both_commands(installed: Path) -> None:
    assert binary(installed, "convviz-gui").is_file()
    assert {"convviz", "convviz-gui"} == {*PROJECT["scripts"], *PROJECT["gui-scripts"]}


@pytest.mark.parametrize("target", [*PROJECT["scripts"].values(), *PROJECT["gui-scripts"].values()])
def test_commands_lead_to_functions(target: str) -> None:
    assert callable(importlib.metadata.EntryPoint("", target, "").load())


def test_versions_agree() -> None:
    assert PROJECT["version"] == convviz_gui.__version__
    releases = ET.parse(PACKAGING / f"{APP_ID}.metainfo.xml").getroot().iter("release")
    assert next(releases).get("version") == convviz_gui.__version__


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if not line.startswith("#")]
    assert all(matches), "constraints.txt holds `name==version` and nothing else"
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    optional = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    for requirement in map(Requirement, [*PROJECT["dependencies"], *optional]):
        assert pins()[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_dependencies_of_dependencies_are_pinned() -> None:
    todo = [Requirement(line) for line in PROJECT["dependencies"]]
    seen = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        assert name in pins(), f"{name} has no pin"
        todo += map(Requirement, importlib.metadata.requires(name) or [])
    assert "shiboken6" in seen, "the walk got further than the direct dependencies"


@pytest.mark.parametrize(("python", "allowed"), [("3.11", False), ("3.12", True)])
def test_pyside_with_the_reference_leak_is_kept_from_python_311(python: str, allowed: bool) -> None:
    requirements = [Requirement(line) for line in PROJECT["dependencies"] if line.startswith("PySide6")]
    valid = [one for one in requirements if one.marker is None or one.marker.evaluate({"python_version": python})]
    assert [("6.12.0" in one.specifier) for one in valid] == [allowed]
    assert all("6.11.3" in one.specifier for one in valid)


def test_desktop_entry_names_what_is_shipped() -> None:
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]  # keys are case-sensitive
    entry.read(PACKAGING / f"{APP_ID}.desktop", encoding="utf-8")
    desktop = entry["Desktop Entry"]
    assert desktop["Exec"].split()[0] in PROJECT["gui-scripts"]
    assert (PACKAGING / f"{desktop['Icon']}.svg").is_file()
    assert {"image/jpeg", "image/png", "inode/directory"} <= set(desktop["MimeType"].split(";"))


def test_metainfo_names_what_is_shipped() -> None:
    component = ET.parse(PACKAGING / f"{APP_ID}.metainfo.xml").getroot()
    assert component.findtext("id") == APP_ID
    assert (PACKAGING / str(component.findtext("launchable"))).is_file()
    assert component.findtext("project_license") == PROJECT["license"]
    assert {one.text for one in component.iter("binary")} == {*PROJECT["scripts"], *PROJECT["gui-scripts"]}


@pytest.mark.parametrize(
    "command",
    [
        ["desktop-file-validate", f"{APP_ID}.desktop"],
        ["appstreamcli", "validate", "--no-net", f"{APP_ID}.metainfo.xml"],
    ],
    ids=lambda command: command[0],
)
def test_validators_have_nothing_to_say(command: list[str]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    output = call(*command, cwd=PACKAGING)
    assert "warning" not in output.lower()


def test_the_icon_is_the_same_everywhere() -> None:
    assert (PACKAGING / f"{APP_ID}.svg").read_bytes() == (ROOT / "resources" / "convviz.svg").read_bytes()


@pytest.mark.parametrize("size", [16, 48, 256])
def test_the_icon_is_drawn_at_every_size(size: int) -> None:
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(ROOT / "resources" / "convviz.svg")).render(painter, QRectF(0, 0, size, size))
    painter.end()
    pupil = image.pixelColor(size // 2, size // 2)
    assert pupil.red() > 200
    assert pupil.green() > 180
    assert pupil.blue() < 120
    white = image.pixelColor(size // 8, size // 2)
    assert min(white.red(), white.green(), white.blue()) > 200
    assert image.pixelColor(0, 0).alpha() < 128
    assert image.pixelColor(size // 2, size // 16).alpha() == 255
