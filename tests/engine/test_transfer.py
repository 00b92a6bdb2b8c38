"""The transfer check against scikit-learn under the same folds, and on datasets that cannot be checked."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from convviz_gui.cli import main
from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.demo import toybox
from convviz_gui.engine.depiction import arrays, pictures, tables
from convviz_gui.engine.desk.exam import set_exam, wilson
from convviz_gui.engine.desk.folds import classes_in, deal, same_rows
from convviz_gui.engine.desk.raw_pixels import raw_pixels
from convviz_gui.engine.desk.transfer_words import best_row, lead, verdict
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from convviz_gui.engine.method import Update
from convviz_gui.engine.payloads import Judged, Transfer
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Result, Run
from tests.engine.peers import squeezenet_session
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS, tiny_session

LABELS = ("red", "green", "blue")


def paint(path: Path, colour: int, rng: np.random.Generator, noise: float = 60) -> None:
    """A noisy picture with more of one colour."""
    pixels = rng.normal(110, noise, (32, 32, 3))
    pixels[..., colour] += 40 * rng.normal(1, 0.6)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Uneven: thirty, fifteen and eight pictures, and two without a label."""
    root, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(4)
    for colour, count in enumerate((30, 15, 8)):
        for number in range(count):
            paint(root / LABELS[colour] / f"{number}.png", colour, rng)
    for number in range(2):
        paint(root / f"{number}.png", 0, rng)
    return str(root)


def check(session: Session, folder: str, others: tuple[str, ...] = (), **settings: Any) -> tuple[Transfer, Result]:
    settings = {"layers": "conv1,conv2", **settings}
    result = finish(session.execute(Run("transfer", folder=folder, settings=tuple(settings.items()), splits=others)))
    assert isinstance(result.payload, Transfer)
    return result.payload, result


# ------------------------------------------------------------------------------------------------- references


def held_to_scikit_learn(transfer: Transfer, session: Session, folder: str, metric: str) -> None:
    """Both ways of telling labels, again, by scikit-learn with the same folds and the same penalty."""
    listing = list_folder(folder)
    pixels, read = finish(raw_pixels(listing, session.info.preprocess))
    assert read.all()
    found = finish(embed_layers_cached(session, listing, transfer.layers))
    features = [pixels, *(found[layer].features for layer in transfer.layers)]
    codes = classes_in(listing.labels).codes
    folds, labelled = deal(codes, same_rows(pixels), 0), codes >= 0
    assert transfer.sizes.tolist() == [x.shape[1] for x in features]
    for row, x in enumerate(features):
        voted, probed = np.full(len(x), -1), np.full(len(x), -1)
        for fold in range(5):
            learned, asked = (folds >= 0) & (folds != fold), folds == fold
            near = KNeighborsClassifier(transfer.neighbours, metric=metric, algorithm="brute")
            voted[asked] = near.fit(x[learned].astype(float), codes[learned]).predict(x[asked].astype(float))
            penalty = 1 / (float(transfer.strength[row, fold]) * learned.sum())
            line = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, tol=1e-5, max_iter=10_000))
            probed[asked] = line.fit(x[learned].astype(float), codes[learned]).predict(x[asked].astype(float))
        np.testing.assert_array_equal(transfer.knn.right[row], (voted == codes)[labelled])
        assert transfer.knn.accuracy[row] == pytest.approx((voted == codes)[labelled].mean())
        assert transfer.knn.balanced[row] == pytest.approx(balanced_accuracy_score(codes[labelled], voted[labelled]))
        # A picture may be so near the border that the last digit decides.
        assert (transfer.probe.right[row] != (probed == codes)[labelled]).mean() <= 0.02
        per_fold = [(voted == codes)[folds == fold].mean() for fold in range(5)]
        np.testing.assert_allclose(transfer.knn.folds[row], per_fold, atol=1e-6)
    assert transfer.majority == pytest.approx(np.bincount(codes[labelled]).max() / labelled.sum())


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_it_is_what_scikit_learn_says_under_the_same_folds(folder: str, metric: str) -> None:
    session = tiny_session()
    transfer, _ = check(session, folder, metric=metric, neighbours=7)
    held_to_scikit_learn(transfer, session, folder, metric)
    assert transfer.names == ("raw pixels", "conv1", "conv2")
    assert transfer.majority == pytest.approx(30 / 53)
    assert transfer.uneven
    assert [note for note in transfer.notes if "2 pictures without a label" in note]
    assert len(transfer.paths) == len(transfer.classes) == 53


def test_photos_are_told_better_the_deeper_one_looks(squeezenet_weights: Path, photos: Path) -> None:
    session = squeezenet_session(squeezenet_weights)
    transfer, _ = check(session, str(photos), layers="features.3,features")
    held_to_scikit_learn(transfer, session, str(photos), "euclidean")
    assert len(transfer.paths) == 263
    assert len(transfer.labels) == 12
    pixels, early, late = transfer.probe.accuracy.tolist()
    assert late > early > pixels > transfer.majority
    assert late > 0.7


def test_raw_pixels_are_means_of_squares(folder: str) -> None:
    listing = list_folder(folder)
    pixels, _ = finish(raw_pixels(listing, PREPROCESS))
    photo = np.asarray(Image.open(listing.paths[0]).convert("RGB"), np.float64)
    expected = photo.reshape(16, 2, 16, 2, 3).mean((1, 3)).transpose(2, 0, 1).ravel()
    np.testing.assert_allclose(pixels[0], expected, atol=1e-4)


def test_intervals_are_those_of_the_textbook() -> None:
    # Wilson's interval of 8 of 10 (Newcombe 1998), and that what is always right is not certain.
    np.testing.assert_allclose(wilson(np.array([0.8]), 10)[0], [0.4902, 0.9433], atol=1e-4)
    low, high = wilson(np.array([1.0]), 20)[0]
    assert high == 1
    assert low == pytest.approx(0.8389, abs=1e-4)


def test_on_the_demos_pictures_deep_layers_win_and_raw_pixels_do_not(tmp_path: Path) -> None:
    for number, sample in enumerate(toybox.samples(180, 3)):
        place = tmp_path / "toybox" / toybox.CLASSES[sample.label] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sample.pixels).save(place)
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    listed = "block1_relu1,block3_relu1,avg_pool"
    transfer, result = check(session, str(tmp_path / "toybox"), layers=listed)
    assert transfer.layers == tuple(listed.split(","))
    assert transfer.majority < 0.2
    for judged in (transfer.knn, transfer.probe):
        pixels, first, _, last = judged.accuracy.tolist()
        assert last > 0.9
        assert pixels < 0.3
        assert first < 0.3
    assert best_row(transfer, balanced=False) == 3
    assert result.scores[0].text.startswith("avg_pool, 9")
    assert "Best layer for this data: avg_pool" in result.scores[0].help


# ----------------------------------------------------------------------------------------------------- splits


def test_splits_are_respected(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 10)):
        for colour, label in enumerate(LABELS):
            for number in range(count):
                paint(tmp_path / split / label / f"{number}.png", colour, rng, 20)
    # Nobody learned of these, and this one was learned by heart.
    for number in range(3):
        paint(tmp_path / "test" / "grey" / f"{number}.png", 0, rng)
    (tmp_path / "test" / "red" / "copy.png").write_bytes((tmp_path / "train" / "red" / "3.png").read_bytes())
    session, paths = tiny_session(), (str(tmp_path / "train"), str(tmp_path / "test"))
    transfer, _ = check(session, paths[0], (paths[1],))
    assert all(Path(path).is_relative_to(paths[1]) for path in transfer.paths)
    assert len(transfer.paths) == 30
    assert transfer.scored_by == "learned from the split 'train' (60 pictures), scored on 'test'"
    assert any("3 pictures whose label no picture" in note for note in transfer.notes)
    assert any("1 picture of which a copy is learned from" in note for note in transfer.notes)
    assert transfer.knn.folds.shape == (3, 1)
    assert transfer.majority == pytest.approx(1 / 3)
    crossed, _ = check(session, paths[0], (paths[1],), by_split=False)
    assert "folds" in crossed.scored_by
    assert len(crossed.paths) == 94


def test_copies_are_never_on_both_sides(tmp_path: Path) -> None:
    # Noise with labels by chance, every picture twice: whoever learns from the copy knows the answer.
    rng = np.random.default_rng(3)
    for number in range(40):
        for copy in range(2):
            place = tmp_path / "ab"[number % 2] / f"{number}-{copy}.png"
            if copy:
                place.write_bytes((place.parent / f"{number}-0.png").read_bytes())
            else:
                paint(place, 0, rng, 60)
    transfer, _ = check(tiny_session(), str(tmp_path), neighbours=1)
    assert transfer.knn.accuracy.max() < 0.75


# -------------------------------------------------------------------------------------------------- bad input


def write(root: Path, labels: list[str], same: bool = False) -> str:
    rng = np.random.default_rng(0)
    for number, label in enumerate(labels):
        paint(root / label / f"{number}.png", 0, np.random.default_rng(0) if same else rng)
    return str(root)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["", "", "", ""], "No picture has a label"),
        (["a", "a", "a"], "All labels are the same"),
        (["a", "a"], "All labels are the same"),
        (["a", "b"], "No two pictures have the same label"),
        ([f"label {i}" for i in range(40)], "No two pictures have the same label"),
    ],
)
def test_labels_that_nobody_could_tell_are_refused_before_a_picture_is_opened(
    tmp_path: Path, labels: list[str], words: str
) -> None:
    steps = tiny_session().execute(Run("transfer", folder=write(tmp_path, labels)))
    with pytest.raises(EngineError, match=words) as caught:
        next(steps)
    assert caught.value.hint


def test_one_picture_under_many_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="different pictures"):
        check(tiny_session(), write(tmp_path, ["a", "a", "b", "b", "a"], same=True))


def test_a_label_with_one_picture_is_left_out_and_said(tmp_path: Path) -> None:
    transfer, _ = check(tiny_session(), write(tmp_path, ["a"] * 6 + ["b"] * 5 + ["c"]))
    assert len(transfer.paths) == 11
    assert transfer.notes == ("1 picture whose label no picture that is learned from has: not scored",)


def test_a_layer_that_is_not_there_is_said(folder: str) -> None:
    for layers, words in (("conv1,conv9", "no layer 'conv9'"), (" , ", "No layer")):
        with pytest.raises(EngineError, match=words):
            check(tiny_session(), folder, layers=layers)


def test_layers_by_name_are_in_order_of_depth(folder: str) -> None:
    transfer, _ = check(tiny_session(), folder, layers="head@input, conv2,conv1,conv2")
    assert transfer.layers == ("conv1", "conv2", "head@input")
    for layers in ("spread", "all"):
        found, _ = check(tiny_session(), folder, layers=layers)
        assert len(set(found.layers)) == len(found.layers) >= 2


# ------------------------------------------------------------------------------------- what is seen and written


def test_rows_appear_as_they_are_judged(folder: str) -> None:
    updates: list[Update] = []
    steps = tiny_session().execute(Run("transfer", folder=folder, settings=(("layers", "conv1,conv2"),)))
    seen = []
    try:
        while True:
            updates.append(next(steps))
            preview = updates[-1].preview
            if preview is not None:
                shown = preview()
                assert isinstance(shown, Transfer)
                assert not shown.final
                seen.append(shown.names)
    except StopIteration as stop:
        final = stop.value.payload
    assert sorted(set(seen), key=len)[0] == ("raw pixels",)
    assert ("raw pixels", "conv1") in seen
    assert final.final
    assert [update.done for update in updates] == sorted(update.done for update in updates)


def test_fewer_pictures_are_spread_evenly(folder: str) -> None:
    transfer, result = check(tiny_session(), folder, pictures=20)
    assert len(transfer.paths) + sum(int(note.split()[0]) for note in transfer.notes) == 20
    assert len(transfer.labels) == 3
    assert dict(result.settings)["pictures"] == 20


def test_it_is_written_as_arrays_a_table_and_a_chart(folder: str) -> None:
    transfer, result = check(tiny_session(), folder)
    found = arrays(transfer)
    assert found["rows"].tolist() == ["raw pixels", "conv1", "conv2"]
    assert found["knn_interval"].shape == (3, 2)
    assert found["probe_right"].shape == (3, 53)
    rows = list(csv.DictReader(tables(result)["transfer"].splitlines()))
    assert [row["row"] for row in rows] == ["raw pixels", "conv1", "conv2", "commonest label"]
    assert float(rows[1]["probe"]) == pytest.approx(float(transfer.probe.accuracy[1]), abs=1e-6)
    assert float(rows[3]["knn"]) == pytest.approx(30 / 53, abs=1e-6)
    chart = pictures(result)["transfer"]
    assert chart.dtype == np.uint8
    assert chart.std() > 5


def made(probe: list[list[bool]]) -> Transfer:
    """A check with these right answers by the probe, raw pixels first."""
    right = np.array(probe)
    n = right.shape[1]
    accuracy = right.mean(1).astype(np.float32)
    judged = Judged(accuracy, wilson(accuracy, n), accuracy, wilson(accuracy, n), accuracy[:, None], right)
    count = len(right)
    return Transfer(
        folder="/d",
        layers=tuple(f"layer{i}" for i in range(1, count)),
        labels=("a", "b"),
        paths=tuple(map(str, range(n))),
        classes=np.arange(n) % 2,
        sizes=np.ones(count, np.int64),
        knn=judged,
        probe=judged,
        strength=np.ones((count, 5), np.float32),
        exact=np.ones(count, bool),
        majority=0.5,
        neighbours=3,
        metric="euclidean",
        scored_by="cross-validated in 5 folds",
    )


def test_words_tell_a_clear_best_from_a_tie_and_from_nothing() -> None:
    n = 200
    good, fair, none = ([i % m != 0 for i in range(n)] for m in (20, 4, 2))
    clear = verdict(made([none, fair, good]))
    assert "Best layer for this data: layer2, 95 % ± 3 accuracy" in clear
    assert "The next, layer1, is 20 points behind." in clear
    assert "Raw pixels come to 50 %" in clear
    tie = verdict(made([none, good, [not i or value for i, value in enumerate(good)]]))
    assert "layer1 (95 %) is as good, as far as 200 pictures can tell" in tie
    assert "no better than raw pixels" in verdict(made([good, good, fair]))
    assert verdict(made([good])) == ""
    ahead, chance = lead(made([none, fair, good]), 2, 1, balanced=False)
    assert ahead == pytest.approx(0.2)
    assert 0 < chance < 0.1


def test_balanced_accuracy_decides_where_labels_are_uneven() -> None:
    transfer = dataclasses.replace(made([[True, False] * 50] * 2), majority=0.9)
    assert transfer.uneven
    assert "balanced accuracy" in verdict(transfer)


def test_an_exam_asks_nobody_about_what_was_learned() -> None:
    labels = ["a"] * 9 + ["b"] * 7 + [""] * 2
    groups = np.array([*range(8), 0, *range(9, 18)])
    exam = set_exam(classes_in(labels), groups, (), 0, 4, by_split=True)
    for split in [*exam.splits, *exam.tuned]:
        assert not set(split.learned) & set(split.asked)
        assert not set(groups[split.learned]) & set(groups[split.asked])
    for split, tuned in zip(exam.splits, exam.tuned, strict=True):
        # Nor has what is scored a say in the penalty.
        assert sorted([*tuned.learned, *tuned.asked]) == sorted(split.learned)
        assert len(tuned.asked) > 0
    assert exam.rows.tolist() == list(range(16))


def test_the_command_line_writes_it_and_refuses_in_words(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "transfer", "--model", "demo"]
    layers = ["--layers", "block1_relu1,avg_pool"]
    assert main([*words, "--folder", folder, *layers, "--out", str(tmp_path / "out")]) == 0
    facts = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {"data.npz", "transfer.csv", "transfer.png"} <= set(facts["files"])
    with np.load(tmp_path / "out" / "data.npz") as data:
        assert data["rows"].tolist() == ["raw pixels", "block1_relu1", "avg_pool"]
        assert data["probe_interval"].shape == (3, 2)
    capsys.readouterr()
    empty = write(tmp_path / "unlabelled", ["", "", ""])
    assert main([*words, "--folder", empty, "--out", str(tmp_path / "none")]) == 2
    assert "No picture has a label" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
