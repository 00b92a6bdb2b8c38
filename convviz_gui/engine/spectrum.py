"""The magnitudes of natural pictures' Fourier coefficients: of the user's own folder, or the law they follow."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from convviz_gui.engine import files
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.payloads import FloatArray, Skipped, frozen
from convviz_gui.engine.preprocess import prepare_picture
from convviz_gui.engine.types import Preprocess

if TYPE_CHECKING:
    from convviz_gui.engine.method import Update

MOST_PICTURES = 2000
"""Pictures of a folder that are taken, evenly spaced: the mean of so many hardly changes with more."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """`magnitude` f32 [C, S, S // 2 + 1], of numpy's `rfft2` of pictures of S×S pixels with C colour components.

    `words` says where it is from; `n_pictures` is 0 for the built-in one.
    """

    magnitude: FloatArray = field(repr=False, compare=False)
    words: str
    n_pictures: int = 0
    skipped: tuple[Skipped, ...] = ()


def frequencies(size: int) -> FloatArray:
    """Distance from 0 of each coefficient of `rfft2`, in cycles per pixel: f32 [size, size // 2 + 1]."""
    down, along = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    return np.sqrt(down**2 + along**2).astype(np.float32)


def built_in(size: int, n_colours: int) -> Spectrum:
    """1/f, which natural pictures follow on average, alike in each component; at f = 0 that of one cycle a picture."""
    law = 1 / np.maximum(frequencies(size), 1 / size)
    magnitude = np.repeat(law[None], n_colours, axis=0).astype(np.float32)
    return Spectrum(frozen(magnitude), "built in: 1/f, the average of natural pictures")


def folder_spectrum(listing: Listing, size: int, to_components: FloatArray) -> Generator[Update, None, Spectrum]:
    """The mean magnitude over a folder's pictures, one after the other; memory does not grow with them.

    Each is scaled to a shorter side of `size`, its centre cut out, values p in 0…1; transformed are the components
    (p − ½) @ `to_components`.

    Args:
        listing: the folder; of more than `MOST_PICTURES` pictures so many are taken, evenly spaced.
        size: side of the pictures in pixels.
        to_components: f32 [C, C], from C colours (red first; 1 is grey) to components.

    Raises `EngineError` if no picture can be read.
    """
    from convviz_gui.engine.method import Update

    n_colours = len(to_components)
    half = (0.5,) * n_colours
    cut = Preprocess((size, size), size, "bilinear", half, half)
    paths = [listing.paths[i] for i in _spread(len(listing.paths))]
    total = np.zeros((n_colours, size, size // 2 + 1))
    skipped: list[Skipped] = []
    for number, path in enumerate(paths):
        yield Update(number, len(paths), f"spectrum of the pictures: {number} of {len(paths)}")
        try:
            values = prepare_picture(open_rgb(path)[0], cut)[0]
        except EngineError as error:
            skipped.append(Skipped(path, error.title))
            continue
        components = (values.astype(np.float32) / 255 - 0.5) @ to_components
        total += np.abs(np.fft.rfft2(components.transpose(2, 0, 1)))
    n = len(paths) - len(skipped)
    if not n:
        raise EngineError(
            f"None of the {len(paths)} pictures could be read, the first because: {skipped[0].reason}",
            "Choose a folder with JPEG or PNG pictures, or none for the built-in spectrum",
        )
    return Spectrum(frozen((total / n).astype(np.float32)), _words(n, listing), n, (*listing.skipped, *skipped))


def signature(listing: Listing) -> tuple[tuple[str, int, int], ...]:
    """What a spectrum depends on: each file with its time and size."""
    found = []
    for path in listing.paths:
        try:
            found.append((path, *files.signature(path)))
        except OSError:
            continue
    return tuple(found)


def _spread(n: int) -> list[int]:
    taken = min(n, MOST_PICTURES)
    return [i * n // taken for i in range(taken)]


def _words(n: int, listing: Listing) -> str:
    of = f" of {len(listing.paths):,}" if n < len(listing.paths) else ""
    return f"mean of {n:,}{of} pictures of the folder"
