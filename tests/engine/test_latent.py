"""The latent space as a whole: its payload, its frames, its words, and the truth planted in the demo's folder."""

from __future__ import annotations

import dataclasses
import math
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from convviz_gui.engine.demo.folder import write_folder
from convviz_gui.engine.desk.suspects import label_news
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Update, find_method
from convviz_gui.engine.payloads import Points, Skipped
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Result, Run, Target
from tests.engine.test_distortion import measured
from tests.engine.test_embedding import write_pictures
from tests.engine.test_neighbours import brute_force, finish
from tests.engine.tiny import tiny_session

DISTORTION = ("Trustworthiness", "Continuity", "Neighbours kept", "Pictures")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_pictures(tmp_path_factory.mktemp("pictures"), 30))


def run(
    session: Session, folder: str, layer: str | None = None, **settings: float | str
) -> tuple[Result, list[Update]]:
    updates: list[Update] = []
    steps = session.execute(Run("latent", Target(layer), folder=folder, settings=tuple(settings.items())))
    while True:
        try:
            updates.append(next(steps))
        except StopIteration as stop:
            return stop.value, updates


def points_of(result: Result) -> Points:
    assert isinstance(result.payload, Points)
    return result.payload


def test_the_payload_holds_what_its_parts_say(folder: str) -> None:
    points = points_of(run(tiny_session(), folder, "conv2", projection="pca", neighbours=5)[0])
    features = points.features
    indices, distances = brute_force(features, 5, "euclidean")
    np.testing.assert_array_equal(points.neighbours, indices)
    np.testing.assert_allclose(points.outlier, distances.mean(1), rtol=1e-6)
    np.testing.assert_array_equal(points.xy, pca(features))
    assert points.trustworthiness == measured(features, points.xy, 5).trustworthiness
    assert (points.layer, points.folder, points.projection, points.final) == ("conv2", folder, "pca", True)
    assert features.shape == (30, 8)
    assert points.logits.shape == (30, 5)
    assert len(points.paths) == len(points.labels) == 30


def test_without_a_layer_it_is_what_the_classifier_sees(folder: str) -> None:
    session = tiny_session()
    points = points_of(run(session, folder, projection="pca")[0])
    assert points.layer == session.info.penultimate_layer
    weight, bias = (session.model.get_parameter(f"head.{name}").numpy() for name in ("weight", "bias"))
    np.testing.assert_allclose(points.features @ weight.T + bias, points.logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("projection", ["tsne", "umap"])
def test_the_window_sees_principal_components_then_frames_then_the_result(folder: str, projection: str) -> None:
    result, updates = run(tiny_session(), folder, projection=projection)
    frames = [frame for update in updates if update.preview and isinstance(frame := update.preview(), Points)]
    final = points_of(result)
    # Before them are those of the pictures read so far (tests/engine/test_kept_features.py).
    frames = [frame for frame in frames if len(frame.neighbours)]
    np.testing.assert_array_equal(frames[0].xy, pca(final.features))
    assert not any(frame.final for frame in frames)
    assert any(not np.array_equal(frame.xy, frames[0].xy) for frame in frames)
    for frame in (frames[0], frames[-1]):
        assert frame.features is final.features
        assert frame.neighbours is final.neighbours
        assert math.isnan(frame.trustworthiness)
    assert final.final
    assert 0 <= final.trustworthiness <= 1
    assert [update.done for update in updates] == sorted(update.done for update in updates)
    assert {update.total for update in updates} == {1000}


def test_another_projection_does_not_read_the_folder_again(folder: str) -> None:
    session = tiny_session()
    run(session, folder, projection="pca")
    _, updates = run(session, folder, projection="pca", neighbours=3)
    assert "pictures already read" in {update.note for update in updates}
    assert not any(update.note.startswith("reading") for update in updates)


def test_stopping_anywhere_leaves_nothing_running(folder: str) -> None:
    session = tiny_session()
    request = Run("latent", folder=folder, settings=(("projection", "tsne"), ("batch", 8)))
    # Every stage up to the first frames; afterwards the steps only repeat.
    for stop_at in range(1, 12):
        steps = session.execute(request)
        for _ in range(stop_at):
            next(steps)
        steps.close()
        names = [thread.name for thread in threading.enumerate()]
        assert not [name for name in names if name.startswith(("decode", "projection"))]


def test_one_picture_and_two(tmp_path: Path) -> None:
    one = points_of(run(tiny_session(), str(write_pictures(tmp_path / "one", 1)), projection="pca")[0])
    assert one.xy.tolist() == [[0.0, 0.0]]
    assert one.neighbours.shape == (1, 0)
    assert one.outlier.tolist() == [0.0]
    two = points_of(run(tiny_session(), str(write_pictures(tmp_path / "two", 2)), projection="pca")[0])
    assert two.neighbours.tolist() == [[1], [0]]
    assert math.isnan(two.trustworthiness)


def test_too_few_pictures_are_told_before_reading_them(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    steps = tiny_session().execute(Run("latent", folder=str(tmp_path), settings=(("projection", "umap"),)))
    with pytest.raises(EngineError, match="UMAP needs at least 5 pictures") as caught:
        next(steps)
    assert "PCA" in caught.value.hint


def test_bad_requests_are_answered_in_words(folder: str, tmp_path: Path) -> None:
    for request, words in [
        (Run("latent", Target("conv9"), folder=folder), "no layer 'conv9'"),
        (Run("latent", folder=str(tmp_path / "gone")), "does not exist"),
        (Run("latent", folder=str(tmp_path)), "no pictures"),
        (Run("latent", folder=folder, settings=(("neighbours", 0),)), "--neighbours"),
        (Run("latent", folder=folder, settings=(("projection", "som"),)), "--projection"),
    ]:
        with pytest.raises(EngineError, match=words):
            finish(tiny_session().execute(request))


def test_scores_say_in_words_what_the_number_means(folder: str) -> None:
    result, _ = run(tiny_session(), folder, projection="pca")
    points = points_of(result)
    trust, continuity, kept, pictures = (score for score in result.scores if score.label in DISTORTION)
    assert trust.value == points.trustworthiness
    assert trust.text == f"{trust.value:.2f}"
    assert "12 neighbours" in trust.help
    assert continuity.value == points.continuity
    assert kept.value == pytest.approx(points.preservation.mean())
    assert (pictures.label, pictures.value) == ("Pictures", 30)
    method = find_method("latent")
    verdicts = {method.scores(dataclasses.replace(points, trustworthiness=value))[0].help for value in (0.97, 0.9, 0.6)}
    assert len(verdicts) == 3
    unknown = dataclasses.replace(points, trustworthiness=math.nan, skipped=(Skipped("x.png", "empty"),))
    scores = method.scores(unknown)
    assert scores[0].text == "undefined"
    assert [(score.label, score.value) for score in scores if score.label == "Left out"] == [("Left out", 1)]


def test_what_is_planted_in_the_demos_folder_is_found(tmp_path: Path) -> None:
    planted = write_folder(tmp_path / "toybox")
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    result = run(session, str(tmp_path / "toybox"), projection="pca")[0]
    points = points_of(result)
    first = {points.paths[row] for row in np.argsort(-points.outlier)[:16]}
    odd = {str(tmp_path / "toybox" / path) for path in planted.odd}
    assert len(odd) == 8
    assert len(first & odd) >= 7

    wrong = [
        row for row, path in enumerate(points.paths) if path in {str(tmp_path / "toybox" / p) for p in planted.wrong}
    ]
    assert len(wrong) == 12
    for seed in range(3):
        # The first as the run found them, others from what it found them by.
        scores = points.suspects
        if seed:
            judged = label_news(points.features, points.neighbours, points.labels, points.digests, seed)
            scores = finish(judged).suspects
        assert np.isfinite(scores).all()
        assert len({*wrong} & {*np.argsort(-scores, kind="stable")[:24].tolist()}) >= 10
    told = next(score for score in result.scores if score.label == "Other label suggested")
    suggested = [row for row, name in enumerate(points.suggested) if name]
    assert told.value == len(suggested) < 40
    assert len({*wrong} & {*suggested}) >= 10


def test_an_archive_gives_the_same_points_as_its_folder(folder: str, tmp_path: Path) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(Path(folder).rglob("*.*")):
            file.write(path, Path("photos") / path.relative_to(folder))
    loose = points_of(run(tiny_session(), folder, "conv2", projection="pca")[0])
    packed = points_of(run(tiny_session(), str(archive), "conv2", projection="pca")[0])
    np.testing.assert_array_equal(packed.features, loose.features)
    assert packed.labels == loose.labels
    assert packed.paths[0].startswith(f"{archive}/photos/")


def test_a_tables_splits_and_columns_stay_with_their_pictures(folder: str, tmp_path: Path) -> None:
    paths = sorted(str(path) for path in Path(folder).rglob("*.*"))[:9]
    (tmp_path / "broken.png").write_bytes(b"no picture")
    rows = [f"{path},{'train' if n % 2 else 'test'},{n}" for n, path in enumerate(paths)]
    rows.insert(4, "broken.png,train,99")
    (tmp_path / "list.csv").write_text("path,split,number\n" + "\n".join(rows))
    points = points_of(run(tiny_session(), str(tmp_path / "list.csv"), "conv2", projection="pca", neighbours=2)[0])
    assert list(points.paths) == paths
    assert list(points.splits) == [("test", "train")[n % 2] for n in range(9)]
    (column,) = points.columns
    np.testing.assert_array_equal(column.values, np.arange(9))
    assert [Path(left.path).name for left in points.skipped] == ["broken.png"]


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_dataset_that_changes_while_it_is_read(tmp_path: Path, kind: str) -> None:
    """What is gone by the time it is asked for is left out with a reason, and the rest goes on."""
    folder = write_pictures(tmp_path / "pictures", 12)
    paths = sorted(path for path in Path(folder).rglob("*.*") if path.is_file())
    source = str(folder)
    if kind == "archive":
        source = str(tmp_path / "a.zip")
        packed(tmp_path / "a.zip", Path(folder), paths)
    request = Run("latent", Target("conv2"), folder=source, settings=(("projection", "pca"), ("neighbours", 2)))
    steps = tiny_session().execute(request)
    while not next(steps).note.endswith("12 pictures"):
        pass
    if kind == "archive":
        packed(tmp_path / "new.zip", Path(folder), paths[1:]).replace(source)
    else:
        paths[0].unlink()
    points = points_of(finish(steps))
    assert len(points.paths) == 11
    (left,) = points.skipped
    assert Path(left.path).name == paths[0].name
    assert "There is no file" in left.reason


def packed(archive: Path, folder: Path, paths: list[Path]) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in paths:
            file.write(path, path.relative_to(folder))
    return archive
