"""`convviz layers --report`: the health report on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from convviz_gui.cli import main
from convviz_gui.engine.method import methods
from tests.engine.tiny import noise_picture

MODEL = ("--model", "torchvision:squeezenet1_1")


def test_the_report_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", *MODEL, "--report"]) == 0
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if line[:7] in ("warning", "handled", "note   ")]
    assert lines[0].startswith("warning   Random weights")
    assert any(line.startswith("handled") and "in place" in line for line in lines)
    assert [line.split()[1] for line in text.splitlines()[-len(methods()) :]] == ["applies"] * len(methods())


def test_the_demo_is_nothing_to_remark_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "--model", "demo", "--report"]) == 0
    assert "Nothing to remark." in capsys.readouterr().out


def test_the_report_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", *MODEL, "--report", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"model", "health", "methods"}
    assert set(report["health"][0]) == {"kind", "level", "title", "detail"}
    assert {finding["level"] for finding in report["health"]} <= {"fact", "handled", "warning"}
    assert report["methods"] == dict.fromkeys(methods(), "")


def test_warnings_are_in_the_manifest(tmp_path: Path) -> None:
    Image.fromarray(noise_picture().pixels).save(tmp_path / "noise.png")
    words = ["run", "overview", *MODEL, "--image", str(tmp_path / "noise.png"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    warnings = json.loads((tmp_path / "out" / "manifest.json").read_text())["model"]["warnings"]
    assert [warning["kind"] for warning in warnings] == ["weights"]
