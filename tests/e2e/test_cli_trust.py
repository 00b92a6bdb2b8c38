"""`--trust-check`: what it adds to the files, and where it is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convviz_gui.cli import main
from convviz_gui.engine.demo import toybox


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("toys")
    paths = [str(folder / f"toy {i}.png") for i in range(2)]
    for path, sample in zip(paths, toybox.samples(2, 5), strict=True):
        Image.fromarray(sample.pixels).save(path)
    return paths


def test_every_map_gets_its_numbers_pictures_and_verdict(tmp_path: Path, pictures: list[str]) -> None:
    out = tmp_path / "out"
    words = ["run", "grad-cam", "--model", "demo", "--image", *pictures, "--trust-check", "--device", "cpu"]
    assert main([*words, "--out", str(out)]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert "--trust-check" in manifest["command"]
    assert len(manifest["results"]) == 2
    for result in manifest["results"]:
        trust, place = result["trust"], out / result["folder"]
        with np.load(place / "data.npz", allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        assert arrays["trust_random_deletion"].shape[1:] == arrays["trust_fractions"].shape
        assert trust["level"] in {"good", "mixed", "bad", "unknown"}
        assert trust["verdict"][0].startswith("Explains this class")
        assert trust["measure"] == "probability"
        area = np.trapezoid(arrays["trust_deletion"], arrays["trust_fractions"])
        assert trust["areas"]["deletion"] == pytest.approx(area, abs=1e-5)
        assert len(trust["areas"]["random_insertion"]) == len(arrays["trust_random_insertion"])
        assert [stage["layers"] for stage in trust["weights"]] == arrays["trust_layers"].tolist()
        with (place / "trust.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        np.testing.assert_allclose([float(row["insertion"]) for row in rows], arrays["trust_insertion"], rtol=1e-6)
        with (place / "trust_weights.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        np.testing.assert_allclose([float(row["ssim"]) for row in rows], arrays["trust_ssim"], rtol=1e-6)
        with Image.open(place / "trust.png") as picture:
            assert picture.width > 800


def test_without_it_nothing_is_added(tmp_path: Path, pictures: list[str]) -> None:
    out = tmp_path / "out"
    assert main(["run", "grad-cam", "--model", "demo", "--image", pictures[0], "--out", str(out)]) == 0
    with np.load(out / "data.npz", allow_pickle=False) as data:
        assert not any(name.startswith("trust") for name in data.files)
    assert "trust" not in json.loads((out / "manifest.json").read_text())["results"][0]
    assert not list(out.glob("trust*"))


def test_what_makes_no_map_is_refused(tmp_path: Path, pictures: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["run", "activations", "--model", "demo", "--image", pictures[0], "--trust-check", "--out", str(out)]
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "makes no map" in lines[0]
    assert not out.exists()
