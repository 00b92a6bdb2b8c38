"""Texts of many pictures as numbers. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import IntArray

_PIECE = 20_000


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
    texts: Sequence[str] = values.tolist() if isinstance(values, np.ndarray) else values
    number: dict[str, int] = {}
    codes = np.empty(len(texts), np.int64)
    # Piece by piece: within one, no other thread gets at the interpreter.
    for start in range(0, len(texts), _PIECE):
        piece = texts[start : start + _PIECE]
        for text in dict.fromkeys(piece):
            number.setdefault(text, len(number))
        codes[start : start + _PIECE] = np.fromiter(map(number.__getitem__, piece), np.int64, len(piece))
    return Encoded(tuple(number), codes)


def hashes(values: Sequence[str]) -> IntArray:
    """Python's hash i64 [N] of each text: the same for equal texts while the program runs."""
    codes = np.empty(len(values), np.int64)
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE]
        codes[start : start + _PIECE] = np.fromiter(map(hash, piece), np.int64, len(piece))
    return codes


def canonical(name: str) -> str:
    """A name as it is compared: the last part of a folder, the first of several synonyms, no case, no underscores."""
    last = name.rsplit("/", 1)[-1].split(",", 1)[0]
    return " ".join(last.replace("_", " ").replace("-", " ").casefold().split())
