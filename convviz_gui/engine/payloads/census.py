"""Which channels of a network are of no use on a folder's pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Census:
    """All channels of L layers over N pictures: T altogether, those of layer l from `first`[l] to `first`[l + 1].

    `layers`, `kinds`: ids and module classes, in order of execution. `rectified` bool [L]: no value was negative.
    `first` i64 [L + 1]. Per channel: `peak` f32 [T], the largest value in any picture; `mean` f32 [T], over all
    positions; `firing` f32 [T], the part 0…1 of pictures in which it fires at some position, which is above 0 in a
    picture where the layer has no negative values, else above 1 % of the layer's largest value there. `dead` bool [T]:
    it fires in none. `sparse` bool [T]: it fires in some, but in less than `sparse_below` (0…1) of them. `twin` i64
    [T]: the earlier channel of the layer that it is most like, if the correlation of their pictures' means,
    `similarity` f32 [T], is at least `alike_from`; else −1, and 0. Likeness is judged by `n_judged` pictures, 0 if
    there were too few. `final` is False for previews, in which it is not judged yet. `reduced_to` is the batch that a
    lack of memory forced, or 0.
    """

    folder: str
    layers: tuple[str, ...]
    kinds: tuple[str, ...]
    rectified: BoolArray = field(repr=False, compare=False)
    first: IntArray = field(repr=False, compare=False)
    peak: FloatArray = field(repr=False, compare=False)
    mean: FloatArray = field(repr=False, compare=False)
    firing: FloatArray = field(repr=False, compare=False)
    dead: BoolArray = field(repr=False, compare=False)
    sparse: BoolArray = field(repr=False, compare=False)
    twin: IntArray = field(repr=False, compare=False)
    similarity: FloatArray = field(repr=False, compare=False)
    n_pictures: int
    n_judged: int
    sparse_below: float
    alike_from: float
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0

    def channels(self, layer: int) -> slice:
        """The channels of a layer, by its number, among all."""
        return slice(int(self.first[layer]), int(self.first[layer + 1]))
