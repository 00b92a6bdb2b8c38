"""From photo to input tensor, without torch: the numbers of torchvision's and timm's evaluation transforms.

Shorter side to S with Pillow's antialiased filter, the other to int(S·long/short); centre crop with torchvision's
rounding, black where the crop is larger than the picture; 0…1; minus mean, by standard deviation.

"fit" is timm's "border" mode: both sides divided by the larger of height/H and width/W and rounded, so that one side
fills the input; the margins, the odd pixel at the bottom and on the right, are the byte nearest to the mean, which is
within 1/510 of the mean in 0…1 and so within 1/(510·std) of 0 in the tensor.

Bytes are in the tensor's channel order: red first, blue first, or Pillow's luminance where there is one channel. A
network of two channels gets the first two of that order, one of more than three exactly 0 in all further ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from convviz_gui.engine.payloads import ByteArray, FloatArray, frozen
from convviz_gui.engine.preprocess_rules import COLOURS, checked
from convviz_gui.engine.types import Preprocess

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
MAX_RESIZED = 64_000_000
"""A strip of 1×5,000 pixels with its shorter side at 256 would have 328 million: beyond this many pixels only the
crop is resized, which is the same up to one grey level."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """One side of a picture: `photo` and `resized` pixels, of which `crop` are taken from `start` (below 0: padded)."""

    photo: int
    resized: int
    start: int
    crop: int

    @property
    def inside(self) -> tuple[int, int]:
        """First and last + 1 pixel of the crop that the resized picture has."""
        return max(self.start, 0), min(self.start + self.crop, self.resized)

    def in_photo(self, pixel: int) -> float:
        """A place in the resized picture, in the photo's pixels."""
        return pixel * self.photo / self.resized


def prepare(pixels: ByteArray, preprocess: Preprocess) -> tuple[FloatArray, FloatArray]:
    """The input tensor f32 [C, H, W] of a photo u8 [height, width, 3], and its crop box (see `crop_box`).

    Raises:
        EngineError: the preprocessing makes no sense (see `preprocess_rules.checked`).
    """
    small, box = prepare_bytes(pixels, preprocess)
    return frozen(normalise(small[None], preprocess)[0]), box


def prepare_bytes(pixels: ByteArray, preprocess: Preprocess) -> tuple[ByteArray, FloatArray]:
    """The crop u8 [H, W, min(C, 3)] before scaling and normalising, and its box. Raises as `prepare`."""
    return prepare_picture(Image.fromarray(pixels), preprocess)


def prepare_picture(picture: Image.Image, preprocess: Preprocess) -> tuple[ByteArray, FloatArray]:
    """`prepare_bytes` of a Pillow RGB image: saves a folder's pictures two copies at full size. Raises as `prepare`."""
    checked(preprocess)
    vertical, horizontal = _axes(picture.height, picture.width, preprocess)
    picture = picture.convert("L") if preprocess.channels == 1 else picture
    crop = _cropped(picture, vertical, horizontal, _FILTERS[preprocess.interpolation], _margin(preprocess))
    values = np.asarray(crop).reshape(*preprocess.size, -1)
    if preprocess.channels > 1 and colour_order(preprocess) != (0, 1, 2):
        values = values[..., list(colour_order(preprocess))]
    return frozen(values), _box(vertical, horizontal)


def colour_order(preprocess: Preprocess) -> tuple[int, ...]:
    """Which of red, green, blue (0, 1, 2) each of the tensor's first channels is; (0,) for grey too."""
    order = (0, 1, 2) if preprocess.channel_order == "rgb" else (2, 1, 0)
    return order[: preprocess.channels] if preprocess.channels > 1 else (0,)


def _margin(preprocess: Preprocess) -> tuple[int, ...]:
    """Colour of the margins in Pillow's order."""
    margin = [0] * (1 if preprocess.channels == 1 else COLOURS)
    if preprocess.resize == "fit":
        for colour, mean in zip(colour_order(preprocess), preprocess.mean, strict=False):
            margin[colour] = min(max(round(255 * mean), 0), 255)
    return tuple(margin)


def crop_box(height: int, width: int, preprocess: Preprocess) -> FloatArray:
    """What the network sees of a photo: f32 [4] x, y, width, height in the photo's pixels, y down.

    Where the crop is larger than the resized photo the box reaches beyond the photo; there the network sees black, or
    the mean with "fit".
    """
    return _box(*_axes(height, width, preprocess))


def normalise(crops: ByteArray, preprocess: Preprocess) -> FloatArray:
    """Crops u8 [N, H, W, min(C, 3)] as network input f32 [N, C, H, W]: (value/255 − mean) / std, per channel.

    Channels beyond the third are 0. The memory is in the order N, H, W, C, which convolutions run fastest in (torch's
    `channels_last`).
    """
    # Rows of the flattened picture: three times faster than over an axis of three, and torch's order of operations
    # gives torchvision's bits.
    n, height, width, channels = crops.shape
    tiled = (np.tile(np.array(values[:channels], np.float32), width) for values in (preprocess.mean, preprocess.std))
    mean, std = tiled
    rows: FloatArray = np.divide(crops.reshape(-1, width * channels), 255, dtype=np.float32)
    rows -= mean
    rows /= std
    x = rows.reshape(n, height, width, channels)
    if preprocess.channels > channels:
        x = np.zeros((n, height, width, preprocess.channels), np.float32)
        x[..., :channels] = rows.reshape(n, height, width, channels)
    return x.transpose(0, 3, 1, 2)


def as_colours(tensor: FloatArray, preprocess: Preprocess) -> tuple[ByteArray, int]:
    """An input f32 [C, H, W] turned back into a picture u8 [H, W, 3], and how many of its values did not fit into one.

    Times std, plus mean, red first, grey as grey; blue is 0 where there are two channels, and channels beyond the third
    are not shown. Values beyond 0…255 are clipped and counted, a grey value once.
    """
    order = colour_order(preprocess)
    shown = [tensor[i] * np.float32(preprocess.std[i]) + np.float32(preprocess.mean[i]) for i in range(len(order))]
    levels = np.rint(np.stack(shown, axis=-1) * np.float32(255))
    clipped = int(((levels < 0) | (levels > 255)).sum())
    picture = np.zeros((*tensor.shape[1:], COLOURS), np.uint8)
    picture[..., list(order) if preprocess.channels > 1 else [0, 1, 2]] = np.clip(levels, 0, 255).astype(np.uint8)
    return frozen(picture), clipped


def _axes(height: int, width: int, preprocess: Preprocess) -> tuple[_Axis, _Axis]:
    """Vertical and horizontal."""
    if preprocess.resize is None:
        resized = preprocess.size
    elif isinstance(preprocess.resize, tuple):
        resized = preprocess.resize
    elif preprocess.resize == "fit":
        ratio = max(height / preprocess.size[0], width / preprocess.size[1])
        resized = (max(round(height / ratio), 1), max(round(width / ratio), 1))
    else:
        short = min(height, width)
        resized = (int(preprocess.resize * height / short), int(preprocess.resize * width / short))
    starts = (_start(side, crop) for side, crop in zip(resized, preprocess.size, strict=True))
    vertical, horizontal = map(_Axis, (height, width), resized, starts, preprocess.size)
    return vertical, horizontal


def _start(side: int, crop: int) -> int:
    # torchvision pads by (crop − side) // 2 on the left, but rounds half to even when it cuts.
    return -((crop - side) // 2) if crop > side else round((side - crop) / 2)


def _box(vertical: _Axis, horizontal: _Axis) -> FloatArray:
    x, y = horizontal.in_photo(horizontal.start), vertical.in_photo(vertical.start)
    return frozen(np.array([x, y, horizontal.in_photo(horizontal.crop), vertical.in_photo(vertical.crop)], np.float32))


def _cropped(
    picture: Image.Image, vertical: _Axis, horizontal: _Axis, method: Image.Resampling, margin: tuple[int, ...]
) -> Image.Image:
    (top, bottom), (left, right) = vertical.inside, horizontal.inside
    size = (horizontal.resized, vertical.resized)
    if size[0] * size[1] > MAX_RESIZED:
        corners = (
            horizontal.in_photo(left),
            vertical.in_photo(top),
            horizontal.in_photo(right),
            vertical.in_photo(bottom),
        )
        inside = picture.resize((right - left, bottom - top), method, corners)
    else:
        resized = picture if picture.size == size else picture.resize(size, method)
        inside = resized.crop((left, top, right, bottom))
    if inside.size == (horizontal.crop, vertical.crop):
        return inside
    padded = Image.new(picture.mode, (horizontal.crop, vertical.crop), margin if len(margin) > 1 else margin[0])
    padded.paste(inside, (left - horizontal.start, top - vertical.start))
    return padded
