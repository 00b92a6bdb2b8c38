"""Texts of many pictures as numbers. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import IntArray


@dataclass(frozen=True, slots=True)
class Encoded:
    """N texts, of which there are few different ones: text i is `names[codes[i]]`, `codes` i64 [N]."""

    names: tuple[str, ...]
    codes: IntArray = field(repr=False, compare=False)

    @property
    def says_something(self) -> bool:
        """True if any text is not empty."""
        return any(self.names)


def encode(values: Sequence[str] | NDArray[np.str_]) -> Encoded:
    """Number the different texts in the order in which they come. A million take a tenth of a second."""
    number: dict[str, int] = {}
    texts = values.tolist() if isinstance(values, np.ndarray) else values
    codes = np.fromiter((number.setdefault(text, len(number)) for text in texts), np.int64, len(values))
    return Encoded(tuple(number), codes)


def canonical(name: str) -> str:
    """A name as it is compared: the last part of a folder, the first of several synonyms, no case, no underscores."""
    last = name.rsplit("/", 1)[-1].split(",", 1)[0]
    return " ".join(last.replace("_", " ").replace("-", " ").casefold().split())
