"""What it takes to write a payload into files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.types import Result

P = TypeVar("P")

Arrays = dict[str, NDArray[Any]]
Pictures = dict[str, ByteArray]
Tables = dict[str, str]


def _nothing(_payload: Any, _result: Result) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Depiction(Generic[P]):
    """One kind of payload as arrays, pictures and tables, each by name.

    Args:
        arrays: what `data.npz` holds; names, types and shapes are the command line's contract (docs/cli.md).
        pictures: u8 [H, W, 3] by file name without ending.
        tables: CSV text by file name without ending.
    """

    arrays: Callable[[P], Arrays]
    pictures: Callable[[P, Result], Pictures] = _nothing
    tables: Callable[[P, Result], Tables] = _nothing


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue()
