"""Trustworthiness against scikit-learn; continuity and what is kept against the definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import manifold

from convviz_gui.engine.latent.distortion import Distortion, measure_distortion
from convviz_gui.engine.latent.neighbours import nearest
from tests.engine.test_neighbours import finish


def measured(features: np.ndarray, xy: np.ndarray, k: int) -> Distortion:
    features = features.astype(np.float32)
    neighbours = finish(nearest(features, max(k, 1)))
    found: Distortion = finish(measure_distortion(features, xy.astype(np.float32), neighbours, k))
    return found


def written_out(features: np.ndarray, xy: np.ndarray, k: int) -> tuple[float, float, np.ndarray]:
    """Both measures and the part kept, from matrices of ranks."""
    n = len(features)
    ranks = []
    for points in (features.astype(np.float64), xy.astype(np.float64)):
        distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
        np.fill_diagonal(distances, np.inf)
        ranks.append(distances.argsort(1).argsort(1) + 1)
    full, plane = ranks
    unit = 2.0 / (n * k * (2 * n - 3 * k - 1))
    trust = 1 - unit * np.where((plane <= k) & (full > k), full - k, 0).sum()
    continuity = 1 - unit * np.where((full <= k) & (plane > k), plane - k, 0).sum()
    return trust, continuity, ((full <= k) & (plane <= k)).sum(1) / k


@pytest.mark.parametrize(("n", "k"), [(9, 4), (60, 5), (263, 12), (800, 30)])
@pytest.mark.parametrize("kept", [0.0, 0.8])
def test_equals_scikit_learn_and_the_definitions(n: int, k: int, kept: float) -> None:
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, 24)).astype(np.float32)
    xy = (kept * features[:, :2] + rng.normal(size=(n, 2))).astype(np.float32)
    found = measured(features, xy, k)
    expected = manifold.trustworthiness(features.astype(np.float64), xy.astype(np.float64), n_neighbors=k)
    assert found.trustworthiness == pytest.approx(expected, abs=1e-6)
    trust, continuity, preservation = written_out(features, xy, k)
    assert found.trustworthiness == pytest.approx(trust, abs=1e-9)
    assert found.continuity == pytest.approx(continuity, abs=1e-9)
    # scikit-learn has no continuity; it is trustworthiness with the spaces exchanged.
    turned = manifold.trustworthiness(xy.astype(np.float64), features.astype(np.float64), n_neighbors=k)
    assert found.continuity == pytest.approx(turned, abs=1e-6)
    np.testing.assert_allclose(found.preservation, preservation, atol=1e-6)
    assert found.measured == n


def test_a_plane_shown_as_it_is_is_perfect() -> None:
    plane = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    found = measured(plane, plane, 10)
    assert (found.trustworthiness, found.continuity) == (1.0, 1.0)
    assert (found.preservation == 1.0).all()


def test_a_group_torn_apart_costs_continuity_alone() -> None:
    """Two halves of one group on opposite sides: whoever is near on the plot is near in truth."""
    rng = np.random.default_rng(4)
    features = rng.normal(size=(200, 2)).astype(np.float32)
    torn = features + np.where(features[:, :1] > 0, 100.0, 0.0) * [1.0, 0.0]
    folded = np.stack([np.abs(features[:, 0]), features[:, 1]], 1)
    apart, over = measured(features, torn, 10), measured(features, folded, 10)
    assert apart.trustworthiness > apart.continuity
    assert over.continuity > over.trustworthiness


def test_far_from_the_origin() -> None:
    rng = np.random.default_rng(1)
    near = rng.normal(size=(120, 6))
    features = (near + 10_000).astype(np.float32)
    xy = rng.normal(size=(120, 2)).astype(np.float32)
    expected = manifold.trustworthiness((features - features.mean(0)).astype(np.float64), xy, n_neighbors=8)
    assert measured(features, xy + 5000, 8).trustworthiness == pytest.approx(expected, abs=1e-4)


def test_blocks_do_not_change_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    features, xy = rng.normal(size=(90, 7)).astype(np.float32), rng.normal(size=(90, 2)).astype(np.float32)
    whole = measured(features, xy, 6)
    monkeypatch.setattr("convviz_gui.engine.latent.distortion._BLOCK_ELEMENTS", 300)
    neighbours = finish(nearest(features, 6))
    steps = [step.done for step in measure_distortion(features, xy, neighbours, 6)]
    assert steps[:30] == list(range(3, 91, 3))
    blocks = measured(features, xy, 6)
    assert blocks == whole
    np.testing.assert_array_equal(blocks.preservation, whole.preservation)


def test_of_many_points_a_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    features = rng.normal(size=(2000, 8)).astype(np.float32)
    xy = (features[:, :2] + 0.5 * rng.normal(size=(2000, 2))).astype(np.float32)
    whole = measured(features, xy, 12)
    monkeypatch.setattr("convviz_gui.engine.latent.distortion.ALL_ROWS", 1000)
    monkeypatch.setattr("convviz_gui.engine.latent.distortion.SAMPLE", 400)
    sample = measured(features, xy, 12)
    assert sample.measured == 400
    assert sample.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.01)
    assert sample.continuity == pytest.approx(whole.continuity, abs=0.01)
    np.testing.assert_array_equal(sample.preservation, whole.preservation)


@pytest.mark.parametrize(("n", "k"), [(1, 0), (2, 1), (10, 5), (10, 0)])
def test_undefined_is_nan(n: int, k: int) -> None:
    features = np.random.default_rng(3).normal(size=(n, 4)).astype(np.float32)
    found = measured(features, features[:, :2], k)
    assert math.isnan(found.trustworthiness)
    assert math.isnan(found.continuity)
    assert len(found.preservation) == 0


def test_all_rows_the_same_is_nan() -> None:
    found = measured(np.full((20, 3), 0.1, np.float32), np.zeros((20, 2), np.float32), 4)
    assert math.isnan(found.trustworthiness)


def test_many_points_on_one_place() -> None:
    """Copies share the best rank: no copy is a false neighbour of another."""
    rng = np.random.default_rng(8)
    features = np.repeat(rng.normal(size=(5, 6)), 40, axis=0).astype(np.float32)
    found = measured(features, features[:, :2], 10)
    assert (found.trustworthiness, found.continuity) == (1.0, 1.0)
    assert (found.preservation == 1.0).all()
