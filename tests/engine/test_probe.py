"""The linear probe against scikit-learn's logistic regression and discriminant analysis, and how pictures are dealt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from convviz_gui.engine.desk.folds import classes_in, deal, groups_of, same_rows
from convviz_gui.engine.desk.out_of_fold import Split, probabilities, splits_of
from convviz_gui.engine.desk.probe import STRENGTHS, Probe, fit, fit_path
from tests.engine.test_neighbours import finish


def blobs(n: int, width: int, k: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    codes[:k] = np.arange(k)
    # Dimensions as unlike in size and place as a layer's channels are.
    sizes = 10.0 ** rng.uniform(-3, 2, width)
    centres = apart * rng.normal(size=(k, width))
    mixed = (centres[codes] + rng.normal(size=(n, width))) @ np.linalg.qr(rng.normal(size=(width, width)))[0]
    return (mixed * sizes + 5 * sizes).astype(np.float32), codes


def said(probe: Probe, x: np.ndarray) -> np.ndarray:
    return np.concatenate([part for _, part in probe.probabilities(x, np.arange(len(x)))])


@pytest.mark.parametrize(("n", "width", "k"), [(300, 20, 4), (60, 150, 3), (400, 5, 2)])
@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
def test_it_is_the_logistic_regression_of_scikit_learn(n: int, width: int, k: int, strength: float) -> None:
    x, codes = blobs(n, width, k, 0.4)
    rows = np.arange(n)[n // 5 :]
    probe = finish(fit(x, rows, codes, k, strength))
    reference = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / (strength * len(rows)), tol=1e-9, max_iter=10_000)
    ).fit(x[rows].astype(np.float64), codes[rows])
    got = said(probe, x)
    expected = reference.predict_proba(x.astype(np.float64))
    if k == 2:
        # Two classes have one vector there and two here: the same penalty weighs half as much.
        twice = LogisticRegression(C=2 / (strength * len(rows)), tol=1e-9, max_iter=10_000)
        expected = (
            make_pipeline(StandardScaler(), twice)
            .fit(x[rows].astype(np.float64), codes[rows])
            .predict_proba(x.astype(np.float64))
        )
    assert np.abs(got - expected).max() < 2e-3
    assert (got.argmax(1) == expected.argmax(1)).mean() > 0.995
    assert probe.exact


def test_where_the_search_is_too_much_work_it_is_the_discriminant_analysis_of_scikit_learn() -> None:
    x, codes = blobs(500, 12, 5, 0.8)
    probe = finish(fit(x, np.arange(500), codes, 5, 1e-6, work=0))
    assert not probe.exact
    expected = LinearDiscriminantAnalysis(solver="lsqr").fit(StandardScaler().fit_transform(x), codes)
    got = said(probe, x)
    np.testing.assert_allclose(got, expected.predict_proba(StandardScaler().fit_transform(x)), atol=2e-3)


def test_the_same_data_gives_the_same_probe_and_a_path_ends_where_a_fit_does() -> None:
    x, codes = blobs(200, 10, 3, 0.5)
    given = (x, np.arange(200), codes, 3)
    first, second = (finish(fit(*given, 0.01)) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    tried = []

    def surprise(probe: Probe) -> float:
        tried.append(probe)
        return {10.0: 4.0, 1.0: 3.0, 0.1: 2.0, 0.01: 1.0, 0.001: 1.0}[probe.strength]

    best = finish(fit_path(*given, STRENGTHS, surprise))
    assert (best.strength, len(tried)) == (0.01, 5)
    np.testing.assert_allclose(said(best, x), said(first, x), atol=1e-3)


def test_what_is_the_same_everywhere_and_classes_never_seen_count_for_nothing() -> None:
    x, codes = blobs(90, 6, 3, 2.0)
    x[:, 2] = 1e6
    rows = np.flatnonzero(codes != 2)
    probe = finish(fit(x, rows, codes, 3, 0.1))
    assert not probe.weight[2].any()
    chances = said(probe, x)
    assert np.isfinite(chances).all()
    assert not chances[:, 2].any()
    still = np.ones((8, 4), np.float32)
    probe = finish(fit(still, np.arange(8), np.array([0, 1] * 4), 2, 0.1))
    np.testing.assert_allclose(said(probe, still), 0.5)


def test_ten_thousand_classes_of_two_pictures_are_told_within_a_little_memory() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10_000, 24)).astype(np.float32)
    x = np.concatenate([centres + 0.05 * rng.normal(size=centres.shape).astype(np.float32) for _ in range(2)])
    codes = np.tile(np.arange(10_000), 2)
    right = []
    split = Split(np.arange(10_000), np.arange(10_000, 10_400))

    def take(rows: np.ndarray, chances: np.ndarray) -> None:
        assert chances.size <= 4_000_000
        right.extend(chances.argmax(1) == codes[rows])

    fitted = finish(probabilities(x, codes, 10_000, [split], [split], take))
    assert not fitted.exact
    assert np.mean(right) > 0.95


def test_probabilities_are_of_pictures_that_were_not_learned_from() -> None:
    # Labels by chance: whoever had seen a picture would do better than chance.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 300)).astype(np.float32)
    codes = rng.integers(0, 2, 200)
    splits = splits_of(deal(codes, np.arange(200), 0))
    seen: dict[int, float] = {}
    finish(
        probabilities(
            x, codes, 2, splits, splits[:1], lambda rows, p: seen.update(zip(rows.tolist(), p[:, 1], strict=True))
        )
    )
    assert sorted(seen) == list(range(200))
    told = np.mean([(seen[row] > 0.5) == (codes[row] == 1) for row in range(200)])
    assert 0.35 < told < 0.65


# --------------------------------------------------------------------------------------------------- dealing


def test_every_label_is_spread_over_the_folds() -> None:
    codes = np.repeat([0, 1, 2, -1], [50, 7, 2, 5])
    folds = deal(codes, np.arange(64), 3)
    assert (folds[codes < 0] == -1).all()
    for label in range(3):
        sizes = np.bincount(folds[codes == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    total = np.bincount(folds[codes >= 0])
    assert total.max() - total.min() <= 1
    np.testing.assert_array_equal(folds, deal(codes, np.arange(64), 3))
    assert not np.array_equal(folds, deal(codes, np.arange(64), 4))


def test_copies_of_a_picture_are_in_one_fold_whatever_their_labels() -> None:
    digests = ["a", "b", "a", "", "", "c", "a", "b"] * 4
    labels = ["x", "y", "y", "x"] * 8
    groups = groups_of(digests, 32)
    folds = deal(classes_in(labels).codes, groups, 0)
    for digest in "abc":
        assert len({fold for fold, own in zip(folds, digests, strict=True) if own == digest}) == 1
    alone = [row for row, digest in enumerate(digests) if not digest]
    assert len({groups[row] for row in alone}) == len(alone)


def test_equal_rows_are_one_picture_where_nothing_else_is_known() -> None:
    x = np.array([[1, 2], [3, 4], [1, 2], [1, 2.0001]], np.float32)
    groups = same_rows(x)
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3
