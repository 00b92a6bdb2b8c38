"""What goes in: the user's photos, how they are prepared, and what of the network is asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from convviz_gui.engine.payloads import ByteArray


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A decoded photo. `pixels` u8 [height, width, 3] RGB, orientation applied; `digest` is of the pixels.

    `notes` says in words what decoding had to decide ("first of 12 frames", "16-bit scaled from 0…4095").
    """

    pixels: ByteArray = field(repr=False, compare=False)
    name: str
    digest: str
    path: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preprocess:
    """From photo to input tensor: resize, centre crop, scale to 0…1, subtract `mean`, divide by `std`.

    Args:
        size: (H, W) of the input tensor in pixels.
        resize: shorter side in pixels before the crop; or (H, W) to squash the photo to before the crop; or None to
            squash it to `size` whole; or "fit" to shrink it whole into `size` and fill the margins with the mean.
        interpolation: "nearest", "bilinear", "bicubic" or "lanczos" (Pillow's, antialiased).
        mean, std: per input channel, of values in 0…1, in the order of the channels in the tensor; their length is the
            number of input channels: 1 is grey, 3 are colours; channels beyond the third get their mean, which is 0 in
            the tensor.
        source: where this came from, in words.
        channel_order: "rgb" or "bgr".
    """

    size: tuple[int, int]
    resize: int | tuple[int, int] | Literal["fit"] | None
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str = ""
    channel_order: str = "rgb"

    @property
    def channels(self) -> int:
        """Number of input channels: 3 for RGB, 1 for grey."""
        return len(self.mean)


@dataclass(frozen=True, slots=True)
class PreprocessChange:
    """Single fields of the preprocessing found that are to be otherwise; None keeps them. Fields as in `Preprocess`.

    `resize` is "squash" for what is None there. `grey` asks for one channel.
    """

    size: tuple[int, int] | None = None
    resize: int | tuple[int, int] | Literal["fit", "squash"] | None = None
    interpolation: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channel_order: str | None = None
    grey: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What in the network is asked about. None means the method's own default (the top class, say).

    Args:
        against: a second class, whose score is subtracted from that of `class_index`: what speaks for the one rather
            than for the other.
        unit: (row, column) of one position of the layer's map.
    """

    layer: str | None = None
    channels: tuple[int, ...] | None = None
    class_index: int | None = None
    against: int | None = None
    unit: tuple[int, int] | None = None
