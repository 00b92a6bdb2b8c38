"""The byte-bounded cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.cache import ByteCache


@dataclass(frozen=True)
class Item:
    values: np.ndarray
    label: str = ""


def item(n_bytes: int) -> Item:
    return Item(np.zeros(n_bytes, np.uint8))


def test_the_longest_unused_goes_first() -> None:
    cache: ByteCache[str, Item] = ByteCache(100)
    cache.put("a", item(40))
    cache.put("b", item(40))
    assert cache.get("a") is not None
    cache.put("c", item(40))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.n_bytes == 80


def test_what_is_too_large_is_not_kept_and_drops_nothing() -> None:
    cache: ByteCache[str, Item] = ByteCache(100)
    cache.put("a", item(60))
    cache.put("b", item(101))
    assert cache.get("a") is not None
    assert len(cache) == 1


def test_replacing_counts_once() -> None:
    cache: ByteCache[str, Item] = ByteCache(100)
    for _ in range(5):
        cache.put("a", item(60))
    assert cache.n_bytes == 60
    cache.clear()
    assert (len(cache), cache.n_bytes) == (0, 0)
