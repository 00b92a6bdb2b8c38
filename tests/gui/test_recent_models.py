"""Networks opened before: what is written is what is read, and what is not ours is forgotten quietly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convviz_gui.engine.types import LayerNode, ModelInfo, ModelSpec, Preprocess
from convviz_gui.gui.network.recent_models import MOST, RecentModels
from convviz_gui.gui.network.spec_json import spec_from_json, spec_to_json

EDITED = Preprocess((64, 48), "fit", "bicubic", (0.1,), (0.2,), "edited", "bgr")


def info(spec: ModelSpec, name: str = "net", precision: str = "float32") -> ModelInfo:
    found = Preprocess((32, 32), 32, "bilinear", (0.5,) * 3, (0.5,) * 3)
    root = LayerNode("", "Net", "Net", (10,), 10, 5, 0)
    return ModelInfo(
        spec, name, "some weights", True, "d", 5, "cpu", found, (), 10, root, None, None, precision=precision
    )


@pytest.fixture
def recent(tmp_path: Path) -> RecentModels:
    return RecentModels(tmp_path / "recent.json")


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("demo"),
        ModelSpec("timm:resnet18", pretrained=True),
        ModelSpec("torchvision:vgg16", "/w/ü x.pth", partial=True, class_names="/n.txt", preprocess=EDITED),
        ModelSpec("/code/net.py:build", trusted="ab" * 32),
        ModelSpec("timm:x", preprocess=Preprocess((9, 8), (10, 11), "lanczos", (0.5,) * 4, (1.0,) * 4)),
        ModelSpec("timm:x", preprocess=Preprocess((9, 8), None, "nearest", (0.5,) * 3, (1.0,) * 3)),
    ],
)
def test_specs_round_trip_through_json(spec: ModelSpec) -> None:
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"source": 3},
        {"source": "x", "weights": 1},
        {"source": "x", "partial": "yes"},
        {"source": "x", "preprocess": {}},
        {"source": "x", "preprocess": {"size": [0, 3], "mean": [0.5], "std": [1], "interpolation": "nearest"}},
        {"source": "x", "preprocess": {"size": [3, 3], "mean": [0.5], "std": [0], "interpolation": "nearest"}},
        {"source": "x", "preprocess": {"size": [3, 3], "mean": [float("nan")], "std": [1], "interpolation": "nearest"}},
        {"source": "x", "preprocess": {"size": [3, 3], "mean": [0.5], "std": [1], "interpolation": "magic"}},
        {
            "source": "x",
            "preprocess": {"size": [3, 3], "resize": [1], "mean": [0], "std": [1], "interpolation": "nearest"},
        },
    ],
)
def test_specs_that_are_none_are_not_read(data: object) -> None:
    assert spec_from_json(data) is None


def test_newest_comes_first_and_once(recent: RecentModels) -> None:
    for name in ("a", "b", "a"):
        recent.remember(info(ModelSpec(f"timm:{name}"), name))
    assert [entry.name for entry in recent.entries()] == ["a", "b"]
    for number in range(30):
        recent.remember(info(ModelSpec(f"timm:{number}")))
    assert len(recent.entries()) == MOST
    assert recent.entries()[0].spec.source == "timm:29"


def test_device_and_precision_come_back(recent: RecentModels) -> None:
    recent.remember(info(ModelSpec("timm:a"), precision="bfloat16"), "cuda:1")
    entry = recent.entries()[0]
    assert (entry.device, entry.precision) == ("cuda:1", "bfloat16")


def test_the_demo_is_not_remembered_and_ends_the_offer(recent: RecentModels) -> None:
    assert recent.last() is None
    recent.remember(info(ModelSpec("timm:a"), "a"))
    recent.remember(info(ModelSpec()))
    last = recent.last()
    assert last is not None
    assert last.name == "a"
    recent.went_to_demo()
    assert recent.last() is None
    assert [entry.name for entry in recent.entries()] == ["a"]


def test_what_was_edited_is_kept_until_it_is_forgotten(recent: RecentModels, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("cat\n")
    plain = ModelSpec("timm:a", "/w/best.pth")
    edited = ModelSpec("timm:a", "/w/best.pth", class_names=str(names), preprocess=EDITED)
    recent.remember(info(edited))
    assert recent.with_kept(plain) == edited
    assert recent.with_kept(ModelSpec("timm:a", "/w/other.pth")).preprocess is None
    # A file of names that is gone must not keep the network from opening.
    names.unlink()
    assert recent.with_kept(plain) == ModelSpec("timm:a", "/w/best.pth", preprocess=EDITED)
    recent.forget_kept(plain)
    assert recent.with_kept(plain) == plain
    assert recent.entries()[0].spec == plain


def test_what_was_edited_outlives_the_list(recent: RecentModels) -> None:
    recent.remember(info(ModelSpec("timm:a", preprocess=EDITED)))
    recent.clear()
    assert recent.entries() == ()
    assert recent.with_kept(ModelSpec("timm:a")).preprocess == EDITED


def test_going_back_to_what_was_found_forgets_what_was_kept(recent: RecentModels) -> None:
    recent.remember(info(ModelSpec("timm:a", preprocess=EDITED)))
    recent.remember(info(ModelSpec("timm:a")))
    assert recent.with_kept(ModelSpec("timm:a")).preprocess is None


def test_files_that_are_gone_are_said(recent: RecentModels, tmp_path: Path) -> None:
    weights = tmp_path / "best.pth"
    weights.write_bytes(b"x")
    recent.remember(info(ModelSpec("timm:a", str(weights))))
    assert recent.entries()[0].obstacle() == ""
    weights.unlink()
    assert recent.entries()[0].obstacle() == f"best.pth is no longer in {tmp_path}"
    recent.remember(info(ModelSpec(f"{tmp_path}/net.py:build")))
    assert "net.py is no longer" in recent.entries()[0].obstacle()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"models": 3}',
        b"[" * 100_000,
        b'{"models": [{"spec": {"source": "x"}, "name": 3}]}',
    ],
)
def test_what_is_not_ours_is_forgotten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recent.json"
    path.write_bytes(content)
    recent = RecentModels(path)
    assert recent.entries() == ()
    assert recent.last() is None
    recent.remember(info(ModelSpec("timm:a"), "a"))
    assert [entry.name for entry in recent.entries()] == ["a"]


def test_good_entries_survive_bad_ones(recent: RecentModels, tmp_path: Path) -> None:
    recent.remember(info(ModelSpec("timm:a"), "a"))
    path = tmp_path / "recent.json"
    data: dict[str, Any] = json.loads(path.read_text())
    data["models"].insert(0, {"spec": {"source": 7}})
    path.write_text(json.dumps(data))
    assert [entry.name for entry in recent.entries()] == ["a"]


def test_without_a_place_to_write_nothing_is_remembered(tmp_path: Path) -> None:
    recent = RecentModels(tmp_path / "no such folder" / "recent.json")
    recent.remember(info(ModelSpec("timm:a")))
    assert recent.entries() == ()
