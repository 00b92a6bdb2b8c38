"""Some of a map's points projected anew: laid where they were, with neighbours of their own, and repeatable."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.alignment import aligned
from convviz_gui.engine.latent.rows import cut, parse_rows
from convviz_gui.engine.payloads import Column, Points
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Reproject, Result, Run
from tests.engine.test_embedding import write_pictures
from tests.engine.test_latent import points_of, run
from tests.engine.test_neighbours import brute_force, finish
from tests.engine.tiny import tiny_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_pictures(tmp_path_factory.mktemp("pictures"), 40))


def again(session: Session, result: Result, rows: tuple[int, ...], **settings: float | str) -> Result:
    outcome: Result = finish(session.execute(Reproject(result, rows, tuple(settings.items()))))
    return outcome


def turned(xy: np.ndarray) -> np.ndarray:
    angle = 0.7
    turn = np.array([[math.cos(angle), -math.sin(angle)], [-math.sin(angle), -math.cos(angle)]])
    return (3.0 * xy @ turn + [5.0, -2.0]).astype(np.float32)


def test_alignment_undoes_a_turn_a_mirror_a_scale_and_a_move() -> None:
    xy = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    np.testing.assert_allclose(aligned(turned(xy), xy), xy, atol=1e-5)


def test_alignment_is_the_best_of_many() -> None:
    rng = np.random.default_rng(1)
    xy, to = rng.normal(size=(2, 25, 2)).astype(np.float32)
    best = np.square(aligned(xy, to) - to).sum()
    for _ in range(200):
        angle, scale, sign = rng.uniform(0, 6.3), rng.uniform(0, 2), rng.choice([-1, 1])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [sign * np.sin(angle), sign * np.cos(angle)]])
        other = scale * (xy - xy.mean(0)) @ turn + to.mean(0)
        assert np.square(other - to).sum() >= best - 1e-4


@pytest.mark.parametrize("xy", [np.zeros((3, 2)), np.ones((1, 2)), np.full((2, 2), np.nan)])
def test_alignment_of_what_has_no_direction(xy: np.ndarray) -> None:
    xy = xy.astype(np.float32)
    to = np.arange(2 * len(xy), dtype=np.float32).reshape(-1, 2)
    found = aligned(xy, to)
    if np.isfinite(xy).all():
        np.testing.assert_allclose(found, np.broadcast_to(to.mean(0), to.shape), atol=1e-6)


def test_a_selection_is_projected_on_its_own_and_lies_where_it_was(folder: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca", neighbours=5)
    points = points_of(whole)
    rows = (3, 30, 7, 8, 21, 12, 5, 39)
    result = again(session, whole, rows)
    found = points_of(result)
    chosen = sorted(rows)
    assert found.paths == tuple(points.paths[row] for row in chosen)
    np.testing.assert_array_equal(found.features, points.features[chosen])
    np.testing.assert_array_equal(found.outlier, points.outlier[chosen])
    np.testing.assert_array_equal(found.neighbours, brute_force(found.features, 5, "euclidean")[0])
    own = pca(found.features)
    np.testing.assert_allclose(found.xy, aligned(own, points.xy[chosen]), atol=1e-5)
    # Its own plane but for a movement of the whole: all distances in the same proportion.
    gaps, wanted = np.linalg.norm(found.xy[1:] - found.xy[0], axis=1), np.linalg.norm(own[1:] - own[0], axis=1)
    np.testing.assert_allclose(gaps / gaps.max(), wanted / wanted.max(), atol=1e-4)
    assert found.final
    assert 0 < found.trustworthiness <= 1
    assert 0 < found.continuity <= 1
    assert {score.label for score in result.scores} >= {"Trustworthiness", "Continuity", "Neighbours kept"}


def test_it_can_be_repeated_from_its_own_run(folder: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca", neighbours=5)
    result = again(session, again(session, whole, (0, 2, 4, 6, 8, 10, 12, 30)), (1, 2, 3, 4, 7))
    assert dict(result.run.settings)["only"] == "2,4,6,8,30"
    repeated: Result = finish(session.execute(result.run))
    assert points_of(repeated).paths == points_of(result).paths
    np.testing.assert_array_equal(points_of(repeated).neighbours, points_of(result).neighbours)


def test_another_projection_of_a_selection_streams(folder: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca", neighbours=5)
    steps = session.execute(Reproject(whole, tuple(range(0, 40, 2)), (("projection", "tsne"),)))
    shown = []
    while True:
        try:
            update = next(steps)
        except StopIteration as stop:
            result = stop.value
            break
        if update.preview is not None:
            shown.append(update.preview())
    assert shown
    assert all(isinstance(one, Points) and len(one.paths) == 20 and not one.final for one in shown)
    found = points_of(result)
    assert found.projection == "tsne"
    # On the scale of the map it came from, so that nothing jumps.
    before = points_of(whole).xy[::2]
    np.testing.assert_allclose(found.xy.mean(0), before.mean(0), atol=1e-3 * float(np.ptp(before)))


@pytest.mark.parametrize(
    ("rows", "words"),
    [((), "0 pictures"), ((3,), "1 pictures"), ((3, 3), "1 pictures"), ((1, 99), "99"), ((-1, 2), "-1")],
)
def test_what_makes_no_map(folder: str, rows: tuple[int, ...], words: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca")
    with pytest.raises(EngineError, match=words):
        again(session, whole, rows)


def test_too_few_for_the_projection_is_said(folder: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca")
    with pytest.raises(EngineError, match="UMAP needs at least"):
        again(session, whole, (1, 2), projection="umap")


def test_unfinished_or_other_results_are_refused(folder: str) -> None:
    session = tiny_session()
    whole, _ = run(session, folder, "conv2", projection="pca")
    unfinished = dataclasses.replace(whole, payload=dataclasses.replace(points_of(whole), final=False))
    with pytest.raises(EngineError, match="finished"):
        again(session, unfinished, (1, 2, 3))


@pytest.mark.parametrize("text", ["x", "99", "3-1", "all of them"])
def test_rows_that_cannot_be(folder: str, text: str) -> None:
    with pytest.raises(EngineError, match="--only"):
        finish(tiny_session().execute(Run("latent", folder=folder, settings=(("projection", "pca"), ("only", text)))))


def test_what_is_cut_keeps_pairs_and_columns(folder: str) -> None:
    points = points_of(run(tiny_session(), folder, "conv2", projection="pca")[0])
    points = dataclasses.replace(
        points,
        duplicates=np.array([[1, 2], [2, 5], [7, 8]]),
        duplicate_distance=np.array([0.0, 0.1, 0.2], np.float32),
        columns=(Column("age", np.arange(40.0)),),
        suspects=np.linspace(0, 1, 40, dtype=np.float32),
        splits=tuple("ab"[row % 2] for row in range(40)),
    )
    found = cut(points, parse_rows("2,5,8-9", 40))
    np.testing.assert_array_equal(found.duplicates, [[0, 1]])
    np.testing.assert_allclose(found.duplicate_distance, [0.1])
    np.testing.assert_array_equal(found.columns[0].values, [2.0, 5.0, 8.0, 9.0])
    np.testing.assert_array_equal(found.suspects, points.suspects[[2, 5, 8, 9]])
    assert found.splits == ("a", "b", "a", "b")
