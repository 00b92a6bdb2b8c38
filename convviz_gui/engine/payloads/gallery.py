"""Synthetic pictures of channels, classes or whole layers."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, ByteArray, FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Gallery:
    """N synthetic pictures. `images` u8 [N, H, W, 3].

    `channels` i64 [N] are what each is of: a channel's number or, where `objective` is "class", a class's index; 0
    where pictures are of the whole layer. `labels` names them where the number alone does not ("tabby", "7 · 2" for the
    second picture of channel 7); it is empty otherwise. `layer` is "" where the whole network was asked.

    `trace` f32 [N, steps]: the target's loss at every step (NaN for steps not taken yet). `dead` bool [N]: the target
    could not be made to respond. `done` i64 [N]: steps taken. `negative`: the pictures silence their target.

    `transparency` f32 [N, H, W] or None: how much each pixel mattered, Σ over steps and colours of |∂loss/∂pixel|.
    `spectrum` f32 [C, H, W // 2 + 1] or None: the magnitudes that all pictures were given, of which `spectrum_of` says
    in words where they are from: from `spectrum_pictures` pictures, `skipped` could not be read, or built in (0).
    `reduced_to` is the batch that a lack of memory forced, or 0.
    """

    layer: str
    channels: IntArray = field(repr=False, compare=False)
    images: ByteArray = field(repr=False, compare=False)
    trace: FloatArray = field(repr=False, compare=False)
    dead: BoolArray = field(repr=False, compare=False)
    done: IntArray = field(repr=False, compare=False)
    reduced_to: int = 0
    objective: str = "channel"
    negative: bool = False
    labels: tuple[str, ...] = ()
    transparency: FloatArray | None = field(default=None, repr=False, compare=False)
    spectrum: FloatArray | None = field(default=None, repr=False, compare=False)
    spectrum_of: str = ""
    spectrum_pictures: int = 0
    skipped: tuple[Skipped, ...] = ()

    def label(self, item: int) -> str:
        """What a picture is of, in a word."""
        return self.labels[item] if self.labels else str(int(self.channels[item]))
