"""What is kept of a picture to recognise it by."""

from __future__ import annotations

import numpy as np
from PIL import Image

from convviz_gui.engine.desk import fingerprint as prints
from convviz_gui.engine.desk.fingerprint import fingerprint
from tests.engine.tiny import noise_picture


def picture(seed: int = 0, side: int = 96) -> Image.Image:
    return Image.fromarray(noise_picture(seed=seed).pixels).resize((side, side), Image.Resampling.BICUBIC)


def test_brightness_and_colour_are_pillows_own() -> None:
    image = Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), 40).convert("RGB")
    image.paste((200, 40, 90), (0, 0, 32, 32))
    rows = fingerprint(image)[None]
    assert rows.shape == (1, prints.LENGTH)
    small = image.resize((32, 32), Image.Resampling.BILINEAR).convert("YCbCr")
    expected = np.asarray(small, np.float32)
    np.testing.assert_allclose(prints.brightness(rows)[0], expected[..., 0], atol=1.01)
    means = expected.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))[..., 1:].transpose(2, 0, 1) - 128
    np.testing.assert_allclose(prints.colour(rows)[0], means, atol=1.01)


def test_every_pixel_and_the_shape_count() -> None:
    image = picture()
    same = fingerprint(image.copy())
    np.testing.assert_array_equal(fingerprint(image), same)
    image.putpixel((50, 50), (1, 2, 3))
    assert (fingerprint(image)[:4] != same[:4]).any()
    flat, turned = (fingerprint(Image.new("RGB", size)) for size in ((8, 2), (2, 8)))
    assert (flat != turned).any()
    np.testing.assert_array_equal(flat[12:], turned[12:])


def test_bytes_survive_as_numbers() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (200, prints.LENGTH)).astype(np.uint8)
    kept = np.empty((200, prints.LENGTH // 4), np.float32)
    for i, row in enumerate(rows):
        kept[i] = prints.as_floats(row)
    np.testing.assert_array_equal(prints.from_floats(kept[::-1]), rows[::-1])


def test_a_smaller_copy_looks_the_same() -> None:
    image = picture(side=256)
    small = image.resize((120, 120), Image.Resampling.LANCZOS)
    difference = fingerprint(image)[12:].astype(int) - fingerprint(small)[12:]
    assert np.abs(difference).max() <= 12
    assert np.abs(difference).mean() <= 2
