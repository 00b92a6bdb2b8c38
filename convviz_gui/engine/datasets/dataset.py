"""Whatever the user opened as a dataset, as one listing."""

from __future__ import annotations

from collections.abc import Sequence

from convviz_gui.engine.datasets.folder import list_folder
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Run


def listing_of(run: Run) -> Listing:
    """The dataset a run is about. Raises `EngineError` if there is none, and as `list_dataset`."""
    if run.folder is None:
        raise EngineError("A folder of pictures is needed", "Open one (command line: --folder DIR)")
    return list_dataset(run.folder, run.splits)


def list_dataset(source: str, others: Sequence[str] = ()) -> Listing:
    """Find the photos of a dataset: a folder, and `others`, each a split of its own.

    Raises:
        EngineError: a source is missing, unreadable, or holds no photos.
    """
    if others:
        raise EngineError("Several folders cannot be opened together yet", "Open the folder above them")
    return list_folder(source)
