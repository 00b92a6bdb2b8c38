"""Class maps of a network's stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray
from convviz_gui.engine.payloads.heat import Heat


@dataclass(frozen=True, slots=True)
class Strip:
    """Class maps of S layers in order of execution, all of one class and one photo.

    `raw` holds S maps f32 [h, w], signed, each at its layer's size; `heat` f32 [S, H, W] in 0…1 at the model's input
    size, each scaled by its own maximum, all zero where `positive` bool [S] is False. `fields` f32 [S, 2]: height and
    width of the receptive field in pixels of the input, 0 where nobody can tell. `box`, `logits`, `class_index` and
    `against` as in `Heat`.
    """

    layers: tuple[str, ...]
    class_index: int
    raw: tuple[FloatArray, ...] = field(repr=False, compare=False)
    heat: FloatArray = field(repr=False, compare=False)
    positive: BoolArray = field(repr=False, compare=False)
    fields: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    against: int | None = None

    def stage(self, index: int) -> Heat:
        """One layer's map by itself."""
        return Heat(
            layer=self.layers[index],
            class_index=self.class_index,
            positive=bool(self.positive[index]),
            raw=self.raw[index],
            heat=self.heat[index],
            box=self.box,
            logits=self.logits,
            against=self.against,
        )
