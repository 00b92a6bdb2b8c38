"""Datasets of every kind on the command line."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convviz_gui.cli import main
from convviz_gui.engine.demo import toybox


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders train and test of Toybox pictures, the same as an archive, and a table of some of them."""
    root = tmp_path_factory.mktemp("dataset")
    for i, sample in enumerate(toybox.samples(12, 5)):
        path = root / ("test" if i % 3 == 0 else "train") / toybox.CLASSES[sample.label] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sample.pixels).save(path)
    paths = sorted(root.rglob("*.png"))
    with zipfile.ZipFile(root / "all.zip", "w") as file:
        for path in paths:
            file.write(path, path.relative_to(root))
    rows = "".join(f"{path.relative_to(root)},{path.parent.name}\n" for path in paths)
    (root / "list.csv").write_text(f"image,class\n{rows}gone.png,cat\n")
    return root


def run(out: Path, *words: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    assert main(["run", *words, "--model", "demo", "--out", str(out)]) == 0
    with np.load(out / "data.npz", allow_pickle=False) as data:
        arrays = {key: data[key] for key in data.files}
    return arrays, json.loads((out / "manifest.json").read_text())


def test_the_same_pictures_however_they_are_given(made: Path, tmp_path: Path) -> None:
    quick = ("latent", "--projection", "pca", "--neighbours", "3")
    sources: dict[str, list[Path]] = {
        "top": [made],
        "several": [made / "test", made / "train"],
        "zip": [made / "all.zip"],
        "csv": [made / "list.csv"],
    }
    found = {name: run(tmp_path / name, *quick, "--folder", *map(str, given)) for name, given in sources.items()}
    of_path = {}
    for name, (arrays, _) in found.items():
        tails = ["/".join(Path(path).parts[-3:]) for path in arrays["paths"].tolist()]
        of_path[name] = dict(zip(tails, arrays["features"], strict=True))
        assert arrays["labels"].tolist() == [tail.split("/")[1] for tail in tails]
        if name != "csv":
            assert arrays["splits"].tolist() == [tail.split("/")[0] for tail in tails]
    for name in ("several", "zip", "csv"):
        assert of_path[name].keys() == of_path["top"].keys()
        for tail, features in of_path[name].items():
            np.testing.assert_allclose(features, of_path["top"][tail], rtol=1e-4, atol=1e-5)
    assert found["csv"][1]["skipped"] == [{"path": str(made / "gone.png"), "reason": "there is no such file"}]
    again = found["several"][1]
    assert again["input_folder"] == str(made / "test")
    assert again["input_splits"] == [str(made / "train")]


def test_a_tables_further_columns_are_written(made: Path, tmp_path: Path) -> None:
    """Under names that clash with nothing: this table has columns called as arrays and columns of the export are."""
    paths = sorted(made.rglob("*.png"))[:6]
    cells = ["0.1,7,x-1,café", "2,8,x-2,", "-3e-9,9,x-3,a", ",10,x-4,b", "5,11,x-5,c", "6,12,x-6,d"]
    rows = "".join(f"{path},{line}\n" for path, line in zip(paths, cells, strict=True))
    (tmp_path / "t.csv").write_text(f"path,features,rank,logits,note\n{rows}", encoding="utf-8")
    arrays, facts = run(
        tmp_path / "out", "latent", "--projection", "pca", "--neighbours", "2", "--folder", str(tmp_path / "t.csv")
    )
    assert arrays["features"].ndim == 2
    assert arrays["logits"].ndim == 2
    assert arrays["column_names"].tolist() == ["features", "rank", "logits", "note"]
    columns = [arrays[f"column_{at}"] for at in range(4)]
    np.testing.assert_array_equal(columns[0], [0.1, 2, -3e-9, np.nan, 5, 6])
    np.testing.assert_array_equal(columns[1], np.arange(7.0, 13.0))
    assert columns[2].tolist() == [f"x-{n}" for n in range(1, 7)]
    assert columns[3].tolist() == ["café", "", "a", "b", "c", "d"]
    assert [column.dtype.kind for column in columns] == ["f", "f", "U", "U"]
    assert "outliers.csv" in facts["files"]
    with (tmp_path / "out" / "outliers.csv").open(encoding="utf-8", newline="") as file:
        written = {row["path"]: row for row in csv.DictReader(file)}
    assert sorted(int(row["rank"]) for row in written.values()) == [1, 2, 3, 4, 5, 6]
    for path, line in zip(paths, cells, strict=True):
        row = written[str(path)]
        features, rank, logits, note = line.split(",")
        assert (row["rank (2)"], row["logits"], row["note"]) == (rank, logits, note)
        assert row["features"] == features.replace("e-9", "e-09")


def test_a_picture_in_an_archive(made: Path, tmp_path: Path) -> None:
    path = sorted((made / "test").rglob("*.png"))[0]
    inside = made / "all.zip" / path.relative_to(made)
    (loose, _), (packed, facts) = (
        run(tmp_path / str(n), "input", "--image", str(one)) for n, one in enumerate((path, inside))
    )
    np.testing.assert_array_equal(packed["input"], loose["input"])
    assert str(inside) in json.dumps(facts)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["none.zip"], "There is no archive"),
        (["list.csv", "none.csv"], "There is no table"),
        (["train", "train"], "given twice"),
        (["all.zip", "train/none"], "does not exist"),
    ],
)
def test_what_is_wrong_in_one_line(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], words: str
) -> None:
    folders = [str(made / name) for name in names]
    command = ["run", "latent", "--model", "demo", "--folder", *folders, "--out", str(tmp_path / "out")]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_the_next_run_would_read_it(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made / "test", tmp_path / "photos")
    folder, elsewhere, alias = tmp_path / "photos", tmp_path / "elsewhere", tmp_path / "alias"
    elsewhere.mkdir()
    alias.symlink_to(folder)
    (tmp_path / "way in").symlink_to(folder)
    (folder / "way out").symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("*"))
    for method in ("grad-cam", "latent", "patches"):
        for source, out, words in (
            (folder, folder / "out" / "deep", "is inside the dataset"),
            (folder, tmp_path / "way in" / "out", "is inside the dataset"),
            (alias, folder / "way out" / "out", "is inside the dataset"),
            (folder, folder / "." / ".." / "alias", "is the dataset itself"),
        ):
            # A network that is not there: this comes before it is looked for.
            command = ["run", method, "--model", "none.py:net", "--folder", str(made / "all.zip"), str(source)]
            assert main([*command, "--out", str(out)]) == 2
            (line,) = capsys.readouterr().err.strip().splitlines()
            assert words in line
    assert main(["embed", str(folder), "--model", "none.py:net", "--out", str(alias)]) == 2
    assert "is the dataset itself" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_hidden_folder_in_the_dataset_and_one_beside_a_table_are_written_to(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "photos")
    folder = tmp_path / "photos"
    quick = ("latent", "--projection", "pca", "--neighbours", "3", "--folder")
    for source, out in ((folder, folder / ".map"), (folder / "list.csv", folder / "map"), (folder / "all.zip", folder)):
        first, _ = run(out, *quick, str(source))
        again, _ = run(out, *quick, str(source))
        assert again["paths"].tolist() == first["paths"].tolist()


def test_what_a_result_was_made_of_is_not_replaced_by_it(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(made.rglob("*.png"))
    table = "path\n" + "".join(f"{path}\n" for path in paths)
    (tmp_path / "outliers.csv").write_text(table)
    (tmp_path / "mine.csv").symlink_to("outliers.csv")
    shutil.copy(paths[0], tmp_path / "input.png")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for words, name in (
        (["latent", "--projection", "pca", "--folder", str(tmp_path / "mine.csv")], "outliers.csv"),
        (["input", "--image", str(tmp_path / "input.png")], "input.png"),
    ):
        assert main(["run", *words, "--model", "demo", "--out", str(tmp_path)]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert f"{name} would be replaced" in line
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
