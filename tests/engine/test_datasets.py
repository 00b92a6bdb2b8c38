"""Folders as datasets: order, labels, what is left out and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from convviz_gui.engine.datasets import list_folder, natural
from convviz_gui.engine.errors import EngineError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder: Path) -> list[tuple[str, str]]:
    listing = list_folder(folder)
    return [(label, Path(path).name) for label, path in zip(listing.labels, listing.paths, strict=True)]


def test_sub_folders_are_labels_in_natural_order(tmp_path: Path) -> None:
    touch(
        tmp_path, "dog/b10.jpg", "dog/b9.JPG", "dog/B1.png", "class 10/a.jpg", "class 2/a.jpg", "z.jpg", "a/deep/x.tif"
    )
    assert found(tmp_path) == [
        ("a/deep", "x.tif"),
        ("class 2", "a.jpg"),
        ("class 10", "a.jpg"),
        ("dog", "B1.png"),
        ("dog", "b9.JPG"),
        ("dog", "b10.jpg"),
        ("", "z.jpg"),
    ]
    paths = list_folder(tmp_path).paths
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in paths)


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", ".b.jpg", ".cache/c.jpg", "notes.txt", "model.safetensors", "no_extension")
    assert found(tmp_path) == [("", "a.jpg")]
    assert list_folder(tmp_path).skipped == ()


def test_pictures_that_are_not_read_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.eps", "c/d.PSD")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    reasons = {Path(left.path).name: left.reason for left in list_folder(tmp_path).skipped}
    assert reasons == {
        "b.eps": ".eps files are not read",
        "d.PSD": ".psd files are not read",
        "broken.png": "the link leads nowhere",
        "circle.png": "the link leads nowhere",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not Unicode, and pipes")
def test_strange_files_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).touch()
    os.mkfifo(tmp_path / "pipe.png")
    listing = list_folder(tmp_path)
    assert sorted(left.reason for left in listing.skipped) == ["its name is not valid Unicode", "not an ordinary file"]
    assert all(left.path.encode() for left in listing.skipped)
    assert len(listing.paths) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_folder_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    (tmp_path / "locked").chmod(0)
    try:
        (left,) = list_folder(tmp_path).skipped
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert left.path.endswith("locked")
    assert "cannot be read" in left.reason


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "data", "cat/a.jpg")
    touch(tmp_path / "elsewhere", "b.jpg")
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "cat" / "up").symlink_to(tmp_path / "data" / "cat")
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "data") == [("cat", "a.jpg"), ("dog", "b.jpg")]


def test_bad_folders_in_words(tmp_path: Path) -> None:
    touch(tmp_path, "file.txt", "empty/notes.txt", "vectors/a.svg")
    for folder, words in {
        "none": "does not exist",
        "file.txt": "is a file, not a folder",
        "empty": "holds no pictures that can be read",
        "vectors": r"1 left out, such as a\.svg: \.svg files are not read",
    }.items():
        with pytest.raises(EngineError, match=words) as caught:
            list_folder(tmp_path / folder)
        assert caught.value.hint


def test_natural_keys_compare_whatever_the_names() -> None:
    names = ["10", "9", "a", "", "a10b", "a9b", "A9B", "٣", "é2"]
    assert sorted(names, key=natural).index("9") < sorted(names, key=natural).index("10")
    assert sorted(names, key=natural) == sorted([*names[4:], *names[:4]], key=natural)


def test_the_photos(photos: Path) -> None:
    listing = list_folder(photos)
    assert len(listing.paths) == 263
    assert len(set(listing.labels)) == 12
    assert listing.paths[0].endswith("007_cock.jpg")
