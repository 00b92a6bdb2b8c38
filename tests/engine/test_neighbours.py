"""Nearest neighbours against brute force in float64."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from convviz_gui.engine.latent.neighbours import Neighbours, nearest, outlier_scores


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
