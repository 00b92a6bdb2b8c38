"""Drawing in numpy against torch, matplotlib and the chapter's own formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convviz_gui.engine import render
from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING, NOT_A_NUMBER
from convviz_gui.engine.payloads import FloatArray, Maps
from convviz_gui.engine.render import DIMMED, colour_index, colourise, mosaic, overlay, resize_map, sample_map
from convviz_gui.engine.scaling import Scaling, channel_scale, scale_channels


def maps_of(values: FloatArray) -> Maps:
    flat = values.reshape(len(values), -1)
    return Maps(
        layer="features",
        maps=values,
        mean=flat.mean(1),
        std=flat.std(1),
        max=flat.max(1),
        sparsity=(flat == 0).mean(1).astype(np.float32),
        blank=flat.max(1) <= 0,
        box=np.array([0, 0, 4, 4], np.float32),
    )


# ------------------------------------------------------------------------------------------ colour tables


def test_jet_is_exactly_matplotlibs() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    expected = matplotlib.colormaps["jet"](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(COLORMAPS["jet"], expected)


@pytest.mark.parametrize(("name", "tolerance"), [("viridis", 1), ("inferno", 1), ("turbo", 1), ("cividis", 5)])
def test_perceptual_tables_are_the_published_ones(name: str, tolerance: int) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    expected = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3].astype(int)
    assert np.abs(COLORMAPS[name].astype(int) - expected).max() <= tolerance


def test_diverging_table_is_white_at_zero_and_symmetric_in_lightness() -> None:
    table = COLORMAPS[DIVERGING].astype(int)
    assert table[127:129].min() >= 245
    assert table[0, 2] > table[0, 0]
    assert table[255, 0] > table[255, 2]


def test_tables_are_read_only() -> None:
    for table in COLORMAPS.values():
        assert table.shape == (256, 3)
        assert table.dtype == np.uint8
        assert not table.flags.writeable


# --------------------------------------------------------------------------------------------- colouring


def test_ends_of_the_range_have_the_ends_of_the_table_and_beyond_is_clipped() -> None:
    values = np.array([[-9.0, -1.0, 3.0, 9.0]], np.float32)
    assert colour_index(values, -1.0, 3.0).tolist() == [[0, 0, 255, 255]]


def test_not_a_number_has_a_colour_of_its_own() -> None:
    values = np.array([[np.nan, 0.0, np.inf, 1.0]], np.float32)
    colours = colourise(values, 0.0, 1.0, COLORMAPS["viridis"])
    assert tuple(colours[0, 0]) == NOT_A_NUMBER
    assert tuple(colours[0, 2]) == NOT_A_NUMBER
    assert tuple(colours[0, 1]) == tuple(COLORMAPS["viridis"][0])
    assert tuple(colours[0, 3]) == tuple(COLORMAPS["viridis"][255])


def test_no_range_is_the_middle_of_the_table_not_a_division() -> None:
    assert (colour_index(np.full((3, 3), 7, np.float32), 7.0, 7.0) == 128).all()


# ---------------------------------------------------------------------------------------------- resizing


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (224, 224), (13, 31), (299, 150)])
@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (13, 10), (64, 3)])
def test_resizing_equals_torch(shape: tuple[int, int], size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    # In float64, as torch works out positions in the precision of the values and we always in the higher one.
    tensor = torch.from_numpy(values).double()[None, None]
    expected = torch.nn.functional.interpolate(tensor, size, mode="bilinear", align_corners=False)[0, 0].numpy()
    np.testing.assert_allclose(resize_map(values, size), expected, atol=1e-6)


def test_sampling_at_cell_centres_gives_the_cells() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(sample_map(values, np.arange(3) + 0.5, np.arange(4) + 0.5), values)


# ------------------------------------------------------------------------------------- scaling of channels


def test_chapter_scaling_is_the_chapters_code() -> None:
    values = np.random.default_rng(1).normal(3, 5, (6, 17, 11)).astype(np.float32)
    for channel, ours in zip(values, scale_channels(maps_of(values), Scaling.CHAPTER), strict=True):
        book = channel.copy()
        book -= book.mean()
        book /= book.std()
        book *= 64
        book += 128
        expected = np.clip(book, 0, 255).astype("uint8")
        # Means summed in another order differ in the last bit, which can cross a whole number.
        assert np.abs(ours.astype(int) - expected).max() <= 1
        assert (ours == expected).mean() > 0.99


@pytest.mark.parametrize("scaling", list(Scaling))
def test_a_constant_channel_is_flat_grey(scaling: Scaling) -> None:
    values = np.full((1, 5, 5), 4.0, np.float32)
    assert (scale_channels(maps_of(values), scaling) == 128).all()


def test_per_channel_uses_the_whole_range_of_each_and_per_layer_of_all() -> None:
    values = np.array([[[0, 1], [2, 4]], [[0, 10], [20, 40]]], np.float32)
    each = scale_channels(maps_of(values), Scaling.PER_CHANNEL)
    np.testing.assert_array_equal(each[0], each[1])
    assert each.max() == 255
    together = scale_channels(maps_of(values), Scaling.PER_LAYER)
    assert together[0].max() == round(4 / 40 * 255)
    assert together[1].max() == 255


def test_the_ends_of_the_scale_are_what_the_ends_of_the_colours_stand_for() -> None:
    values = np.random.default_rng(2).normal(size=(4, 9, 9)).astype(np.float32)
    for scaling in Scaling:
        scale = channel_scale(maps_of(values), scaling)
        for channel in range(4):
            ends = np.array([[scale.lo[channel], scale.hi[channel]]], np.float32)
            first, last = scale.bytes(ends, channel)[0]
            assert first <= 1
            assert last >= 254


def test_symmetric_scale_has_zero_in_the_middle() -> None:
    values = np.array([[[-1.0, 3.0]], [[-5.0, 2.0]]], np.float32)
    scale = channel_scale(maps_of(values), Scaling.PER_CHANNEL, symmetric=True)
    assert scale.lo.tolist() == [-3, -5]
    assert scale.hi.tolist() == [3, 5]


def test_values_that_are_not_finite_do_not_spoil_the_scale() -> None:
    values = np.array([[[np.nan, 1.0], [np.inf, 3.0]], [[np.nan, np.nan], [np.nan, np.nan]]], np.float32)
    scale = channel_scale(maps_of(values), Scaling.PER_CHANNEL)
    assert (scale.lo[0], scale.hi[0]) == (1, 3)
    assert scale.bytes(values[0], 0)[:, 1].tolist() == [0, 255]
    assert (scale.lo[1], scale.hi[1]) == (0, 0)


# ------------------------------------------------------------------------------------ mosaics and overlays


def test_mosaic_is_the_chapters_stitching() -> None:
    tiles = np.random.default_rng(3).integers(0, 256, (9, 4, 6, 3), np.uint8)
    expected = np.zeros((3 * 4 + 2 * 5, 3 * 6 + 2 * 5, 3), np.uint8)
    for row in range(3):
        for column in range(3):
            y, x = (4 + 5) * row, (6 + 5) * column
            expected[y : y + 4, x : x + 6] = tiles[row * 3 + column]
    np.testing.assert_array_equal(mosaic(tiles, 3), expected)


def test_mosaic_leaves_missing_places_in_the_background() -> None:
    sheet = mosaic(np.full((3, 2, 2, 3), 200, np.uint8), 2, margin=1, background=9)
    assert sheet.shape == (5, 5, 3)
    assert (sheet[3:, 3:] == 9).all()


def test_overlay_mixes_inside_the_crop_and_dims_outside() -> None:
    photo = np.full((60, 40, 3), 100, np.uint8)
    heat = np.zeros((20, 20), np.float32)
    heat[:, 10:] = 1
    table = COLORMAPS["jet"]
    drawn = overlay(photo, heat, np.array([0, 10, 40, 40], np.float32), table, 0.4)
    np.testing.assert_array_equal(drawn[30, 5], np.round(0.6 * 100 + 0.4 * table[0]))
    np.testing.assert_array_equal(drawn[30, 35], np.round(0.6 * 100 + 0.4 * table[255]))
    assert (drawn[0] == round(100 * DIMMED)).all()
    assert (drawn[9] == 255).all(), "the outline runs just above the crop"
    assert (drawn[50] == 255).all()


def test_overlay_puts_the_peak_where_the_map_has_it() -> None:
    heat = np.zeros((28, 28), np.float32)
    heat[7, 21] = 1
    box = np.array([12.5, 30.25, 56.0, 56.0], np.float32)
    photo = np.zeros((120, 100, 3), np.uint8)
    red = overlay(photo, heat, box, COLORMAPS["grey"], 1.0)[31:86, 13:68, 0]
    y, x = np.unravel_index(red.argmax(), red.shape)
    assert abs(y + 31.5 - (30.25 + 7.5 * 2)) <= 1
    assert abs(x + 13.5 - (12.5 + 21.5 * 2)) <= 1


def test_overlay_without_a_rest_has_no_outline() -> None:
    photo = np.full((10, 10, 3), 50, np.uint8)
    drawn = overlay(photo, np.zeros((5, 5), np.float32), np.array([0, 0, 10, 10], np.float32), COLORMAPS["grey"], 0.0)
    np.testing.assert_array_equal(drawn, photo)


def test_overlay_in_bands_is_the_overlay_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    photo, heat = rng.integers(0, 256, (97, 61, 3), np.uint8), rng.random((9, 7), np.float32)
    box = np.array([3.3, 11.7, 44.0, 70.5], np.float32)
    whole = overlay(photo, heat, box, COLORMAPS["jet"])
    monkeypatch.setattr(render, "BAND", 300)
    np.testing.assert_array_equal(overlay(photo, heat, box, COLORMAPS["jet"]), whole)
