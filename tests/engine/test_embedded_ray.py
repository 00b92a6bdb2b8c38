"""`convviz embed --engine ray`: the same directory as on one machine, killed in the middle or not."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convviz_gui.cli import main
from tests.engine.toy_folder import toy_folder

# Ray stays in processes of its own: whatever it brings is not to live beside Qt in that of the tests.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed (pip install 'convviz-gui[cluster]')"
)

N, PART = 36, 6
OWN_CODE = """
import torch
from torch import nn

def build():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 24, 7, stride=2), nn.ReLU(), nn.Conv2d(24, 32, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 12),
    )
"""


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_folder(tmp_path_factory.mktemp("toys"), N, 5, broken="dog")


def words(toys: Path, network: str, out: Path, *more: str) -> list[str]:
    return [
        *("embed", str(toys), "--model", network, "--trust", "--input-size", "64", "--out", str(out)),
        *("--rows-per-part", str(PART), *more),
    ]


def started(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    # Workers inherit no other Ray, and none of this one's files is left among the user's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    command = [sys.executable, "-m", "convviz_gui.cli", *arguments]
    # Own code is named by a path of the folder it is started in: the workers have another.
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows(out: Path) -> dict[str, Any]:
    facts = json.loads((out / "manifest.json").read_text())
    table = pa.concat_tables([pq.read_table(out / part["file"]).replace_schema_metadata() for part in facts["parts"]])
    found: dict[str, Any] = {name: table.column(name).to_pylist() for name in table.column_names}
    return found | {"skipped": facts["skipped"]}


def test_killed_and_resumed_on_ray_is_the_same_as_here(toys: Path, tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(OWN_CODE)
    out, here = tmp_path / "ray", tmp_path / "here"
    on_ray = words(toys, "network.py:build", out, "--engine", "ray", "--workers", "2")
    process = started(on_ray, tmp_path)
    until = time.monotonic() + 240
    while not list(out.glob("part-*.parquet")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(np.random.default_rng().uniform(0, 0.1))
    process.kill()
    process.communicate()
    kept = len(list(out.glob("part-*.parquet")))
    assert kept >= 1
    if not (out / "manifest.json").exists():
        said, complaints = (process := started(on_ray, tmp_path)).communicate(timeout=300)
        assert process.returncode == 0, complaints
        assert f"{N} pictures in 7 parts" in said
        assert "of them were there" in said
        # One line says whose code runs, one what was left out; Ray itself is silent.
        assert len(complaints.strip().splitlines()) == 2, complaints
    assert main(words(toys, f"{tmp_path / 'network.py'}:build", here)) == 0
    one, other = rows(out), rows(here)
    for name in ("id", "path", "label", "split", "digest", "prediction", "skipped"):
        assert one[name] == other[name], name
    for name in ("features", "logits"):
        a, b = np.array(one[name], np.float64), np.array(other[name], np.float64)
        cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert cosines.min() > 1 - 1e-6


def test_what_a_worker_says_arrives_as_one_sentence(toys: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from tests.engine.test_embedded_ray import what_a_worker_says; what_a_worker_says(*sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, str(toys), str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def what_a_worker_says(pictures: str, folder: str) -> None:
    """Asserts that a worker's failures are told in sentences; in a process of its own, for Ray's sake."""
    toys, tmp_path = Path(pictures), Path(folder)
    from convviz_gui.engine.datasets import list_dataset
    from convviz_gui.engine.embedded.local_engine import _plan
    from convviz_gui.engine.embedded.ray_engine import Embedder, _take, _task
    from convviz_gui.engine.errors import EngineError
    from convviz_gui.engine.session import Session
    from convviz_gui.engine.types import Embed, LoadModel, ModelSpec

    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("demo"), "cpu")):
        pass
    command = Embed(str(toys), str(tmp_path), engine="ray")
    plan = _plan(session, command)
    task = _task(session, plan, command, 1)
    import dataclasses

    part = json.dumps(dataclasses.asdict(plan.slice(0)))
    assert len(list_dataset(str(toys)).paths) == N + 1
    for wrong, said in (
        (dataclasses.replace(task, digest="other"), "not those that were opened here"),
        (dataclasses.replace(task, load=LoadModel(ModelSpec("torchvision:nothing"))), "nothing"),
        (dataclasses.replace(task, plan=dataclasses.replace(plan, folder=tmp_path / "gone")), "gone"),
    ):
        [told] = Embedder(wrong)({"slice": [part]})["told"]
        with pytest.raises(EngineError, match=said):
            _take(json.loads(told), lambda *_: None)


def test_without_ray_the_extra_is_named(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["embed", str(toys), "--model", "demo", "--out", str(tmp_path), "--engine", "ray"]) == 2
    assert capsys.readouterr().err == (
        "convviz: Ray is not installed. Install it with: pip install 'convviz-gui[cluster]'\n"
    )
    assert main(["embed", str(toys), "--model", "demo", "--out", str(tmp_path), "--workers", "2"]) == 2
