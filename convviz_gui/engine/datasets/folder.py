"""A folder of photos: which files, in which order, with which labels, and what was left out and why."""

from __future__ import annotations

import os
from pathlib import Path

from convviz_gui.engine.datasets.listing import Listing, natural
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import EXTENSIONS, printable
from convviz_gui.engine.payloads import Skipped

UNREAD = frozenset({
    ".ai", ".arw", ".cr2", ".cr3", ".dds", ".dng", ".emf", ".eps", ".exr", ".fits", ".hdr", ".heic", ".heif", ".icns",
    ".ico", ".j2c", ".j2k", ".jp2", ".jpf", ".jpx", ".jxl", ".nef", ".pcx", ".ps", ".psb", ".psd", ".raw", ".sgi",
    ".svg", ".tga", ".wmf", ".xbm", ".xcf", ".xpm",
})  # fmt: skip
"""Extensions of pictures that are not opened: such files are named as skipped instead of passed over in silence."""


def list_folder(folder: str | os.PathLike[str]) -> Listing:
    """Find the photos in a folder and its sub-folders, in natural order ("2.jpg" before "10.jpg").

    Goes by extension and opens nothing: damaged files come to light when they are decoded. Hidden files and folders
    are passed over; links are followed, once around.

    Raises:
        EngineError: the folder is missing, unreadable, not a folder, or holds no photos.
    """
    root = Path(os.path.normpath(Path(folder).absolute()))
    _check(root)
    found, skipped = _walk(root)
    if not found:
        raise _nothing(root, skipped)
    found.sort(key=lambda item: [natural(part) for part in (*filter(None, item[0].split("/")), item[1])])
    paths = tuple(str(root / label / name) for label, name in found)
    return Listing(
        paths, tuple(label for label, _ in found), tuple(sorted(skipped, key=lambda left: natural(left.path)))
    )


def _check(root: Path) -> None:
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise EngineError(f"The folder {root} {what}", "Choose a folder with photos in it")
    if not os.access(root, os.R_OK | os.X_OK):
        raise EngineError(f"The folder {root} may not be read", "Change its permissions, or choose another")


def _nothing(root: Path, skipped: list[Skipped]) -> EngineError:
    seen = f" ({len(skipped)} left out, such as {Path(skipped[0].path).name}: {skipped[0].reason})" if skipped else ""
    return EngineError(
        f"The folder {root} holds no pictures that can be read{seen}", "Choose a folder with JPEG or PNG files"
    )


def _walk(root: Path) -> tuple[list[tuple[str, str]], list[Skipped]]:
    """Photos as (label, file name), and what was left out; every folder once, however many links lead to it."""
    found: list[tuple[str, str]] = []
    skipped: list[Skipped] = []
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        label = waiting.pop()
        try:
            status = (root / label).stat()
            with os.scandir(root / label) as scan:
                entries = sorted(
                    (entry for entry in scan if not entry.name.startswith(".")), key=lambda item: item.name
                )
        except OSError as error:
            skipped.append(Skipped(printable(root / label), f"the folder cannot be read: {error.strerror}"))
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if _is_folder(entry):
                waiting.append(f"{label}/{entry.name}".lstrip("/"))
            elif reason := _obstacle(entry):
                skipped.append(Skipped(printable(entry), reason))
            elif Path(entry.name).suffix.lower() in EXTENSIONS:
                found.append((label, entry.name))
    return found, skipped


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a forbidden place
        return False


def _obstacle(entry: os.DirEntry[str]) -> str:
    extension = Path(entry.name).suffix.lower()
    if extension in UNREAD:
        return f"{extension} files are not read"
    if extension not in EXTENSIONS:
        return ""
    if not Path(entry).is_file():
        return "the link leads nowhere" if entry.is_symlink() else "not an ordinary file"
    if printable(entry) != entry.path:  # it could be neither shown nor written to a manifest
        return "its name is not valid Unicode"
    return ""
