"""The thumbnails that stand in a directory of features: for where the pictures are not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convviz_gui.engine.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa

    from convviz_gui.engine.embedded.lazy import Texts
    from convviz_gui.engine.embedded.opened import Opened

_KEPT = 64 * 2**20
"""Bytes of row groups kept, and one group more: of 16,384 pictures at most, some 60 MB."""


class StoredThumbnails:
    """JPEG files by the paths of their pictures, for any number of threads. Opens nothing before it is asked.

    Besides the groups it keeps the paths: some 100 MB for a million.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = str(folder)
        self._lock = threading.Lock()
        self._is_open = False
        self._there: tuple[Opened, Texts] | None = None
        self._kept: OrderedDict[int, pa.ChunkedArray] = OrderedDict()

    def get(self, path: str) -> bytes:
        """A picture's thumbnail; empty if the directory has none of it, or is damaged or gone. Takes up to a second."""
        with self._lock:
            try:
                return self._get(path)
            except (EngineError, ValueError):  # what is wrong with the directory is said where it is opened
                return b""

    def _get(self, path: str) -> bytes:
        if not self._is_open:
            self._is_open = True
            self._there = self._open()
        if self._there is None:
            return b""
        opened, paths = self._there
        row = paths.index(path)
        place = int(np.searchsorted([group.start for group in opened.groups], row, side="right")) - 1
        if place in self._kept:
            self._kept.move_to_end(place)
        else:
            self._kept[place] = opened.column(opened.groups[place], "thumbnail")
            while len(self._kept) > 1 and sum(column.nbytes for column in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return bytes(self._kept[place][row - opened.groups[place].start].as_py())

    def _open(self) -> tuple[Opened, Texts] | None:
        # Arrow takes a third of a second to import.
        from convviz_gui.engine.embedded.lazy import Texts
        from convviz_gui.engine.embedded.opened import open_embedded

        opened = open_embedded(self.folder)
        if not opened.manifest.description.thumbnails:
            return None
        return opened, Texts(opened.table("path").column("path"))
