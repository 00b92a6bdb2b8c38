"""Photos from files: Pillow only, an allowlist of formats, and every bad file answered with one sentence."""

from __future__ import annotations

import ctypes
import hashlib
import io
import logging
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError, _imaging

from convviz_gui.engine import archives
from convviz_gui.engine.colours import Colour, to_rgb
from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.payloads import ByteArray, frozen
from convviz_gui.engine.types import ImageInput

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM")
"""Pillow's names of what is opened, whatever a file is called. Never EPS: it runs a program."""

EXTENSIONS = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".dib", ".gif",
    ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
})  # fmt: skip
"""Extensions, lower case, of the formats that are opened."""

MAX_PIXELS = 200_000_000
"""Pictures with more pixels are refused: a small file may unpack to more than the memory holds."""

MAX_READ = 512 * 2**20
"""Bytes: larger files are decoded from the disk instead of being read as a whole."""

WHITE: Colour = (255, 255, 255)

# Everything Pillow's decoders have been seen to raise for damaged files; tests/engine/test_images.py fuzzes this list.
DAMAGE: tuple[type[Exception], ...] = (
    OSError, ValueError, SyntaxError, RuntimeError, TypeError, LookupError, ArithmeticError, AttributeError,
    AssertionError, EOFError, struct.error, zlib.error, Warning, Image.DecompressionBombError,
)  # fmt: skip

_READABLE = "ConvViz reads JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and PPM; save it as one of these"
_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow keeps its limit and Python its filters per process, and changing either around each call is not thread-safe.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


# Pillow and libtiff write to the terminal what they think of a damaged file; our one sentence is enough.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def _hush_libtiff() -> None:
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for function in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            function(None)
    except (OSError, AttributeError):  # a Pillow that has it built in, out of reach, or not at all
        pass


_hush_libtiff()


def load_image(path: str | os.PathLike[str], *, background: Colour = WHITE) -> ImageInput:
    """Open a photo: orientation applied, transparency over `background`, wide ranges scaled to 0…255.

    It may lie in an archive: "/data/a.zip/cat/1.jpg". Safe to call from several threads.

    Raises:
        EngineError: the file is missing, not a picture, damaged, of a format not on the list, or too large.
    """
    picture, notes = open_rgb(path, background=background)
    file = Path(path)
    return image_from_array(np.asarray(picture), file.name, str(file.absolute()), notes)


def load_pixels(path: str | os.PathLike[str], *, background: Colour = WHITE) -> ByteArray:
    """The pixels of `load_image`, u8 [height, width, 3], without the digest and the notes."""
    return frozen(np.asarray(open_rgb(path, background=background)[0]))


def image_from_array(pixels: ByteArray, name: str, path: str | None = None, notes: tuple[str, ...] = ()) -> ImageInput:
    """An image that is already in memory. `pixels` is u8 [height, width, 3] RGB.

    Raises:
        EngineError: the array has another shape or type, or no pixels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        found = f"{pixels.dtype} {list(pixels.shape)}"
        raise EngineError(f"{name} is not an RGB picture: its array is {found}", "Give uint8 [height, width, 3]")
    # A view on somebody else's writable memory could change after the digest was taken.
    pixels = frozen(pixels if pixels.base is None and not pixels.flags.writeable else pixels.copy())
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.data)
    return ImageInput(pixels, name, digest.hexdigest()[:16], path, notes)


def open_rgb(
    path: str | os.PathLike[str],
    *,
    background: Colour = WHITE,
    data: bytes | None = None,
    reserve: Callable[[int], None] | None = None,
) -> tuple[Image.Image, tuple[str, ...]]:
    """Decode a file into a Pillow RGB image, and say in words what had to be decided. Raises as `load_image`.

    `data` is what `read_picture` returned for the path, if it has been read already. `reserve` is called with the
    number of pixels once the header is read and before any is decoded, see `decoding_room`.
    """
    name = _name(path)
    with _in_words(name), _opened(path, name, data) as file, Image.open(file, formats=FORMATS) as image:
        _check_size(image, name)
        if reserve is not None:
            reserve(image.width * image.height)
        image.load()
        return _oriented(image, background)


def read_picture(path: str | os.PathLike[str]) -> bytes | None:
    """All bytes of a picture's file, or None for more than `MAX_READ`, of which only parts should be in memory.

    Raises as `load_image` where the file is missing, empty, no file or may not be read; does not look into it.
    """
    name = _name(path)
    with _in_words(name):
        inside = archives.split(os.fspath(path))
        if inside is not None:
            return archives.read(*inside)
        return Path(path).read_bytes() if _check_file(path, name) <= MAX_READ else None


def _name(path: str | os.PathLike[str]) -> str:
    # "" and "/" have no last part.
    return printable(Path(path).name) or repr(os.fspath(path))


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """What reading and decoding a file raise, as an `EngineError`."""
    try:
        yield
    except UnidentifiedImageError:
        raise EngineError(f"{name} is not a picture that can be read", _READABLE) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(name) from None
    except PermissionError:
        raise EngineError(f"{name} may not be read", "Change its permissions, or copy it to your own folder") from None
    except FileNotFoundError:  # in an archive; or taken away just now
        raise EngineError(f"There is no file {name!r}", "Check the path") from None
    except MemoryError:
        title = f"There is not enough memory to open {name}"
        raise EngineError(title, "Make it smaller, or close other programs", ProblemKind.RESOURCE) from None
    except DAMAGE as error:
        why = str(error).strip().splitlines()[:1] or [type(error).__name__]
        title = f"{name} is damaged or incomplete ({why[0][:100]})"
        raise EngineError(title, "Copy it again from where it came, or save it anew in another program") from None


def _opened(path: str | os.PathLike[str], name: str, data: bytes | None) -> BinaryIO:
    if data is not None:
        return io.BytesIO(data)
    inside = archives.split(os.fspath(path))
    if inside is not None:
        return io.BytesIO(archives.read(*inside))
    _check_file(path, name)
    return Path(path).open("rb")


def _check_file(path: str | os.PathLike[str], name: str) -> int:
    """The file's size in bytes."""
    try:
        status = Path(path).stat()
    except PermissionError:
        raise
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise EngineError(f"There is no file {name!r}", "Check the path") from None
    if stat.S_ISDIR(status.st_mode):
        raise EngineError(f"{name} is a folder, not a picture", "Open a file in it, or use it as a folder of pictures")
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise EngineError(f"{name} is not an ordinary file", "Save the picture to a file first")
    if not status.st_size:
        raise EngineError(f"{name} is empty (0 bytes)", "Copy it again from where it came")
    full = str(Path(path).absolute())
    if printable(full) != full:  # it could be neither shown nor written to a manifest
        raise EngineError(f"The path of {name} is not valid Unicode", "Rename the file and the folders it is in")
    return status.st_size


def printable(path: str | os.PathLike[str]) -> str:
    """A path with a "?" for what is not valid Unicode: as it can be shown and written to a manifest."""
    return os.fspath(path).encode("utf-8", "replace").decode()


def _check_size(image: Image.Image, name: str) -> None:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise _too_large(name)
    if not pixels:
        raise EngineError(f"{name} has no pixels ({image.width}×{image.height})", "Choose another picture")


def _too_large(name: str) -> EngineError:
    limit = f"{MAX_PIXELS // 1_000_000} million pixels"
    return EngineError(f"{name} is too large: it has more than {limit}", "Make it smaller in another program")


def _oriented(image: Image.Image, background: Colour) -> tuple[Image.Image, tuple[str, ...]]:
    rgb, notes = to_rgb(image, background)
    if frames := _frames(image):
        notes = (frames, *notes)
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except DAMAGE:
        return rgb, (*notes, "orientation unknown: its EXIF data is damaged")
    # A damaged tag may hold anything, lists too.
    turn = _TRANSPOSE.get(orientation) if isinstance(orientation, int) else None
    return (rgb if turn is None else rgb.transpose(turn)), notes


def _frames(image: Image.Image) -> str:
    try:
        count = getattr(image, "n_frames", 1)
    except DAMAGE:
        return "first frame; the others are damaged"
    return f"first of {count} frames" if count > 1 else ""
