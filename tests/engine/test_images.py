"""Photos from files: right pixels for every mode, one sentence for everything bad."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.images import image_from_array, load_image, load_pixels

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def saved(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


# ------------------------------------------------------------------------------------------------- modes


def test_rgb_comes_through_unchanged(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tif", "a.ppm"):
        image = load_image(saved(tmp_path, name, Image.fromarray(PIXELS)))
        assert np.array_equal(image.pixels, PIXELS)
        assert (image.name, image.path, image.notes) == (name, str(tmp_path / name), ())
        assert not image.pixels.flags.writeable


@pytest.mark.parametrize("extension", ["webp", "avif", "gif", "jpg"])
def test_lossy_formats_come_close(tmp_path: Path, extension: str) -> None:
    smooth = np.zeros((64, 64, 3), np.uint8) + np.linspace(20, 230, 64).astype(np.uint8)[:, None]
    image = load_image(saved(tmp_path, f"a.{extension}", Image.fromarray(smooth)))
    assert np.abs(image.pixels.astype(int) - smooth).mean() < 3


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, f"a.{extension}", Image.fromarray(PIXELS), exif=exif)
    assert np.array_equal(load_pixels(path), TURNED[orientation](PIXELS))


def test_orientation_out_of_range_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert load_pixels(saved(tmp_path, "a.png", Image.fromarray(PIXELS), exif=exif)).shape == PIXELS.shape


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 200, 30)])
def test_transparency_lies_over_the_background(tmp_path: Path, background: tuple[int, int, int]) -> None:
    alpha = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
    path = saved(tmp_path, "a.png", Image.fromarray(np.dstack([PIXELS, alpha])))
    image = load_image(path, background=background)
    part = alpha[..., None] / 255
    expected = PIXELS * part + np.array(background) * (1 - part)
    assert np.abs(image.pixels - expected).max() <= 1
    assert image.notes[0].startswith("transparent parts shown over")


def test_transparency_of_grey_and_palette(tmp_path: Path) -> None:
    alpha = np.zeros((4, 4), np.uint8)
    alpha[:, 2:] = 255
    grey = Image.merge("LA", [Image.new("L", (4, 4), 50), Image.fromarray(alpha)])
    palette = Image.new("P", (4, 4))
    palette.putpalette([9, 9, 9, 50, 50, 50])
    palette.paste(1, (2, 0, 4, 4))
    for path in (saved(tmp_path, "la.png", grey), saved(tmp_path, "p.png", palette, transparency=0)):
        pixels = load_pixels(path, background=(1, 2, 3))
        assert (pixels[:, :2] == (1, 2, 3)).all()
        assert (pixels[:, 2:] == 50).all()


def test_opaque_alpha_needs_no_note(tmp_path: Path) -> None:
    image = load_image(saved(tmp_path, "a.png", Image.fromarray(PIXELS).convert("RGBA")))
    assert np.array_equal(image.pixels, PIXELS)
    assert image.notes == ()


def test_cmyk_lab_ycbcr_and_one_bit(tmp_path: Path) -> None:
    inks = RNG.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    pixels = load_pixels(saved(tmp_path, "c.tif", Image.fromarray(inks, "CMYK")))
    expected = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    assert np.abs(pixels - expected).max() <= 2
    for mode in ("LAB", "YCbCr"):
        red = Image.new("RGB", (8, 8), (200, 40, 30)).convert(mode)
        pixels = load_pixels(saved(tmp_path, f"{mode}.tif", red))
        assert np.abs(pixels.astype(int) - (200, 40, 30)).max() <= 4
    bits = RNG.integers(0, 2, (20, 30)).astype(bool)
    pixels = load_pixels(saved(tmp_path, "1.png", Image.fromarray(bits)))
    assert np.array_equal(pixels, np.where(bits[..., None], 255, 0).repeat(3, axis=2))


RANGES = [
    (RNG.integers(0, 65536, (20, 30)).astype(np.uint16), "a.png", 0, 65535, "16-bit scaled from 0…65535"),
    (RNG.integers(2000, 4096, (20, 30)).astype(np.uint16), "b.png", 0, 4095, "16-bit scaled from 0…4095"),
    (RNG.integers(2000, 4096, (20, 30)).astype(np.uint16), "b.tif", 0, 4095, "16-bit scaled from 0…4095"),
    (RNG.integers(0, 256, (20, 30)).astype(np.uint16), "c.tif", 0, 255, None),
    (np.array([[-500, 100], [70000, 3]], np.int32), "d.tif", -500, 70000, "32-bit scaled from -500…70000"),
    (RNG.random((20, 30), np.float32), "e.tif", 0, 1, "32-bit scaled from 0…1"),
    (np.array([[-1, 0.5], [3, 2]], np.float32), "f.tif", -1, 3, "32-bit scaled from -1…3"),
    (np.full((2, 2), 7.0, np.float32), "g.tif", 0, 7, "32-bit scaled from 0…7"),
]


@pytest.mark.parametrize(("values", "name", "low", "high", "note"), RANGES)
def test_wide_ranges_are_scaled_and_never_clipped(
    tmp_path: Path, values: NDArray[np.generic], name: str, low: float, high: float, note: str | None
) -> None:
    image = load_image(saved(tmp_path, name, Image.fromarray(values)))
    expected = (values.astype(np.float64) - low) / (high - low) * 255
    assert np.abs(image.pixels[..., 0] - expected).max() <= 0.5 + 1e-4
    assert (image.pixels == image.pixels[..., :1]).all()
    assert image.notes == ((note,) if note else ())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    path = saved(tmp_path, "a.tif", Image.fromarray(np.array([[0, bad]], np.float32)))
    with pytest.raises(EngineError, match=r"a\.tif.*NaN or infinity"):
        load_image(path)


def test_first_frame_and_a_note(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (8, 8), (200, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 200))
    for name in ("a.gif", "a.png", "a.tif"):
        image = load_image(saved(tmp_path, name, first, save_all=True, append_images=[second, first]))
        assert image.notes == ("first of 3 frames",)
        assert (image.pixels == (200, 0, 0)).all()


# ------------------------------------------------------------------------------------------- bad input


def refusal(path: str | Path) -> str:
    with pytest.raises(EngineError) as caught:
        load_image(path)
    error = caught.value
    assert error.kind is ProblemKind.USER
    assert error.hint
    assert "\n" not in str(error)
    return str(error)


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert "There is no file 'none.jpg'" in refusal(tmp_path / "none.jpg")
    assert "There is no file" in refusal("a\0b.jpg")
    assert "is a folder" in refusal(tmp_path)
    assert "empty.jpg is empty (0 bytes)" in refusal(tmp_path / "empty.jpg")


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "not an ordinary file" in refusal(tmp_path / "pipe.png")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_no_manifest_can_hold(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/la\xe9tin.png")
    Image.new("RGB", (4, 4)).save(path, format="PNG")
    assert "la?tin.png is not valid Unicode" in refusal(Path(path))


@pytest.mark.parametrize("path", ["", "/"])
def test_paths_without_a_name(path: str) -> None:
    with pytest.raises(EngineError, match=f"^'{path}' is a folder"):
        load_image(path)


def test_text_and_formats_not_on_the_list(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    assert "a.jpg is not a picture" in refusal(tmp_path / "a.jpg")
    for extension in ("eps", "tga", "ico", "pcx", "pdf"):
        # The name lies, as names do: what counts is the content.
        (tmp_path / "lies.jpg").write_bytes(_as(extension))
        assert "JPEG, PNG, WebP" in refusal(tmp_path / "lies.jpg")


def _as(extension: str) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(PIXELS).save(memory, Image.registered_extensions()[f".{extension}"])
    return memory.getvalue()


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "avif", "tif", "bmp", "gif", "ppm"])
def test_truncated(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"half.{extension}"
    whole = _as(extension)
    path.write_bytes(whole[: len(whole) // 2])
    assert path.name in refusal(path)


@pytest.mark.parametrize("side", [15_000, 40_000])
def test_decompression_bomb(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    assert "bomb.png is too large: it has more than 200 million pixels" in refusal(tmp_path / "bomb.png")


def test_broken_metadata_does_not_cost_the_picture(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.png", Image.fromarray(PIXELS), exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert np.array_equal(load_pixels(path), PIXELS)


def test_odd_images_open_or_are_refused(odd_images: Path) -> None:
    opened: dict[str, tuple[int, ...]] = {}
    for path in sorted(odd_images.iterdir()):
        try:
            opened[path.name] = load_image(path).pixels.shape
        except EngineError as error:
            assert path.name in error.title  # noqa: PT017 - both outcomes are right, each in its own way
    assert len(opened) == 72
    assert opened["hopper_orientation_5.jpg"] == (128, 128, 3)
    assert opened["g4_orientation_8.tif"] == (88, 590, 3)  # stored 590 high and 88 wide
    assert not any(Path(name).suffix in (".eps", ".psd", ".ico", ".tga", ".jp2", ".j2k") for name in opened)


def test_odd_images_have_the_right_pixels(odd_images: Path) -> None:
    small = load_image(odd_images / "16bit.MM.deflate.tif")
    assert small.notes == ("16-bit scaled from 0…1023",)
    assert len(np.unique(small.pixels)) > 50  # clipped to 255 it would be plain white
    plain = load_pixels(odd_images / "hopper_8bit.pgm").astype(int)
    for name in ("hopper_rle8.bmp", "hopper_lzw.tif", "hopper_float_dpi_3.tif"):
        grey = load_pixels(odd_images / name) @ np.array([0.299, 0.587, 0.114])
        assert np.abs(grey - plain[..., 0]).mean() < 12
    rotated = load_pixels(odd_images / "avif__rot1mir0.avif")
    assert rotated.shape == (427, 640, 3)  # stored 427 wide and 640 high


def test_fuzzed_files_never_raise_anything_else(tmp_path: Path) -> None:
    rng = random.Random(0)
    whole = [_as(extension) for extension in ("jpg", "png", "webp", "avif", "tif", "bmp", "gif", "ppm")]
    exif = Image.Exif()
    exif[0x0112] = 6
    for extension, options in (("jpg", {"exif": exif}), ("tif", {"compression": "jpeg"}), ("tif", {"save_all": True})):
        whole.append(saved(tmp_path, f"b.{extension}", Image.fromarray(PIXELS), **options).read_bytes())
    outcomes = set()
    for _ in range(600):
        data = bytearray(rng.choice(whole))
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.choice([0, 1, 2, 8]) if data else 0):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "fuzzed.bin").write_bytes(data)
        try:
            load_image(tmp_path / "fuzzed.bin")
            outcomes.add("opened")
        except EngineError:
            outcomes.add("refused")
    assert outcomes == {"opened", "refused"}


# ------------------------------------------------------------------------------------ threads, handles, digest


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_no_file_stays_open(tmp_path: Path) -> None:
    good = saved(tmp_path, "a.gif", Image.new("L", (9, 9)), save_all=True, append_images=[Image.new("L", (9, 9), 5)])
    bad = tmp_path / "bad.png"
    bad.write_bytes(_as("png")[:200])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        load_image(good)
        refusal(bad)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_threads_do_not_disturb_each_other(odd_images: Path) -> None:
    def outcome(path: Path) -> str:
        try:
            return load_image(path).digest
        except EngineError as error:
            return error.title

    paths = sorted(odd_images.iterdir())
    alone = [outcome(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outcome, paths)) == alone


def test_digest_is_of_shape_and_pixels() -> None:
    image = image_from_array(PIXELS, "a")
    assert image.digest == image_from_array(PIXELS.copy(), "b", "/somewhere").digest
    assert image.digest != image_from_array(PIXELS.reshape(30, 20, 3), "a").digest
    changed = PIXELS.copy()
    changed[0, 0, 0] ^= 1
    assert image.digest != image_from_array(changed, "a").digest


def test_the_callers_array_is_not_shared() -> None:
    mine = PIXELS.copy()
    image = image_from_array(mine, "a")
    mine[:] = 0
    assert np.array_equal(image.pixels, PIXELS)
    assert mine.flags.writeable


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_arrays_of_other_shapes_are_refused(array: NDArray[np.uint8]) -> None:
    with pytest.raises(EngineError, match="not an RGB picture"):
        image_from_array(array, "a")
