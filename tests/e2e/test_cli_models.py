"""`convviz models`: the index on the command line, and the networks a weights file may be of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from convviz_gui.cli import main
from convviz_gui.engine.zoo import index

FIELDS = {
    "source",
    "name",
    "library",
    "family",
    "pretrained",
    "input_size",
    "params",
    "licence",
    "download",
    "estimated",
    "n_classes",
    "repository",
    "files",
    "downloaded",
}


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["models", *words, "--json"]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return found

    return run


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a mistake is answered with."""
    capsys.readouterr()
    assert main(["models", *words]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    [line] = output.err.strip().splitlines()
    return line


def test_everything_with_all_that_is_known(listed: Any) -> None:
    everything = listed()
    assert len(everything) == len(index.entries())
    assert {frozenset(entry) for entry in everything} == {frozenset(FIELDS)}
    assert [entry["source"] for entry in everything if entry["downloaded"]] == ["demo"]


def test_a_line_is_a_source_where_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--search", "squeezenet"]) == 0
    assert capsys.readouterr().out == "torchvision:squeezenet1_0\ntorchvision:squeezenet1_1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
def test_a_person_gets_a_table_whose_first_column_is_the_source() -> None:
    import pty

    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "convviz_gui.cli", "models", "--search", "squeezenet"]
    subprocess.run(words, stdout=follower, check=True)
    os.close(follower)
    head, *rows = os.read(leader, 10_000).decode().splitlines()
    os.close(leader)
    assert head.split() == ["network", "parameters", "input", "download", "classes", "licence"]
    assert [row.split()[0] for row in rows] == ["torchvision:squeezenet1_0", "torchvision:squeezenet1_1"]
    assert rows[0].split()[1:] == ["1.2", "M", "224", "px", "5.0", "MB", "1000"]


@pytest.mark.parametrize(
    ("option", "value", "holds"),
    [
        ("--family", "resnet", lambda entry: entry["family"] == "resnet"),
        ("--max-params", "1.5M", lambda entry: entry["params"] <= 1_500_000),
        ("--max-params", "900k", lambda entry: entry["params"] <= 900_000),
        ("--input-size", "384", lambda entry: entry["input_size"] == 384),
        ("--licence", "cc-by-nc", lambda entry: entry["licence"].startswith("cc-by-nc")),
        ("--license", "MIT", lambda entry: entry["licence"] == "mit"),
        ("--pretrained", None, lambda entry: entry["pretrained"]),
    ],
)
def test_options_narrow(listed: Any, option: str, value: str | None, holds: Any) -> None:
    found = listed(option, *([value] if value else []))
    assert found == [entry for entry in listed() if holds(entry)]
    assert 0 < len(found) < len(index.entries())


def test_options_together(listed: Any) -> None:
    found = listed("--search", "tiny", "--family", "vision_transformer", "--licence", "apache", "--max-params", "6M")
    assert found
    for entry in found:
        assert "tiny" in entry["source"]
        assert (entry["family"], entry["licence"]) == ("vision_transformer", "apache-2.0")
        assert entry["params"] <= 6_000_000


def test_what_is_downloaded(listed: Any, empty_caches: Path) -> None:
    checkpoints = empty_caches / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "squeezenet1_1-b8a52dc0.pth").write_bytes(b"weights")
    assert [entry["source"] for entry in listed("--downloaded")] == ["demo", "torchvision:squeezenet1_1"]


def test_nothing_found(listed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed("--search", "no such network") == []
    assert "'no such network'" in said(capsys, "--search", "no such network")
    assert "fits all of these options" in said(capsys, "--family", "resnet", "--max-params", "1k")
    assert "Did you mean resnet" in said(capsys, "--family", "resnt")


@pytest.mark.parametrize(
    "words",
    [
        ("--max-params", "many"),
        ("--max-params", ""),
        ("--max-params", "nanM"),
        ("--max-params", "-3"),
        ("--input-size", "x"),
        ("--weights", ""),
        ("--weights", "file.pth", "--search", "resnet"),
        ("--weights", "no such file.pth"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert said(capsys, *words).startswith("convviz: ")


def test_the_networks_that_a_file_may_be_of(listed: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = torchvision.models.squeezenet1_1(num_classes=7).state_dict()
    torch.save(state, tmp_path / "whole.pth")
    best = listed("--weights", str(tmp_path / "whole.pth"))[0]
    assert best == {
        "model": "torchvision:squeezenet1_1",
        "score": 1.0,
        "missing": [],
        "unexpected": [],
        "mismatched": [],
    }
    assert main(["models", "--weights", str(tmp_path / "whole.pth")]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split() == ["torchvision:squeezenet1_1", "100", "%", "fits", "completely"]


def test_what_does_not_fit_is_named(listed: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = torchvision.models.squeezenet1_1().state_dict()
    del state["features.3.squeeze.bias"]
    state["features.4.squeeze.weight"] = torch.zeros(17, 128, 1, 1)
    state["of.my.own"] = torch.zeros(3)
    torch.save(state, tmp_path / "odd.pth")
    best = listed("--weights", str(tmp_path / "odd.pth"))[0]
    assert best["model"] == "torchvision:squeezenet1_1"
    assert 0.9 < best["score"] < 1
    assert best["missing"] == ["features.3.squeeze.bias"]
    assert best["unexpected"] == ["of.my.own"]
    assert best["mismatched"] == [
        {"name": "features.4.squeeze.weight", "expected": [16, 128, 1, 1], "found": [17, 128, 1, 1]}
    ]
    assert main(["models", "--weights", str(tmp_path / "odd.pth")]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert "100 %" not in first
    for words in ("'features.3.squeeze.bias'", "'of.my.own'", "is 17×128×1×1 instead of 16×128×1×1"):
        assert words in first


WITHOUT = """
import sys
for name in ("torch", "torchvision", "timm", "numpy", "PIL", "PySide6"):
    sys.modules[name] = None
from convviz_gui.cli import main
sys.exit(main(["models", "--search", "resnet18"]))
"""


def test_listing_waits_for_no_library() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("torchvision:resnet18\n")
