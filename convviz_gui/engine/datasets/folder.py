"""A folder of photos: which files, in which order, with which labels, and what was left out and why."""

from __future__ import annotations

import os
from pathlib import Path

from convviz_gui.engine.datasets.layout import labels_and_splits
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.names import UNREAD, Tree, extension, natural
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import EXTENSIONS, printable
from convviz_gui.engine.payloads import Skipped


def list_folder(folder: str | os.PathLike[str], search: Search | None = None) -> Listing:
    """Find the photos in a folder and its sub-folders, in natural order ("2.jpg" before "10.jpg").

    Goes by extension and opens nothing: damaged files come to light when they are decoded. Hidden files and folders
    are passed over; links are followed, once around, and a folder that a link leads to has its own name if it is found
    under both. Labels and splits are as `labels_and_splits` has them.

    Raises:
        EngineError: the folder is missing, unreadable, not a folder, or holds no photos.
    """
    root = Path(os.path.normpath(Path(folder).absolute()))
    _check(root)
    tree, skipped = _walk(str(root), search or Search())
    if not tree:
        raise _nothing(root, skipped)
    paths: list[str] = []
    folders: list[str] = []
    base, last = "", None
    for place, name in tree.ordered():
        if place != last:
            base, last = _join(_path(str(root), place), ""), place
        paths.append(base + name)
        folders.append(place)
    labels, splits = labels_and_splits(folders)
    return Listing(tuple(paths), labels, tuple(sorted(skipped, key=lambda left: natural(left.path))), splits)


def _check(root: Path) -> None:
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise EngineError(
            f"The folder {root} {what}", "Choose a folder with photos in it, a .zip archive or a .csv table"
        )
    if not os.access(root, os.R_OK | os.X_OK):
        raise EngineError(f"The folder {root} may not be read", "Change its permissions, or choose another")


def _nothing(root: Path, skipped: list[Skipped]) -> EngineError:
    seen = f" ({len(skipped)} left out, such as {Path(skipped[0].path).name}: {skipped[0].reason})" if skipped else ""
    archives = sorted(path.name for path in root.glob("*.[zZ][iI][pP]"))
    return EngineError(
        f"The folder {root} holds no pictures that can be read{seen}",
        f"Open {archives[0]} itself" if archives else "Choose a folder with JPEG or PNG files",
    )


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name)  # noqa: PTH118 - for each of a million pictures


def _path(root: str, place: str) -> str:
    return _join(root, place.replace("/", os.sep)) if place else root


def _walk(root: str, search: Search) -> tuple[Tree, list[Skipped]]:
    """The photos, and what was left out; every folder once, however many links lead to it."""
    found, skipped = Tree(), list[Skipped]()
    seen: set[tuple[int, int]] = set()
    # Links wait until all else has been looked through, lest a folder be found under a link's name.
    waiting, links = [""], list[str]()
    while waiting or links:
        if not waiting:
            waiting, links = sorted(links, key=natural, reverse=True), []
        place = waiting.pop()
        path = _path(root, place)
        search.check()
        try:
            status = os.stat(path)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as scan:
                entries = [entry for entry in scan if not entry.name.startswith(".")]
        except OSError as error:
            skipped.append(Skipped(printable(path), f"the folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            search.step()
            if _is_folder(entry):
                if printable(entry.name) == entry.name:
                    below = f"{place}/{entry.name}" if place else entry.name
                    (links if entry.is_symlink() else waiting).append(below)
                else:
                    skipped.append(Skipped(printable(entry), "the folder's name is not valid Unicode"))
                continue
            kind = extension(entry.name)
            if reason := _obstacle(entry, kind):
                skipped.append(Skipped(printable(entry), reason))
            elif kind in EXTENSIONS:
                found.add(place, entry.name)
    return found, skipped


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a forbidden place
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _obstacle(entry: os.DirEntry[str], kind: str) -> str:
    if kind in UNREAD:
        return f"{kind} files are not read"
    if kind not in EXTENSIONS:
        return ""
    if not _is_file(entry):
        return "the link leads nowhere" if entry.is_symlink() else "not an ordinary file"
    if printable(entry.name) != entry.name:  # it could be neither shown nor written to a manifest
        return "its name is not valid Unicode"
    return ""
