"""`convviz review`: deciding, undoing and exporting without a window, and without moving anything."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convviz_gui.cli import main
from convviz_gui.engine.datasets import list_dataset
from convviz_gui.engine.demo import toybox
from convviz_gui.engine.demo.folder import DEFAULT_SEED, _plan, write_folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for label, names in (("cat", "123"), ("dog", "45")):
        (root / label).mkdir(parents=True)
        for name in names:
            Image.new("RGB", (8, 8), (40 * int(name), 10, 20)).save(root / label / f"{name}.png")
    return root


def result(folder: Path, out: Path) -> Path:
    """What `convviz run latent` writes, as far as a review reads it."""
    paths = sorted(map(str, folder.rglob("*.png")))
    out.mkdir()
    np.savez(
        out / "data.npz",
        paths=np.array(paths),
        outlier=np.arange(5, dtype=np.float32),
        suspects=np.array([0.1, 0.9, 0.2, 0.7, 0.0], np.float32),
        suggested=np.array(["", "dog", "", "cat", ""]),
        duplicates=np.array([[0, 2]]),
        duplicate_distance=np.zeros(1, np.float32),
    )
    return out


def review(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    code = main(["review", *map(str, words)])
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out


def facts(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(review(capsys, *words, "--json"))
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line that a mistake is answered with."""
    capsys.readouterr()
    assert main(["review", *map(str, words)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    return said[0]


def test_decisions_are_kept_listed_and_undone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert review(capsys, folder) == "5 pictures: 0 keep, 0 relabel, 0 exclude, 5 undecided\n"
    told = facts(
        capsys,
        *(folder, "--exclude", folder / "cat" / "1.png", "cat/2.png", "--keep", "dog/4.png"),
        *("--relabel", "cat", "dog/5.png", "--note", "a, “drawing”", "cat/3.png", "cat/1.png"),
    )
    assert {key: told[key] for key in ("keep", "relabel", "exclude", "undecided", "notes", "changed")} == {
        "keep": 1,
        "relabel": 1,
        "exclude": 2,
        "undecided": 1,
        "notes": 2,
        "changed": 5,
    }
    lines = [line.split("\t") for line in review(capsys, folder, "--list").splitlines()]
    assert lines == [
        ["", "exclude", "cat", "", str(folder / "cat" / "1.png"), "a, “drawing”"],
        ["", "exclude", "cat", "", str(folder / "cat" / "2.png"), ""],
        ["", "undecided", "cat", "", str(folder / "cat" / "3.png"), "a, “drawing”"],
        ["", "keep", "dog", "", str(folder / "dog" / "4.png"), ""],
        ["", "relabel", "dog", "cat", str(folder / "dog" / "5.png"), ""],
    ]
    assert facts(capsys, folder, "--undecide", "cat/1.png")["exclude"] == 1
    assert facts(capsys, folder, "--undo")["exclude"] == 2
    assert facts(capsys, folder, "--undo")["undecided"] == 5
    assert facts(capsys, folder, "--redo", "2")["exclude"] == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_is_exported(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review(capsys, folder, "--exclude", "cat/1.png", "--relabel", "wolf", "dog/4.png", "dog/5.png")
    out = tmp_path / "out"
    out.mkdir()
    review(
        capsys,
        *(folder, "--export-csv", out / "all.csv", "--export-table", out / "clean.csv"),
        *("--export-files", out / "files.txt", "--which", "relabelled"),
    )
    with (out / "all.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["decision"] for row in rows] == ["exclude", "", "", "relabel", "relabel"]
    assert (out / "files.txt").read_text().splitlines() == [f"{folder}/dog/{name}.png\twolf" for name in (4, 5)]
    assert (out / "clean.csv").read_text().splitlines() == [
        "path,label",
        *(f"{folder}/cat/{name}.png,cat" for name in (2, 3)),
        *(f"{folder}/dog/{name}.png,wolf" for name in (4, 5)),
    ]
    review(capsys, folder, "--undo")
    assert facts(capsys, folder, "--import", out / "all.csv")["relabel"] == 2


def test_rankings_of_a_result(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = ("--result", result(folder, tmp_path / "latent"))
    found = json.loads(review(capsys, folder, *of, "--list", "suspects", "--most", "2", "--json"))
    assert [(Path(row["path"]).name, row["score"], row["suggested"]) for row in found] == [
        ("2.png", "0.9", "dog"),
        ("4.png", "0.7", "cat"),
    ]
    capsys.readouterr()
    assert main(["review", str(folder), *of[:1], str(of[1]), "--list", "suspects", "--most", "3"]) == 0
    told = capsys.readouterr()
    assert [line.split("\t")[2::4] for line in told.out.splitlines()] == [["cat", "dog"], ["dog", "cat"], ["cat", "–"]]
    assert "score, decision, label, new label, path, note, suggested" in told.err
    assert "–: no other label is likely enough to be suggested" in told.err
    [line] = review(capsys, folder, *of, "--list", "duplicates").splitlines()
    assert Path(line.split("\t")[-1]).name == "1.png"
    [pair] = json.loads(review(capsys, folder, *of, "--list", "duplicates", "--json"))
    assert [Path(pair[key]).name for key in ("path", "duplicate_of")] == ["3.png", "1.png"]
    review(capsys, folder, *of, "--export-csv", tmp_path / "all.csv")
    assert "4.png,dog,,,,,3,0.7,cat," in (tmp_path / "all.csv").read_text()


def test_mistakes_are_answered_in_a_line_and_change_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], own_home: Path
) -> None:
    assert "is no picture of" in refused(capsys, folder, "--keep", "cat/2.png", "--exclude", "cat/9.png")
    assert "decided about twice" in refused(capsys, folder, "--keep", "cat/2.png", "--exclude", "cat/2.png")
    assert "says no file" in refused(capsys, folder, "--relabel", "cat")
    assert "a blank label" in refused(capsys, folder, "--relabel", " ", "cat/1.png")
    assert "nothing to undo" in refused(capsys, folder, "--undo")
    assert "nothing to do again" in refused(capsys, folder, "--redo")
    assert "without a latent space" in refused(capsys, folder, "--list", "suspects")
    assert "does not exist" in refused(capsys, tmp_path / "nowhere")
    assert "Cannot read" in refused(capsys, folder, "--result", tmp_path)
    assert "No such file" in refused(capsys, folder, "--export-csv", tmp_path / "no" / "where.csv")
    assert "no column named" in refused(capsys, folder, "--import", _written(tmp_path / "t.csv", "a,b\n"))
    assert not list(own_home.rglob("*.jsonl"))


def test_labels_with_line_breaks_do_not_spoil_a_list_of_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(capsys, folder, "--relabel", "a\nb", "cat/1.png")
    out = tmp_path / "list.txt"
    said = refused(capsys, folder, "--export-files", out, "--which", "relabelled")
    assert "has a line break" in said
    assert not out.exists()
    review(capsys, folder, "--export-files", out)
    assert len(out.read_text().splitlines()) == 5


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_toyboxs_wrong_labels_are_found_excluded_and_gone_from_the_cleaned_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the network to a dataset that opens without the wrong labels, by what the program itself suggests."""
    root = tmp_path / "toybox"
    planted = write_folder(root)
    latent = [
        "latent",
        "--model",
        "demo",
        "--folder",
        str(root),
        "--projection",
        "pca",
        "--out",
        str(tmp_path / "latent"),
    ]
    assert main(["run", *latent]) == 0
    of = ("--result", tmp_path / "latent")
    found = json.loads(review(capsys, root, *of, "--list", "suspects", "--most", "24", "--json"))
    wrong = {str(root / path) for path in planted.wrong}
    caught = [row for row in found if row["path"] in wrong]
    assert len(caught) >= 10
    truth = {str(root / entry.path): toybox.CLASSES[entry.label] for entry in _plan(DEFAULT_SEED)}
    right = [row for row in caught if row["suggested"] == truth[row["path"]]]
    assert len(right) >= 8
    words: list[str] = []
    for row in right:
        words += ["--relabel", row["suggested"], row["path"]]
    others = [row["path"] for row in caught if row not in right]
    review(capsys, root, *words, *(["--exclude", *others] if others else []))
    review(capsys, root, "--export-table", tmp_path / "clean.csv")
    clean = list_dataset(str(tmp_path / "clean.csv"))
    labels = dict(zip(clean.paths, clean.labels, strict=True))
    assert len(labels) == len(list_dataset(str(root)).paths) - len(others)
    assert all(labels[row["path"]] == truth[row["path"]] for row in right)
    # The cleaned dataset is another one: it has a review of its own.
    assert facts(capsys, tmp_path / "clean.csv")["undecided"] == len(labels)


def test_pictures_in_an_archive_are_reviewed_like_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder))
    before = archive.read_bytes()
    review(capsys, archive, "--exclude", "cat/1.png", "--relabel", "wolf", f"{archive}/dog/4.png")
    review(capsys, archive, "--export-table", tmp_path / "clean.csv")
    clean = list_dataset(str(tmp_path / "clean.csv"))
    assert dict(zip(clean.paths, clean.labels, strict=True)) == {
        f"{archive}/cat/2.png": "cat",
        f"{archive}/cat/3.png": "cat",
        f"{archive}/dog/4.png": "wolf",
        f"{archive}/dog/5.png": "dog",
    }
    assert archive.read_bytes() == before
