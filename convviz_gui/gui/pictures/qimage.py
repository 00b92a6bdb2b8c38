"""The one place where arrays become `QImage`s and back: Qt itself checks neither the size nor the life of a buffer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.types import ImageInput

_NATIVE = QImage.Format.Format_RGB32


def to_qimage(pixels: ByteArray) -> QImage:
    """An image of its own from u8 [h, w] (grey) or [h, w, 3] (RGB).

    The image does not share the array's memory, and is in the format that Qt draws fastest.

    Raises:
        TypeError: not u8.
        ValueError: of another shape, or empty.
    """
    _check(pixels)
    shaped = np.ascontiguousarray(pixels)
    height, width = shaped.shape[:2]
    grey = shaped.ndim == 2
    format_ = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    # Converting makes a copy, so that nothing depends on how long the array lives.
    return QImage(shaped.data, width, height, width * (1 if grey else 3), format_).convertToFormat(_NATIVE)


@lru_cache(maxsize=4)
def photo_qimage(image: ImageInput) -> QImage:
    """The photo as an image; several views show the same one."""
    return to_qimage(image.pixels)


def coloured_qimage(index: ByteArray, table: ByteArray) -> QImage:
    """An image from u8 [h, w], each value coloured by `table` u8 [256, 3].

    An indexed image would change its colours for nothing, but Qt converts it anew whenever it draws it: 8 to 20 times
    slower than this, measured on tiles.

    Raises:
        TypeError: not u8.
        ValueError: of another shape, or empty.
    """
    _check(index)
    if index.ndim != 2 or table.shape != (256, 3) or table.dtype != np.uint8:
        raise ValueError(f"an indexed image is [h, w] with a table u8 [256, 3], not {index.shape} with {table.shape}")
    words = np.ascontiguousarray(_words(table.tobytes())[index])
    height, width = words.shape
    return QImage(words.data, width, height, 4 * width, _NATIVE).copy()


@lru_cache(maxsize=32)
def _words(table: bytes) -> NDArray[np.uint32]:
    """A table u8 [256, 3] as opaque 0xffRRGGBB words, u32 [256]."""
    red, green, blue = np.frombuffer(table, np.uint8).reshape(256, 3).astype(np.uint32).T
    return (0xFF000000 | red << 16 | green << 8 | blue).astype(np.uint32)


def to_array(image: QImage) -> ByteArray:
    """The image's colours as u8 [h, w, 3], transparency left out."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return lines[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


def _check(pixels: ByteArray) -> None:
    if pixels.dtype != np.uint8:
        raise TypeError(f"pixels are u8, not {pixels.dtype}")
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise ValueError(f"pixels are [h, w] or [h, w, 3], not {pixels.shape}")
