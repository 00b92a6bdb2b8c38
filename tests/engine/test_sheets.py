"""Sheets for files: the chapter's grid, and words where there is nothing to see."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from convviz_gui.engine.depiction import pictures
from convviz_gui.engine.payloads import Gallery, Heat, Maps
from convviz_gui.engine.sheets import captioned, channel_sheet, filter_sheet, word_tile
from convviz_gui.engine.types import Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture, tiny_session


def gallery(dead: list[bool], done: list[int]) -> Gallery:
    n = len(dead)
    images = np.random.default_rng(0).integers(0, 256, (n, 40, 40, 3), np.uint8)
    numbers = np.arange(n)
    return Gallery("a", numbers, images, np.zeros((n, 3), np.float32), np.array(dead), np.array(done))


def test_filters_stand_row_by_row_with_five_pixels_between() -> None:
    whole = gallery([False] * 4, [3] * 4)
    sheet = filter_sheet(whole)
    assert sheet.shape == (85, 85, 3)
    np.testing.assert_array_equal(sheet[:40, 45:], whole.images[1])
    np.testing.assert_array_equal(sheet[45:, :40], whole.images[2])
    assert not sheet[40:45].any()


def test_dead_and_waiting_filters_are_words_and_differ() -> None:
    sheet = filter_sheet(gallery([True, False, False, False], [3, 0, 3, 3]))
    dead, waiting = sheet[:40, :40], sheet[:40, 45:]
    for tile in (dead, waiting):
        assert set(np.unique(tile)) > {64}
        assert (tile == 64).all(axis=2).mean() > 0.5
    assert (dead != waiting).any()


def test_a_blank_channel_is_a_word() -> None:
    values = np.random.default_rng(1).random((3, 10, 10)).astype(np.float32)
    values[1] = 0
    numbers = np.zeros(3, np.float32)
    maps = Maps("a", values, numbers, numbers, numbers, numbers, np.array([False, True, False]), numbers)
    sheet = channel_sheet(maps)
    side = 50
    np.testing.assert_array_equal(sheet[:side, side + 5 :], word_tile("blank", side, side))


@pytest.mark.parametrize("positive", [True, False])
def test_without_positive_evidence_nothing_is_laid_on_the_photo(positive: bool) -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.head.weight[2] = session.model.head.weight[2].abs() * (1 if positive else -1)
    photo = noise_picture(32, 32)
    result = finish(session, Run("grad-cam", Target("relu#2", class_index=2), photo))
    assert isinstance(result.payload, Heat)
    assert result.payload.positive is positive
    files = pictures(result)
    assert np.array_equal(files["overlay"], photo.pixels) is not positive
    assert np.array_equal(files["heat"], word_tile("no positive evidence", 32, 32)) is not positive


@pytest.mark.parametrize("width", [10, 64, 200, 2000])
def test_a_caption_leaves_the_picture_as_it_is(width: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, width, 3), np.uint8)
    sheet = captioned(picture, "Random weights: tiny has learned nothing")
    np.testing.assert_array_equal(sheet[:40, :width], picture)
    strip = sheet[40:]
    assert strip.shape[0] >= 15
    assert len(np.unique(strip.reshape(-1, 3), axis=0)) > 2, "something is written"
    ground = strip[-1, -1]
    assert (strip[:, -2:] == ground).all(), "nothing is cut off on the right"
    assert (strip[-2:] == ground).all(), "nothing is cut off below"


@pytest.mark.parametrize("method", ["grad-cam", "activations", "input"])
def test_pictures_of_random_weights_say_so(method: str) -> None:
    result = finish(tiny_session(), Run(method, image=noise_picture()))
    untrained = dataclasses.replace(result, model=dataclasses.replace(result.model, trained=False))
    for name, picture in pictures(result).items():
        marked = pictures(untrained)[name]
        if method == "input":
            np.testing.assert_array_equal(marked, picture)
            continue
        height, width = picture.shape[:2]
        np.testing.assert_array_equal(marked[:height, :width], picture)
        assert marked.shape[0] > height
