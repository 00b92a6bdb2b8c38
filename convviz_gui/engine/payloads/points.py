"""A dataset's latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads.arrays import FloatArray, IntArray, frozen
from convviz_gui.engine.payloads.origin import Origin
from convviz_gui.engine.payloads.skipped import Skipped

_NO_FLOATS: FloatArray = frozen(np.zeros(0, np.float32))
_NO_ROWS: IntArray = frozen(np.zeros(0, np.int64))
_NO_PLACES: FloatArray = frozen(np.zeros((0, 3), np.float32))
_NO_PAIRS: IntArray = frozen(np.zeros((0, 2), np.int64))


@dataclass(frozen=True, slots=True)
class Column:
    """What a table says of each of N pictures: `values` [N] are f64 (NaN where nothing is said) or text."""

    name: str
    values: NDArray[np.float64] | NDArray[np.str_] = field(repr=False, compare=False)

    @property
    def is_number(self) -> bool:
        """True for numbers, False for text."""
        return self.values.dtype.kind == "f"

    def text(self, row: int) -> str:
        """A cell as it is written into tables: as many digits as the number needs, "" where nothing is said."""
        value = self.values[row].item()
        if isinstance(value, str):
            return value
        return "" if value != value else repr(value).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Points:
    """A dataset embedded and projected.

    `features` f32 [N, D] raw; `xy` f32 [N, 2]; `logits` f32 [N, K]; `outlier` f32 [N], mean distance to the k nearest;
    `neighbours` i64 [N, k] row numbers, nearest first. Distances are in the full space, never in the projection.
    `labels` is "" where a picture has none. `trustworthiness` and `continuity` are in 0…1, NaN where undefined.
    `final` is False for frames of a projection still under way. `reduced_to` is the batch that a lack of memory
    forced, or 0. `folder` and `others` are the sources. `expected` is how many pictures there will be while they are
    being read, else 0.

    Of a directory of features (`origin` says whose) that is too large for memory `features` are [0, D], `logits`
    [0, K], and neighbours are asked for one by one (`Nearest`); `prediction` i64 [N] is the most probable class then,
    -1 where there is none, and `probability` f32 [N] its own.

    Empty where not known or not applicable: `splits` [N]; `xyz` f32 [N, 3], three principal components (PCA only);
    `preservation` f32 [N], the part 0…1 of a picture's true neighbours that are among its neighbours on the plot;
    `suspects` f32 [N] 0…1, higher = likelier a wrong label, above 0.5 where another label is likelier than the given
    one, NaN where nothing can be told: a picture without a label, or with one that no other picture has; `suggested`,
    the label that a suspect seems to deserve, "" where none does; `ambiguity` f32 [N] 0…1, the chance that two of a
    picture's neighbours have different labels, NaN where fewer than two have one; `duplicates` i64 [M, 2], pairs of
    rows that are the same picture, the likest first, each row with the first of its group and not each with each
    (`desk.duplicates`), and `duplicate_distance` f32 [M], 0 for the same pixels; `columns` of a table; `digests`, of
    each file's content; `note`, why features could not be kept, a sentence without a final stop. Paths and labels may
    be lazy sequences: never copy them for a single row.
    """

    layer: str
    folder: str
    projection: str
    paths: Sequence[str] = field(repr=False)
    labels: Sequence[str] = field(repr=False)
    features: FloatArray = field(repr=False, compare=False)
    xy: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    outlier: FloatArray = field(repr=False, compare=False)
    neighbours: IntArray = field(repr=False, compare=False)
    trustworthiness: float = float("nan")
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0
    others: tuple[str, ...] = ()
    splits: Sequence[str] = field(default=(), repr=False)
    columns: tuple[Column, ...] = field(default=(), repr=False)
    digests: Sequence[str] = field(default=(), repr=False)
    continuity: float = float("nan")
    xyz: FloatArray = field(default_factory=lambda: _NO_PLACES, repr=False, compare=False)
    preservation: FloatArray = field(default_factory=lambda: _NO_FLOATS, repr=False, compare=False)
    suspects: FloatArray = field(default_factory=lambda: _NO_FLOATS, repr=False, compare=False)
    suggested: Sequence[str] = field(default=(), repr=False)
    ambiguity: FloatArray = field(default_factory=lambda: _NO_FLOATS, repr=False, compare=False)
    duplicates: IntArray = field(default_factory=lambda: _NO_PAIRS, repr=False, compare=False)
    duplicate_distance: FloatArray = field(default_factory=lambda: _NO_FLOATS, repr=False, compare=False)
    expected: int = field(default=0, compare=False)
    prediction: IntArray = field(default_factory=lambda: _NO_ROWS, repr=False, compare=False)
    probability: FloatArray = field(default_factory=lambda: _NO_FLOATS, repr=False, compare=False)
    origin: Origin | None = None
    note: str = field(default="", compare=False)
