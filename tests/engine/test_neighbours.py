"""Nearest neighbours against brute force in float64."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from convviz_gui.engine.latent.neighbours import Neighbours, nearest, nearest_to, outlier_scores


def finish(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def brute_force(features: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    points = features.astype(np.float64)
    if metric == "cosine":
        norms = np.linalg.norm(points, axis=1, keepdims=True)
        points = points / norms
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    if metric == "cosine":
        distances = distances**2 / 2
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, 1)


def assert_brute_force(found: Neighbours, features: np.ndarray, k: int, metric: str) -> None:
    indices, distances = brute_force(features, k, metric)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("n", "width", "k"), [(2, 3, 1), (40, 2, 39), (300, 65, 12), (700, 5, 3)])
def test_equals_brute_force(n: int, width: int, k: int, metric: str) -> None:
    features = np.random.default_rng(n).normal(size=(n, width)).astype(np.float32)
    assert_brute_force(finish(nearest(features, k, metric)), features, k, metric)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_far_from_the_origin_float32_alone_would_fail(metric: str) -> None:
    """Distances far below float32's resolution of the norms are still ordered rightly."""
    noise = np.random.default_rng(1).normal(size=(250, 16)).astype(np.float32)
    features = (1000 + 0.001 * noise).astype(np.float32)
    features[:10] += 300
    assert_brute_force(finish(nearest(features, 8, metric)), features, 8, metric)


@pytest.mark.parametrize("scale", [1e-25, 1e-3, 1e25])
def test_any_scale(scale: float) -> None:
    features = (scale * np.random.default_rng(2).normal(size=(200, 20))).astype(np.float32)
    assert_brute_force(finish(nearest(features, 5)), features, 5, "euclidean")


def test_ties_go_to_the_lower_row_even_among_more_copies_than_candidates() -> None:
    grid = np.random.default_rng(3).integers(0, 2, size=(400, 3)).astype(np.float32)
    found = finish(nearest(grid, 6))
    assert_brute_force(found, grid, 6, "euclidean")
    assert (found.distances == 0).all()


def test_many_blocks_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(4).normal(size=(120, 9)).astype(np.float32)
    whole = finish(nearest(features, 7))
    monkeypatch.setattr("convviz_gui.engine.latent.neighbours._BLOCK_ELEMENTS", 500)
    steps = list(nearest(features, 7))
    assert len(steps) > 10
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total == 120
    blocked = finish(nearest(features, 7))
    np.testing.assert_array_equal(whole.indices, blocked.indices)


def test_a_row_of_zeros_is_at_cosine_distance_one() -> None:
    features = np.array([[0, 0], [2, 0], [0, 0], [0, 3]], np.float32)
    found = finish(nearest(features, 3, "cosine"))
    assert found.indices[0].tolist() == [2, 1, 3]
    np.testing.assert_allclose(found.distances[0], [0, 1, 1])
    assert found.indices[1].tolist() == [0, 2, 3]


def test_fewer_rows_than_neighbours_give_fewer_columns() -> None:
    features = np.random.default_rng(5).normal(size=(4, 2)).astype(np.float32)
    assert finish(nearest(features, 12)).indices.shape == (4, 3)
    alone = finish(nearest(features[:1], 12))
    assert alone.indices.shape == (1, 0)
    assert outlier_scores(alone).tolist() == [0.0]


def test_outlier_score_is_the_mean_distance_and_the_arrays_are_read_only() -> None:
    features = np.array([[0.0], [1.0], [3.0]], np.float32)
    found = finish(nearest(features, 2))
    scores = outlier_scores(found)
    np.testing.assert_allclose(scores, [2.0, 1.5, 2.5])
    assert scores.dtype == np.float32
    for array in (found.indices, found.distances, scores, found.first(1).indices):
        assert not array.flags.writeable
    assert found.first(1).indices.tolist() == [[1], [0], [1]]


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="manhattan"):
        finish(nearest(np.zeros((3, 2), np.float32), 1, "manhattan"))


# ------------------------------------------------------------------------------------------------ made to mislead


def test_rows_of_very_different_sizes() -> None:
    """One row so large that the others' squares vanish in float32 beside it."""
    features = np.random.default_rng(6).normal(size=(150, 10)).astype(np.float32)
    features *= np.logspace(-30, 0, 150, dtype=np.float32)[:, None]
    features[70] = 1e25
    assert_brute_force(finish(nearest(features, 4)), features, 4, "euclidean")


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_clusters_tighter_than_float32_can_tell(metric: str) -> None:
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(5, 40)).astype(np.float32) * 50
    features = centres[rng.integers(0, 5, 300)] + rng.normal(size=(300, 40)).astype(np.float32) * 1e-4
    assert_brute_force(finish(nearest(features, 9, metric)), features, 9, metric)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_crowds_of_copies_among_others(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    features = rng.integers(1, 6, size=(160, 4)).astype(np.float32)
    features[rng.permutation(160)[:60]] = (1, 2, 0, 4)
    features[rng.permutation(160)[:9]] = (3, 3, 3, -0.0)
    features[rng.permutation(160)[:8]] = (3, 3, 3, 0.0)
    monkeypatch.setattr("convviz_gui.engine.latent.neighbours._BLOCK_ELEMENTS", 900)
    found = finish(nearest(features, 5, metric))
    _, distances = brute_force(features, 5, metric)
    np.testing.assert_allclose(found.distances, distances, atol=1e-12)
    # Exact ties are copies; the first of them come first.
    for row in np.flatnonzero((features == (1, 2, 0, 4)).all(1)):
        same = np.flatnonzero((features == features[row]).all(1))
        assert found.indices[row].tolist() == same[same != row][:5].tolist()


def test_thousands_of_the_same_row_take_no_time() -> None:
    """Each would be measured against all: 144 million distances."""
    found = finish(nearest(np.full((12_000, 8), 0.1, np.float32), 3))
    assert found.indices[0].tolist() == [1, 2, 3]
    assert found.indices[2].tolist() == [0, 1, 3]
    assert found.indices[-1].tolist() == [0, 1, 2]
    assert not found.distances.any()


def test_rows_in_an_order_in_which_every_tile_brings_nearer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.linspace(1, 0, 400, dtype=np.float32)[:, None] ** 3
    monkeypatch.setattr("convviz_gui.engine.latent.neighbours._BLOCK_ELEMENTS", 2500)
    assert_brute_force(finish(nearest(features, 6)), features, 6, "euclidean")


# ------------------------------------------------------------------------------------------ from other rows


def brute_force_to(queries: np.ndarray, features: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    here, there = queries.astype(np.float64), features.astype(np.float64)
    if metric == "cosine":
        here, there = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (here, there))
    distances = np.linalg.norm(here[:, None] - there[None], axis=2)
    if metric == "cosine":
        distances = distances**2 / 2
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, 1)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("block", [400, 4_000_000])
@pytest.mark.parametrize("offset", [0.0, 500.0])
def test_queries_find_what_brute_force_finds(
    metric: str, block: int, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convviz_gui.engine.latent.neighbours._BLOCK_ELEMENTS", block)
    rng = np.random.default_rng(9)
    features = (rng.normal(size=(230, 24)) + offset).astype(np.float32)
    queries = np.concatenate([features[[5, 100]], (rng.normal(size=(30, 24)) * 4 + offset).astype(np.float32)])
    found = finish(nearest_to(queries, features, 7, metric))
    indices, distances = brute_force_to(queries, features, 7, metric)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-9, atol=1e-13)
    assert found.indices[:2, 0].tolist() == [5, 100]
    assert found.distances[:2, 0].tolist() == [0.0, 0.0]


def test_a_query_far_larger_than_all_rows() -> None:
    features = np.random.default_rng(10).normal(size=(60, 6)).astype(np.float32)
    queries = np.full((1, 6), 1e30, np.float32)
    found = finish(nearest_to(queries, features, 60))
    np.testing.assert_allclose(found.distances[0], np.sqrt(6) * 1e30, rtol=1e-6)
    assert sorted(found.indices[0].tolist()) == list(range(60))


def test_queries_of_few_rows_and_of_none() -> None:
    features = np.random.default_rng(11).normal(size=(3, 2)).astype(np.float32)
    assert finish(nearest_to(features[:2], features, 12)).indices.shape == (2, 3)
    assert finish(nearest_to(features[:0], features, 2)).indices.shape == (0, 2)
    assert finish(nearest_to(features, features[:0], 2)).indices.shape == (3, 0)
