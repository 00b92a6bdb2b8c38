"""Class maps."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Heat:
    """A class map. `raw` f32 [h, w] signed, at the layer's size; `heat` f32 [H, W] in 0…1 at the model's input size.

    `heat` is all zero and `positive` False when there is no positive evidence. `box` f32 [4]: the crop's x, y, width,
    height in the photo's pixels. `logits` f32 [K]; `class_index` is the class explained, `against` the
    one whose score was subtracted from its score, or None. `of_class` is False for a map that is the same whatever the
    class, as EigenCAM's: `class_index` is only named beside it then.
    """

    layer: str
    class_index: int
    positive: bool
    raw: FloatArray = field(repr=False, compare=False)
    heat: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    against: int | None = None
    of_class: bool = True
