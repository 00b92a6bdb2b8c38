"""A census of channels: what was planted is found, and the numbers are numpy's over all pictures at once."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.depiction import arrays, tables
from convviz_gui.engine.images import load_image
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.payloads import Census
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Result, Run
from convviz_gui.engine.units.likeness import FEWEST, earlier_twins
from tests.engine.test_embedding import write_pictures
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, TinyNet, tiny_net, tiny_session

N = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks of strong colours, so that pictures differ in more than noise."""
    root, rng = tmp_path_factory.mktemp("folder"), np.random.default_rng(4)
    for number in range(N):
        blocks = rng.integers(0, 256, (4, 5, 3)) * rng.uniform(0.1, 1, 3)
        Image.fromarray(np.kron(blocks, np.ones((10, 10, 1))).astype(np.uint8)).save(root / f"{number}.png")
    return root


def result_of(session: Session, folder: Path, **settings: Any) -> Result:
    return finish(session, Run("census", folder=str(folder), settings=tuple(settings.items())))


def part(census: Census, layer: str) -> dict[str, np.ndarray]:
    where = census.channels(census.layers.index(layer))
    return {
        name: getattr(census, name)[where]
        for name in ("peak", "mean", "firing", "dead", "sparse", "twin", "similarity")
    }


def maps_of(session: Session, folder: Path, layer: str) -> np.ndarray:
    from convviz_gui.engine.datasets import list_folder

    paths = list_folder(folder).paths
    maps = [run_to(session.model, session.input(load_image(path))[0], layer)[0].numpy() for path in paths]
    stacked = np.stack(maps)
    return stacked if stacked.ndim == 4 else stacked[:, :, None, None]


class Planted(TinyNet):
    """Channel 2 dead, 3 a stronger copy of 1 behind the ReLU, 5 firing in one picture alone."""

    def __init__(self, threshold: float = 0) -> None:
        super().__init__()
        self.load_state_dict(tiny_net().state_dict())
        with torch.no_grad():
            # Filters of edges: a random network's own all go by how light a picture is, and so are alike.
            self.conv2.weight.normal_(generator=torch.Generator().manual_seed(5))
            self.conv2.weight -= self.conv2.weight.mean(dim=(2, 3), keepdim=True)
            self.conv2.bias[2] = -1e4
            self.conv2.weight[3] = 2.5 * self.conv2.weight[1]
            self.conv2.bias[3] = 2.5 * self.conv2.bias[1]
            self.conv2.bias[5] -= threshold


@pytest.fixture(scope="module")
def planted(folder: Path) -> Session:
    session = Session()
    session.adopt(Planted().eval(), PREPROCESS)
    peaks = maps_of(session, folder, "conv2").max(axis=(2, 3))[:, 5]
    threshold = float(np.sort(peaks)[-2:].mean())
    session.adopt(Planted(threshold).eval(), PREPROCESS)
    return session


def test_what_was_planted_is_found_and_nothing_else(planted: Session, folder: Path) -> None:
    census = result_of(planted, folder).payload
    found = part(census, "relu#2")
    assert np.flatnonzero(found["dead"]).tolist() == [2]
    assert np.flatnonzero(found["sparse"]).tolist() == [5]
    assert found["firing"][5] == pytest.approx(1 / N)
    assert np.flatnonzero(found["twin"] >= 0).tolist() == [3]
    assert found["twin"][3] == 1
    assert found["similarity"][3] == pytest.approx(1, abs=1e-4)
    assert census.n_judged == census.n_pictures == N
    assert not np.flatnonzero(part(census, "relu#1")["dead"]).size


@pytest.mark.parametrize("layer", ["conv1", "relu#1", "pool", "conv2", "relu#2", "head"])
def test_numbers_are_those_of_all_pictures(planted: Session, folder: Path, layer: str) -> None:
    census = result_of(planted, folder, batch=5).payload
    found, maps = part(census, layer), maps_of(planted, folder, layer)
    peaks, means = maps.max(axis=(2, 3)), maps.mean(axis=(2, 3))
    low, high = maps.min(axis=(1, 2, 3)), maps.max(axis=(1, 2, 3))
    threshold = np.where(low >= 0, 0, 0.01 * np.maximum(high, 0))[:, None]
    np.testing.assert_allclose(found["peak"], peaks.max(0), rtol=1e-4)
    np.testing.assert_allclose(found["mean"], means.mean(0), rtol=1e-4, atol=1e-5)
    firing = (peaks > threshold).mean(0)
    np.testing.assert_allclose(found["firing"], firing, rtol=1e-6)
    np.testing.assert_array_equal(found["dead"], firing == 0)
    np.testing.assert_array_equal(found["sparse"], (firing > 0) & (firing < 0.05))
    assert census.rectified[census.layers.index(layer)] == (maps.min() >= 0)
    alive = firing > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.corrcoef(means.astype(np.float64), rowvar=False)
    for channel in range(len(firing)):
        earlier = [(correlation[channel, other], other) for other in range(channel) if alive[other] and alive[channel]]
        best = max((pair for pair in earlier if np.isfinite(pair[0])), default=(0.0, -1))
        assert found["twin"][channel] == (best[1] if best[0] >= 0.99 else -1)


def test_the_threshold_of_sparse_is_the_users(planted: Session, folder: Path) -> None:
    assert not part(result_of(planted, folder, sparse=1.0).payload, "relu#2")["sparse"].any()
    census = result_of(planted, folder, alike=1.0, sparse=100.0).payload
    assert census.sparse_below == 1


def test_a_block_that_passes_on_its_last_layer_is_not_counted_twice(folder: Path) -> None:
    net = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)), nn.Dropout(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()  # fmt: skip
    session = Session()
    session.adopt(net, PREPROCESS)
    assert result_of(session, folder).payload.layers == ("0.0", "0.1", "2", "4")


def test_with_few_pictures_likeness_is_not_judged_and_it_is_said(tmp_path: Path) -> None:
    result = result_of(tiny_session(), write_pictures(tmp_path, FEWEST - 1))
    assert result.payload.n_judged == 0
    assert (result.payload.twin == -1).all()
    assert {score.label: score.text for score in result.scores}["Duplicates"] == "not judged"


def test_memory_bounds_by_how_many_pictures_likeness_is_judged(
    planted: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convviz_gui.engine.methods.census.RESPONSE_BYTES", 0)
    result = result_of(planted, folder)
    assert result.payload.n_judged == FEWEST
    assert part(result.payload, "relu#2")["twin"][3] == 1
    assert "judged by 10 pictures" in {score.text for score in result.scores}


def test_twins_equal_brute_force_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convviz_gui.engine.units.likeness._ROWS", 7)
    rng = np.random.default_rng(2)
    responses = rng.normal(size=(20, 40)).astype(np.float32)
    for copy, original in ((9, 2), (30, 12), (31, 12), (25, 9)):
        responses[:, copy] = 3 * responses[:, original] + 5 + 0.01 * rng.normal(size=20)
    responses[:, 5] = 4.0
    responses[:, 6] = -responses[:, 0]
    alive = np.ones(40, bool)
    alive[31] = False
    twin, similarity = earlier_twins(responses, 0.99, alive)
    found = {int(channel): int(twin[channel]) for channel in np.flatnonzero(twin >= 0)}
    assert found.keys() == {9, 25, 30}
    assert found[9] == 2
    assert found[30] == 12
    assert found[25] in (2, 9)
    correlation = np.corrcoef(responses[:, [9, 2]].astype(np.float64), rowvar=False)[0, 1]
    assert similarity[9] == pytest.approx(correlation, abs=1e-5)


def test_what_never_fires_is_nobodys_duplicate_even_if_it_varies(folder: Path) -> None:
    net = tiny_net()
    with torch.no_grad():
        net.conv2.bias[2:4] = -1e4
        net.conv2.weight[3] = net.conv2.weight[2]
    session = Session()
    session.adopt(net, PREPROCESS)
    found = part(result_of(session, folder).payload, "conv2")  # type: ignore[arg-type]
    assert found["dead"].nonzero()[0].tolist() == [2, 3]
    assert found["twin"][3] == -1


def test_what_never_varies_is_like_nothing_however_little_is_asked() -> None:
    draw = np.random.default_rng(0).standard_normal((40, 1)).astype(np.float32)
    responses = np.concatenate([np.zeros_like(draw), draw, -draw, np.ones_like(draw)], axis=1)
    twin, _ = earlier_twins(responses, 0.0, np.array([False, True, True, True]))
    assert twin.tolist() == [-1] * 4


def test_a_sample_of_which_nothing_could_be_read_finds_none_alike() -> None:
    twin, similarity = earlier_twins(np.zeros((0, 0), np.float32), 0.99, np.ones(3, np.bool_))
    assert twin.tolist() == [-1] * 3
    assert similarity.tolist() == [0.0] * 3


def test_previews_grow_and_say_that_they_are_no_end(planted: Session, folder: Path) -> None:
    shown: list[Census] = []
    for update in planted.execute(Run("census", folder=str(folder), settings=(("batch", 8),))):
        if update.preview is not None:
            shown.append(update.preview())
    assert shown[0].n_pictures == 8
    assert shown[-1].n_pictures == N
    assert not any(census.final for census in shown)


def test_files_hold_a_row_for_each_layer_and_channel(planted: Session, folder: Path) -> None:
    result = result_of(planted, folder)
    census = result.payload
    written = tables(result)
    layers = list(csv.DictReader(io.StringIO(written["layers"])))
    row = next(row for row in layers if row["layer"] == "relu#2")
    assert (row["channels"], row["dead"], row["sparse"], row["duplicates"]) == ("8", "1", "1", "1")
    channels = list(csv.DictReader(io.StringIO(written["channels"])))
    assert len(channels) == len(census.dead)
    row = next(row for row in channels if row["layer"] == "relu#2" and row["channel"] == "3")
    assert (row["duplicate_of"], row["dead"]) == ("1", "False")
    assert arrays(census)["first"][-1] == len(census.dead)


def test_a_layer_with_negative_values_fires_from_one_per_cent_of_its_maximum(folder: Path) -> None:
    class Faint(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.maps = nn.Identity()
            self.scaled = nn.Conv2d(3, 3, 1, bias=False)
            self.head = nn.Linear(3, 2)
            with torch.no_grad():
                self.scaled.weight.copy_(torch.diag(torch.tensor([1.0, -1.0, 0.001]))[:, :, None, None])

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.scaled(x).mean((2, 3)))

    session = Session()
    session.adopt(Faint().eval(), PREPROCESS)
    found = part(result_of(session, folder).payload, "scaled")
    assert found["dead"].tolist() == [False, False, True]
    assert found["peak"][2] > 0
