"""The pictures of a directory of features, for methods that look at pictures themselves."""

from __future__ import annotations

from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.embedded.opened import open_embedded


def list_embedded(folder: str) -> Listing:
    """The pictures that the features are of, in the order of the rows. Raises `EngineError` as `open_embedded`."""
    opened = open_embedded(folder)
    table = opened.table("path", "label", "split")
    splits = tuple(table.column("split").to_pylist())
    return Listing(
        tuple(table.column("path").to_pylist()),
        tuple(table.column("label").to_pylist()),
        opened.manifest.skipped,
        splits if any(splits) else (),
    )
