"""Arrays become images and back without loss, and nothing else does."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.gui.pictures.qimage import coloured_qimage, to_array, to_qimage


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (13, 2, 3), (64, 63, 3)])
def test_there_and_back(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(to_array(to_qimage(pixels)), pixels)


def test_views_with_strides_of_their_own() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)
    for view in (pixels[::2, ::-1], pixels.transpose(1, 0, 2), np.asfortranarray(pixels)):
        np.testing.assert_array_equal(to_array(to_qimage(view)), view)


def test_the_image_outlives_the_array_and_does_not_follow_it() -> None:
    pixels = np.full((50, 50, 3), 7, np.uint8)
    image = to_qimage(pixels)
    pixels[:] = 200
    del pixels
    gc.collect()
    assert (to_array(image) == 7).all()


def test_read_only_and_grey() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    grey.flags.writeable = False
    np.testing.assert_array_equal(to_array(to_qimage(grey))[..., 1], grey)


def test_indexed_colours_are_the_tables() -> None:
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for name, table in COLORMAPS.items():
        np.testing.assert_array_equal(to_array(coloured_qimage(index.T, table)), table[index.T], err_msg=name)


def test_other_types_and_shapes_are_refused() -> None:
    with pytest.raises(TypeError, match="float32"):
        to_qimage(np.zeros((2, 2, 3), np.float32))
    for shape in ((4,), (2, 2, 2), (0, 5, 3), (2, 2, 3, 3)):
        with pytest.raises(ValueError, match="pixels are"):
            to_qimage(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="table"):
        coloured_qimage(np.zeros((2, 2), np.uint8), np.zeros((16, 3), np.uint8))
