"""A cache bounded in bytes, oldest use out first."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Generic, TypeVar

import numpy as np

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Keeps dataclasses of arrays up to `limit` bytes altogether; what alone is larger is not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays kept."""
        return self._bytes

    def get(self, key: K) -> V | None:
        """The value, which becomes the newest, or None."""
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key][0]

    def put(self, key: K, value: V) -> None:
        """Keep a value, dropping the longest unused ones as needed."""
        if key in self._items:
            self._bytes -= self._items.pop(key)[1]
        size = _array_bytes(value)
        if size > self._limit:
            return
        self._items[key] = (value, size)
        self._bytes += size
        while self._bytes > self._limit:
            self._bytes -= self._items.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
        self._bytes = 0


def _array_bytes(value: object) -> int:
    if not dataclasses.is_dataclass(value):
        raise TypeError(f"only dataclasses of arrays are kept, not {type(value).__name__}")
    fields = (getattr(value, field.name) for field in dataclasses.fields(value))
    return sum(item.nbytes for item in fields if isinstance(item, np.ndarray))
