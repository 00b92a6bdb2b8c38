"""The window remembers its place, its docks and its theme; what cannot be read is forgotten quietly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow

from convviz_gui import paths
from convviz_gui.gui.look.theme import Theme

VERSION = 1
"""Of the arrangement of docks; another version's is not restored."""

_SHA256 = 64  # hexadecimal digits


def sources_of(entry: str) -> tuple[str, ...]:
    """The paths of a recent entry: itself, or those of a dataset of several, which no path could be mistaken for."""
    if entry.startswith("["):
        try:
            return tuple(source for source in json.loads(entry) if isinstance(source, str)) or (entry,)
        except ValueError:
            pass
    return (entry,)


class WindowState:
    """Settings in an INI file of ours, by default the user's."""

    def __init__(self, path: Path | None = None) -> None:
        path = path or paths.config_dir() / "window.ini"
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def theme(self) -> Theme:
        """The theme chosen last."""
        stored = self._settings.value("theme")
        return Theme(stored) if stored in list(Theme) else Theme.SYSTEM

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._settings.setValue("theme", theme.value)

    @property
    def recent(self) -> list[str]:
        """Files and datasets opened last, newest first; `sources_of` says what such an entry is made of."""
        stored = self._settings.value("recent")
        if isinstance(stored, str):
            return [stored]
        return [path for path in stored if isinstance(path, str)] if isinstance(stored, list) else []

    def remember_path(self, path: str, most: int = 10) -> None:
        """Put a file or folder first among the recent ones."""
        self._settings.setValue("recent", [path, *(other for other in self.recent if other != path)][:most])

    def remember_sources(self, sources: Sequence[str]) -> None:
        """Put a dataset first among the recent ones; several sources are one entry."""
        if sources:
            self.remember_path(sources[0] if len(sources) == 1 else json.dumps(list(sources)))

    @property
    def folder(self) -> str:
        """Where the last file was chosen in a dialog, which is where the next one starts; "" if nowhere yet."""
        folder = str(self._settings.value("folder", ""))
        return folder if Path(folder).is_dir() else ""

    def remember_folder(self, path: str) -> None:
        """Remember where a chosen file, or folder, stands."""
        self._settings.setValue("folder", str(Path(path).absolute().parent))

    def trusted(self, path: str) -> str | None:
        """SHA-256 of a Python file as the user trusted it last, or None."""
        return dict(self._trust()).get(path)

    def remember_trust(self, path: str, digest: str, most: int = 100) -> None:
        """The user trusts a Python file as it is now; another version of it is another file."""
        others = [(other, known) for other, known in self._trust() if other != path]
        self._settings.setValue("trust", [f"{known} {other}" for other, known in ((path, digest), *others)][:most])
        self._settings.sync()

    def _trust(self) -> list[tuple[str, str]]:
        stored = self._settings.value("trust")
        lines = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        parts = [line.partition(" ") for line in lines if isinstance(line, str)]
        return [(path, digest) for digest, _, path in parts if path and len(digest) == _SHA256]

    def restore(self, window: QMainWindow) -> bool:
        """Give the window its last place and docks; False if there is nothing to go by."""
        geometry, docks = self._settings.value("geometry"), self._settings.value("docks")
        if not isinstance(geometry, QByteArray) or not isinstance(docks, QByteArray):
            return False
        return window.restoreGeometry(geometry) and window.restoreState(docks, VERSION)

    def save(self, window: QMainWindow) -> None:
        """Remember the window's place and docks."""
        self._settings.setValue("geometry", window.saveGeometry())
        self._settings.setValue("docks", window.saveState(VERSION))
        self._settings.sync()
