"""Near-duplicates: planted copies are found, and pictures that are only alike are not taken for them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from convviz_gui.engine.demo.folder import write_folder
from convviz_gui.engine.desk.duplicates import Duplicates, duplicate_score, find_duplicates, leaks
from convviz_gui.engine.desk.fingerprint import fingerprint
from convviz_gui.engine.desk.matching import SAME, mirrored, unlikeness
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Result, Run
from tests.engine.test_neighbours import finish


@pytest.fixture(scope="module")
def toybox(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("demo") / "toybox"
    write_folder(folder)
    return sorted(folder.rglob("*.jpg"))


def prints_of(images: list[Image.Image]) -> np.ndarray:
    return np.stack([fingerprint(image) for image in images])


def duplicates(prints: np.ndarray, mirror: bool = False) -> Duplicates:
    """By looks alone."""
    return finish(find_duplicates(prints, np.zeros((len(prints), 0), np.int64), mirror))


def cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    left, top, right, bottom = (rng.random(4) * 0.05).tolist()
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


Save = Callable[[Image.Image, Path, np.random.Generator], None]
WAYS: dict[str, tuple[str, Save]] = {
    "half the size": (".png", lambda i, p, r: i.resize((i.width // 2, i.height // 2)).save(p)),
    "twice the size": (".png", lambda i, p, r: i.resize((i.width * 2, i.height * 2), Image.Resampling.BICUBIC).save(p)),
    "recompressed": (".jpg", lambda i, p, r: i.save(p, quality=40)),
    "WebP": (".webp", lambda i, p, r: i.save(p, quality=60)),
    "PNG": (".png", lambda i, p, r: i.save(p)),
    "cropped": (".jpg", lambda i, p, r: cropped(i, r).save(p, quality=85)),
    "brighter": (".jpg", lambda i, p, r: ImageEnhance.Brightness(i).enhance(1.12).save(p, quality=90)),
    "darker": (".png", lambda i, p, r: ImageEnhance.Brightness(i).enhance(0.88).save(p)),
    "turned by EXIF": (".jpg", lambda i, p, r: turned(i, p)),
}


def turned(image: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=90)


def plant(paths: list[Path], folder: Path, each: int, seed: int = 0) -> dict[str, list[tuple[Path, Path]]]:
    """Write `each` copies of pictures in every way into a folder; returns (picture, copy) by way."""
    rng = np.random.default_rng(seed)
    chosen = iter(rng.permutation(len(paths)).tolist())
    planted: dict[str, list[tuple[Path, Path]]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for way, (ending, save) in WAYS.items():
        for number in range(each):
            source = paths[next(chosen)]
            target = folder / f"{way} {number}{ending}"
            save(open_rgb(source)[0], target, rng)
            planted.setdefault(way, []).append((source, target))
    return planted


def check(found: Duplicates, paths: list[Path], planted: dict[str, list[tuple[Path, Path]]]) -> None:
    """All that the issue asks for: 95 % are found, none of the first 50 is wrong."""
    place = {path: row for row, path in enumerate(paths)}
    true = {tuple(sorted((place[a], place[b]))): way for way, pairs in planted.items() for a, b in pairs}
    got = [tuple(pair) for pair in found.pairs.tolist()]
    missed = [way for pair, way in true.items() if pair not in got]
    assert len(missed) <= 0.05 * len(true), missed
    assert not [pair for pair in got[:50] if pair not in true]
    assert len(got) <= len(true) + 1
    assert (np.diff(found.distances) >= 0).all()
    exact = [float(found.distances[got.index(pair)]) for pair, way in true.items() if way == "PNG" and pair in got]
    assert exact
    assert not any(exact)


def test_copies_planted_in_the_demos_folder(toybox: list[Path], tmp_path: Path) -> None:
    planted = plant(toybox, tmp_path / "copies", 10)
    paths = toybox + sorted((tmp_path / "copies").iterdir())
    found = duplicates(prints_of([open_rgb(path)[0] for path in paths]))
    check(found, paths, planted)


def test_copies_planted_among_photos(photos: Path, tmp_path: Path) -> None:
    paths = sorted(photos.rglob("*.jpg"))
    planted = plant(paths, tmp_path / "copies", 6)
    paths += sorted((tmp_path / "copies").iterdir())
    found = duplicates(prints_of([open_rgb(path)[0] for path in paths]))
    check(found, paths, planted)


def test_mirrored_copies_are_found_if_they_are_asked_for(toybox: list[Path]) -> None:
    images = [open_rgb(path)[0] for path in toybox[::6]]
    copies = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((90, 90)) for image in images[:40]]
    prints = prints_of(images + copies)
    assert not len(duplicates(prints).pairs)
    found = duplicates(prints, mirror=True)
    true = {(row, len(images) + row) for row in range(40)}
    got = {tuple(pair) for pair in found.pairs.tolist()}
    assert len(true & got) >= 38
    assert not got - true


def test_a_mirrored_fingerprint_is_that_of_the_mirrored_picture() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    other = fingerprint(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    np.testing.assert_allclose(mirrored(fingerprint(image)[None])[0, 12:].astype(int), other[12:], atol=1)


def test_flat_pictures_are_told_apart_by_their_colour() -> None:
    colours = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (140, 128, 128), (0, 0, 200), (200, 0, 0), (60, 60, 60)]
    prints = prints_of([Image.new("RGB", (20, 20), colour) for colour in colours])
    i, j = np.triu_indices(len(prints), 1)
    assert (unlikeness(prints[i], prints[j]) > SAME).all()
    nearly = prints_of([Image.new("RGB", (40, 40), (129, 128, 128)), Image.new("RGB", (20, 20), (128, 128, 128))])
    assert 0 < unlikeness(nearly[:1], nearly[1:])[0] < SAME


def test_unlikeness_is_the_same_both_ways_and_0_for_the_same_pixels_only() -> None:
    rng = np.random.default_rng(1)
    base = Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)).resize((200, 200))
    cut = base.crop((8, 4, 200, 196))
    one, other = prints_of([base]), prints_of([cut])
    assert unlikeness(one, one.copy())[0] == 0
    there, back = unlikeness(one, other)[0], unlikeness(other, one)[0]
    np.testing.assert_allclose(there, back, atol=1e-3)
    assert 0 < there < SAME
    changed = base.copy()
    changed.putpixel((0, 0), (9, 9, 9))
    assert unlikeness(one, prints_of([changed]))[0] > 0


def test_a_thousand_of_the_same_make_a_thousand_pairs_and_not_a_million() -> None:
    rng = np.random.default_rng(2)
    noise = Image.fromarray(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)).resize((64, 64))
    prints = np.repeat(prints_of([noise, Image.new("RGB", (64, 64), (90, 10, 200))]), 500, axis=0)
    found = duplicates(prints)
    first = found.pairs[:, 0]
    assert len(found.pairs) == 998
    assert set(first.tolist()) == {0, 500}
    assert not found.distances.any()
    assert sorted(found.pairs[:, 1].tolist()) == [*range(1, 500), *range(501, 1000)]


def test_versions_of_one_picture_are_one_group() -> None:
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)).resize((128, 128))
    versions = [image.resize((side, side)) for side in range(60, 128, 4)]
    others = [Image.fromarray(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)) for _ in range(30)]
    found = duplicates(prints_of([*others, *versions, versions[3]]))
    assert found.pairs[0].tolist() == [33, 47]
    assert found.distances[0] == 0
    assert found.pairs[1:, 0].tolist() == [30] * 16
    assert sorted(found.pairs[1:, 1].tolist()) == list(range(31, 47))


def test_nothing_and_one_picture() -> None:
    one = prints_of([Image.new("RGB", (4, 4))])
    for prints in (one[:0], one):
        found = duplicates(prints)
        assert found.pairs.shape == (0, 2)
        assert found.pairs.dtype == np.int64
        assert found.distances.dtype == np.float32


def test_stages_of_the_latent_space_say_what_is_a_copy_and_what_leaks(toybox: list[Path], tmp_path: Path) -> None:
    kept = toybox[::20]
    for path in kept:
        target = tmp_path / "data" / "train" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    plant(kept, tmp_path / "data" / "test" / "cat", 2)
    (tmp_path / "data" / "train" / "cat" / "again.jpg").write_bytes(kept[0].read_bytes())
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    settings = (("projection", "pca"),)
    result: Result = finish(session.execute(Run("latent", folder=str(tmp_path / "data"), settings=settings)))
    points = result.payload
    assert isinstance(points, Points)
    assert 18 <= len(points.duplicates) <= 19
    assert points.duplicate_distance[0] == 0
    score = next(score for score in result.scores if score.label == "Near-duplicates")
    assert score.value == len(points.duplicates)
    across = leaks(points)
    for pair, leak in zip(points.duplicates.tolist(), across.tolist(), strict=True):
        assert leak == (len({"/test/" in points.paths[row] for row in pair}) == 2)
    assert f"{across.sum()} across splits" in score.text
    assert across.sum() >= 17


@pytest.mark.parametrize(("splits", "text"), [((), "1 pair"), (("a", "b"), "1 pair, 1 across splits")])
def test_the_score_speaks_of_splits_where_there_are_some(splits: tuple[str, ...], text: str) -> None:
    floats = np.zeros((2, 2), np.float32)
    points = Points(
        "fc", "/d", "pca", ("a", "b"), ("", ""), floats, floats, floats, floats[:, 0], np.zeros((2, 0), int)
    )
    points = dataclasses.replace(points, duplicates=np.array([[0, 1]]), splits=splits)
    assert duplicate_score(points).text == text


# ---------------------------------------------------------------------------------------------------- the limit


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))


def recompressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Image.open(buffer).convert("RGB")


def farthest_copy(images: list[Image.Image], prints: np.ndarray) -> float:
    """Of all pictures: half the size, recompressed, and half the size mirrored."""
    left_right = Image.Transpose.FLIP_LEFT_RIGHT
    copies = [
        prints_of([halved(image) for image in images]),
        prints_of([recompressed(image) for image in images]),
        mirrored(prints_of([halved(image.transpose(left_right)) for image in images])),
    ]
    return max(float(unlikeness(prints, copy).max()) for copy in copies)


def nearest_others(prints: np.ndarray) -> float:
    """Of all pairs of different pictures, as they are and with one of them mirrored."""
    i, j = np.triu_indices(len(prints), 1)
    return min(float(unlikeness(prints[i], other[j]).min()) for other in (prints, mirrored(prints)))


def test_the_limit_lies_between_copies_and_different_drawings(toybox: list[Path]) -> None:
    """Measured: copies up to 0.188 (a JPEG of a drawing with fine texture), different drawings from 0.284."""
    images = [open_rgb(path)[0] for path in toybox]
    prints = prints_of(images)
    assert farthest_copy(images, prints) < 0.97 * SAME
    assert nearest_others(prints) > 1.2 * SAME


def test_the_limit_lies_between_copies_and_different_photos(photos: Path) -> None:
    """Measured: copies up to 0.047, different photos from 0.34."""
    images = [open_rgb(path)[0] for path in sorted(photos.rglob("*.jpg"))]
    prints = prints_of(images)
    assert farthest_copy(images, prints) < 0.3 * SAME
    assert nearest_others(prints) > 1.6 * SAME
