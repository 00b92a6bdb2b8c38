"""What files' names say: which hold pictures, and how they are ordered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

UNREAD = frozenset({
    ".ai", ".arw", ".cr2", ".cr3", ".dds", ".dng", ".emf", ".eps", ".exr", ".fits", ".hdr", ".heic", ".heif", ".icns",
    ".ico", ".j2c", ".j2k", ".jp2", ".jpf", ".jpx", ".jxl", ".nef", ".pcx", ".ps", ".psb", ".psd", ".raw", ".sgi",
    ".svg", ".tga", ".wmf", ".xbm", ".xcf", ".xpm",
})  # fmt: skip
"""Extensions of pictures that are not opened: such files are named as skipped instead of passed over in silence."""


def extension(name: str) -> str:
    """The extension in lower case, with its dot, or ""."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - for each of a million pictures


def natural(text: str) -> tuple[tuple[str | int, ...], str]:
    """A sort key in which numbers count by value and case matters last."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), text


class RealPaths:
    """Paths with the links in their folders followed, so that a photo has one, whatever name its folder is found under.

    A photo that is itself a link keeps its name: data sets are made of such links.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """The real path of a photo."""
        folder, name = os.path.split(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return path if real == folder else os.path.join(real, name)  # noqa: PTH118 - for each of a million pictures


class Tree:
    """Names of files by folder, "/" between folders, given back in natural order ("2.jpg" before "10.jpg")."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def add(self, folder: str, name: str) -> None:
        """Put a file into a folder, "" for the top."""
        self._files.setdefault(folder, []).append(name)

    def __bool__(self) -> bool:
        return bool(self._files)

    def ordered(self) -> Iterator[tuple[str, str]]:
        """(folder, name) of every file, folders and files of each folder sorted together."""
        inner = self._folders()
        # Sorted folder by folder: keys for a million names at once would take a gigabyte.
        waiting = [("", iter(self._sorted("", inner)))]
        while waiting:
            folder, children = waiting[-1]
            for name, is_folder in children:
                if is_folder:
                    below = f"{folder}/{name}" if folder else name
                    waiting.append((below, iter(self._sorted(below, inner))))
                    break
                yield folder, name
            else:
                waiting.pop()

    def _folders(self) -> dict[str, set[str]]:
        """The sub-folders of every folder."""
        inner: dict[str, set[str]] = {}
        for folder in self._files:
            while folder:
                above, _, name = folder.rpartition("/")
                known = inner.setdefault(above, set())
                if name in known:
                    break
                known.add(name)
                folder = above
        return inner

    def _sorted(self, folder: str, inner: dict[str, set[str]]) -> list[tuple[str, bool]]:
        children = [(name, False) for name in self._files.get(folder, ())]
        children += [(name, True) for name in inner.get(folder, ())]
        children.sort(key=lambda child: (natural(child[0]), child[1]))
        return children
