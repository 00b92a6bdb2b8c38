"""Point and ask, against the maps themselves, and against what can change a value."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.fields import extent_of, point_of, unit_at
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.methods.ask import EVERY, OF_EACH
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.payloads import Asked
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, SIDE, noise_picture, tiny_session


def asked(session: Session, unit: tuple[int, int] | None, layer: str = "conv2", **settings: object) -> Asked:
    run = Run("ask", Target(layer, unit=unit), noise_picture(), settings=tuple(settings.items()))  # type: ignore[arg-type]
    payload = finish(session, run).payload
    assert isinstance(payload, Asked)
    return payload


def maps_of(session: Session, image: ImageInput, layer: str) -> np.ndarray:
    x, _ = session.input(image)
    with torch.no_grad():
        return run_to(session.model, x, layer)[0].numpy()


def test_the_order_is_that_of_the_maps_at_the_place() -> None:
    session = tiny_session()
    maps = maps_of(session, noise_picture(), "conv2")
    here, flat = maps[:, 3, 11], maps.reshape(8, -1)
    found = asked(session, (3, 11), sort="value")
    assert found.channels.tolist() == np.argsort(-here, kind="stable").tolist()
    np.testing.assert_allclose(found.values, np.sort(here)[::-1], rtol=1e-6)
    contrast = (here - flat.mean(1)) / flat.std(1)
    found = asked(session, (3, 11), sort="contrast")
    assert found.channels.tolist() == np.argsort(-contrast, kind="stable").tolist()
    np.testing.assert_allclose(found.contrast, np.sort(contrast)[::-1], rtol=1e-4, atol=1e-5)
    found = asked(session, (3, 11), sort="share", top=3)
    share = here / np.maximum(flat.max(1), 0)
    assert found.channels.tolist() == np.argsort(-share, kind="stable")[:3].tolist()
    assert found.units.tolist() == [[3, 11]] * 3
    assert found.asked == 8


@pytest.mark.parametrize("unit", [(0, 0), (7, 7), (15, 3)])
def test_what_lies_outside_the_box_changes_nothing_and_what_lies_inside_does(unit: tuple[int, int]) -> None:
    """The tests' pictures are as large as the input, so that a pixel of the photo is one of the input's."""
    session = tiny_session()
    pixels = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    run = Run("ask", Target("conv2", unit=unit), image_from_array(pixels, "square"))
    payload = finish(session, run).payload
    x, y, width, height = payload.fields[0].astype(int)
    assert (payload.fields == payload.fields[0]).all()
    rows, columns = slice(y, y + height), slice(x, x + width)
    outside, inside = 255 - pixels, pixels.copy()
    outside[rows, columns] = pixels[rows, columns]
    inside[rows, columns] = 255 - pixels[rows, columns]

    def at_unit(changed: np.ndarray) -> np.ndarray:
        return maps_of(session, image_from_array(changed, str(changed.sum())), "conv2")[:, unit[0], unit[1]]

    np.testing.assert_array_equal(at_unit(outside), at_unit(pixels))
    assert np.abs(at_unit(inside) - at_unit(pixels)).max() > 1e-3
    # Every edge of the box counts: a row or a column less would be too little.
    for edge in ((y, slice(x, x + width)), (y + height - 1, slice(x, x + width))):
        moved = pixels.copy()
        moved[edge] = 255 - moved[edge]
        assert np.abs(at_unit(moved) - at_unit(pixels)).max() > 0


def test_a_point_in_the_photo_names_the_position_under_it() -> None:
    session = tiny_session()
    found = asked(session, None, point="40.5,5")
    x, y, width, height = found.box
    assert found.units[0].tolist() == [int((5 - y) / height * 16), int((40.5 - x) / width * 16)]
    for wrong in ("3", "a,b", "1,1", "nan,3"):
        with pytest.raises(EngineError):
            asked(session, None, point=wrong)


def test_a_position_that_is_not_there_is_refused() -> None:
    with pytest.raises(EngineError, match="no position 16,0") as caught:
        asked(tiny_session(), (16, 0))
    assert "0 to 15" in caught.value.hint


def test_every_layer_gives_its_strongest_in_order_of_execution() -> None:
    session = tiny_session()
    found = asked(session, (3, 11), layers=EVERY, sort="value")
    order = list(dict.fromkeys(found.layers))
    assert order == ["conv1", "bn1", "relu#1", "pool", "conv2", "relu#2"]
    assert all(found.layers.count(layer) == OF_EACH for layer in order)
    for layer in order:
        rows = [row for row, name in enumerate(found.layers) if name == layer]
        maps = maps_of(session, noise_picture(), layer)
        i, j = unit_at(found.point, maps.shape[1:])  # type: ignore[arg-type]
        assert found.channels[rows].tolist() == np.argsort(-maps[:, i, j], kind="stable")[:OF_EACH].tolist()
    assert found.layer == ""


def test_what_is_overwritten_in_place_afterwards_is_told_as_it_was() -> None:
    conv = nn.Conv2d(3, 4, 3, padding=1)
    # Every channel negative there: only the strongest three of each layer are told.
    nn.init.constant_(conv.bias, -10)
    parts = [conv, nn.Flatten(), nn.Unflatten(1, (4, SIDE, SIDE)), nn.ReLU(inplace=True)]
    session = Session()
    net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    session.adopt(net, PREPROCESS)
    found = asked(session, (5, 7), layer="0", layers=EVERY, sort="value")
    values = {layer: found.values[[name == layer for name in found.layers]].tolist() for layer in found.layers}
    assert max(values["0"]) < 0
    assert values["2"] == values["0"]


def test_a_vector_is_one_position_that_sees_all_of_the_crop() -> None:
    found = asked(tiny_session(), None, layer="head", sort="value")
    np.testing.assert_allclose(found.fields[0], found.box, rtol=1e-5)
    assert not found.contrast.any()


def test_places_go_back_and_forth() -> None:
    node = tiny_session().layer("conv1")
    extent = extent_of(node)
    assert all(
        unit_at(point_of((row, column), extent), extent) == (row, column) for row in range(32) for column in (0, 31)
    )
    assert unit_at((1.0, -0.1), extent) == (0, 31)
