"""Folder embedding: the same numbers as one picture at a time, in order, with nothing left running."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.datasets import Listing, list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.latent.embedding import Embedding, embed
from convviz_gui.engine.latent.embedding_cache import embed_cached
from convviz_gui.engine.network.hooks import features_and_logits
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS, tiny_net, tiny_session


def write_pictures(folder: Path, count: int) -> Path:
    """Noise pictures of various sizes in two sub-folders."""
    rng = np.random.default_rng(0)
    for index in range(count):
        place = folder / ("left" if index % 2 else "right")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (30 + index, 44, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{index}.png")
    return folder


def decoders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def one_by_one(session: Session, paths: tuple[str, ...], layer: str) -> tuple[np.ndarray, np.ndarray]:
    features, logits = [], []
    for path in paths:
        output, scores = features_and_logits(session.model, session.input(load_image(path))[0], layer)
        features.append((output.mean((2, 3)) if output.ndim == 4 else output)[0].numpy())
        logits.append(scores[0].numpy())
    return np.stack(features), np.stack(logits)


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    return list_folder(write_pictures(tmp_path, 11))


@pytest.mark.parametrize("layer", ["conv1", "conv2", "relu#2", "head", "head@input"])
def test_equals_one_picture_at_a_time_in_the_folders_order(listing: Listing, layer: str) -> None:
    session = tiny_session()
    found = finish(embed(session, listing, layer, batch=4))
    features, logits = one_by_one(session, listing.paths, layer)
    np.testing.assert_allclose(found.features, features, rtol=1e-4, atol=1e-5 * np.abs(features).max())
    np.testing.assert_allclose(found.logits, logits, rtol=1e-4, atol=1e-5 * np.abs(logits).max())
    assert found.paths == listing.paths
    assert found.labels == listing.labels
    assert set(found.labels) == {"left", "right"}
    assert not found.features.flags.writeable


def test_grey_input_and_squashing(listing: Listing) -> None:
    session = Session()
    session.adopt(tiny_net(in_channels=1), Preprocess((20, 28), None, "bicubic", (0.5,), (0.25,)))
    found = finish(embed(session, listing, "conv2"))
    np.testing.assert_allclose(found.features, one_by_one(session, listing.paths, "conv2")[0], rtol=1e-4, atol=1e-5)


def test_unreadable_pictures_are_skipped_with_a_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, 9)
    for index, name in enumerate(["left/1.png", "right/4.png", "right/8.png"]):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes([b"", data[: len(data) // 2], b"not a picture"][index])
    session, listing = tiny_session(), list_folder(folder)
    found = finish(embed(session, listing, "conv2", batch=2))
    broken = {str(folder / name) for name in ["left/1.png", "right/4.png", "right/8.png"]}
    assert {item.path for item in found.skipped} == broken
    assert all(item.reason for item in found.skipped)
    assert found.paths == tuple(path for path in listing.paths if path not in broken)
    np.testing.assert_allclose(found.features, one_by_one(session, found.paths, "conv2")[0], rtol=1e-4, atol=1e-5)


def test_nothing_readable_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(EngineError, match="None of the 2 pictures could be read") as caught:
        finish(embed(tiny_session(), list_folder(tmp_path), "conv2"))
    assert "a.png" in caught.value.title


def test_progress_counts_pictures(listing: Listing) -> None:
    steps = list(embed(tiny_session(), listing, "conv2", batch=4))
    assert [(step.done, step.total) for step in steps] == [(4, 11), (8, 11), (11, 11)]


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_stopping_at_any_step_leaves_no_thread(listing: Listing, stop_at: int) -> None:
    steps = embed(tiny_session(), listing, "conv2", batch=4)
    for _ in range(stop_at):
        next(steps)
    assert decoders()
    steps.close()
    assert decoders() == []


def test_an_error_leaves_no_thread(listing: Listing) -> None:
    with pytest.raises(EngineError):
        finish(embed(tiny_session(), listing, "nowhere", batch=2))
    assert decoders() == []


class _Broken(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.body = nn.Identity()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.mean((2, 3)) * self.value)


@pytest.mark.parametrize(("value", "word"), [(float("nan"), "NaN"), (float("inf"), "infinite")])
def test_values_that_are_not_finite_name_layer_and_picture(listing: Listing, value: float, word: str) -> None:
    session = Session()
    session.adopt(_Broken(value), PREPROCESS)
    with pytest.raises(EngineError, match=word) as caught:
        finish(embed(session, listing, "body"))
    assert "'body'" in caught.value.title
    assert Path(listing.paths[0]).name in caught.value.title


class _Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.flatten(2)).mean(2)


def test_a_layer_of_tokens_is_refused_in_words(listing: Listing) -> None:
    session = Session()
    session.adopt(_Tokens(), PREPROCESS)
    with pytest.raises(EngineError, match="neither maps nor a vector"):
        finish(embed(session, listing, "body"))


class TestCache:
    """The second projection of a folder does not read it again."""

    def test_same_folder_same_layer_is_known(self, listing: Listing) -> None:
        session = tiny_session()
        first = finish(embed_cached(session, listing, "conv2", 4))
        assert finish(embed_cached(session, listing, "conv2", 4)) is first

    def test_another_layer_a_changed_file_and_another_network_are_read_anew(self, listing: Listing) -> None:
        session = tiny_session()
        first = finish(embed_cached(session, listing, "conv2", 4))
        assert finish(embed_cached(session, listing, "conv1", 4)).layer == "conv1"
        finish(embed_cached(session, listing, "conv2", 4))
        Image.new("RGB", (50, 50), "red").save(listing.paths[3])
        changed: Embedding = finish(embed_cached(session, listing, "conv2", 4))
        assert not np.array_equal(changed.features[3], first.features[3])
        np.testing.assert_array_equal(changed.features[:3], first.features[:3])
        other = tiny_session()
        with torch.no_grad():
            other.model.get_parameter("conv2.bias").add_(1)
        assert not np.array_equal(finish(embed_cached(other, listing, "conv2", 4)).features, changed.features)

    def test_a_stopped_run_is_not_kept(self, listing: Listing) -> None:
        session = tiny_session()
        steps = embed_cached(session, listing, "conv2", 4)
        next(steps)
        steps.close()
        assert len(finish(embed_cached(session, listing, "conv2", 4)).paths) == 11
