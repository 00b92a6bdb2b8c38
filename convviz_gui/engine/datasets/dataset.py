"""Whatever the user opened as a dataset, as one listing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.datasets.archive import list_archive
from convviz_gui.engine.datasets.folder import list_folder
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.datasets.table import list_table
from convviz_gui.engine.datasets.together import together
from convviz_gui.engine.embedded.manifest import is_embedded
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.sources import check_each_once, is_archive, is_table, is_unopened


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source: how it is told from its path, and what lists it."""

    recognises: Callable[[Path], bool]
    list: Callable[[str, Search], Listing]


def _refuse(source: str, _search: Search) -> Listing:
    name = Path(source).name
    raise EngineError(f"{name} cannot be opened as a dataset", "Unpack it, and open the folder or a .zip of it")


def _list_embedded(source: str, _search: Search) -> Listing:
    # Arrow takes a third of a second to import.
    from convviz_gui.engine.embedded.listing import list_embedded

    return list_embedded(source)


KINDS = (
    Kind(is_embedded, _list_embedded),
    Kind(is_archive, list_archive),
    Kind(is_table, list_table),
    Kind(is_unopened, _refuse),
    Kind(lambda _path: True, list_folder),
)
"""The first kind that recognises a source lists it."""


def list_dataset(source: str, others: Sequence[str] = (), search: Search | None = None) -> Listing:
    """Find the photos of a dataset: a folder, a zip archive, a CSV table or what `convviz embed` wrote; and `others`.

    Each of several is a split of its own.

    Raises:
        Stopped: `search` was.
        EngineError: a source is missing, unreadable, holds no photos, or is given twice.
    """
    sources = (source, *others)
    check_each_once(sources)
    search = search or Search()
    listings = [next(kind for kind in KINDS if kind.recognises(Path(one))).list(one, search) for one in sources]
    return together(sources, listings) if others else listings[0]
