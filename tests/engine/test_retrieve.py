"""Similar pictures: against brute force in float64, and what a picture of the dataset is told of itself."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convviz_gui.engine import depiction
from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.method import find_method
from convviz_gui.engine.payloads import Retrieval
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Amend, Embed, LoadModel, ModelSpec, Result, Run, Target
from tests.engine.test_neighbours import finish
from tests.engine.tiny import noise_picture, tiny_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(24):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(noise_picture(seed=seed).pixels).save(place / f"{seed}.png")
    return root


def retrieve(session: Session, folder: Path, image: Path, layer: str | None = None, **settings: object) -> Result:
    request = Run("retrieve", Target(layer), load_image(image), str(folder), tuple(settings.items()))  # type: ignore[arg-type]
    return finish(session.execute(request))


def expected(features: np.ndarray, row: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    points = features.astype(np.float64)
    if metric == "cosine":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        distances = 1 - points @ points[row]
    else:
        distances = np.sqrt(np.square(points - points[row]).sum(1))
    distances[row] = np.inf
    order = np.argsort(distances, kind="stable")
    return order, distances[order]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("layer", ["conv1", None])
def test_neighbours_are_those_of_brute_force(folder: Path, metric: str, layer: str | None) -> None:
    session = tiny_session()
    result = retrieve(session, folder, folder / "b" / "7.png", layer, metric=metric, k=9)
    found = result.payload
    assert isinstance(found, Retrieval)
    known = finish(embed(session, list_folder(folder), found.layer))
    row = known.paths.index(str(folder / "b" / "7.png"))
    order, distances = expected(known.features, row, metric)
    assert found.row == row
    assert found.indices.tolist() == order[:9].tolist()
    np.testing.assert_allclose(found.distances, distances[:9], rtol=1e-7, atol=1e-12)
    assert found.paths == tuple(known.paths[i] for i in order[:9])
    cosines = expected(known.features, row, "cosine")
    place = {int(i): float(1 - d) for i, d in zip(*cosines, strict=True)}
    np.testing.assert_allclose(found.similarity, [place[int(i)] for i in order[:9]], atol=1e-12)
    assert found.label == "b"
    assert found.agreeing == sum("/b/" in path for path in found.paths)
    assert dict(found.votes) == {label: found.labels.count(label) for label in set(found.labels)}


def test_photos_with_a_real_network(photos: Path, squeezenet_weights: Path) -> None:
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(squeezenet_weights)), "cpu")))
    image = sorted(photos.rglob("*.jpg"))[100]
    found = retrieve(session, photos, image).payload
    known = finish(embed(session, list_folder(photos), found.layer))
    order, distances = expected(known.features, known.paths.index(str(image)), "cosine")
    assert found.indices.tolist() == order[:12].tolist()
    np.testing.assert_allclose(found.distances, distances[:12], rtol=1e-7)
    assert found.agreeing >= 8


def test_a_picture_finds_itself_only_if_asked(folder: Path) -> None:
    image = folder / "a" / "4.png"
    session = tiny_session()
    found = retrieve(session, folder, image, itself=True).payload
    assert found.paths[0] == str(image)
    assert found.distances[0] == 0
    assert found.similarity[0] == pytest.approx(1)
    assert len(found.paths) == 12
    other = retrieve(session, folder, image).payload
    assert str(image) not in other.paths
    assert other.paths[:11] == found.paths[1:]


def test_a_picture_from_elsewhere_has_no_label_and_its_copy_comes_first(folder: Path, tmp_path: Path) -> None:
    image = tmp_path / "copy.png"
    image.write_bytes((folder / "a" / "4.png").read_bytes())
    found = retrieve(tiny_session(), folder, image, metric="euclidean").payload
    assert (found.row, found.label) == (-1, "")
    assert found.paths[0] == str(folder / "a" / "4.png")
    assert found.distances[0] == pytest.approx(0, abs=1e-5)


def test_more_than_there_are(folder: Path) -> None:
    found = retrieve(tiny_session(), folder, folder / "a" / "4.png", k=100).payload
    assert len(found.paths) == 23
    assert found.total == 24


def test_the_folder_is_read_once(folder: Path) -> None:
    session = tiny_session()
    retrieve(session, folder, folder / "a" / "4.png")
    request = Run("retrieve", image=load_image(folder / "a" / "6.png"), folder=str(folder))
    assert "pictures already read" in {update.note for update in session.execute(request)}


def test_scores_sheet_and_table(folder: Path) -> None:
    session = tiny_session()
    result = retrieve(session, folder, folder / "a" / "4.png", k=5)
    nearest, same = result.scores[:2]
    found = result.payload
    assert nearest.value == found.distances[0]
    assert (same.label, same.text) == ("Same label", f"{found.agreeing} of 5")
    sheet = depiction.pictures(result)["similar"]
    assert sheet.shape[1] > 3 * 160
    rows = list(csv.DictReader(io.StringIO(depiction.tables(result)["similar"])))
    assert [row["path"] for row in rows] == list(found.paths)
    assert [float(row["cosine"]) for row in rows] == found.distances.tolist()
    arrays = depiction.arrays(found)
    assert arrays["votes"].sum() == 5
    # From elsewhere: what most neighbours have.
    labels = [score.label for score in find_method("retrieve").scores(_elsewhere(session, folder))]
    assert "Most have" in labels


def _elsewhere(session: Session, folder: Path) -> Retrieval:
    request = Run("retrieve", image=noise_picture(seed=77), folder=str(folder))
    found = finish(session.execute(request)).payload
    assert isinstance(found, Retrieval)
    return found


def test_bad_requests_are_answered_in_words(folder: Path, tmp_path: Path) -> None:
    picture = noise_picture()
    for request, words in [
        (Run("retrieve", folder=str(folder)), "needs a picture"),
        (Run("retrieve", image=picture), "needs a folder"),
        (Run("retrieve", image=picture, folder=str(tmp_path / "gone")), "does not exist"),
        (Run("retrieve", Target("conv9"), picture, str(folder)), "no layer 'conv9'"),
        (Run("retrieve", image=picture, folder=str(folder), settings=(("metric", "l1"),)), "--metric"),
    ]:
        with pytest.raises(EngineError, match=words):
            finish(tiny_session().execute(request))


def test_a_directory_of_features_answers_like_its_folder(folder: Path, tmp_path: Path) -> None:
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    assert session.info.penultimate_layer is not None
    command = Embed(str(folder), str(tmp_path / "features"), store="float32")
    finish(session.execute(command))
    image = folder / "a" / "4.png"
    there = retrieve(session, tmp_path / "features", image, metric="euclidean").payload
    here = retrieve(session, folder, image, metric="euclidean").payload
    assert there.paths == here.paths
    np.testing.assert_allclose(there.distances, here.distances, rtol=1e-4)
    with pytest.raises(EngineError, match="not of the network that is open"):
        retrieve(tiny_session(), tmp_path / "features", image)
    with pytest.raises(EngineError, match="features of the layer"):
        retrieve(session, tmp_path / "features", image, session.info.default_layer)
    # The same numbers, set by hand; then others.
    finish(session.execute(Amend(preprocess=dataclasses.replace(session.info.preprocess, source="by hand"))))
    assert retrieve(session, tmp_path / "features", image, metric="euclidean").payload.paths == here.paths
    finish(session.execute(Amend(preprocess=dataclasses.replace(session.info.preprocess, resize=300))))
    with pytest.raises(EngineError, match="not of the network that is open"):
        retrieve(session, tmp_path / "features", image)
