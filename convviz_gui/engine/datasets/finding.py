"""A dataset's pictures found in steps, so that a run can be stopped while they are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

from convviz_gui.engine.datasets.dataset import list_dataset
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.types import Run

_PATIENCE = 0.1
"""Seconds between two updates; what is found sooner needs none."""


def finding(run: Run) -> Steps[Listing]:
    """The dataset a run is about. Raises `EngineError` if there is none, and as `list_dataset`."""
    folder = _folder(run)
    stop = threading.Event()
    search = Search(stop.is_set)
    pool = ThreadPoolExecutor(1, thread_name_prefix="find")
    try:
        found = pool.submit(list_dataset, folder, run.splits, search)
        while not wait([found], _PATIENCE).done:
            yield Update(0, 1, f"{search.seen:,} files looked at")
        return found.result()
    finally:
        stop.set()
        pool.shutdown()


def listing_of(run: Run) -> Listing:
    """The same at once, for what cannot wait in steps."""
    return list_dataset(_folder(run), run.splits)


def _folder(run: Run) -> str:
    if run.folder is None:
        raise EngineError(
            "A folder of pictures is needed", "Open one, a .zip archive or a .csv table (command line: --folder DIR)"
        )
    return run.folder
