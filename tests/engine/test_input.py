"""What the model saw: the very tensor, and a picture that is that tensor."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.depiction import arrays, pictures, tables
from convviz_gui.engine.payloads import Seen
from convviz_gui.engine.preprocess import as_colours, prepare, prepare_bytes
from convviz_gui.engine.preprocess_rules import PRESETS
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Result, Run
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture, tiny_net

SQUARE = {"size": (32, 32), "resize": 36, "interpolation": "bilinear"}
KINDS = {
    **{title: Preprocess(**SQUARE, mean=mean, std=std, channel_order=order) for title, mean, std, order in PRESETS},
    "grey": Preprocess(**SQUARE, mean=(0.13,), std=(0.31,)),
    "two": Preprocess(**SQUARE, mean=(0.4, 0.5), std=(0.2, 0.3)),
    "five": Preprocess(**SQUARE, mean=(0.1, 0.2, 0.3, 0.4, 0.5), std=(0.2,) * 5),
    "fit": Preprocess((32, 40), "fit", "bicubic", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def seen(preprocess: Preprocess) -> tuple[Result, Seen, Tensor]:
    """The result for noise, and what the network was really given."""
    given: list[Tensor] = []
    net = tiny_net(in_channels=preprocess.channels)
    session = Session()
    session.adopt(net, preprocess)
    finish(session, Run("overview", image=noise_picture()))
    handle = net.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0].clone()))
    finish(session, Run("overview", image=noise_picture()))
    handle.remove()
    result = finish(session, Run("input", image=noise_picture()))
    assert isinstance(result.payload, Seen)
    return result, result.payload, given[0]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_tensor_that_goes_in(kind: str) -> None:
    _, payload, given = seen(KINDS[kind])
    assert np.array_equal(payload.tensor, given[0].numpy())
    tensor, box = prepare(noise_picture().pixels, KINDS[kind])
    assert np.array_equal(payload.tensor, tensor)
    assert np.array_equal(payload.box, box)


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_has_the_bytes_that_the_tensor_was_made_of(kind: str) -> None:
    preprocess = KINDS[kind]
    _, payload, _ = seen(preprocess)
    crop, _ = prepare_bytes(noise_picture().pixels, preprocess)
    if preprocess.channel_order == "bgr":
        crop = crop[..., ::-1]
    if preprocess.channels == 1:
        crop = crop.repeat(3, axis=2)
    if preprocess.channels == 2:
        crop = np.concatenate([crop, np.zeros_like(crop[..., :1])], axis=2)
    assert np.array_equal(payload.picture, crop)
    assert payload.clipped == 0


def test_what_no_colour_stands_for_is_clipped_and_counted() -> None:
    preprocess = Preprocess(**SQUARE, mean=(0.5,) * 3, std=(0.5,) * 3)
    tensor = np.zeros((3, 2, 2), np.float32)
    tensor[0, 0, 0], tensor[1, 1, 1], tensor[2, 0, 1] = 1.2, -1.2, 1.0
    picture, clipped = as_colours(tensor, preprocess)
    assert clipped == 2
    assert (picture[0, 0, 0], picture[1, 1, 1], picture[0, 1, 2], picture[1, 0, 0]) == (255, 0, 255, 128)


def test_files_and_numbers() -> None:
    result, payload, _ = seen(KINDS["five"])
    assert {key: (array.dtype.name, array.shape) for key, array in arrays(payload).items()} == {
        "input": ("float32", (5, 32, 32)),
        "box": ("float32", (4,)),
    }
    assert pictures(result)["input"].shape == (32, 32, 3)
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(tables(result)["input"])))
    assert [row["channel"] for row in rows] == list("01234")
    for row, channel in zip(rows, payload.tensor, strict=True):
        numbers = [float(row[key]) for key in ("min", "mean", "max")]
        assert numbers == pytest.approx([channel.min(), channel.mean(), channel.max()], abs=1e-6)
    assert [score.label for score in result.scores] == [f"Channel {i}" for i in range(4)]
    assert result.scores[1].value == pytest.approx(payload.tensor[1].mean(), abs=1e-6)


def test_a_network_without_any_layer_of_its_own_still_has_an_input() -> None:
    class Means(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3))

    session = Session()
    session.adopt(Means(), KINDS["fit"])
    result = finish(session, Run("input", image=noise_picture()))
    assert isinstance(result.payload, Seen)
    assert torch.from_numpy(result.payload.tensor.copy()).isfinite().all()
