"""Rows of pictures as they come in, in whatever order, readable at any time without a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convviz_gui.engine.desk.fingerprint import VERSION
from convviz_gui.engine.payloads import FloatArray, frozen

LOGITS = "@logits"
"""Under this name among the layers': what the network says of the picture as a whole."""

PRINTS = f"@fingerprint {VERSION}"
"""Under this name among the layers': the whole picture's fingerprint, bytes as numbers (`desk.fingerprint`)."""

Rows = Mapping[str, FloatArray]
"""By layer: [n, D] for n pictures, or [D] for one."""


class Gathering:
    """Rows f32 of several layers, and which pictures they are of.

    `places` are numbers in a listing, `digests` of the files' contents ("" if not known). Two files of the same content
    have the same rows, to the last bit: those of the first of them. `most` pictures may come.
    """

    def __init__(self, layers: Sequence[str], most: int) -> None:
        self.layers = tuple(layers)
        self._most = most
        self.places: list[int] = []
        self.digests: list[str] = []
        self._first: dict[str, int] = {}
        self._values: dict[str, FloatArray] = {}

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: int, digest: str, row: Rows) -> Rows:
        """Take in a picture's rows; returns those that count, which a file of the same content may have brought."""
        n = len(self.places)
        twin = self._first.setdefault(digest, n) if digest else n
        for layer in self.layers:
            self._room(layer, row[layer])[n] = row[layer] if twin == n else self._values[layer][twin]
        self.places.append(place)
        self.digests.append(digest)
        return row if twin == n else {layer: self._values[layer][twin] for layer in self.layers}

    def so_far(self, layer: str) -> FloatArray:
        """Rows [n, D] in the order in which they came; what is added later does not change it."""
        return frozen(self._values[layer][: len(self.places)])

    def sort(self) -> None:
        """Put everything into the order of the places; one layer at a time is there twice."""
        order = np.argsort(np.array(self.places, np.int64), kind="stable")
        if np.array_equal(order, np.arange(len(order))):
            return
        for layer, values in self._values.items():
            self._values[layer] = values[order]
        self.places = [self.places[row] for row in order.tolist()]
        self.digests = [self.digests[row] for row in order.tolist()]
        self._first.clear()

    def _room(self, layer: str, row: FloatArray) -> FloatArray:
        """The layer's array. Its memory is taken by the system only where rows are written."""
        if layer not in self._values:
            self._values[layer] = np.empty((self._most, *row.shape), np.float32)
        return self._values[layer]
