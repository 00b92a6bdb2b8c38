"""Pictures placed on a finished map: neighbours exact, places where the projection itself would have them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.latent.placing import curve_of, gaussian_affinities, memberships, place
from convviz_gui.engine.payloads import Located, Points
from convviz_gui.engine.projections.pca import pca, principal_axes
from convviz_gui.engine.projections.plan import Plan, project
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Locate, Result
from tests.engine.test_embedding import write_pictures
from tests.engine.test_latent import points_of, run
from tests.engine.test_neighbours import finish
from tests.engine.test_projections import by_umap_learn, clusters
from tests.engine.tiny import tiny_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"), 40)


def located(session: Session, result: Result, path: str) -> Located:
    outcome: Located = finish(session.execute(Locate(result, load_image(path))))
    return outcome


def made_up(features: np.ndarray, xy: np.ndarray, projection: str) -> Points:
    n = len(features)
    nothing = np.zeros((n, 0), np.float32)
    return Points(
        "layer", "/folder", projection, tuple(map(str, range(n))), ("",) * n, features, xy, nothing,
        np.zeros(n, np.float32), np.zeros((n, 0), np.int64),
    )  # fmt: skip


def test_a_picture_of_the_folder_is_found_where_it_is(folder: Path) -> None:
    session = tiny_session()
    whole, _ = run(session, str(folder), "conv2", projection="pca", neighbours=5)
    points = points_of(whole)
    for row in (0, 7, 39):
        found = located(session, whole, points.paths[row])
        assert found.neighbours[0] == row
        assert found.distances[0] == pytest.approx(0.0, abs=1e-5)
        np.testing.assert_allclose(found.xy, points.xy[row], atol=1e-4 * float(np.ptp(points.xy)))
        np.testing.assert_allclose(found.logits, points.logits[row], rtol=1e-4, atol=1e-4)


def test_neighbours_are_those_of_brute_force(folder: Path, tmp_path: Path) -> None:
    session = tiny_session()
    whole, _ = run(session, str(folder), "conv2", projection="pca", neighbours=6)
    write_pictures(tmp_path, 45)
    other = next(path for path in sorted(tmp_path.rglob("*.png")))
    found = located(session, whole, str(other))
    features = finish(session.execute(dataclasses.replace(whole.run, folder=str(other.parent)))).payload
    row = next(i for i, path in enumerate(features.paths) if path == str(other))
    gaps = np.linalg.norm(
        points_of(whole).features.astype(np.float64) - features.features[row].astype(np.float64), axis=1
    )
    np.testing.assert_allclose(found.distances, np.sort(gaps)[:6], rtol=1e-4, atol=1e-6)
    assert found.outlier == pytest.approx(np.sort(gaps)[:6].mean(), rel=1e-4)


@pytest.mark.parametrize("shape", [(60, 8), (10, 40)])
def test_pca_of_new_rows_equals_scikit_learns(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    features, new = rng.normal(size=shape).astype(np.float32), rng.normal(size=(5, shape[1])).astype(np.float32)
    axes = principal_axes(features, 3)
    np.testing.assert_allclose(axes.scores(features), pca(features, 3), atol=1e-4)
    theirs = PCA(3, svd_solver="full").fit(features.astype(np.float64)).transform(new.astype(np.float64))
    mine = axes.scores(new)
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs), atol=1e-4)


@pytest.mark.parametrize("projection", ["tsne", "umap"])
def test_a_point_left_out_is_placed_among_its_own_group(projection: str) -> None:
    features = clusters(122, 16, 4)
    group = np.arange(122) % 4
    plan = Plan(projection)
    xy = finish(project(features[2:], pca(features[2:]), plan))
    centres = np.stack([xy[group[2:] == one].mean(0) for one in range(4)])
    for row in (0, 1):
        found: NDArray[np.float32] = finish(place(features[row], made_up(features[2:], xy, projection), plan))
        assert np.linalg.norm(centres - found, axis=1).argmin() == group[row]
        again = finish(place(features[row], made_up(features[2:], xy, projection), plan))
        np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("projection", ["tsne", "umap"])
def test_points_of_the_map_come_back_to_where_they_are(projection: str) -> None:
    """For most: the objective for one point alone is nearly what it was for all together."""
    features = clusters(200, 16, 5)
    plan = Plan(projection)
    xy = finish(project(features, pca(features), plan))
    points = made_up(features, xy, projection)
    gaps = [float(np.linalg.norm(finish(place(features[row], points, plan)) - xy[row])) for row in range(0, 200, 10)]
    across = np.linalg.norm(np.ptp(xy, axis=0))
    assert np.median(gaps) < 0.05 * across


def test_affinities_have_the_perplexity_asked_for() -> None:
    distances = np.sort(np.random.default_rng(1).uniform(1, 5, 90))
    p = gaussian_affinities(distances, 30.0)
    assert p.sum() == pytest.approx(1.0)
    assert np.exp(-(p * np.log(p)).sum()) == pytest.approx(30.0, rel=1e-3)


def test_memberships_and_curve_are_umaps() -> None:
    assert curve_of(0.1) == pytest.approx(by_umap_learn("find_ab_params(1.0, 0.1)", np.zeros(1)), rel=1e-3)
    distances = np.sort(np.random.default_rng(2).uniform(0.1, 1, (1, 15)), axis=1).astype(np.float32)
    distances[0, 0] = 0.0  # umap-learn has the point itself first
    theirs = by_umap_learn(
        "compute_membership_strengths(np.arange(1, 16)[None].astype(np.int32), given, "
        "*smooth_knn_dist(given, 15.0))[2]",
        distances,
    )
    np.testing.assert_allclose(memberships(distances[0, 1:].astype(np.float64)), theirs[1:], rtol=1e-3, atol=1e-4)


def test_another_networks_map_is_refused(folder: Path) -> None:
    session = tiny_session()
    whole, _ = run(session, str(folder), "conv2", projection="pca")
    other = dataclasses.replace(whole, model=dataclasses.replace(whole.model, digest="another"))
    with pytest.raises(EngineError, match="not of the network that is open"):
        located(session, other, points_of(whole).paths[0])
    # The same numbers, set by hand.
    by_hand = dataclasses.replace(whole.model, preprocess=dataclasses.replace(whole.model.preprocess, source="hand"))
    assert located(session, dataclasses.replace(whole, model=by_hand), points_of(whole).paths[0]).neighbours[0] == 0
    unfinished = dataclasses.replace(whole, payload=dataclasses.replace(points_of(whole), final=False))
    with pytest.raises(EngineError, match="finished"):
        located(session, unfinished, points_of(whole).paths[0])
