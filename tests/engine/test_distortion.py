"""Trustworthiness against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import manifold

from convviz_gui.engine.latent.distortion import trustworthiness
from tests.engine.test_neighbours import finish


@pytest.mark.parametrize(("n", "k"), [(9, 4), (60, 5), (263, 12), (800, 30)])
@pytest.mark.parametrize("kept", [0.0, 0.8])
def test_equals_scikit_learn(n: int, k: int, kept: float) -> None:
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, 24)).astype(np.float32)
    xy = (kept * features[:, :2] + rng.normal(size=(n, 2))).astype(np.float32)
    expected = manifold.trustworthiness(features.astype(np.float64), xy.astype(np.float64), n_neighbors=k)
    assert finish(trustworthiness(features, xy, k)) == pytest.approx(expected, abs=1e-6)


def test_a_plane_shown_as_it_is_is_perfectly_trustworthy() -> None:
    plane = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    assert finish(trustworthiness(plane, plane, 10)) == 1.0


def test_far_from_the_origin() -> None:
    rng = np.random.default_rng(1)
    near = rng.normal(size=(120, 6))
    features = (near + 10_000).astype(np.float32)
    xy = rng.normal(size=(120, 2)).astype(np.float32)
    expected = manifold.trustworthiness((features - features.mean(0)).astype(np.float64), xy, n_neighbors=8)
    assert finish(trustworthiness(features, xy + 5000, 8)) == pytest.approx(expected, abs=1e-4)


def test_blocks_do_not_change_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    features, xy = rng.normal(size=(90, 7)).astype(np.float32), rng.normal(size=(90, 2)).astype(np.float32)
    whole = finish(trustworthiness(features, xy, 6))
    monkeypatch.setattr("convviz_gui.engine.latent.distortion._BLOCK_ELEMENTS", 300)
    steps = list(trustworthiness(features, xy, 6))
    assert [step.done for step in steps] == list(range(3, 91, 3))
    assert finish(trustworthiness(features, xy, 6)) == whole


@pytest.mark.parametrize(("n", "k"), [(1, 0), (2, 1), (10, 5), (10, 0)])
def test_undefined_is_nan(n: int, k: int) -> None:
    features = np.random.default_rng(3).normal(size=(n, 4)).astype(np.float32)
    assert math.isnan(finish(trustworthiness(features, features[:, :2], k)))


def test_all_rows_the_same_is_nan() -> None:
    assert math.isnan(finish(trustworthiness(np.full((20, 3), 0.1, np.float32), np.zeros((20, 2), np.float32), 4)))
