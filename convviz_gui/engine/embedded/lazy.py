"""Texts of a million pictures without a million Python strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_BLOCK = 65_536


class Texts(Sequence[str]):
    """A column of texts as a sequence: made into strings where one is looked at. Never changes.

    Two are equal if they hold the same texts; compared with a tuple or a list likewise.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise TypeError(f"not texts but {column.type}")
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return Texts(self._column.slice(start, max(stop - start, 0)))
            return Texts(self._column.take(pa.array(range(start, stop, step), pa.int64())))
        size = len(self)
        if not -size <= index < size:
            raise IndexError(index)
        return str(self._column[int(index) % size].as_py())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK):
            yield from self._column.slice(start, _BLOCK).to_pylist()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return self is other or self._column.equals(other._column)
        if isinstance(other, Sequence) and not isinstance(other, str):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash((len(self), self[0] if len(self) else ""))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.str_]:
        del copy
        return np.array(self._column.to_pylist(), dtype or np.str_)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The first place of a text, as in any sequence, found without making strings."""
        part = self._column.slice(start, None if stop is None else max(stop - start, 0))
        found = _place(part, value)
        if found < 0:
            raise ValueError(f"{value!r} is not in it")
        return start + found

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and _place(self._column, value) >= 0

    def __repr__(self) -> str:
        return f"<{len(self)} texts>"


def _place(column: pa.ChunkedArray, text: str) -> int:
    return int(pc.index(column.cast(pa.string()), text).as_py())
