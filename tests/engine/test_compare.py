"""Comparing two results: numbers against scipy and numpy, places against a photo's own coordinates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.compare.colours import difference_picture, side_picture
from convviz_gui.engine.compare.comparison import compare
from convviz_gui.engine.compare.facts import compared
from convviz_gui.engine.compare.grid import comparable, on_one_grid, same_units
from convviz_gui.engine.compare.numbers import MOST_PLACES, correlation, likeness, ranks, top_overlap
from convviz_gui.engine.compare.predictions import predictions
from convviz_gui.engine.compare.sheet import comparison_sheet
from convviz_gui.engine.compare.shown import shown_map
from convviz_gui.engine.compare.side import Side, can_compare, side_of
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import FloatArray, Heat, Occlusion, Payload, PixelMap, Points, Seen, Strip
from convviz_gui.engine.types import ImageInput, Result, Run, Target
from tests.gui.views_data import gallery, heat, maps, model, photo

BOX = np.array([10, 50, 80, 80], np.float32)
LOGITS = np.array([0.0, 2.0, 1.0], np.float32)


def noise(seed: int, *shape: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def class_map(raw: FloatArray, box: FloatArray = BOX) -> Heat:
    return Heat("conv2", 1, True, raw, np.zeros((64, 64), np.float32), box, LOGITS)


def pixel_map(heat: FloatArray, box: FloatArray = BOX) -> PixelMap:
    return PixelMap(np.stack([heat] * 3), heat, box, LOGITS, 2.0, bool((heat < 0).any()), class_index=1)


def side(payload: Payload, method: str = "grad-cam", image: ImageInput | None = None, item: int | None = None) -> Side:
    return side_of(Result(Run(method, image=image or photo()), payload, (), model(), 0.01), item)


# ------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("rounded", [False, True], ids=["all different", "many ties"])
def test_correlations_are_scipys(rounded: bool) -> None:
    one, other = noise(0, 40, 30), noise(1, 40, 30)
    other = other + one
    if rounded:
        one, other = one.round(), other.round()
    found = likeness(one, other)
    a, b = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    assert found.pearson == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert found.largest == np.abs(a - b).max()
    assert found.mean == pytest.approx(np.abs(a - b).mean())
    assert found.places == 1200
    assert np.array_equal(ranks(a), stats.rankdata(a))


def test_correlations_of_tiny_and_huge_numbers() -> None:
    one, other = noise(0, 20, 20).astype(np.float64), noise(1, 20, 20).astype(np.float64)
    wanted = stats.pearsonr(one.ravel(), other.ravel()).statistic
    assert correlation(one.ravel() * 1e-200, other.ravel() * 1e200) == pytest.approx(wanted)
    assert correlation(one.ravel(), one.ravel() * 3 + 1) == pytest.approx(1)


def test_the_overlap_of_the_top_tenth_is_counted_by_hand() -> None:
    one, other = np.arange(100.0), np.arange(100.0)
    assert top_overlap(one, other) == 1
    assert top_overlap(one, -other) == 0
    # Five of the ten highest in common: 5 of 15.
    assert top_overlap(one, np.roll(other, 5)[:]) == pytest.approx(len(set(range(90, 100)) & set(range(95, 105))) / 15)


def test_a_map_that_is_zero_almost_everywhere_has_only_its_peaks_as_top() -> None:
    sparse = np.zeros(100)
    sparse[[3, 7]] = 1
    other = np.zeros(100)
    other[[7, 8]] = 2
    assert top_overlap(sparse, other) == pytest.approx(1 / 3)


def test_constant_and_not_finite_maps_have_no_correlation() -> None:
    constant = np.ones((5, 5), np.float32)
    found = likeness(constant, noise(0, 5, 5))
    assert np.isnan([found.pearson, found.spearman, found.overlap]).all()
    nothing = likeness(np.full((5, 5), np.nan, np.float32), constant)
    assert nothing.places == 0
    assert np.isnan(nothing.largest)


def test_places_that_are_not_finite_are_left_out() -> None:
    one, other = noise(0, 10, 10), noise(1, 10, 10)
    one[0, 0], other[5, 5] = np.nan, np.inf
    found = likeness(one, other)
    kept = np.isfinite(one) & np.isfinite(other)
    assert found.places == 98
    assert found.pearson == pytest.approx(stats.pearsonr(one[kept], other[kept]).statistic, abs=1e-6)


def test_large_maps_are_thinned_out_and_it_is_told() -> None:
    one = noise(0, 1200, 1000)
    found = likeness(one, one)
    assert found.places <= MOST_PLACES
    assert found.places > MOST_PLACES / 8
    assert found.pearson == pytest.approx(1)


# ------------------------------------------------------------------------------------- scale and difference


def test_one_scale_holds_the_values_of_both() -> None:
    one, other = noise(0, 7, 7), 3 * noise(1, 7, 7)
    found = compare(side(class_map(one)), side(class_map(other)))
    top = float(max(np.abs(one).max(), np.abs(other).max()))
    assert found.locked
    assert found.ranges == ((-top, top), (-top, top))
    assert np.array_equal(found.difference, one - other)
    assert not found.caveats


def test_unsigned_maps_are_scaled_from_the_least_to_the_largest_of_both() -> None:
    values = np.stack([np.abs(noise(0, 6, 6)) + 1, np.abs(noise(1, 6, 6)) + 5])
    one, other = side(maps(values), "activations", item=0), side(maps(values), "activations", item=1)
    found = compare(one, other)
    assert found.locked
    assert found.ranges[0] == found.ranges[1] == (float(values.min()), float(values.max()))


def test_other_units_unlock_the_scale_and_say_so() -> None:
    one, other = side(class_map(noise(0, 7, 7))), side(pixel_map(np.abs(noise(1, 64, 64))), "saliency")
    found = compare(one, other)
    assert not found.locked
    assert "mean different things" in found.caveats[0]
    tops = [np.abs(s.shown.values).max() for s in (one, other)]
    assert found.ranges == ((-tops[0], tops[0]), (float(other.shown.values.min()), tops[1]))
    assert found.grid is not None
    assert found.grid.a.shape == (64, 64)
    wanted = found.grid.a / np.float32(tops[0]) - found.grid.b / np.float32(tops[1])
    assert np.array_equal(found.difference, wanted)
    assert compare(one, other, locked=True).ranges[0] == compare(one, other, locked=True).ranges[1]


def test_units_agree_where_numbers_mean_the_same() -> None:
    heat_map = np.abs(noise(0, 8, 8))
    gradients = side(pixel_map(heat_map), "integrated-gradients"), side(pixel_map(heat_map), "grad-x-input")
    assert same_units(*gradients)
    assert not same_units(gradients[0], side(pixel_map(heat_map), "saliency"))
    one = side(maps(), "activations")
    assert same_units(one, side(maps(), "activations", item=3))
    assert not same_units(one, side(maps(layer="conv2"), "activations"))
    other_network = Result(Run("activations", image=photo()), maps(), (), dataclasses.replace(model(), digest="1"), 0.0)
    assert not same_units(one, side_of(other_network))
    assert same_units(side(gallery(), "filters", item=0), side(gallery(), "filters", item=2))


# --------------------------------------------------------------------------------------------------- places


def ramp(box: FloatArray, n: int) -> FloatArray:
    """A map whose values are the photo's own x coordinate at its places."""
    x = float(box[0]) + (np.arange(n) + 0.5) * (float(box[2]) / n)
    return np.tile(x.astype(np.float32), (n, 1))


def test_maps_of_other_crops_are_compared_where_both_saw_the_photo() -> None:
    wide, narrow = np.array([0, 40, 100, 100], np.float32), np.array([20, 60, 60, 60], np.float32)
    one, other = side(class_map(ramp(wide, 50), wide)), side(class_map(ramp(narrow, 20), narrow))
    assert comparable(one, other) == ""
    grid = on_one_grid(one, other)
    assert grid.interpolated
    assert grid.box is not None
    assert np.array_equal(grid.box, narrow)
    # As fine as the finer of the two: 50 places on 100 pixels are 30 on 60.
    assert grid.a.shape == (30, 30)
    inner = slice(2, -2)
    assert np.allclose(grid.a[inner, inner], ramp(narrow, 30)[inner, inner], atol=1e-3)
    assert np.allclose(grid.b[inner, inner], ramp(narrow, 30)[inner, inner], atol=1e-3)


def test_places_correspond_only_where_it_makes_sense() -> None:
    one = side(class_map(noise(0, 7, 7)))
    assert "different sizes" in comparable(one, side(class_map(noise(0, 7, 7)), image=photo(90, 90)))
    assert "is a picture" in comparable(one, side(gallery(), "filters"))
    assert "overlap" in comparable(one, side(class_map(noise(0, 7, 7), np.array([95, 0, 5, 5], np.float32))))
    assert "24 × 24" in comparable(side(gallery(), "filters"), side(gallery(side=32), "filters"))
    vector = side(maps(noise(0, 8, 1, 1)), "activations")
    assert vector.shown.values.shape == (1, 8)
    assert comparable(vector, vector) == ""
    found = compare(one, side(gallery(), "filters"))
    assert found.grid is None
    assert found.difference is None
    assert found.likeness is None


def test_other_photos_of_one_size_are_compared_with_a_word_of_warning() -> None:
    found = compare(side(class_map(noise(0, 7, 7))), side(class_map(noise(1, 7, 7)), image=photo(name="another")))
    assert found.difference is not None
    assert found.caveats == ("The photos differ: the same place need not show the same thing.",)


# ------------------------------------------------------------------------------------------- sides and facts


def test_only_the_facts_that_differ_are_emphasised() -> None:
    run = Run("grad-cam", Target("conv2", class_index=1), photo(), settings=(("noise", 3),))
    one = side_of(Result(run, heat(), (("noise", 3),), model(), 0.0))
    other_model = dataclasses.replace(model(), name="other net", weights="trained")
    other_heat = dataclasses.replace(heat(), class_index=2)
    other = side_of(Result(run, other_heat, (("noise", 4),), other_model, 0.0))
    facts = {fact.name: fact for fact in compared(one.facts, other.facts)}
    assert {name for name, fact in facts.items() if fact.differs} == {"Class", "Network", "Weights", "--noise"}
    assert (facts["Class"].a, facts["Class"].b) == ("1 dog", "2 car")
    assert not facts["Method"].differs
    assert "Seed" not in facts


def test_the_channel_is_the_one_asked_about_or_else_the_strongest() -> None:
    assert side(maps(), "activations").shown.item == int(maps().max.argmax())
    assert side(maps(), "activations", item=5).shown.label == "channel 5"
    asked = Result(Run("activations", Target("conv1", (6,)), photo()), maps(), (), model(), 0.0)
    assert side_of(asked).shown.item == 6
    with pytest.raises(EngineError, match="no channel 8"):
        side(maps(), "activations", item=8)


def test_a_tile_is_called_by_its_channel() -> None:
    tile = side(gallery(), "filters", item=2)
    assert tile.shown.label == "channel 4"
    assert np.array_equal(tile.shown.picture, gallery().images[2])


def test_the_input_is_shown_in_its_true_colours() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    tensor = ((picture / np.float32(255) - 0.5) / 0.5).astype(np.float32).transpose(2, 0, 1)
    seen = side(Seen(tensor, picture, BOX), "input")
    assert np.array_equal(seen.shown.picture, picture)


def test_a_kernel_is_shown_whole() -> None:
    weights = noise(0, 4, 6, 3, 3)
    arrays = {"weights": weights}
    shown = shown_map(arrays, {"method": "weights", "layer": "conv1"}, 2)
    # Six inputs make 2 × 3 squares of 3 × 3.
    assert shown.values.shape == (6, 9)
    assert np.array_equal(shown.values[3:6, 3:6], weights[2, 4])
    assert np.array_equal(np.sort(shown.values.ravel()), np.sort(weights[2].ravel()))
    assert shown.count == 4


def test_a_stage_of_a_film_strip_is_a_class_map_of_its_layer() -> None:
    raw = (noise(0, 16, 16), noise(1, 8, 8))
    fields, told = np.zeros((2, 2), np.float32), np.ones(2, np.bool_)
    strip = Strip(("conv1", "conv2"), 1, raw, np.zeros((2, 64, 64), np.float32), told, fields, BOX, LOGITS)
    last, first = side(strip, "film-strip"), side(strip, "film-strip", item=0)
    assert np.array_equal(last.shown.values, raw[1])
    assert (first.facts["Layer"], last.facts["Layer"]) == ("conv1", "conv2")
    assert first.facts["Channel"] == ""
    # The strip's maps are Grad-CAM's own.
    assert same_units(last, side(class_map(noise(2, 8, 8))))


def test_the_patches_of_a_channel_are_one_picture() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 10, 10, 3), np.uint8)
    arrays = {"images": images, "channels": np.array([3, 8]), "values": images, "boxes": images}
    shown = shown_map(arrays, {"method": "patches"}, 1)
    assert shown.label == "patches of channel 8"
    assert shown.picture is not None
    assert shown.picture.shape == (25, 25, 3)
    assert np.array_equal(shown.picture[15:, 15:], images[1, 3])


def test_what_has_no_map_is_not_comparable() -> None:
    empty = np.zeros((1, 2), np.float32)
    points = Points("fc", ".", "pca", ("a",), ("",), empty, empty, empty, empty[0], np.zeros((1, 1), np.int64))
    result = Result(Run("latent"), points, (), model(), 0.0)
    assert not can_compare(result)
    with pytest.raises(EngineError, match="no map or picture"):
        side_of(result)


def test_predictions_of_both_are_at_hand() -> None:
    found = predictions(side(heat()))
    assert [one.name for one in found] == ["1 dog", "2 car", "0 cat"]
    assert sum(one.probability for one in found) == pytest.approx(1)
    assert predictions(side(maps(), "activations")) == ()


# ------------------------------------------------------------------------------------------------- pictures


def test_both_sides_and_the_difference_are_drawn_on_their_scales() -> None:
    one, other = noise(0, 7, 7), 3 * noise(1, 7, 7)
    found = compare(side(class_map(one)), side(class_map(other)))
    table = COLORMAPS[DIVERGING]
    at = np.unravel_index(np.abs(other).argmax(), other.shape)
    shade = side_picture(found, found.b.shown, found.ranges[1])[at]
    assert shade.tolist() == table[255 if other[at] > 0 else 0].tolist()
    apart = one - other
    at = np.unravel_index(np.abs(apart).argmax(), apart.shape)
    assert difference_picture(found)[at].tolist() == table[255 if apart[at] > 0 else 0].tolist()
    sheet = comparison_sheet(found)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] > 3 * 320


def test_occlusion_is_compared_by_its_drop() -> None:
    drop = noise(0, 4, 4)
    done = np.ones((4, 4), np.bool_)
    wide = np.kron(drop, np.ones((16, 16), np.float32))
    one = side(Occlusion(drop, wide, done, BOX, LOGITS, 2.0, 1, 16, 16, "mean"), "occlusion")
    assert one.shown.unit == "logits lost"
    assert np.array_equal(one.shown.values, wide)
