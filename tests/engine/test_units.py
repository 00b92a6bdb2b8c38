"""What is counted while a folder streams by, against numpy over all pictures at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.datasets import Listing, list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.network.hooks import readings, run_to
from convviz_gui.engine.payloads import frozen
from convviz_gui.engine.preprocess import crop_box
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode, Preprocess, ReceptiveField
from convviz_gui.engine.units.histogram import StreamingHistogram
from convviz_gui.engine.units.places import Frames, Sees, field_box, field_boxes
from convviz_gui.engine.units.scan import scan
from convviz_gui.engine.units.statistics import FolderStatistics, Responses
from convviz_gui.engine.units.top_k import TopK, Which
from tests.engine.test_embedding import decoders, write_pictures
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS, tiny_net, tiny_session

LAYERS = ["conv1", "relu#2", "pool", "head"]


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return list_folder(write_pictures(tmp_path_factory.mktemp("folder"), 13))


def maps_of(session: Session, listing: Listing, layer: str) -> np.ndarray:
    """All pictures' maps, one at a time: [n, C, h, w]."""
    found = [run_to(session.model, session.input(load_image(path))[0], layer)[0] for path in listing.paths]
    maps = torch.stack(found).detach().numpy()
    return maps if maps.ndim == 4 else maps[:, :, None, None]


@pytest.mark.parametrize("which", list(Which))
@pytest.mark.parametrize("layer", LAYERS)
def test_the_ranking_is_that_of_all_pictures(listing: Listing, layer: str, which: Which) -> None:
    session = tiny_session()
    kept = TopK(layer, 4, which)
    finish(scan(session, listing, {layer: [kept]}, batch=3))
    maps = maps_of(session, listing, layer)
    peaks = maps.max(axis=(2, 3))
    keys = {Which.TOP: -peaks, Which.LOWEST: peaks, Which.MEDIAN: np.abs(peaks - np.median(peaks, axis=0))}[which]
    order = np.argsort(keys, axis=0, kind="stable")[:4]
    got = kept.ranking()
    np.testing.assert_allclose(got.values, np.take_along_axis(peaks, order, 0).T, rtol=1e-4, atol=1e-5)
    for channel, rank in np.ndindex(got.values.shape):
        picture = got.pictures[channel, rank]
        row, column = got.positions[channel, rank]
        assert maps[picture, channel, row, column] == pytest.approx(got.values[channel, rank], rel=1e-4, abs=1e-5)
        assert got.values[channel, rank] == pytest.approx(peaks[picture, channel], rel=1e-4, abs=1e-5)
    assert all(len(set(row)) == 4 for row in got.pictures.tolist()), "each picture counts once"


def test_batches_of_any_size_and_chosen_channels_rank_alike(listing: Listing) -> None:
    rankings = []
    for batch in (1, 5, 64):
        kept = TopK("conv2", 5, channels=(6, 1))
        finish(scan(tiny_session(), listing, {"conv2": [kept]}, batch=batch))
        rankings.append(kept.ranking())
    whole = TopK("conv2", 5)
    finish(scan(tiny_session(), listing, {"conv2": [whole]}))
    for ranking in rankings:
        np.testing.assert_array_equal(ranking.pictures, whole.ranking().pictures[[6, 1]])
        np.testing.assert_array_equal(ranking.positions, whole.ranking().positions[[6, 1]])


def test_of_equal_pictures_the_earlier_comes_first_and_missing_ones_are_told(listing: Listing) -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.get_parameter("conv2.weight").zero_()
    kept = TopK("conv2", 20)
    finish(scan(session, listing, {"conv2": [kept]}, batch=4))
    ranking = kept.ranking()
    assert ranking.pictures[2].tolist() == [*range(13), *[-1] * 7]
    assert np.isnan(ranking.values[:, 13:]).all()
    assert np.isfinite(ranking.values[:, :13]).all()
    assert (ranking.positions[:, 13:] == -1).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_statistics_are_those_of_all_pictures(listing: Listing, layer: str) -> None:
    session = tiny_session()
    labels = tuple(sorted(set(listing.labels)))
    kept = FolderStatistics(layer, labels, products=True, histogram_of=(2,))
    finish(scan(session, listing, {layer: [kept]}, batch=4))
    maps = maps_of(session, listing, layer)
    peaks, means = maps.max(axis=(2, 3)), maps.mean(axis=(2, 3))
    low, high = maps.min(axis=(1, 2, 3)), maps.max(axis=(1, 2, 3))
    threshold = np.where(low >= 0, 0, 0.01 * np.maximum(high, 0))[:, None]
    np.testing.assert_allclose(kept.peak, peaks.max(0), rtol=1e-4)
    np.testing.assert_allclose(kept.mean, means.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(kept.firing, (peaks > threshold).mean(0), rtol=1e-6)
    positions = (maps > threshold[:, :, None, None]).mean(axis=(0, 2, 3))
    np.testing.assert_allclose(kept.firing_positions, positions, atol=1e-3)
    by_label, counts = kept.firing_by_label()
    for row, label in enumerate(labels):
        chosen = np.array(listing.labels) == label
        np.testing.assert_allclose(by_label[row], (peaks > threshold)[chosen].mean(0), rtol=1e-6)
        assert counts[row] == chosen.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.corrcoef(means.astype(np.float64), rowvar=False)
    alive = means.std(0) > 1e-4
    np.testing.assert_allclose(kept.correlations()[alive][:, alive], expected[alive][:, alive], atol=2e-3)
    np.testing.assert_array_equal(kept.correlations(2), kept.correlations()[2])
    counted, edges = np.histogram(maps[:, 2].astype(np.float64), kept.histograms[2].edges.astype(np.float64))
    assert kept.histograms[2].counts.sum() == maps[:, 2].size
    # A value may be another by rounding, and so in the next bin.
    assert np.abs(counted - kept.histograms[2].counts).sum() <= 0.02 * maps[:, 2].size + 4, edges
    assert kept.rectified == bool((maps >= 0).all())


def test_a_histogram_counts_every_value_however_the_range_grows() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, scale, 500).astype(np.float32) for scale in (0.1, 3, 0.5, 80)]
    histogram = StreamingHistogram()
    for part in parts:
        histogram.add(part)
    values = np.concatenate(parts)
    assert histogram.counts.sum() == len(values)
    assert histogram.edges[0] <= values.min()
    assert histogram.edges[-1] >= values.max()
    expected, _ = np.histogram(values.astype(np.float64), histogram.edges.astype(np.float64))
    assert np.abs(expected - histogram.counts).sum() <= 4
    flat = StreamingHistogram()
    flat.add(np.full(7, 3.0, np.float32))
    assert flat.counts.max() == 7


def test_a_sample_of_responses_is_spread_over_the_folder(listing: Listing) -> None:
    session = tiny_session()
    few, every = Responses(13, 4), Responses(13, 99)
    finish(scan(session, listing, {"conv2": [few, every]}, batch=5))
    means = maps_of(session, listing, "conv2").mean(axis=(2, 3))
    np.testing.assert_allclose(every.table(), means, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(few.table(), means[[0, 4, 8, 12]], rtol=1e-4, atol=1e-5)


def test_layers_are_read_in_one_pass_that_ends_at_the_deepest(listing: Listing) -> None:
    session = tiny_session()
    passes, heads = [], []
    session.model.conv1.register_forward_hook(lambda *_: passes.append(1))
    session.model.head.register_forward_hook(lambda *_: heads.append(1))
    finish(scan(session, listing, {"conv1": [TopK("conv1", 2)], "conv2": [TopK("conv2", 2)]}, batch=4))
    assert len(passes) == 4
    assert not heads


def test_stopping_leaves_no_thread_and_no_hook(listing: Listing) -> None:
    session = tiny_session()
    steps = scan(session, listing, {"conv2": [TopK("conv2", 2)]}, batch=4)
    next(steps)
    assert not session.model.conv2._forward_hooks
    steps.close()
    assert decoders() == []


def test_values_that_are_not_finite_name_layer_and_picture(listing: Listing) -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.get_parameter("conv2.bias").fill_(float("nan"))
    for kept in (TopK("conv2", 2), FolderStatistics("conv2")):
        with pytest.raises(EngineError, match="NaN") as caught:
            finish(scan(session, listing, {"conv2": [kept]}))
        assert Path(listing.paths[0]).name in caught.value.title


def test_a_reader_that_swallows_the_end_of_the_pass_changes_nothing() -> None:
    class Stubborn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Any:
            try:
                x = self.a(x)
            except BaseException:  # noqa: BLE001
                x = torch.zeros(1, 4, 2, 2)
            return self.b(x).mean((2, 3))

    net, x = Stubborn().eval(), torch.randn(1, 3, 6, 6)
    got = readings(net, x, {"a": lambda output: output.detach().amin()})
    assert float(got["a"]) == pytest.approx(net.a(x).detach().min().item())


# ----------------------------------------------------------------------------------------- places in the photo


def node(field: ReceptiveField | None) -> LayerNode:
    return LayerNode("conv", "conv", "Conv2d", (4, 8, 8), 4, 1, 0, receptive_field=field)


def test_a_field_is_cut_at_the_crop_and_at_the_photo() -> None:
    """A photo 300 wide and 200 high, its middle 100×100 of the resized 150×100 seen as 100×100: 2 pixels each."""
    preprocess = Preprocess((100, 100), 100, "bilinear", (0.5,) * 3, (0.5,) * 3)
    box = crop_box(200, 300, preprocess)
    assert box.tolist() == [50, 0, 200, 200]
    field = node(ReceptiveField((11, 11), (8, 8), (-5, -5)))
    inside = field_box(field, (2, 3), box, (200, 300), (100, 100))
    assert inside.tolist() == [50 + 2 * 19, 2 * 11, 22, 22]
    corner = field_box(field, (0, 0), box, (200, 300), (100, 100))
    assert corner.tolist() == [50, 0, 12, 12]
    far = field_box(field, (12, 12), box, (200, 300), (100, 100))
    assert far.tolist() == [50 + 2 * 91, 2 * 91, 18, 18]
    beyond = field_box(field, (40, 40), box, (200, 300), (100, 100))
    assert beyond[2:].tolist() == [0, 0]


def test_a_crop_larger_than_the_photo_is_cut_at_its_edge() -> None:
    preprocess = Preprocess((100, 100), "fit", "bilinear", (0.5,) * 3, (0.5,) * 3)
    box = crop_box(50, 100, preprocess)
    whole = field_box(node(ReceptiveField((100, 100), (0, 0), (0, 0), whole=True)), (0, 0), box, (50, 100), (100, 100))
    assert whole.tolist() == [0, 0, 100, 50]


@pytest.mark.parametrize(
    ("field", "sees"),
    [(None, Sees.UNKNOWN), (ReceptiveField((100, 100), (0, 0), (0, 0), whole=True), Sees.WHOLE)],
)
def test_what_sees_everything_or_nobody_knows_what_has_the_crop(field: ReceptiveField | None, sees: Sees) -> None:
    box = frozen(np.array([50, 0, 200, 200], np.float32))
    assert Sees.of(node(field)) is sees
    assert field_box(node(field), (0, 0), box, (200, 300), (100, 100)).tolist() == box.tolist()


class _Sharp(nn.Module):
    """A strided convolution and pooling: a field that stands between input pixels' multiples."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, stride=2, padding=1)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize(
    ("resize", "shape"), [(32, (90, 64)), ((40, 40), (90, 64)), (None, (48, 96)), ("fit", (60, 90)), (16, (40, 20))]
)
def test_only_what_is_inside_the_box_changes_the_units_value(resize: Any, shape: tuple[int, int]) -> None:
    preprocess = Preprocess((32, 32), resize, "bilinear", (0.5,) * 3, (0.25,) * 3)
    session = Session()
    info = session.adopt(_Sharp().eval(), preprocess)
    layer = info.find("pool")
    assert layer is not None
    assert layer.receptive_field is not None
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    box = crop_box(*shape, preprocess)
    # Pillow's bilinear filter reaches half an input pixel, but at least half a photo's, beyond a pixel's own place.
    fringe = max(0.5 * box[2] / 32, 0.5) + 1, max(0.5 * box[3] / 32, 0.5) + 1

    def value(photo: np.ndarray, position: tuple[int, int]) -> float:
        from convviz_gui.engine.images import image_from_array

        x, _ = session.input(image_from_array(photo, "photo"))
        return float(run_to(session.model, x, "pool")[0, 1, position[0], position[1]])

    for position in ((3, 4), (0, 0), (7, 2), (5, 7)):
        x, y, width, height = field_box(layer, position, box, shape, (32, 32))
        rows, columns = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None] + 0.5
        if not (width and height):
            continue  # it sees the margin alone
        far = (rows < y - fringe[1]) | (rows > y + height + fringe[1])
        far = far | (columns < x - fringe[0]) | (columns > x + width + fringe[0])
        before = value(pixels, position)
        changed = pixels.copy()
        changed[far] = 255 - changed[far]
        assert value(changed, position) == pytest.approx(before, abs=1e-6)
        # Every side counts: a strip of an input pixel's width along each edge of the box changes the value.
        inside = (rows > y) & (rows < y + height) & (columns > x) & (columns < x + width)
        thick = max(box[2] / 32, 1), max(box[3] / 32, 1)
        for strip in (
            rows < y + thick[1],
            rows > y + height - thick[1],
            columns < x + thick[0],
            columns > x + width - thick[0],
        ):
            touched = pixels.copy()
            touched[inside & strip] = 255 - touched[inside & strip]
            assert value(touched, position) != pytest.approx(before, abs=1e-6)


def test_many_positions_in_many_photos_at_once() -> None:
    field = node(ReceptiveField((7, 7), (4, 4), (-1, -1)))
    boxes = np.array([[0, 0, 64, 64], [10, 20, 128, 32]], np.float32)
    sizes = np.array([[64, 64], [60, 200]], np.float32)
    positions = np.array([[1, 2], [3, 0]])
    many = field_boxes(field, positions, Frames(boxes, sizes), (32, 32))
    for row in range(2):
        size = (int(sizes[row, 0]), int(sizes[row, 1]))
        alone = field_box(field, (int(positions[row, 0]), int(positions[row, 1])), boxes[row], size, (32, 32))
        np.testing.assert_array_equal(many[row], alone)


def test_a_network_of_one_grey_channel_is_scanned_too(listing: Listing) -> None:
    session = Session()
    session.adopt(tiny_net(in_channels=1), Preprocess((20, 28), None, "bicubic", (0.5,), (0.25,)))
    kept = TopK("conv2", 3)
    finish(scan(session, listing, {"conv2": [kept]}))
    assert kept.ranking().values.shape == (8, 3)
    assert PREPROCESS.channels == 3
