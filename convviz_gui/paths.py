"""Where the program's own files and the user's files live. Standard library only."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_APP = "ConvViz" if sys.platform in ("darwin", "win32") else "convviz"


def resource(name: str) -> Path:
    """The bundled file or folder `name`, e.g. `"convviz.svg"`.

    An installed wheel carries the resources inside the package; a checkout has them beside it.

    Raises:
        FileNotFoundError: there is no such resource; the message says what to do about it.
    """
    inside, beside = _PACKAGE / "resources", _PACKAGE.parent / "resources"
    root = inside if inside.is_dir() else beside
    path = root / name
    if not path.exists():
        raise FileNotFoundError(f"ConvViz's own file {name!r} is missing from {root}; reinstall ConvViz.")
    return path


def cache_dir() -> Path:
    """Files that can be made again (thumbnails, embeddings). Created on demand; raises OSError if it cannot be."""
    return _made(_locate("cache", linux=("XDG_CACHE_HOME", ".cache"), mac="Library/Caches"))


def config_dir() -> Path:
    """The user's settings. Created on demand if possible: without settings the program starts all the same."""
    path = _locate("config", linux=("XDG_CONFIG_HOME", ".config"), mac="Library/Preferences")
    with suppress(OSError):
        _made(path)
    return path


def data_dir() -> Path:
    """What the user made or downloaded and would miss (sessions, the demo's folder).

    Created on demand; raises OSError if it cannot be.
    """
    return _made(_locate("data", linux=("XDG_DATA_HOME", ".local/share"), mac="Library/Application Support"))


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _locate(role: str, *, linux: tuple[str, str], mac: str) -> Path:
    # CONVVIZ_HOME puts everything under one folder: for tests and for portable installations.
    if override := os.environ.get("CONVVIZ_HOME"):
        return Path(override).absolute() / role
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
        return base / _APP / role
    if sys.platform == "darwin":
        return Path.home() / mac / _APP
    variable, fallback = linux
    configured = os.environ.get(variable, "")
    # The XDG specification: a relative path is invalid and must be ignored.
    base = Path(configured) if configured and Path(configured).is_absolute() else Path.home() / fallback
    return base / _APP
