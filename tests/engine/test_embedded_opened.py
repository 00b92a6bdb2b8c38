"""Directories of features as datasets: the same map as of the pictures, large ones from disk, damaged ones refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from convviz_gui.engine.datasets import list_dataset
from convviz_gui.engine.demo import toybox
from convviz_gui.engine.embedded.components import components_on_disk
from convviz_gui.engine.embedded.lazy import Texts
from convviz_gui.engine.embedded.local_engine import embed_dataset
from convviz_gui.engine.embedded.manifest import MANIFEST, UNFINISHED
from convviz_gui.engine.embedded.opened import open_embedded
from convviz_gui.engine.embedded.search import nearest_on_disk
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.export import write_result
from convviz_gui.engine.images import load_image
from convviz_gui.engine.payloads import Located, Points
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Embed, LoadModel, Locate, ModelSpec, Nearest, Result, Run
from tests.benchmarks.bench_embedded import write
from tests.engine.tiny import TinyNet
from tests.engine.toy_folder import toy_folder

N, LARGE, WIDTH = 40, 60_500, 12


def done(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="module")
def demo() -> Session:
    session = Session()
    done(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    return session


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_folder(tmp_path_factory.mktemp("toys"), N, 5)


@pytest.fixture(scope="module")
def small(demo: Session, toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    done(embed_dataset(demo, Embed(str(toys), str(out), rows_per_part=12)))
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("large")
    write(out, LARGE, WIDTH, per_part=9000)
    return out


@pytest.fixture
def damaged(small: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(small, tmp_path / "copy"))


def run(session: Session, folder: Path, **options: Any) -> Result:
    settings = tuple({"projection": "pca", **options}.items())
    result = done(session.execute(Run("latent", folder=str(folder), settings=settings)))
    assert isinstance(result, Result)
    return result


def all_features(folder: Path) -> np.ndarray:
    return np.concatenate([values for _, values in open_embedded(folder).vectors()]).astype(np.float32)


def test_map_is_that_of_the_pictures(demo: Session, toys: Path, small: Path) -> None:
    there, here = run(demo, small).payload, run(demo, toys).payload
    assert isinstance(there, Points)
    assert isinstance(here, Points)
    assert (tuple(there.paths), tuple(there.labels)) == (tuple(here.paths), tuple(here.labels))
    np.testing.assert_allclose(there.features, here.features, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(there.xy, here.xy, atol=0.02 * np.abs(here.xy).max())
    assert there.layer == here.layer == "avg_pool"
    assert tuple(there.digests) == tuple(here.digests)
    np.testing.assert_array_equal(there.duplicates, here.duplicates)
    assert (there.suspects > 0.5).sum() == pytest.approx((here.suspects > 0.5).sum(), abs=2)


def test_another_network_may_be_open(small: Path, toys: Path, tmp_path: Path) -> None:
    session = Session()
    session.adopt(TinyNet(), name="other")
    result = run(session, small)
    points = result.payload
    assert isinstance(points, Points)
    assert points.origin is not None
    assert (points.origin.model, points.origin.class_names) == ("ToyNet", toybox.CLASSES)
    assert any("ToyNet" in score.text for score in result.scores)
    write_result(result, str(tmp_path / "out"))
    facts = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert facts["model"]["name"] == "ToyNet"
    names = {line.split(",")[3] for line in (tmp_path / "out" / "outliers.csv").read_text().splitlines()[1:]}
    assert names <= set(toybox.CLASSES)
    picture = load_image(next(toys.rglob("*.png")))
    with pytest.raises(EngineError, match="features are of ToyNet"):
        done(session.execute(Locate(result, picture)))


def test_pictures_are_a_dataset_for_other_methods(small: Path, toys: Path) -> None:
    listing = list_dataset(str(small))
    assert listing.paths == list_dataset(str(toys)).paths
    assert listing.labels == list_dataset(str(toys)).labels


def test_large_map_comes_from_disk(demo: Session, large: Path, tmp_path: Path) -> None:
    result = run(demo, large, projection="umap")
    points = result.payload
    assert isinstance(points, Points)
    assert (points.projection, points.features.shape, points.neighbours.shape[0]) == ("pca", (0, WIDTH), 0)
    assert isinstance(points.paths, Texts)
    assert len(points.paths) == len(points.labels) == LARGE
    assert points.paths[LARGE - 1].endswith(f"picture {LARGE - 1:08d}.jpg")
    features = all_features(large)
    expected = pca(features, 3)
    np.testing.assert_allclose(points.xyz, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(points.xy, points.xyz[:, :2])
    assert 0.5 < points.trustworthiness < 1
    assert any("UMAP" in score.help for score in result.scores)
    assert points.prediction.shape == points.probability.shape == (LARGE,)
    write_result(replace(result, payload=replace(points, xy=points.xy)), str(tmp_path / "out"))


def test_components_without_the_file_are_the_same(large: Path) -> None:
    opened = open_embedded(large)
    kept = done(components_on_disk(opened))
    centred = all_features(large).astype(np.float64)
    centred -= centred.mean(0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    scores = centred @ axes[:3].T
    signs = np.sign((scores * kept).sum(0))
    np.testing.assert_allclose(kept, scores * signs, atol=1e-4 * lengths[0] / np.sqrt(LARGE))


@pytest.mark.parametrize("row", [0, 31_111, LARGE - 1])
def test_neighbours_on_demand_are_those_of_brute_force(demo: Session, large: Path, row: int) -> None:
    features = all_features(large).astype(np.float64)
    distances = np.sqrt(np.square(features - features[row]).sum(1))
    distances[row] = np.inf
    expected = np.lexsort((np.arange(LARGE), distances))[:12]
    found = done(demo.execute(Nearest(kept_result(demo, large), row)))
    assert isinstance(found, Located)
    np.testing.assert_array_equal(found.neighbours, expected)
    np.testing.assert_allclose(found.distances, distances[expected], rtol=1e-12)
    assert found.outlier == pytest.approx(distances[expected].mean())


_results: dict[Path, Result] = {}


def kept_result(session: Session, folder: Path) -> Result:
    if folder not in _results:
        _results[folder] = run(session, folder)
    return _results[folder]


def test_equal_rows_come_in_their_order_and_never_the_row_itself(tmp_path: Path) -> None:
    write(tmp_path, 900, 8, per_part=400, components=False)
    opened = open_embedded(tmp_path)
    assert len(opened.groups) == 3
    features = all_features(tmp_path)
    rows, distances = done(nearest_on_disk(opened, features[500], 900, leave_out=500))
    assert len(rows) == 899
    assert 500 not in rows
    expected = np.sqrt(np.square(features.astype(np.float64) - features[500].astype(np.float64)).sum(1))
    np.testing.assert_allclose(distances, np.sort(np.delete(expected, 500)), rtol=1e-12)
    np.testing.assert_array_equal(opened.rows([899, 0, 450]), features[[899, 0, 450]])


def test_small_maps_answer_the_same_question(demo: Session, small: Path) -> None:
    result = run(demo, small)
    assert isinstance(result.payload, Points)
    found = done(demo.execute(Nearest(result, 7, 5)))
    np.testing.assert_array_equal(found.neighbours, result.payload.neighbours[7, :5])


def test_texts_are_a_sequence() -> None:
    words = ["b", "a", "b", "ü/x.jpg", ""]
    for column in (pa.chunked_array([words[:2], words[2:]]), pa.chunked_array([words]).dictionary_encode()):
        texts = Texts(column)
        assert list(texts) == words == [texts[i] for i in range(5)]
        assert (texts[-1], list(texts[1:3]), list(texts[::2]), list(texts[3:1])) == ("", words[1:3], words[::2], [])
        assert texts == words == texts
        assert texts != words[:4]
        assert texts == Texts(pa.chunked_array([words]).cast(column.type) if column.num_chunks == 2 else column)
        assert texts.index("b") == 0
        assert texts.index("b", 1) == 2
        assert "ü/x.jpg" in texts
        assert "c" not in texts
        np.testing.assert_array_equal(np.array(texts), words)
        with pytest.raises(IndexError):
            texts[5]
        with pytest.raises(ValueError, match="'c'"):
            texts.index("c")


def test_missing_part_is_named(demo: Session, damaged: Path) -> None:
    (damaged / "part-00002.parquet").unlink()
    with pytest.raises(EngineError, match=r"part-00002\.parquet .*is missing"):
        run(demo, damaged)


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_damaged_part_is_named_or_harmless(demo: Session, small: Path, damaged: Path, place: float) -> None:
    part = damaged / "part-00001.parquet"
    data = bytearray(part.read_bytes())
    at = int(place * len(data))
    for i in range(at, min(at + 8, len(data))):
        data[i] ^= 0xFF
    part.write_bytes(data)
    said = ""
    try:
        points = run(demo, damaged).payload
    except EngineError as error:
        said = error.title
    if said:
        assert "part-00001.parquet" in said
        return
    # Statistics and the like, which nobody reads.
    assert isinstance(points, Points)
    np.testing.assert_array_equal(points.features, all_features(small))


def test_short_part_is_named(demo: Session, damaged: Path) -> None:
    part = damaged / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(EngineError, match=r"part-00000\.parquet .*is damaged"):
        run(demo, damaged)


def test_other_width_than_the_manifest_says(demo: Session, damaged: Path) -> None:
    facts = json.loads((damaged / MANIFEST).read_text())
    facts["description"]["dimension"] = 64
    (damaged / MANIFEST).write_text(json.dumps(facts, indent=1))
    with pytest.raises(EngineError, match=r"part-00000\.parquet .*does not fit the manifest: features"):
        run(demo, damaged)


@pytest.mark.parametrize(
    "facts",
    [
        {"dimension": 128.0},
        {"dimension": 10**12},
        {"dimension": float("nan")},
        {"layer": "\ud800"},
        {"layer": 5},
        {"class_names": ["one"]},
        {"parts": {"file": "a\0"}},
        {"parts": {"size": "x"}},
        {"parts": {"file": "part-00001.parquet"}},
        {"rows_per_part": float("inf")},
    ],
)
def test_manifests_that_nobody_wrote_are_refused(demo: Session, damaged: Path, facts: dict[str, Any]) -> None:
    said = json.loads((damaged / MANIFEST).read_text())
    for name, value in facts.items():
        target = said["description"] if name in said["description"] else said
        if name == "parts":
            said["parts"][0].update(value)
        else:
            target[name] = value
    (damaged / MANIFEST).write_text(json.dumps(said, indent=1))
    with pytest.raises(EngineError, match="cannot be read"):
        run(demo, damaged)


def test_a_manifest_deeper_than_can_be_read_is_refused(demo: Session, damaged: Path) -> None:
    (damaged / MANIFEST).write_text('{"format": "convviz-embedded", "version": ' + "[" * 99_999)
    with pytest.raises(EngineError, match="cannot be read"):
        run(demo, damaged)


def test_unfinished_directory_says_how_to_go_on(demo: Session, damaged: Path) -> None:
    facts = json.loads((damaged / MANIFEST).read_text())
    (damaged / MANIFEST).unlink()
    (damaged / UNFINISHED).write_text(json.dumps(facts | {"command": "convviz embed here", "parts": []}, indent=1))
    (damaged / "part-00003.parquet").unlink()
    with pytest.raises(EngineError, match="3 of 4 parts") as caught:
        run(demo, damaged)
    assert "convviz embed here" in caught.value.hint


def test_newer_version_and_several_sources(demo: Session, small: Path, toys: Path, damaged: Path) -> None:
    facts = json.loads((damaged / MANIFEST).read_text())
    (damaged / MANIFEST).write_text(json.dumps(facts | {"version": 9}, indent=1))
    with pytest.raises(EngineError, match="another version"):
        run(demo, damaged)
    with pytest.raises(EngineError, match="opened alone"):
        done(demo.execute(Run("latent", folder=str(toys), splits=(str(small),))))


def test_changed_directory_is_noticed(demo: Session, large: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(large, tmp_path / "copy"))
    result = run(demo, copy)
    facts = json.loads((copy / MANIFEST).read_text())
    facts["description"]["digest"] = "1" * 64
    (copy / MANIFEST).write_text(json.dumps(facts, indent=1))
    with pytest.raises(EngineError, match="has changed"):
        done(demo.execute(Nearest(result, 3)))
