"""Toybox: its truth is exact, its colours and places give nothing away, and the planted folder is what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from convviz_gui.engine.demo import folder as folder_module
from convviz_gui.engine.demo import toybox
from convviz_gui.engine.demo.folder import PER_CLASS, Planted, write_folder
from convviz_gui.engine.demo.oddities import ODDITIES
from convviz_gui.engine.demo.toybox import CLASSES, Sample, draw, samples

CAT, DOG = CLASSES.index("cat"), CLASSES.index("dog")


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(samples(960, seed=7))


def test_classes_come_in_the_documented_order() -> None:
    names = "cat dog car truck sailboat house tree mushroom fish butterfly flower umbrella"
    assert tuple(names.split()) == CLASSES


def test_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first, again, other = (list(samples(24, seed)) for seed in (3, 3, 4))
    for a, b in zip(first, again, strict=True):
        assert (a.pixels.tobytes(), a.mask.tobytes(), a.label) == (b.pixels.tobytes(), b.mask.tobytes(), b.label)
        assert (a.ears is None) == (b.ears is None)
        assert a.ears is None or b.ears is None or a.ears.tobytes() == b.ears.tobytes()
    assert all(a.pixels.tobytes() != b.pixels.tobytes() for a, b in zip(first, other, strict=True))


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    longer = list(samples(30, seed=5))
    for index, sample in enumerate(samples(13, seed=5)):
        assert np.array_equal(sample.pixels, longer[index].pixels)


def test_arrays_have_the_documented_types_and_cannot_be_written(drawn: list[Sample]) -> None:
    for sample in drawn[:24]:
        assert sample.pixels.shape == (128, 128, 3)
        assert sample.pixels.dtype == np.uint8
        assert sample.mask.shape == (128, 128)
        assert sample.mask.dtype == np.bool_
        for array in (sample.pixels, sample.mask, sample.ears):
            assert array is None or not array.flags.writeable


def test_labels_cycle_evenly_and_bad_labels_are_refused(drawn: list[Sample]) -> None:
    assert np.bincount([s.label for s in drawn]).tolist() == [80] * 12
    with pytest.raises(IndexError):
        draw(12, np.random.default_rng(0))


@pytest.mark.parametrize("size", [64, 224])
def test_other_sizes_are_drawn_at_that_size(size: int) -> None:
    sample = draw(CAT, np.random.default_rng(0), size)
    assert sample.pixels.shape == (size, size, 3)
    assert sample.ears is not None
    assert sample.ears.shape == sample.mask.shape == (size, size)


def test_every_thing_is_visible_and_leaves_background(drawn: list[Sample]) -> None:
    shares = np.asarray([s.mask.mean() for s in drawn])
    assert shares.min() > 0.02
    assert shares.max() < 0.6


@pytest.mark.parametrize("label", range(len(CLASSES)), ids=CLASSES)
def test_the_mask_is_where_the_picture_differs_from_its_bare_background(
    label: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a flat backdrop, everything off the backdrop's colour is thing or its shadow, and the thing is all mask."""
    grey = np.float32(200.0)
    monkeypatch.setattr(toybox, "background", lambda _rng, size: np.full((3, size, size), grey, np.float32))
    for seed in range(6):
        sample = draw(label, np.random.default_rng(seed))
        pixels = sample.pixels.astype(int)
        coloured = np.ptp(pixels, axis=2) > 24
        brighter = pixels.max(axis=2) > 202
        nearby = _grown(sample.mask, 2)
        assert not (coloured & ~nearby).any()
        assert not (brighter & ~nearby).any()
        untouched = np.abs(pixels - int(grey)).max(axis=2) <= 1
        assert untouched[sample.mask].mean() < 0.02
        assert untouched[~_grown(sample.mask, 17)].all()


def test_only_cats_and_dogs_have_ears_and_they_lie_on_the_face(drawn: list[Sample]) -> None:
    for sample in drawn:
        if sample.label not in (CAT, DOG):
            assert sample.ears is None
            continue
        assert sample.ears is not None
        assert not (sample.ears & ~sample.mask).any()
        assert 0.1 < sample.ears.sum() / sample.mask.sum() < 0.6


def test_cat_and_dog_from_equal_generators_differ_only_at_the_ears() -> None:
    for seed in range(40):
        cat, dog = (draw(label, np.random.default_rng(seed)) for label in (CAT, DOG))
        assert cat.ears is not None
        assert dog.ears is not None
        ears = cat.ears | dog.ears
        different = (cat.pixels != dog.pixels).any(axis=2)
        assert different[ears].mean() > 0.5
        # Shading and shadow follow the blurred outline, which an ear changes up to 8 pixels away.
        assert not different[~_grown(ears, 17)].any()
        beyond = different & ~_grown(ears, 3)
        change = np.abs(cat.pixels.astype(int) - dog.pixels.astype(int)).max(axis=2)
        assert not beyond.any() or change[beyond].max() < 110


def test_ears_and_faces_of_cats_and_dogs_have_like_areas(drawn: list[Sample]) -> None:
    areas = {label: [s.ears.sum() for s in drawn if s.ears is not None and s.label == label] for label in (CAT, DOG)}
    assert 0.6 < np.mean(areas[CAT]) / np.mean(areas[DOG]) < 1.6


def _mean_colour(sample: Sample) -> NDArray[np.float64]:
    return np.asarray(sample.pixels.mean(axis=(0, 1)))


def _thing_colour(sample: Sample) -> NDArray[np.float64]:
    return np.asarray(sample.pixels[sample.mask].mean(axis=0))


def _centroid(sample: Sample) -> NDArray[np.float64]:
    return np.asarray(np.argwhere(sample.mask).mean(axis=0))


@pytest.mark.parametrize(
    ("feature", "bar"),
    [(_mean_colour, 0.14), (_thing_colour, 0.25), (_centroid, 0.16)],
    ids=["mean colour", "colour of the thing", "place"],
)
def test_neither_colour_nor_place_tells_the_class(
    drawn: list[Sample], feature: Callable[[Sample], NDArray[np.float64]], bar: float
) -> None:
    """Chance is 1/12 = 0.083; the bars allow for the classes' different shapes and shares of outline."""
    x = np.stack([feature(s) for s in drawn])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = np.asarray([s.label for s in drawn])
    assert _nearest_neighbour_accuracy(x, y, k=15) < bar
    assert _linear_accuracy(x, y) < bar


def _nearest_neighbour_accuracy(x: NDArray[np.float64], y: NDArray[np.int64], k: int) -> float:
    distance = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    votes = y[np.argpartition(distance, k, axis=1)[:, :k]]
    counts = np.stack([(votes == label).sum(axis=1) for label in range(len(CLASSES))], axis=1)
    return float((counts.argmax(axis=1) == y).mean())


def _linear_accuracy(x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    design = np.column_stack([x, np.ones(len(x))])
    train, test = slice(0, len(x) // 2), slice(len(x) // 2, None)
    weights, *_ = np.linalg.lstsq(design[train], np.eye(len(CLASSES))[y[train]], rcond=None)
    return float(((design[test] @ weights).argmax(axis=1) == y[test]).mean())


def _grown(mask: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """The mask grown by (side - 1) / 2 pixels in every direction."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.filter(ImageFilter.MaxFilter(side | 1))) > 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    target = tmp_path_factory.mktemp("toybox") / "folder"
    return target, write_folder(target, seed=11)


def _pictures(target: Path) -> list[str]:
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*.jpg"))


def test_the_folder_holds_fifty_readable_pictures_of_every_class(folder: tuple[Path, Planted]) -> None:
    target, planted = folder
    for name in CLASSES:
        assert len(list((target / name).iterdir())) == PER_CLASS
    for path in (*planted.wrong, *planted.odd):
        with Image.open(target / path) as picture:
            assert (picture.size, picture.mode) == ((128, 128), "RGB")
            picture.load()


def test_twelve_wrong_labels_and_eight_oddities_are_planted(folder: tuple[Path, Planted]) -> None:
    target, planted = folder
    assert len(set(planted.wrong)) == 12
    assert len(set(planted.odd)) == len(ODDITIES) == 8
    assert not set(planted.wrong) & set(planted.odd)
    assert set(planted.wrong) | set(planted.odd) <= set(_pictures(target))


def test_nothing_on_disk_tells_what_was_planted(folder: tuple[Path, Planted]) -> None:
    target, _ = folder
    names = {f"{name}/{name}-{number:02d}.jpg" for name in CLASSES for number in range(1, PER_CLASS + 1)}
    assert set(_pictures(target)) == names
    others = [p for p in target.rglob("*") if p.is_file() and p.suffix != ".jpg"]
    assert all(not any(name in p.read_text() for name in CLASSES) for p in others)
    for path in target.rglob("*.jpg"):
        with Image.open(path) as picture:
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_second_call_draws_nothing_and_remembers(folder: tuple[Path, Planted]) -> None:
    target, planted = folder
    before = {p: p.stat().st_mtime_ns for p in target.rglob("*")}
    assert write_folder(target, seed=11) == planted
    assert {p: p.stat().st_mtime_ns for p in target.rglob("*")} == before


def test_a_damaged_folder_is_drawn_again_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "PER_CLASS", 3)
    target = tmp_path / "folder"
    planted = write_folder(target)
    victim = target / "tree" / "tree-03.jpg"
    content = victim.read_bytes()
    victim.unlink()
    assert write_folder(target) == planted
    assert victim.read_bytes() == content
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_of_the_users_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.jpg").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="choose another place"):
        write_folder(tmp_path / "mine")
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "cat.jpg"]


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = 0

    def full_disk(*_args: object, **_options: object) -> None:
        nonlocal drawn
        drawn += 1
        if drawn == 5:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
