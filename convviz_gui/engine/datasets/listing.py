"""What a dataset is made of, before any picture is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from convviz_gui.engine.payloads import Column, Skipped, frozen


@dataclass(frozen=True, slots=True)
class Listing:
    """The photos of a dataset, N of them: absolute `paths`, a label each, and what was left out.

    A label is the sub-folder's path inside the folder, with "/" ("cat", "pets/cat"), and "" at the top; or what a
    table says. `splits` has the split of each photo ("train", "test", …), or is empty where there are none; `columns`
    are a table's other columns. A photo in an archive has the archive's path before its own ("/data/a.zip/cat/1.jpg").
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    splits: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=(), repr=False)

    def splits_of(self, rows: Sequence[int]) -> tuple[str, ...]:
        """The splits of some of the photos; () where there are none."""
        return tuple(self.splits[row] for row in rows) if self.splits else ()

    def columns_of(self, rows: Sequence[int]) -> tuple[Column, ...]:
        """The columns, of some of the photos."""
        return tuple(Column(column.name, frozen(column.values[list(rows)])) for column in self.columns)
