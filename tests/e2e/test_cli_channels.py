"""ask, switch-off, ablation and unit on the command line: options, arrays, tables, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from convviz_gui.cli import main
from tests.engine.toy_folder import toy_folder

LAYER = ("--model", "demo", "--layer", "block4_relu1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_folder(tmp_path_factory.mktemp("dataset"), 12, 31)


def run(out: Path, *words: str) -> dict[str, np.ndarray]:
    assert main(["run", *words, "--out", str(out)]) == 0
    with np.load(out / "data.npz", allow_pickle=False) as data:
        return {key: data[key] for key in data.files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_ask_by_unit_and_by_point(tmp_path: Path, folder: Path) -> None:
    image = str(next(folder.rglob("*.png")))
    by_unit = run(tmp_path / "unit", "ask", *LAYER, "--image", image, "--unit", "3,12", "--top", "5")
    assert by_unit["units"].tolist() == [[3, 12]] * 5
    assert by_unit["fields"].dtype == np.float32
    assert by_unit["fields"].shape == (5, 4)
    by_point = run(tmp_path / "point", "ask", *LAYER, "--image", image, "--point", "100,28", "--top", "5")
    np.testing.assert_array_equal(by_point["channels"], by_unit["channels"])
    assert (tmp_path / "unit" / "place.png").is_file()
    listed = [int(row["channel"]) for row in rows(tmp_path / "unit" / "channels.csv")]
    assert listed == by_unit["channels"].tolist()


def test_switch_off(tmp_path: Path, folder: Path) -> None:
    image = str(next(folder.rglob("*.png")))
    words = ("switch-off", *LAYER, "--image", image, "--channels", "3,5-6", "--also", "block2_relu1:0")
    found = run(tmp_path / "out", *words)
    assert found["channels"].tolist() == [3, 5, 6, 0]
    assert found["layers"].tolist() == ["block4_relu1"] * 3 + ["block2_relu1"]
    assert not found["after"].any()
    np.testing.assert_allclose(found["probabilities_after"].sum(), 1, atol=1e-5)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    again = manifest["command"] if isinstance(manifest["command"], list) else manifest["command"].split()
    assert "switch-off" in again


def test_ablation_and_unit_over_a_folder(tmp_path: Path, folder: Path) -> None:
    words = ("--folder", str(folder))
    table = run(tmp_path / "ablation", "ablation", *LAYER, *words, "--channels", "0-4", "--pictures", "6")
    assert table["accuracy"].shape == (5,)
    assert int(table["pictures"]) == int(table["labelled"]) == 6
    written = rows(tmp_path / "ablation" / "channels.csv")
    changes = [float(row["probability_change"]) for row in written]
    assert changes == sorted(changes)
    page = run(
        tmp_path / "unit", "unit", *LAYER, *words, "--channel", "7", "--steps", "2", "--top", "3", "--size", "48"
    )
    assert page["patches"].shape == (3, 96, 96, 3)
    assert page["projected"].shape == (3, 3, 128, 128)
    assert page["kernel"].shape == (48, 3, 3)
    names = {path.name for path in (tmp_path / "unit").iterdir()}
    assert {"weights.png", "synthetic.png", "patches.png", "projected.png", "pictures.csv", "similar.csv"} <= names
    assert len(rows(tmp_path / "unit" / "pictures.csv")) == 12


def test_mistakes_are_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: Path) -> None:
    image = str(next(folder.rglob("*.png")))
    for words in (
        ("ask", *LAYER, "--image", image, "--unit", "99,0"),
        ("switch-off", *LAYER, "--image", image, "--channels", "999"),
        ("switch-off", *LAYER, "--image", image, "--also", "nowhere:1"),
        ("ablation", *LAYER),
        ("unit", *LAYER, "--channels", "1,2"),
    ):
        capsys.readouterr()
        assert main(["run", *words, "--out", str(tmp_path / "never")]) == 2
        said = capsys.readouterr().err.strip()
        assert len(said.splitlines()) == 1
        assert not (tmp_path / "never").exists()
