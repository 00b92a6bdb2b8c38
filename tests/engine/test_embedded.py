"""Directories of features: what stands in them, what survives an interruption, and what is refused."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from convviz_gui.engine.demo import toybox
from convviz_gui.engine.embedded.local_engine import embed_dataset
from convviz_gui.engine.embedded.manifest import MANIFEST, UNFINISHED, is_embedded, read_manifest
from convviz_gui.engine.embedded.plan import rows_per_part
from convviz_gui.engine.embedded.storing import faults
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Embed, Embedded, LoadModel, ModelSpec
from tests.engine.toy_folder import toy_folder

N, PART = 40, 12


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("demo"), "cpu")):
        pass
    return session


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_folder(tmp_path_factory.mktemp("toys"), N, 5, broken="dog")


@pytest.fixture(scope="module")
def whole(session: Session, toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("whole")
    embed(session, toys, out)
    return out


def embed(session: Session, toys: Path, out: Path, **options: Any) -> Embedded:
    steps = embed_dataset(session, Embed(str(toys), str(out), **{"rows_per_part": PART, **options}))
    return driven(steps)


def driven(steps: Iterator[Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def table(out: Path) -> pa.Table:
    """As somebody without ConvViz reads it."""
    facts = json.loads((out / "manifest.json").read_text())
    return pa.concat_tables(
        [pq.read_table(out / part["file"]).replace_schema_metadata() for part in facts["parts"]]
    ).combine_chunks()


def column(rows: pa.Table, name: str) -> np.ndarray:
    return np.array(rows.column(name).to_pylist())


def digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()


def same(one: Path, other: Path) -> None:
    a, b = table(one), table(other)
    for name in ("id", "path", "label", "split", "digest", "fingerprint", "prediction", "thumbnail"):
        assert a.column(name).to_pylist() == b.column(name).to_pylist(), name
    for name in ("features", "logits"):
        # Batches are cut elsewhere: rounding differs in the last bit of a half.
        np.testing.assert_allclose(column(a, name), column(b, name), rtol=2e-3, atol=1e-4)
    left = [[json.loads((out / "manifest.json").read_text())["skipped"]] for out in (one, other)]
    assert left[0] == left[1]


def test_rows_are_those_of_the_network_itself(session: Session, whole: Path, toys: Path) -> None:
    rows = table(whole)
    files = sorted(path for path in toys.rglob("*.png") if path.name != "broken.png")
    assert sorted(rows.column("path").to_pylist()) == [str(path) for path in files]
    network = copy.deepcopy(session.model)
    caught: dict[str, torch.Tensor] = {}
    network.get_submodule("avg_pool").register_forward_hook(lambda *args: caught.update(out=args[2]))
    for row in rows.slice(0, N).to_pylist()[::7]:
        file = toys / row["id"]
        assert str(file) == row["path"] == row["thumbnail"]
        assert row["label"] == file.parent.name
        assert row["digest"] == digest(file)
        pixels = np.asarray(Image.open(file).convert("RGB"), np.float64) / 255
        x = torch.from_numpy(((pixels - 0.45) / 0.25).astype(np.float32)).permute(2, 0, 1)[None]
        with torch.no_grad():
            logits = network(x)[0].numpy()
        np.testing.assert_allclose(row["features"], caught["out"].flatten().numpy(), rtol=2e-3, atol=1e-4)
        np.testing.assert_allclose(row["logits"], logits, rtol=2e-3, atol=5e-3)
        assert row["prediction"] == logits.argmax()
        odds = np.exp(logits.astype(np.float64) - logits.max())
        assert row["probability"] == pytest.approx(odds.max() / odds.sum(), abs=1e-5)


def test_manifest_says_what_is_there(whole: Path, toys: Path) -> None:
    facts = json.loads((whole / "manifest.json").read_text())
    assert (facts["rows"], facts["description"]["dimension"], facts["description"]["n_classes"]) == (N, 128, 12)
    assert facts["description"]["class_names"] == list(toybox.CLASSES)
    assert facts["sources"] == [str(toys)]
    assert [Path(item["path"]).name for item in facts["skipped"]] == ["broken.png"]
    assert sum(part["rows"] for part in facts["parts"]) == N
    for part in facts["parts"]:
        data = (whole / part["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part["size"], part["sha256"])
    features = pq.read_schema(whole / "part-00000.parquet").field("features").type
    assert features.value_type == pa.float16()
    assert features.list_size == 128
    assert is_embedded(whole)
    assert not is_embedded(toys)
    assert read_manifest(whole / MANIFEST).description.preprocess.size == (128, 128)


def test_again_changes_nothing(session: Session, toys: Path, whole: Path) -> None:
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in whole.glob("*.*")}
    made = embed(session, toys, whole)
    assert made.found == made.parts == 4
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in whole.glob("*.*")} == before


def test_stopped_anywhere_and_resumed_is_the_same(session: Session, toys: Path, whole: Path, tmp_path: Path) -> None:
    found = []
    for stop_after in (1, 9, 12):
        steps = embed_dataset(session, Embed(str(toys), str(tmp_path), rows_per_part=PART, batch=2))
        for _ in range(stop_after):
            next(steps)
        steps.close()
        assert not (tmp_path / MANIFEST).exists()
        assert (tmp_path / UNFINISHED).exists()
        found.append(len(list(tmp_path.glob("part-*.parquet"))))
    assert found == sorted(found)
    assert found[-1] in (1, 2, 3)
    made = embed(session, toys, tmp_path, rows_per_part=0)
    assert made.found == found[-1]
    assert not (tmp_path / UNFINISHED).exists()
    same(tmp_path, whole)


PROGRAM = """
import sys, torch
torch.set_num_threads(1)
from convviz_gui.cli import main
sys.exit(main(sys.argv[1:]))
"""


def started(toys: Path, out: Path) -> subprocess.Popen[str]:
    words = ["embed", str(toys), "--model", "demo", "--out", str(out), "--rows-per-part", "5", "--batch", "2"]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(done: Any, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 240
    while not done() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)


def test_killed_at_random_moments_and_resumed_is_the_same(
    session: Session, toys: Path, whole: Path, tmp_path: Path
) -> None:
    chance = np.random.default_rng()
    for n_parts in (1, 3):
        process = started(toys, tmp_path)
        wait_for(lambda least=n_parts: len(list(tmp_path.glob("part-*.parquet"))) >= least, process)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.communicate()
    # What a kill in the middle of a write leaves.
    (tmp_path / ".part-00001.parquet.x7.part").write_bytes(b"half")
    made = embed(session, toys, tmp_path, rows_per_part=0)
    assert made.found >= 1
    assert (made.rows, made.parts) == (N, 9)
    assert not list(tmp_path.glob(".*.part"))
    same(tmp_path, whole)


def test_ctrl_c_leaves_a_directory_that_goes_on(toys: Path, tmp_path: Path) -> None:
    process = started(toys, tmp_path)
    wait_for(lambda: (tmp_path / "part-00001.parquet").exists(), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    if process.returncode == 0:
        pytest.skip("the run was over before it could be stopped")
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == (f"convviz: stopped; start the same command again to go on with {tmp_path}")


def test_changed_and_added_pictures_cost_their_parts_only(session: Session, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for i, sample in enumerate(toybox.samples(9, 6)):
        Image.fromarray(sample.pixels).save(folder / f"{i}.png")
    assert embed(session, folder, out, rows_per_part=3).found == 0
    Image.new("RGB", (128, 128)).save(folder / "4.png")
    Image.new("RGB", (128, 128)).save(folder / "9.png")
    made = embed(session, folder, out, rows_per_part=0)
    assert (made.rows, made.parts, made.found) == (10, 4, 2)
    (folder / "9.png").unlink()
    (folder / "8.png").unlink()
    made = embed(session, folder, out, rows_per_part=0)
    assert (made.rows, made.parts, made.found) == (8, 3, 2)
    assert not (out / "part-00003.parquet").exists()
    assert table(out).column("digest").to_pylist() == [digest(folder / f"{i}.png") for i in range(8)]


def test_damaged_and_missing_parts_are_written_anew(session: Session, toys: Path, whole: Path, tmp_path: Path) -> None:
    embed(session, toys, tmp_path)
    part = tmp_path / "part-00001.parquet"
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    (tmp_path / "part-00003.parquet").unlink()
    (tmp_path / "part-00002.parquet").write_bytes(b"")
    assert embed(session, toys, tmp_path).found == 1
    same(tmp_path, whole)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"layer": "block1_conv1"}, "layer"), ({"store": "float32"}, "store"), ({"thumbnails": True}, "thumbnails")],
)
def test_other_features_are_not_mixed_in(
    session: Session, toys: Path, whole: Path, options: dict[str, Any], word: str
) -> None:
    with pytest.raises(EngineError, match=word):
        embed(session, toys, whole, **options)
    assert read_manifest(whole / MANIFEST).rows == N


def test_other_peoples_files_stay(session: Session, toys: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "part-00000.parquet")
    with pytest.raises(EngineError, match="did not write"):
        embed(session, toys, tmp_path)
    (tmp_path / "part-00000.parquet").rename(tmp_path / "other.parquet")
    embed(session, toys, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert pq.read_table(tmp_path / "other.parquet").num_rows == 1
    (tmp_path / MANIFEST).write_text('{"format": 1, "program": "ConvViz"}')
    with pytest.raises(EngineError, match="not written by convviz embed"):
        embed(session, toys, tmp_path)


def test_two_do_not_write_at_once(session: Session, toys: Path, tmp_path: Path) -> None:
    first = embed_dataset(session, Embed(str(toys), str(tmp_path)))
    next(first)
    with pytest.raises(EngineError, match="Another convviz embed"):
        embed(session, toys, tmp_path)
    first.close()
    assert embed(session, toys, tmp_path).rows == N


def test_the_dataset_itself_is_not_written_into(session: Session, toys: Path) -> None:
    before = sorted(toys.rglob("*"))
    with pytest.raises(EngineError, match="is the dataset itself"):
        embed(session, toys, toys / "." / ".." / toys.name)
    assert sorted(toys.rglob("*")) == before


def test_a_directory_inside_the_dataset_is_not_read_as_pictures(session: Session, toys: Path, tmp_path: Path) -> None:
    shutil.copytree(toys / "cat", tmp_path / "in" / "cat")
    out = tmp_path / "in" / "cat" / "out"
    first = embed(session, tmp_path / "in", out, thumbnails=True)
    again = embed(session, tmp_path / "in", out, thumbnails=True)
    assert (again.rows, again.found) == (first.rows, first.parts)
    assert again.skipped == first.skipped


def test_nothing_readable(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_bytes(b"no picture")
    with pytest.raises(EngineError, match="None of the 3 pictures could be read"):
        embed(session, folder, tmp_path / "out")
    # A part without any row among others is one.
    Image.new("RGB", (64, 64)).save(folder / "3.png")
    made = embed(session, folder, tmp_path / "out", rows_per_part=2)
    assert (made.rows, made.parts, len(made.skipped)) == (1, 2, 3)


def test_full_disk_is_one_sentence_and_nothing_is_lost(session: Session, toys: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    embed(session, toys, tmp_path)
    (tmp_path / "part-00002.parquet").unlink()
    (tmp_path / MANIFEST).rename(tmp_path / UNFINISHED)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(EngineError, match=r"The disk is full.*3 of 4 parts"):
            embed(session, toys, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.glob(".*.part"))
    assert embed(session, toys, tmp_path).found == 3


def test_what_float16_cannot_hold_is_named() -> None:
    features = np.array([[1, 2], [7e4, 0], [np.nan, 0], [1e-9, 2e-9], [0, 0], [np.inf, 1]], np.float32)
    logits = np.zeros((6, 3), np.float32)
    said = faults(features, logits, "fc", "float16")
    assert [bool(reason) for reason in said] == [False, True, True, True, False, True]
    assert "7e+04" in said[1]
    assert "--store float32" in said[1]
    assert "NaN" in said[2]
    assert "too small" in said[3]
    assert [bool(reason) for reason in faults(features, logits, "fc", "float32")] == [False, False, True] + 2 * [
        False
    ] + [True]
    logits[0, 1] = 1e5
    assert "the output" in faults(features, logits, "fc", "float16")[0]


class Loud(nn.Module):
    """The mean of the picture times `gain`, and a loud one where it is bright."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        with torch.no_grad():
            self.conv.weight.fill_(gain)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.tanh(self.conv(x).mean((2, 3))))


def test_pictures_beyond_float16_are_left_out_and_float32_keeps_them(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i, grey in enumerate((10, 250, 30)):
        Image.new("RGB", (32, 32), (grey, grey, grey)).save(folder / f"{i}.png")
    session = Session()
    preprocess = replace(load_preprocess(), size=(32, 32), resize=32)
    session.adopt(Loud(1e5), preprocess, "loud")
    made = embed(session, folder, tmp_path / "half", layer="conv", batch=1)
    assert [Path(item.path).name for item in made.skipped] == ["1.png"]
    assert "--store float32" in made.skipped[0].reason
    assert np.isfinite(column(table(tmp_path / "half"), "features")).all()
    made = embed(session, folder, tmp_path / "full", layer="conv", store="float32")
    assert made.rows == 3
    assert column(table(tmp_path / "full"), "features").max() > 65504
    session.adopt(Loud(1e9), preprocess, "loud")
    with pytest.raises(EngineError, match="--store float32"):
        embed(session, folder, tmp_path / "none", layer="conv")


def load_preprocess() -> Any:
    from convviz_gui.engine.types import Preprocess

    return Preprocess((32, 32), 32, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_thumbnails_are_small_jpegs(session: Session, toys: Path, tmp_path: Path) -> None:
    import io

    embed(session, toys, tmp_path, thumbnails=True)
    for row in table(tmp_path).slice(0, 3).to_pylist():
        small = np.asarray(Image.open(io.BytesIO(row["thumbnail"])), np.float64)
        assert np.abs(small - load_image(row["path"]).pixels).mean() < 12


def test_parts_are_neither_many_nor_costly_to_lose() -> None:
    assert rows_per_part(1) == 256
    assert rows_per_part(10_000) == 256
    assert rows_per_part(1_000_000) == 15_625
    assert rows_per_part(100_000_000) == 16_384


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "convviz-embedded", "version": 1}', "\x00"])
def test_damaged_manifest_is_one_sentence(session: Session, toys: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(EngineError):
        embed(session, toys, tmp_path)


def test_newer_version_is_named(session: Session, toys: Path, whole: Path, tmp_path: Path) -> None:
    facts = json.loads((whole / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(facts | {"version": 2}))
    with pytest.raises(EngineError, match="another version"):
        embed(session, toys, tmp_path)


def test_manifest_cannot_lead_out_of_its_directory(whole: Path, tmp_path: Path) -> None:
    facts = json.loads((whole / MANIFEST).read_text())
    facts["parts"][0]["file"] = f"..{os.sep}secret"
    (tmp_path / MANIFEST).write_text(json.dumps(facts))
    with pytest.raises(EngineError, match="cannot be a part"):
        read_manifest(tmp_path / MANIFEST)
