"""A zip archive of photos, read where it lies."""

from __future__ import annotations

import os
from pathlib import Path

from convviz_gui.engine import archives
from convviz_gui.engine.datasets.layout import labels_and_splits
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.names import UNREAD, Tree, extension, natural
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import EXTENSIONS, printable
from convviz_gui.engine.payloads import Skipped

_PACKED = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"})


def list_archive(path: str | os.PathLike[str], search: Search | None = None) -> Listing:
    """Find the photos in a zip archive, in natural order, by its table of contents alone.

    Labels and splits are as `labels_and_splits` has them for its folders, without those that all pictures share, such
    as one that is called like the archive. Hidden files and those of macOS ("__MACOSX/…") are passed over.

    Raises:
        EngineError: the archive is missing, unreadable, damaged, or holds no photos that can be read.
    """
    archive = os.path.normpath(Path(path).absolute())
    name = Path(archive).name
    try:
        contents = archives.contents(archive)
    except FileNotFoundError:
        raise EngineError(f"There is no archive {archive}", "Check the path") from None
    except OSError as error:
        title = f"The archive {name} cannot be read ({error.strerror})"
        raise EngineError(title, "Change its permissions, or choose another") from None
    if printable(archive) != archive:  # it could be neither shown nor written to a manifest
        raise EngineError(f"The path of {printable(name)} is not valid Unicode", "Rename the archive and its folders")
    tree, skipped = _pictures(contents, search or Search())
    if not tree:
        seen = f" ({len(skipped)} left out, such as {skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise EngineError(f"The archive {name} holds no pictures that can be read{seen}", "Choose another archive")
    places = list(tree.ordered())
    labels, splits = labels_and_splits([place for place, _ in places], strip=True)
    paths = (f"{place}/{picture}" if place else picture for place, picture in places)
    return Listing(
        tuple(_inside(archive, inner) for inner in paths),
        labels,
        tuple(sorted(skipped, key=lambda left: natural(left.path))),
        splits,
    )


def _inside(archive: str, inner: str) -> str:
    return archive + os.sep + (inner if os.sep == "/" else inner.replace("/", os.sep))


def _pictures(contents: archives.Contents, search: Search) -> tuple[Tree, list[Skipped]]:
    tree, skipped = Tree(), list[Skipped]()
    for inner in contents.names:
        search.step()
        if _is_hidden(inner):
            continue
        kind = extension(inner)
        if kind in EXTENSIONS:
            place, _, name = inner.rpartition("/")
            tree.add(place, name)
        elif kind in UNREAD:
            skipped.append(Skipped(_inside(contents.archive, inner), f"{kind} files are not read"))
        elif kind in _PACKED:
            skipped.append(Skipped(_inside(contents.archive, inner), "an archive in an archive is not opened"))
    for inner, reason in contents.refused:
        if extension(inner) in EXTENSIONS | UNREAD | _PACKED and not _is_hidden(inner):
            skipped.append(Skipped(_inside(contents.archive, inner), reason))
    return tree, skipped


def _is_hidden(inner: str) -> bool:
    if inner.startswith("__MACOSX/"):
        return True
    return (inner[0] == "." or "/." in inner) and any(
        part.startswith(".") and part not in (".", "..") for part in inner.split("/")
    )
