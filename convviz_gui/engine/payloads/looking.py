"""What a forward pass shows: predictions, the input itself, the activations of a layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, ByteArray, FloatArray


@dataclass(frozen=True, slots=True)
class Overview:
    """What one forward pass says: `logits` f32 [K], `probabilities` f32 [K], and how sparse each layer is.

    `layers` names L layers in order of execution; `sparsity`, `blank` f32 [L] are fractions 0…1 of positions and of
    channels. `box` f32 [4] is the crop's x, y, width, height in the photo's pixels.
    """

    logits: FloatArray = field(repr=False, compare=False)
    probabilities: FloatArray = field(repr=False, compare=False)
    layers: tuple[str, ...]
    sparsity: FloatArray = field(repr=False, compare=False)
    blank: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the network sees of a photo: `tensor` f32 [C, H, W], its input, and `picture` u8 [H, W, 3], that as colours.

    `box` f32 [4]: the crop's x, y, width, height in the photo's pixels. `clipped` counts the values of the tensor that
    are beyond what a picture can show.
    """

    tensor: FloatArray = field(repr=False, compare=False)
    picture: ByteArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    clipped: int = 0


@dataclass(frozen=True, slots=True)
class Maps:
    """Activations of one layer. `maps` f32 [C, h, w], the module's raw output; vectors are [C, 1, 1].

    `mean`, `std`, `max`, `sparsity` f32 [C]: see `engine/statistics.py`. `blank` bool [C]: nothing found in this image.
    `box` f32 [4]: the crop's x, y, width, height in the photo's pixels.
    """

    layer: str
    maps: FloatArray = field(repr=False, compare=False)
    mean: FloatArray = field(repr=False, compare=False)
    std: FloatArray = field(repr=False, compare=False)
    max: FloatArray = field(repr=False, compare=False)
    sparsity: FloatArray = field(repr=False, compare=False)
    blank: BoolArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
