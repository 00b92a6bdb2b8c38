"""The weights of a layer, filter by filter."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Kernels:
    """A layer's N filters. `weights` f32 [N, C, kh, kw], raw; of a linear layer [N, C, 1, 1].

    C is the number of input channels that each filter sees: of a grouped convolution those of its group alone.
    `norms` f32 [N]: L2 norm of each filter. `blank` bool [N]: norm ≤ 1e-3 of the largest. `duplicates` i64 [M, 2]:
    pairs of filters, neither blank, whose |cosine| ≥ 0.95, the most alike first, and `similarity` f32 [M], their
    cosine with its sign; `n_duplicates` counts all pairs where only the first so many are listed. `colours` holds,
    for a layer that sees the picture itself, which of the C channels is red, green and blue (−1: none; three times 0
    for a grey network), and is () elsewhere. `how` says in words how the weights were read, where they are no plain
    parameter.
    """

    layer: str
    kind: str
    weights: FloatArray = field(repr=False, compare=False)
    norms: FloatArray = field(repr=False, compare=False)
    blank: BoolArray = field(repr=False, compare=False)
    duplicates: IntArray = field(repr=False, compare=False)
    similarity: FloatArray = field(repr=False, compare=False)
    n_duplicates: int
    groups: int = 1
    colours: tuple[int, ...] = ()
    how: str = ""
