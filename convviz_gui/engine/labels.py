"""What a folder's labels say of a network's classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from convviz_gui.engine.payloads import IntArray
from convviz_gui.engine.types import ModelInfo


def classes_of(labels: Sequence[str], info: ModelInfo) -> IntArray:
    """The class that each label names, i64 [N]; −1 where it names none, or several.

    A label is a sub-folder's path; its last part counts. It names a class by the class's name (letter case, spaces,
    hyphens and underscores do not matter, and one of several names with commas between them is enough) or, where no
    name fits, by its number.
    """
    known: dict[str, int] = {}
    for index, name in enumerate(info.class_names):
        for part in {name, *name.split(",")}:
            key = _plain(part)
            known[key] = -1 if known.get(key, index) != index else index
    found = {label: _class_of(label, known, info.n_classes) for label in set(labels)}
    return np.array([found[label] for label in labels], np.int64)


def _class_of(label: str, known: dict[str, int], n_classes: int) -> int:
    last = label.rsplit("/", 1)[-1]
    key = _plain(last)
    if key and key in known:
        return known[key]
    if re.fullmatch(r"[0-9]{1,6}", last.strip()):
        number = int(last)
        return number if number < n_classes else -1
    return -1


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
