"""A directory of features, opened: small columns whole, features and logits group by group."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from convviz_gui.engine.embedded.manifest import MANIFEST, UNFINISHED, Manifest, Part, read_manifest
from convviz_gui.engine.embedded.parts import DAMAGE, damaged, open_part, part_name, vectors
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import FloatArray, IntArray

T = TypeVar("T")

_AHEAD = 2
"""Groups read in advance."""
MOST_ROWS = 60_000
"""Up to so many rows are read into memory; of more, only what a map needs."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are read at once: `rows` of them from row `start` of the whole, in group `index` of a part."""

    part: Part
    index: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A finished directory. Every part has been looked at: it is there, has the size and the columns it should have."""

    folder: Path
    manifest: Manifest
    groups: tuple[Group, ...] = field(repr=False)

    def __len__(self) -> int:
        return self.manifest.rows

    def table(self, *columns: str) -> pa.Table:
        """Some columns of all rows. Raises `EngineError` naming a damaged part."""
        tables = []
        for part in self.manifest.parts:
            try:
                file = pq.ParquetFile(
                    self.folder / part.file, page_checksum_verification=True, read_dictionary=["label", "split"]
                )
                tables.append(file.read(list(columns)).replace_schema_metadata())
            except DAMAGE as error:
                raise damaged(self.folder, part, error) from None
        return pa.concat_tables(tables).unify_dictionaries()

    def vectors(self, column: str = "features") -> Iterator[tuple[int, NDArray[Any]]]:
        """The first row and the vectors [n, D] of each group in the type stored; the next two are read meanwhile."""
        return self.each(lambda values: values, column)

    def each(self, work: Callable[[NDArray[Any]], T], column: str = "features") -> Iterator[tuple[int, T]]:
        """As `vectors`, with what `work` makes of them in the threads that read."""

        def read(group: Group) -> T:
            return work(self._read(group, column))

        with ThreadPoolExecutor(_AHEAD, thread_name_prefix="read") as pool:
            waiting = deque(pool.submit(read, group) for group in self.groups[:_AHEAD])
            for place, group in enumerate(self.groups):
                made = waiting.popleft().result()
                if place + _AHEAD < len(self.groups):
                    waiting.append(pool.submit(read, self.groups[place + _AHEAD]))
                yield group.start, made

    def rows(self, wanted: IntArray | Sequence[int], column: str = "features") -> FloatArray:
        """Vectors f32 [len(wanted), D] of some rows, in the order asked for; only their groups are read."""
        numbers = np.asarray(wanted, np.int64)
        found = np.empty((len(numbers), self._width(column)), np.float32)
        starts = np.array([group.start for group in self.groups])
        of_group = np.searchsorted(starts, numbers, side="right") - 1
        for place in np.unique(of_group).tolist():
            group, here = self.groups[place], of_group == place
            found[here] = self._read(group, column)[numbers[here] - group.start]
        return found

    def _width(self, column: str) -> int:
        description = self.manifest.description
        return description.dimension if column == "features" else description.n_classes

    def column(self, group: Group, name: str) -> pa.ChunkedArray:
        """A column of a group's rows. Raises `EngineError` naming a damaged part."""
        try:
            file = pq.ParquetFile(self.folder / group.part.file, page_checksum_verification=True)
            return file.read_row_group(group.index, [name], use_threads=False).column(name)
        except DAMAGE as error:
            raise damaged(self.folder, group.part, error) from None

    def _read(self, group: Group, column: str) -> NDArray[Any]:
        return vectors(self.column(group, column), self._width(column))


def is_large(opened: Opened) -> bool:
    """True if its features are not to be in memory."""
    return len(opened) > MOST_ROWS


def open_embedded(folder: str | Path) -> Opened:
    """Open a directory that `convviz embed` has finished; reads no row.

    Raises:
        EngineError: it is empty, foreign, unfinished, of a newer version, or a part is missing or damaged.
    """
    root = Path(folder)
    if not (root / MANIFEST).exists():
        raise _not_there(root)
    return opened_of(root, read_manifest(root / MANIFEST))


def opened_of(root: Path, manifest: Manifest) -> Opened:
    """A directory whose manifest is known. Raises as `open_embedded`."""
    groups: list[Group] = []
    start = 0
    for part in manifest.parts:
        facts = open_part(root, part, manifest.description).metadata
        for index in range(facts.num_row_groups):
            rows = facts.row_group(index).num_rows
            groups.append(Group(part, index, start, rows))
            start += rows
    if not start:
        raise EngineError(f"{root} holds no rows", "Write it anew with convviz embed")
    return Opened(root, manifest, tuple(group for group in groups if group.rows))


def _not_there(root: Path) -> EngineError:
    if not (root / UNFINISHED).exists():
        return EngineError(f"{root} was not written by convviz embed", "Choose a directory that was")
    begun = read_manifest(root / UNFINISHED)
    there = sum((root / part_name(number)).exists() for number in range(begun.n_parts))
    return EngineError(
        f"{root} is not finished: {there} of {begun.n_parts} parts are there",
        f"Start the same command again: {begun.command}" if begun.command else "Start convviz embed again",
    )
