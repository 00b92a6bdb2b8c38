"""`convviz compare`: two result folders beside each other, end to end."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from convviz_gui.cli import main
from convviz_gui.engine.demo import toybox


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders that `convviz run` has written."""
    root = tmp_path_factory.mktemp("results")
    paths = []
    for i, sample in enumerate(toybox.samples(2, 11)):
        paths.append(str(root / f"toy{i}.png"))
        Image.fromarray(sample.pixels).save(paths[-1])
    demo = ("--model", "demo")
    for out, words in {
        "cat": ("grad-cam", *demo, "--image", paths[0], "--class", "0"),
        "dog": ("grad-cam", *demo, "--image", paths[0], "--class", "1"),
        "early": ("grad-cam", *demo, "--image", paths[0], "--layer", "block3_conv1"),
        "both": ("grad-cam", *demo, "--image", *paths),
        "maps": ("activations", *demo, "--image", paths[0], "--layer", "block3_conv1"),
        "overview": ("overview", *demo, "--image", paths[0]),
    }.items():
        assert main(["run", *words, "--out", str(root / out)]) == 0
    return root


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a mistake is answered with; nothing is written."""
    capsys.readouterr()
    assert main(["compare", *words, "--out", str(Path(words[0]).parent / "refused")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert not (Path(words[0]).parent / "refused").exists()
    return said[0]


def test_two_classes_of_one_photo(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(results / "cat"), str(results / "dog"), "--out", str(tmp_path), "--json"]
    capsys.readouterr()
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "manifest.json").read_text())
    raw = []
    for name in ("cat", "dog"):
        with np.load(results / name / "data.npz", allow_pickle=False) as data:
            raw.append(data["raw"])
    with np.load(tmp_path / "data.npz", allow_pickle=False) as data:
        assert np.array_equal(data["a"], raw[0])
        assert np.array_equal(data["b"], raw[1])
        assert np.array_equal(data["difference"], raw[0] - raw[1])
        assert data["box"].shape == (4,)
    found = told["comparison"]
    top = float(np.abs(np.stack(raw)).max())
    assert found["range_a"] == found["range_b"] == [-top, top]
    assert found["scale"] == "locked"
    assert found["statistics"]["spearman"] == pytest.approx(stats.spearmanr(raw[0].ravel(), raw[1].ravel()).statistic)
    assert set(found["differs"]) == {"Class"}
    assert found["differs"]["Class"] == ["0 cat", "1 dog"]
    assert told["files"] == ["comparison.png", "data.npz", "difference.png"]
    assert Image.open(tmp_path / "comparison.png").width > 900


def test_other_layers_share_a_grid_and_not_a_scale(results: Path, tmp_path: Path) -> None:
    assert main(["compare", str(results / "cat"), str(results / "early"), "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "manifest.json").read_text())["comparison"]
    assert told["scale"] == "own"
    assert told["interpolated"] is True
    with np.load(tmp_path / "data.npz", allow_pickle=False) as data:
        assert data["a"].shape == data["b"].shape == data["difference"].shape
        assert data["difference"] == pytest.approx(
            data["a"] / np.abs(told["range_a"]).max() - data["b"] / np.abs(told["range_b"]).max(), abs=1e-6
        )


def test_channels_are_chosen_for_both_or_each(results: Path, tmp_path: Path) -> None:
    folder = str(results / "maps")
    assert main(["compare", folder, folder, "--channel", "3,5", "--out", str(tmp_path)]) == 0
    with np.load(results / "maps" / "data.npz") as data, np.load(tmp_path / "data.npz") as found:
        assert np.array_equal(found["a"], data["maps"][3])
        assert np.array_equal(found["b"], data["maps"][5])
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert told["comparison"]["differs"] == {"Channel": ["channel 3", "channel 5"]}


def test_one_of_several_results_is_taken_by_its_folder(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = results / "both"
    assert "Give the sub-folder of one of them: 0000_toy0" in refused(capsys, str(both), str(results / "cat"))
    words = [str(both / "0000_toy0"), str(both / "0001_toy1"), "--out", str(tmp_path)]
    assert main(["compare", *words]) == 0
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert "Photo" in told["comparison"]["differs"]
    assert "The photos differ" in told["comparison"]["caveats"][0]


def test_places_that_do_not_correspond_are_told(results: Path, tmp_path: Path) -> None:
    other = results / "resized"
    if not other.exists():
        shutil.copytree(results / "cat", other)
        told = json.loads((other / "manifest.json").read_text())
        told["results"][0]["image"]["width"] += 1
        (other / "manifest.json").write_text(json.dumps(told))
    assert main(["compare", str(results / "cat"), str(other), "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "manifest.json").read_text())["comparison"]
    assert "different sizes" in told["reason"]
    assert told["statistics"] == {}
    assert not (tmp_path / "difference.png").exists()


def test_folders_of_something_else_are_refused_in_a_sentence(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = str(results / "cat")
    assert "There is no folder" in refused(capsys, str(results / "nowhere"), good)
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert "holds no result" in refused(capsys, str(tmp_path / "empty" / "inner"), good)
    assert "holds no map or picture" in refused(capsys, str(results / "overview"), good)
    for text, said in (
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"results": [{}], "format": 1, "method": "\\ud800"}', "no JSON"),
        ('{"results": [{}], "format": 1, "method": "x", "seed": NaN}', "no JSON"),
        ('{"results": []}', "not the manifest"),
        ('{"results": [{}], "format": 99, "method": "x"}', "another program"),
        ('{"results": [{"folder": "../cat"}], "format": 1, "method": "grad-cam"}', "outside of it"),
    ):
        foreign = tmp_path / "foreign"
        foreign.mkdir(exist_ok=True)
        (foreign / "manifest.json").write_text(text)
        assert said in refused(capsys, good, str(foreign))
    assert "--channel" in refused(capsys, good, good, "--channel", "x")
    assert "There is no channel 999" in refused(capsys, good, str(results / "maps"), "--channel", "999")


def test_damaged_and_hostile_arrays_are_refused_in_a_sentence(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = results / "cat", tmp_path / "bad"
    shutil.copytree(good, bad)
    data = (good / "data.npz").read_bytes()

    def refuse() -> str:
        return refused(capsys, str(good), str(bad))

    (bad / "data.npz").write_bytes(data[: len(data) // 2])
    assert "damaged" in refuse()
    (bad / "data.npz").unlink()
    assert "missing" in refuse()
    np.savez(bad / "data.npz", raw=np.array([{}], object), heat=np.zeros((2, 2)))
    assert "Python objects" in refuse()
    np.savez(bad / "data.npz", raw=np.zeros((0, 3), np.float32), heat=np.zeros((2, 2), np.float32))
    assert "empty or no map" in refuse()
    nothing = np.zeros((1, 1, 0, 9, 9, 3), np.uint8)[0]
    np.savez(bad / "data.npz", images=nothing, channels=np.zeros(1), values=nothing, boxes=nothing)
    assert "do not belong together" in refuse()
    # The packer's own error, which is of no kind that Python's archives announce.
    np.savez_compressed(bad / "data.npz", raw=np.arange(4096.0).reshape(64, 64), heat=np.ones((64, 64)))
    packed = bytearray((bad / "data.npz").read_bytes())
    packed[60:160] = b"\xff" * 100
    (bad / "data.npz").write_bytes(packed)
    assert "damaged" in refuse()
    # A header that claims a terabyte must not be believed.
    header = np.lib.format.header_data_from_array_1_0(np.zeros((2, 2), np.float32)) | {"shape": (2**19, 2**19)}
    for shape, said in (((2**19, 2**19), "claims"), ((2**10, 2**10), "cut short")):
        with zipfile.ZipFile(bad / "data.npz", "w") as archive:
            for name in ("raw", "heat"):
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array_header_1_0(file, header | {"shape": shape})
                    file.write(bytes(64))
        assert said in refuse()
