"""Label suspects and ambiguity, against counting by hand; those of the demo's folder are in test_latent."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from convviz_gui.engine.desk.label_scores import label_scores, why_not
from convviz_gui.engine.desk.suspects import LabelNews, label_news
from convviz_gui.engine.desk.votes import ambiguity, shares, voters
from convviz_gui.engine.latent.neighbours import nearest
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Result, Run
from tests.engine.test_embedding import write_pictures
from tests.engine.test_neighbours import finish
from tests.engine.tiny import tiny_session


def news_of(x: np.ndarray, labels: list[str], digests: tuple[str, ...] = (), seed: int = 0) -> LabelNews:
    near = finish(nearest(x, 12)) if len(x) > 1 else None
    found: LabelNews = finish(
        label_news(x, near.indices if near else np.zeros((1, 0), np.int64), labels, digests, seed)
    )
    return found


def groups_with(wrong: dict[int, str], n: int = 90, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    x = (4 * rng.normal(size=(3, 10))[codes] + rng.normal(size=(n, 10))).astype(np.float32)
    return x, [wrong.get(row, "abc"[code]) for row, code in enumerate(codes)]


# --------------------------------------------------------------------------------------------------- by hand


def test_votes_and_ambiguity_are_counted() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(-1, 4, 60)
    groups = rng.integers(0, 40, 60)
    neighbours = np.array([rng.permutation(60)[:9] for _ in range(60)])
    votes = voters(neighbours, codes, groups)
    mixed = ambiguity(neighbours, votes, codes)
    parts = shares(np.arange(60), neighbours, votes, codes, 4)
    for row in range(60):
        own = [int(codes[i]) for i in neighbours[row] if codes[i] >= 0 and groups[i] != groups[row]]
        for code in range(4):
            assert parts[row, code] == pytest.approx(own.count(code) / len(own) if own else 0)
        pairs = list(itertools.combinations(own, 2))
        if pairs:
            assert mixed[row] == pytest.approx(np.mean([a != b for a, b in pairs]), abs=1e-6)
        else:
            assert np.isnan(mixed[row])


def test_wrong_labels_come_first_with_the_right_one_suggested() -> None:
    x, labels = groups_with({4: "c", 30: "b", 77: "a"})
    news = news_of(x, labels)
    assert set(np.argsort(-news.suspects)[:3].tolist()) == {4, 30, 77}
    assert {row: name for row, name in enumerate(news.suggested) if name} == {4: "b", 30: "a", 77: "c"}
    assert (news.suspects[[4, 30, 77]] > 0.75).all()
    assert np.median(news.suspects) < 0.1
    assert news.suspects.min() >= 0
    assert news.suspects.max() <= 1
    # A wrong label in the midst of another's pictures is no ambiguous picture.
    assert news.ambiguity[4] < 0.5


def test_a_picture_between_two_labels_is_ambiguous() -> None:
    x, labels = groups_with({})
    middle = (x[::3].mean(0) + x[1::3].mean(0)) / 2
    x = np.concatenate([x, middle[None]]).astype(np.float32)
    news = news_of(x, [*labels, "a"])
    assert news.ambiguity.argmax() == 90
    assert 0.4 < news.ambiguity[90] < 0.7
    assert news.ambiguity.min() == 0


def test_copies_do_not_vouch_for_each_other() -> None:
    x, labels = groups_with({4: "c"})
    # The same file twelve times more, as wrong each time: together they would be a group of their own.
    x = np.concatenate([x, np.repeat(x[4:5], 12, axis=0)])
    labels += ["c"] * 12
    copies = [4, *range(90, 102)]
    near = finish(nearest(x, 30))
    digests = tuple("same" if row in copies else str(row) for row in range(len(x)))
    for known in (digests, ()):
        news: LabelNews = finish(label_news(x, near.indices, labels, known, 0))
        assert (news.suspects[copies] > 0.9).all()
        assert {news.suggested[row] for row in copies} == {"b"}
    apart: LabelNews = finish(label_news(x, near.indices, labels, tuple(map(str, range(len(x)))), 0))
    assert (apart.suspects[copies] < 0.5).all()


def test_where_labels_cannot_be_told_apart_none_is_suggested() -> None:
    rng = np.random.default_rng(8)
    news = news_of(rng.normal(size=(200, 6)).astype(np.float32), [f"label {i % 20}" for i in range(200)])
    assert sum(map(bool, news.suggested)) <= 4


def test_a_label_is_suggested_only_if_it_is_as_likely_as_where_it_is_given() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal([[0.0, 0.0]] * 40 + [[10.0, 0.0]] * 40 + [[5.5, 0.0]], 0.3).astype(np.float32)
    labels = ["left"] * 40 + ["right"] * 40 + ["left"]
    neighbours = finish(nearest(features, 12)).indices.copy()
    neighbours[80] = [*range(5), *range(40, 47)]
    news = finish(label_news(features, neighbours, labels))
    assert news.suspects[80] > 0.5
    assert news.suggested[80] == ""
    neighbours[80] = range(40, 52)
    features[80] = features[60]
    assert finish(label_news(features, neighbours, labels, [str(row) for row in range(81)])).suggested[80] == "right"


def test_the_same_seed_gives_the_same_suspects() -> None:
    x, labels = groups_with({4: "c"})
    first, second = (news_of(x, labels, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.suspects, second.suspects)
    assert not np.array_equal(first.suspects, news_of(x, labels, seed=6).suspects)


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([""] * 6, "No picture has a label"),
        (["a"] * 6, "All labels are the same"),
        (["a", "", "", "", "", ""], "All labels are the same"),
        (list("abcdef"), "No two pictures have the same label"),
    ],
)
def test_where_nothing_can_be_told_nothing_is(labels: list[str], why: str) -> None:
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    news = news_of(x, labels)
    assert (len(news.suspects), news.suggested, len(news.ambiguity)) == (0, (), 0)
    assert why_not(labels) == why


def test_ten_thousand_labels_with_a_picture_each_take_no_time() -> None:
    x = np.zeros((10_000, 64), np.float32)
    news: LabelNews = finish(label_news(x, np.zeros((10_000, 12), np.int64), [str(i) for i in range(10_000)]))
    assert not len(news.suspects)


@pytest.mark.parametrize("labels", [["a", "a"], ["a", "b"], ["a", ""]])
def test_two_pictures(labels: list[str]) -> None:
    assert not len(news_of(np.array([[0, 1], [1, 0]], np.float32), labels).suspects)


def test_what_cannot_be_judged_is_not_a_number_and_the_rest_is() -> None:
    x, labels = groups_with({4: "c", 10: "", 20: "alone"})
    x[50, 3] = np.inf
    near = finish(nearest(np.nan_to_num(x, posinf=0), 12))
    news: LabelNews = finish(label_news(x, near.indices, labels))
    assert np.flatnonzero(np.isnan(news.suspects)).tolist() == [10, 20, 50]
    assert news.suspects.argmax() == np.nanargmax(news.suspects) or np.isnan(news.suspects.max())
    assert int(np.nanargmax(news.suspects)) == 4
    assert not any(news.suggested[row] for row in (10, 20, 50))


def test_pictures_all_the_same_with_different_labels() -> None:
    x = np.ones((20, 5), np.float32)
    news = news_of(x, ["a", "b"] * 10)
    # One picture twenty times: nothing that another picture could say.
    assert np.isnan(news.suspects).all()
    assert np.isnan(news.ambiguity).all()
    told = news_of(x, ["a", "b"] * 10, tuple(map(str, range(20))))
    assert np.isfinite(told.suspects).all()
    assert not any(told.suggested) or max(told.suspects) < 0.6


# -------------------------------------------------------------------------------------------- the whole thing


def points_of(session: Session, folder: Path) -> tuple[Points, Result]:
    request = Run("latent", folder=str(folder), settings=(("projection", "pca"),))
    result: Result = finish(session.execute(request))
    assert isinstance(result.payload, Points)
    return result.payload, result


def test_words_say_what_was_not_judged(tmp_path: Path) -> None:
    session = tiny_session()
    flat = write_pictures(tmp_path / "flat", 6)
    points, result = points_of(session, flat)
    unlabelled = not any(points.labels)
    assert unlabelled == (not label_scores(points))
    one = tmp_path / "one" / "only"
    one.mkdir(parents=True)
    for path in flat.rglob("*.png"):
        (one / path.name).write_bytes(path.read_bytes())
    points, result = points_of(session, one.parent)
    assert not len(points.suspects)
    score = next(score for score in result.scores if score.label == "Other label suggested")
    assert (score.text, score.help) == ("not judged", "All labels are the same.")
