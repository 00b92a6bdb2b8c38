"""The command line's contract: options, exit codes, files, arrays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convviz_gui.cli import main
from convviz_gui.engine.demo import toybox, toynet
from tests.engine.toy_folder import toy_folder

CAT = 0


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("toys")
    paths = []
    for i, sample in enumerate(toybox.samples(3, 11)):
        Image.fromarray(sample.pixels).save(folder / f"toy {i}.png")
        paths.append(str(folder / f"toy {i}.png"))
    return paths


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(toy_folder(tmp_path_factory.mktemp("dataset"), 40, 12, broken="cat"))


def run(out: Path, *words: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    assert main(["run", *words, "--out", str(out)]) == 0
    with np.load(out / "data.npz", allow_pickle=False) as data:
        arrays = {key: data[key] for key in data.files}
    return arrays, json.loads((out / "manifest.json").read_text())


def shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {key: (str(array.dtype), array.shape) for key, array in arrays.items()}


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a mistake is answered with."""
    capsys.readouterr()
    assert main(list(words)) == 2
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.strip().splitlines()
    assert len(lines) == 1
    assert "Traceback" not in output.err
    return lines[0]


def test_activations(tmp_path: Path, pictures: list[str]) -> None:
    words = ("activations", "--model", "demo", "--image", pictures[0], "--layer", "block3_conv1")
    arrays, facts = run(tmp_path / "out", *words)
    model = toynet.build_toynet()
    n_channels = model.get_submodule("block3_conv1").out_channels
    for key in ("mean", "std", "max", "sparsity"):
        assert shapes(arrays)[key] == ("float32", (n_channels,))
    maps = arrays["maps"]
    assert (maps.dtype, maps.shape[0]) == (np.float32, n_channels)
    assert maps.min() < 0
    np.testing.assert_allclose(arrays["mean"], maps.mean((1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(arrays["std"], maps.std((1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(arrays["sparsity"], (maps < 0.01 * maps.max()).mean((1, 2)), atol=1e-6)
    assert facts["method"] == "activations"
    assert facts["skipped"] == []
    assert facts["model"]["digest"]
    assert (tmp_path / "out" / "channels.png").exists()


def test_filters(tmp_path: Path) -> None:
    words = ("filters", "--model", "demo", "--layer", "block2_conv1", "--channels", "0,3,5-6", "--steps", "4")
    arrays, facts = run(tmp_path / "out", *words, "--size", "80", "--seed", "3")
    assert shapes(arrays) == {
        "images": ("uint8", (4, 30, 30, 3)),
        "trace": ("float32", (4, 4)),
        "dead": ("bool", (4,)),
        "channels": ("int64", (4,)),
        "labels": ("<U1", (4,)),
        "objective": ("<U7", ()),
    }
    assert arrays["channels"].tolist() == [0, 3, 5, 6]
    assert (facts["parameters"]["steps"], facts["seed"]) == (4, 3)
    again, _ = run(tmp_path / "again", *words, "--size", "80", "--seed", "3")
    np.testing.assert_array_equal(arrays["images"], again["images"])


def test_grad_cam_and_the_class_option(tmp_path: Path, pictures: list[str]) -> None:
    words = ("grad-cam", "--model", "demo", "--image", pictures[CAT])
    arrays, _ = run(tmp_path / "top", *words)
    assert int(arrays["class_index"]) == int(arrays["logits"].argmax())
    assert arrays["heat"].shape == (toynet.INPUT_SIZE, toynet.INPUT_SIZE)
    assert (arrays["heat"].min(), arrays["heat"].max()) == (0, 1)
    np.testing.assert_array_equal(arrays["box"], [0, 0, 128, 128])
    other, facts = run(tmp_path / "other", *words, "--class", "4", "--layer", "block4_relu1")
    assert int(other["class_index"]) == 4
    assert facts["results"][0]["layer"] == "block4_relu1"
    assert Image.open(tmp_path / "other" / "overlay.png").size == (128, 128)


def test_latent(tmp_path: Path, folder: str) -> None:
    words = ("latent", "--model", "demo", "--folder", folder, "--projection", "pca")
    arrays, facts = run(tmp_path / "out", *words)
    features = arrays["features"]
    n, d = features.shape
    assert n == 40
    assert shapes(arrays)["xy"] == ("float32", (n, 2))
    assert arrays["neighbours"].dtype.kind == "i"
    assert arrays["neighbours"].shape == (n, 12)
    assert arrays["logits"].shape == (n, 12)
    assert set(arrays["labels"].tolist()) <= set(toybox.CLASSES)
    assert [Path(item["path"]).name for item in facts["skipped"]] == ["broken.png"]
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    expected = (u * s)[:, :2]
    np.testing.assert_allclose(np.abs(arrays["xy"]), np.abs(expected), rtol=1e-3, atol=1e-4 * s[0] / np.sqrt(n))
    distances = np.linalg.norm(features[:, None].astype(np.float64) - features[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(arrays["outlier"], np.sort(distances, axis=1)[:, :12].mean(1), rtol=1e-5)
    assert d == arrays["features"].shape[1]


def test_latent_of_several_layers_writes_a_map_of_each(tmp_path: Path, folder: str) -> None:
    words = ("latent", "--model", "demo", "--folder", folder, "--projection", "pca", "--neighbours", "4")
    assert main(["run", *words, "--layers", "block5_relu1, avg_pool", "--out", str(tmp_path / "both")]) == 0
    facts = json.loads((tmp_path / "both" / "manifest.json").read_text())
    assert [one["layer"] for one in facts["results"]] == ["block5_relu1", "avg_pool"]
    for one in facts["results"]:
        alone, _ = run(tmp_path / one["layer"], *words, "--layer", one["layer"])
        with np.load(tmp_path / "both" / one["folder"] / "data.npz") as data:
            np.testing.assert_array_equal(data["features"], alone["features"])
            np.testing.assert_array_equal(data["xy"], alone["xy"])
            assert data["digests"].shape == (40,)


def test_latent_of_some_rows_and_with_pictures_placed(tmp_path: Path, folder: str, pictures: list[str]) -> None:
    words = ("latent", "--model", "demo", "--folder", folder, "--projection", "pca", "--neighbours", "4")
    whole, _ = run(tmp_path / "whole", *words, "--image", *pictures)
    n = len(whole["xy"])
    assert shapes(whole)["preservation"] == ("float32", (n,))
    assert shapes(whole)["xyz"] == ("float32", (n, 3))
    assert 0 < float(whole["continuity"]) <= 1
    assert shapes(whole)["located_xy"] == ("float32", (3, 2))
    assert whole["located_neighbours"].shape == whole["located_distances"].shape == (3, 4)
    assert (np.diff(whole["located_distances"], axis=1) >= 0).all()
    assert whole["located_names"].tolist() == [Path(path).name for path in pictures]
    assert len((tmp_path / "whole" / "located.csv").read_text().splitlines()) == 4
    some, facts = run(tmp_path / "some", *words, "--only", "0-9,15")
    assert some["paths"].tolist() == whole["paths"][[*range(10), 15]].tolist()
    assert facts["parameters"]["only"] == "0-9,15"
    np.testing.assert_allclose(some["xy"].mean(0), whole["xy"][[*range(10), 15]].mean(0), atol=1e-3)


def test_several_pictures_get_a_folder_each_and_bad_ones_are_listed(
    tmp_path: Path, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = [
        "run",
        "grad-cam",
        "--model",
        "demo",
        "--image",
        pictures[0],
        "nowhere.png",
        pictures[1],
        "--out",
        str(out),
    ]
    assert main(words) == 0
    facts = json.loads((out / "manifest.json").read_text())
    assert [result["folder"] for result in facts["results"]] == ["0000_toy_0", "0001_toy_1"]
    assert [item["path"] for item in facts["skipped"]] == ["nowhere.png"]
    assert "nowhere.png" in capsys.readouterr().err
    for result in facts["results"]:
        assert (out / result["folder"] / "data.npz").exists()


def test_layers_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "--model", "demo", "--json"]) == 0
    layers = json.loads(capsys.readouterr().out)
    assert set(layers[0]) == {"id", "kind", "shape", "channels", "params", "depth", "receptive_field"}
    assert layers[0]["receptive_field"]["size"] == [3, 3]
    assert [layer["depth"] for layer in layers] == sorted(layer["depth"] for layer in layers)
    leaf = next(layer for layer in layers if layer["id"] == "classifier")
    assert (leaf["kind"], leaf["shape"], leaf["channels"]) == ("Linear", [12], 12)
    n_params = sum(parameter.numel() for parameter in toynet.build_toynet().parameters())
    assert sum(layer["params"] for layer in layers) == n_params


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--search", "xception", "--json"]) == 0
    sources = [entry["source"] for entry in json.loads(capsys.readouterr().out)]
    assert "timm:legacy_xception" in sources
    assert main(["models", "--search", "squeezenet"]) == 0
    assert "torchvision:squeezenet1_0" in capsys.readouterr().out.splitlines()


def test_json_on_stdout_is_the_manifest(
    tmp_path: Path, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "overview", "--model", "demo", "--image", pictures[0], "--out", str(tmp_path / "o"), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "o" / "manifest.json").read_text())


@pytest.mark.parametrize(
    "change",
    [
        ("--layer", "no.such"),
        ("--channels", "0-9999"),
        ("--channels", "x"),
        ("--steps", "0"),
        ("--steps", "many"),
        ("--no-such-option", "1"),
        ("--model", "nonsense"),
        ("--model", "torchvision:nonsense"),
        ("--model", "timm:nonsense"),
        ("--weights", "nowhere.safetensors"),
        ("--device", "abacus"),
        ("--seed", "x"),
        ("--channels", "0-99999999999"),
        ("--channels", " "),
        ("--layer", ""),
        ("--weights", ""),
        ("--out", ""),
        ("--out", "la\udce9tin"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    tmp_path: Path, change: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["run", "filters", "--model", "demo", "--layer", "block1_conv1", "--out", str(out), *change]
    refused(capsys, *words)
    assert not out.exists()


@pytest.mark.parametrize("words", [(), ("run",), ("run", "nonsense"), ("layers",), ("tour",), ("models", "--search")])
def test_incomplete_commands(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, *words)


def test_bad_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("hello")
    for bad in ("nowhere.png", str(tmp_path / "empty.png"), str(tmp_path / "text.jpg"), str(tmp_path)):
        line = refused(capsys, "run", "grad-cam", "--model", "demo", "--image", bad, "--out", str(tmp_path / "out"))
        assert Path(bad).name in line
    assert not (tmp_path / "out").exists()
    assert "picture" in refused(capsys, "run", "grad-cam", "--model", "demo", "--out", str(tmp_path / "out"))


def test_an_output_folder_that_cannot_be_one(
    tmp_path: Path, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    line = refused(
        capsys, "run", "grad-cam", "--model", "demo", "--image", pictures[0], "--out", str(tmp_path / "file")
    )
    assert "--out" in line


class Evil:
    """Writes a file when unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".ckpt", ".safetensors"])
def test_a_pickle_that_would_run_code_is_refused(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, trap = tmp_path / f"weights{suffix}", tmp_path / "ran"
    torch.save({"classifier.weight": Evil(str(trap))}, path)
    refused(capsys, "layers", "--model", "demo", "--weights", str(path))
    assert not trap.exists()


def test_weights_of_another_architecture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.pth"
    torch.save(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 2)).state_dict(), path)
    assert "other.pth" in refused(capsys, "layers", "--model", "demo", "--weights", str(path))


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, pictures: list[str]) -> None:
    """A limit on file sizes stands for the full disk: the write fails in the middle of data.npz."""
    code = (
        "import resource, signal, sys; from convviz_gui.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); sys.exit(main(sys.argv[1:]))"
    )
    out = tmp_path / "out"
    words = ["run", "activations", "--model", "demo", "--image", pictures[0], "--layer", "block1_conv1"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()


PROGRAM = [sys.executable, "-m", "convviz_gui.cli"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_run_leaves_nothing(tmp_path: Path, number: int) -> None:
    words = [*PROGRAM, "run", "filters", "--model", "demo", "--steps", "4096", "--out", str(tmp_path / "a" / "b")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        while not list(tmp_path.glob("a/b/.convviz-*")):
            assert program.poll() is None
            time.sleep(0.02)
        program.send_signal(number)
        out, err = program.communicate(timeout=60)
    assert program.returncode == 128 + number
    assert (out, err) == ("", "convviz: stopped; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_cost_nothing(tmp_path: Path, pictures: list[str], closed: str) -> None:
    words = [*PROGRAM, "run", "overview", "--model", "demo", "--image", pictures[0], "--out", str(tmp_path / "o")]
    assert subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *words], check=False).returncode == 0
    assert (tmp_path / "o" / "manifest.json").exists()


def test_a_terminal_that_knows_ascii_only() -> None:
    words = [*PROGRAM, "layers", "--model", "demo"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "16\\xd7128\\xd7128" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_said() -> None:
    words = [*PROGRAM, "layers", "--model", "demo"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_installed_command(pictures: list[str], tmp_path: Path) -> None:
    words = [*PROGRAM, "run", "overview", "--model", "demo", "--image", pictures[0]]
    done = subprocess.run([*words, "--out", str(tmp_path / "o")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_says_with_what_a_setting_counts(capsys: pytest.CaptureFixture[str]) -> None:
    def told(method: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["run", method, "--help"])
        assert ended.value.code == 0
        return " ".join(capsys.readouterr().out.split())

    latent = told("latent")
    assert "(only with --projection tsne; a number from 0 to 500" in latent
    assert latent.count("only with --projection umap; ") == 2
    assert "same seed, same result" in latent
    fourier = told("filters-fourier")
    assert "(only with --diversity 2…16; " in fourier
    assert "nothing else is left to chance" in told("occlusion")
