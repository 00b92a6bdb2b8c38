"""Score-CAM and EigenCAM against what they are by definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convviz_gui.engine.method import Update
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Run, Target
from tests.engine.faulty import failing, out_of_memory
from tests.engine.peers import agree
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture, tiny_session

LAYER = "relu#2"


def heat(session: Session, method: str, target: Target = Target(), **settings: Any) -> Heat:
    payload = finish(session, Run(method, target, noise_picture(), settings=tuple(settings.items()))).payload
    assert isinstance(payload, Heat)
    return payload


def maps_at(session: Session) -> torch.Tensor:
    x, _ = session.input(noise_picture())
    net: Any = session.model
    with torch.no_grad():
        maps: torch.Tensor = net.conv2(net.pool(net.bn1(net.conv1(x)).relu())).relu()[0]
    return maps


def scores_of_masks(session: Session, class_index: int) -> torch.Tensor:
    """The definition, channel by channel."""
    x, _ = session.input(noise_picture())
    scores = []
    for channel in maps_at(session):
        mask = F.interpolate(channel[None, None], x.shape[2:], mode="bilinear", align_corners=False)
        mask = (mask - mask.min()) / (mask.max() - mask.min()) if mask.max() > mask.min() else mask * 0
        with torch.no_grad():
            scores.append(float(session.model(x * mask)[0, class_index]))
    return torch.tensor(scores, dtype=torch.float64)


def expected(session: Session, scores: torch.Tensor) -> np.ndarray:
    weights = scores.softmax(0).float()
    return torch.einsum("c,chw->hw", weights, maps_at(session)).numpy()


def test_score_cam_is_its_definition_whatever_the_batch() -> None:
    session = tiny_session()
    whole = expected(session, scores_of_masks(session, 3))
    for batch in (0, 1, 3):
        agree(heat(session, "score-cam", Target(LAYER, class_index=3), batch=batch).raw, whole)
    apart = scores_of_masks(session, 3) - scores_of_masks(session, 1)
    agree(heat(session, "score-cam", Target(LAYER, class_index=3, against=1)).raw, expected(session, apart))


def test_score_cam_explains_both_classes_of_a_single_logit() -> None:
    session = tiny_session(n_logits=1)
    logit = scores_of_masks(session, 0)
    agree(heat(session, "score-cam", Target(LAYER, class_index=1)).raw, expected(session, logit))
    agree(heat(session, "score-cam", Target(LAYER, class_index=0)).raw, expected(session, -logit))


def steps(session: Session, batch: int) -> Iterator[Update]:
    yield from session.execute(
        Run("score-cam", Target(LAYER, class_index=3), noise_picture(), settings=(("batch", batch),))
    )


def test_the_picture_so_far_is_of_the_channels_tried_widest_first() -> None:
    session = tiny_session()
    maps, scores = maps_at(session), scores_of_masks(session, 3)
    order = (maps.amax((1, 2)) - maps.amin((1, 2))).argsort(descending=True)
    pictured = 0
    for update in steps(session, 2):
        if update.preview is not None:
            pictured += 1
            payload = update.preview()
            assert isinstance(payload, Heat)
            left_out = torch.full_like(scores, -torch.inf)
            tried = order[: update.done]
            left_out[tried] = scores[tried]
            agree(payload.raw, expected(session, left_out))
    assert pictured == 3


def test_channels_that_are_the_same_everywhere_share_one_pass() -> None:
    session = tiny_session()
    net: Any = session.model
    with torch.no_grad():
        net.conv2.weight[:5] = 0
        net.conv2.bias[:5] = torch.tensor([-1.0, -1, 2, 3, -1])
    whole = expected(session, scores_of_masks(session, 3))
    rows: list[int] = []
    handle = net.register_forward_pre_hook(lambda _m, inputs: rows.append(len(inputs[0])))
    found = heat(session, "score-cam", Target(LAYER, class_index=3))
    handle.remove()
    agree(found.raw, whole)
    assert sum(rows) == 1 + 3 + 1


def test_where_memory_is_too_small_fewer_are_taken() -> None:
    session = tiny_session()
    whole = heat(session, "score-cam", Target(LAYER, class_index=3)).raw
    with failing(out_of_memory, times=10**6, when=lambda inputs: len(inputs[0]) > 2) as failed:
        agree(heat(session, "score-cam", Target(LAYER, class_index=3), batch=8).raw, whole)
    assert len(failed) == 2


def test_eigen_cam_is_the_first_principal_component() -> None:
    session = tiny_session()
    for layer, maps in ((LAYER, maps_at(session)), ("conv1", None)):
        if maps is None:  # more channels than it needs, values below 0
            x, _ = session.input(noise_picture())
            with torch.no_grad():
                maps = session.model.get_submodule("conv1")(x)[0]
        rows = maps.flatten(1).T.double().numpy()
        rows = rows - rows.mean(0)
        left, values, _ = np.linalg.svd(rows, full_matrices=False)
        pattern = (left[:, 0] * values[0]).reshape(maps.shape[1:])
        pattern *= np.sign(pattern.ravel() @ rows.mean(1))
        found = heat(session, "eigen-cam", Target(layer))
        agree(found.raw, pattern.astype(np.float32))
        assert abs(float(found.raw.mean())) < 1e-5 * float(np.abs(found.raw).max())


def test_eigen_cam_with_more_channels_than_places_and_with_none_that_differ() -> None:
    from convviz_gui.engine.methods.eigen_cam import principal_parts

    generator = torch.Generator().manual_seed(0)
    maps = torch.rand((1, 40, 3, 4), generator=generator)
    rows = maps[0].flatten(1).T.double()
    rows = rows - rows.mean(0)
    _, values, right = torch.linalg.svd(rows)
    found = principal_parts(maps).sum(1).flatten()
    torch.testing.assert_close(found.abs(), (rows @ right[0]).abs())
    assert float(found.norm()) == pytest.approx(float(values[0]))
    assert not principal_parts(torch.full((1, 5, 3, 3), 2.0)).any()


def test_a_layer_that_is_the_same_everywhere_has_no_pattern() -> None:
    session = tiny_session()
    conv: Any = session.model.get_submodule("conv2")
    nn.init.zeros_(conv.weight)
    found = heat(session, "eigen-cam", Target(LAYER))
    assert not found.positive
    assert not found.heat.any()


def test_eigen_cam_is_the_same_for_every_class() -> None:
    session = tiny_session()
    first, second = (heat(session, "eigen-cam", Target(LAYER, class_index=index)) for index in (1, 3))
    np.testing.assert_array_equal(first.raw, second.raw)
    assert (first.class_index, second.class_index) == (1, 3)
    assert not first.of_class
