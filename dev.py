#!/usr/bin/env python3
"""Set up ConvViz and use it.

python3 dev.py run [FILES…]            open the program; without a screen, save its tour in convviz-tour/
python3 dev.py test [pytest options…]  run the tests
python3 dev.py lint                    check style, types and import contracts

Standard library only. The first command makes .venv and installs the pinned dependencies into it; later ones
start at once and need no network.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
DEVELOPMENT = ("test", "lint")  # the extras that `test` and `lint` need beside the program itself
TOUR = "convviz-tour"

# What Qt opens at run time, and the Debian package of each. Qt itself blames libxcb-cursor0 whichever is missing.
OFFSCREEN = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
X11 = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
WAYLAND = {"libwayland-cursor.so.0": "libwayland-cursor0", "libwayland-egl.so.1": "libwayland-egl1"}
NEEDED = {"offscreen": OFFSCREEN, "x11": {**OFFSCREEN, **X11}, "wayland": {**OFFSCREEN, **WAYLAND}, "native": {}}


def python_problem(version: Sequence[int]) -> str:
    """The sentence for a Python that is too old; empty for one that will do."""
    if tuple(version[:2]) >= (3, 11):
        return ""
    return f"ConvViz needs Python 3.11 or newer, and this is {version[0]}.{version[1]}: use a newer one."


def session(environ: Mapping[str, str], platform: str) -> str:
    """Where Qt will draw: "x11", "wayland", "offscreen" (there is no screen) or "native" (not Linux)."""
    if not platform.startswith("linux"):
        return "native"
    plugin = environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if plugin in ("offscreen", "minimal"):
        return "offscreen"
    if environ.get("WAYLAND_DISPLAY") and plugin != "xcb":
        return "wayland"
    return "x11" if environ.get("DISPLAY") else "offscreen"


def can_load(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def library_problem(where: str, loads: Callable[[str], bool] = can_load) -> str:
    """What Qt lacks for drawing there, with the one apt line that mends it; empty when all is well."""
    missing = {soname: package for soname, package in NEEDED[where].items() if not loads(soname)}
    if not missing:
        return ""
    return f"Qt needs system libraries that are missing here: {', '.join(missing)}.\n{apt(missing.values())}"


def apt(packages: Iterable[str]) -> str:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"On Debian and Ubuntu:  {sudo}apt-get install -y {' '.join(packages)}"


def pyproject() -> dict[str, Any]:
    import tomllib  # new in Python 3.11; an older one must get as far as its sentence

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(extras: Sequence[str]) -> list[str]:
    """The direct dependencies of ConvViz with these extras, and its build backend."""
    config = pyproject()
    optional = (line for extra in extras for line in config["project"]["optional-dependencies"][extra])
    return [*config["build-system"]["requires"], *config["project"]["dependencies"], *optional]


def digest(extras: Sequence[str]) -> str:
    """Changes exactly when something else must be installed, or for another folder or Python."""
    config = pyproject()
    wanted = [config["project"], config["build-system"], config["tool"]["hatch"], list(extras)]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([wanted, pins, str(ROOT), sys.version_info[:2]]).encode()).hexdigest()


def stamp(extras: Sequence[str]) -> Path:
    return VENV / f"installed-{'-'.join(extras) or 'program'}"


def is_ready(extras: Sequence[str]) -> bool:
    """Whether exactly this was installed here, to the end."""
    file = stamp(extras)
    return Path(PYTHON).exists() and file.is_file() and file.read_text(encoding="utf-8") == digest(extras)


def prepare(extras: tuple[str, ...]) -> None:
    """Bring `.venv` up to date; does nothing when it is."""
    if is_ready(extras):
        return
    stamp(extras).unlink(missing_ok=True)
    if not venv_works():
        make_venv()
    discard_half_installed()
    print("Installing the dependencies: several gigabytes and some minutes the first time.", flush=True)
    install(requirements(extras))
    # The build backend is among what was just installed, so this step needs no network.
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    for complete in {(), extras}:
        stamp(complete).write_text(digest(complete), encoding="utf-8")


def venv_works() -> bool:
    probe = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return Path(PYTHON).exists() and subprocess.call([PYTHON, "-c", probe], stderr=subprocess.DEVNULL) == 0


def make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        stop(f"This Python cannot make virtual environments. {apt(['python3-venv'])}")
    base = getattr(sys, "_base_executable", sys.executable)  # not the one inside .venv, which --clear removes
    check([base, "-m", "venv", "--clear", str(VENV)])


def discard_half_installed() -> None:
    """Forget packages whose installation was killed; pip would take them for complete."""
    for info in VENV.glob("[Ll]ib/**/site-packages/*.dist-info"):
        if not (info / "INSTALLER").exists():  # written after all the files of the package
            shutil.rmtree(info)


def install(wanted: Sequence[str]) -> None:
    pinned = ["--constraint", str(ROOT / "constraints.txt"), *wanted]
    # uv can choose the torch build that suits this machine's GPU; pip takes the default one.
    uv = shutil.which("uv")
    if uv:
        if subprocess.call([uv, "pip", "install", "--python", PYTHON, "--torch-backend=auto", *pinned]) == 0:
            return
        print("uv could not install this; trying with pip.", flush=True)
    pip(*pinned)


def pip(*options: str) -> None:
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    check([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *quiet, *options])


def check(command: list[str]) -> None:
    status = subprocess.call(command)
    if status:
        stop(f"This step failed (status {status}); the next dev.py takes up from there:\n  {' '.join(command)}")


def stop(problem: str) -> None:
    if problem:
        print(problem, file=sys.stderr)
        sys.exit(2)


def launch(where: str, files: Sequence[str]) -> list[str]:
    """The arguments that make Python show the program there, or its tour where nothing can be shown."""
    if where == "offscreen":
        return ["-m", "convviz_gui.cli", "tour", "--out", TOUR]
    return ["-m", "convviz_gui", *files]


def run(files: list[str]) -> int:
    where = session(os.environ, sys.platform)
    stop(library_problem(where))
    prepare(())
    if where == "offscreen":
        print(f"There is no screen here, so ConvViz saves pictures of its tour in {TOUR}/.", flush=True)
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return subprocess.call([PYTHON, *launch(where, files)])


def test(options: list[str]) -> int:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # the same window on every machine
    stop(library_problem(session(os.environ, sys.platform)))
    prepare(DEVELOPMENT)
    return subprocess.call([PYTHON, "-m", "pytest", *(options or whole_suite())], cwd=ROOT)


def whole_suite() -> list[str]:
    """Options of pytest for all tests at once: a process for each core, of which torch then takes one thread."""
    workers = min(os.cpu_count() or 1, 8)
    if workers == 1:
        return []
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ["--numprocesses", str(workers), "--dist", "loadfile"]


def lint(_: list[str]) -> int:
    prepare(DEVELOPMENT)
    contracts = "from importlinter.cli import lint_imports_command as check; check(['--no-logo'])"
    checks = (["-m", "ruff", "check"], ["-m", "ruff", "format", "--check"], ["-m", "mypy"], ["-c", contracts])
    failures = [check for check in checks if subprocess.call([PYTHON, *check], cwd=ROOT)]
    return 1 if failures else 0


def main(arguments: list[str]) -> int:
    stop(python_problem(sys.version_info[:2]))
    commands = {"run": run, "test": test, "lint": lint}
    if not arguments or arguments[0] not in commands:
        stop(str(__doc__))
    try:
        return commands[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
