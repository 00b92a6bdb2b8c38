"""What methods return: frozen payloads of read-only host arrays, and the array vocabulary they are written in.

Shapes use C channels, H×W the model's input, h×w a layer's map, N items, K classes. "Photo" is the user's picture;
"crop" the part of it the model saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` contiguous and read-only, so that it can be shared between threads; copies only if it must."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


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


@dataclass(frozen=True, slots=True)
class Gallery:
    """Synthetic pictures of N channels. `images` u8 [N, H, W, 3], `channels` i64 [N].

    `trace` f32 [N, steps]: the target's loss at every step (NaN for steps not taken yet). `dead` bool [N]: the channel
    could not be made to respond. `done` i64 [N]: steps taken. `reduced_to` is the batch that a
    lack of memory forced, or 0.
    """

    layer: str
    channels: IntArray = field(repr=False, compare=False)
    images: ByteArray = field(repr=False, compare=False)
    trace: FloatArray = field(repr=False, compare=False)
    dead: BoolArray = field(repr=False, compare=False)
    done: IntArray = field(repr=False, compare=False)
    reduced_to: int = 0


@dataclass(frozen=True, slots=True)
class Heat:
    """A class map. `raw` f32 [h, w] signed, at the layer's size; `heat` f32 [H, W] in 0…1 at the model's input size.

    `heat` is all zero and `positive` False when there is no positive evidence. `box` f32 [4]: the crop's x, y, width,
    height in the photo's pixels. `logits` f32 [K]; `class_index` is the class explained.
    """

    layer: str
    class_index: int
    positive: bool
    raw: FloatArray = field(repr=False, compare=False)
    heat: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Points:
    """A folder embedded and projected.

    `features` f32 [N, D] raw; `xy` f32 [N, 2]; `logits` f32 [N, K]; `outlier` f32 [N], mean distance to the k nearest;
    `neighbours` i64 [N, k] row numbers, nearest first. Distances are in the full space, never in the projection.
    `labels` is "" where a picture stands in no sub-folder. `trustworthiness` is in 0…1, NaN where undefined.
    `final` is False for frames of a projection still under way. `reduced_to` is the batch that a lack of memory
    forced, or 0.
    """

    layer: str
    folder: str
    projection: str
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    features: FloatArray = field(repr=False, compare=False)
    xy: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    outlier: FloatArray = field(repr=False, compare=False)
    neighbours: IntArray = field(repr=False, compare=False)
    trustworthiness: float = float("nan")
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why, in words."""

    path: str
    reason: str


Payload = Overview | Seen | Maps | Gallery | Heat | Points
