"""The unit page on networks of which everything is known: planted duplicates, dead channels, a channel for a colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.demo import toybox
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.network.layers import noise
from convviz_gui.engine.network.lineage import reader_of, source_of
from convviz_gui.engine.payloads import UnitPage
from convviz_gui.engine.preprocess import prepare
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Preprocess, Run, Target
from convviz_gui.engine.unit_page.drawing import projected_picture, weights_picture
from convviz_gui.engine.units.channel_record import correlations, cosines
from tests.engine.test_methods import finish
from tests.engine.tiny import tiny_session
from tests.engine.toy_folder import toy_folder

RAW = Preprocess((24, 24), 24, "bilinear", (0.0,) * 3, (1.0,) * 3, "tests")
RED, TWIN, DEAD, EDGE, HALF = range(5)


class Known(nn.Module):
    """Channel 0 answers to red, 1 is three times that, 2 is dead, 3 an edge detector, 4 red and green."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(inplace=True)
        self.head = nn.Linear(5, 3)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.bias.copy_(torch.tensor([0.0, 0.0, -1.0, 0.0, 0.0]))
            self.conv.weight[RED, 0, 1, 1], self.conv.weight[RED, 1:, 1, 1] = 1, -0.5
            self.conv.weight[TWIN] = 3 * self.conv.weight[RED]
            self.conv.weight[EDGE, :, 1, 0], self.conv.weight[EDGE, :, 1, 2] = -1, 1
            self.conv.weight[HALF, :2, 1, 1] = 0.5
            self.head.weight.copy_(torch.arange(15.0).reshape(3, 5) - 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.bn(self.conv(x))).mean((2, 3)))


COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Squares of one colour on dark noise, six of each colour; the square's place and size vary."""
    root = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(3)
    for colour, name in enumerate(COLOURS):
        (root / name).mkdir()
        for i in range(6):
            pixels = rng.integers(0, 40, (24, 24, 3), np.uint8)
            y, x, side = rng.integers(2, 12, 3)
            pixels[y : y + side, x : x + side] = 0
            pixels[y : y + side, x : x + side, colour] = 150 + 15 * i
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    (root / "red" / "broken.png").write_bytes(b"")
    return str(root)


def known() -> Session:
    session = Session()
    session.adopt(Known().eval(), RAW, "known", COLOURS)
    return session


def page(session: Session, layer: str, channel: int, folder: str | None, **settings: int) -> UnitPage:
    run = Run("unit", Target(layer, (channel,)), None, folder, (("steps", 4), *settings.items()))
    payload = finish(session, run).payload
    assert isinstance(payload, UnitPage)
    return payload


@pytest.fixture(scope="module")
def red(folder: str) -> UnitPage:
    return page(known(), "relu", RED, folder, top=4)


def test_the_strongest_pictures_are_those_of_a_slow_loop(red: UnitPage, folder: str) -> None:
    net = Known().eval()
    found = []
    for path in sorted(Path(folder).rglob("[0-9].png")):
        x = torch.from_numpy(prepare(load_image(path).pixels, RAW)[0].copy())[None]
        with torch.no_grad():
            answer = net.relu(net.bn(net.conv(x)))[0, RED]
        found.append((float(answer.max()), str(path), divmod(int(answer.argmax()), 24)))
    best = sorted(found, reverse=True)[:4]
    assert [red.record.paths[i] for i in red.strongest.pictures] == [path for _, path, _ in best]
    np.testing.assert_allclose(red.strongest.values, [number for number, _, _ in best], rtol=1e-5)
    assert [tuple(place) for place in red.strongest.positions.tolist()] == [place for _, _, place in best]
    peaks = dict(zip(red.record.paths, red.record.peaks.tolist(), strict=True))
    for number, path, _ in found:
        assert peaks[path] == pytest.approx(number, rel=1e-5)
    assert [Path(left.path).name for left in red.skipped] == ["broken.png"]


def test_the_box_is_the_field_around_the_maximum_and_the_patch_is_what_is_in_it(red: UnitPage) -> None:
    for row, (y, x) in enumerate(red.strongest.positions.tolist()):
        expected = [max(x - 1, 0), max(y - 1, 0), min(x + 2, 24) - max(x - 1, 0), min(y + 2, 24) - max(y - 1, 0)]
        assert red.strongest.boxes[row].tolist() == expected
        assert red.strongest.inputs[row].tolist() == expected
        middle = red.strongest.images[row][48, 48]
        assert middle[0] >= 150, "the middle is red"
        assert middle[1] == middle[2] == 0


def test_rates_tell_which_label_it_fires_for(red: UnitPage) -> None:
    assert red.record.groups == ("blue", "green", "red")
    assert int(red.record.group_peaks.argmax()) == 2
    assert red.record.rates[2] == 1.0
    by_hand = {name: [] for name in COLOURS}  # type: ignore[var-annotated]
    for label, fired in zip(red.record.labels, red.record.fired.tolist(), strict=True):
        by_hand[label].append(fired)
    for name, rate in zip(red.record.groups, red.record.rates.tolist(), strict=True):
        assert rate == pytest.approx(np.mean(by_hand[name]))
    assert red.record.counts.sum() == 18 * 24 * 24
    assert not red.dead


def test_a_planted_duplicate_is_found(red: UnitPage) -> None:
    assert red.alike.duplicate == TWIN
    assert red.alike.channels[0] == TWIN
    assert red.alike.correlation[0] == pytest.approx(1, abs=1e-4)
    assert red.alike.cosine[0] == pytest.approx(1, abs=1e-5)
    assert DEAD not in red.alike.channels.tolist()


def test_a_dead_channel_is_told(folder: str) -> None:
    found = page(known(), "relu", DEAD, folder)
    assert found.dead
    assert not found.record.fired.any()
    assert found.alike.duplicate == -1
    assert "never varies" in found.note("alike")
    assert found.synthetic.dead


def test_the_weights_are_those_before_norm_and_relu(red: UnitPage) -> None:
    assert red.kernel.layer == "conv"
    np.testing.assert_array_equal(red.kernel.values, Known().conv.weight[RED].detach().numpy())
    assert (red.kernel.rank, red.kernel.count) == (3, 5)
    drawn = weights_picture(red.kernel)
    assert drawn is not None
    assert drawn.shape == (3, 3, 3)
    assert drawn[1, 1].tolist() == [255, 64, 64]
    assert drawn[0, 0].tolist() == [128, 128, 128]


def test_what_it_feeds_are_the_classes() -> None:
    own = Known().head.weight[:, RED].detach().numpy()
    pooled = page(known(), "relu", RED, None).feeds
    # The mean over positions is no layer: nobody can tell that the head listens.
    assert pooled.layer == ""
    session = Session()
    session.adopt(nn.Sequential(Known().conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Known().head), RAW)
    feeds = page(session, "1", RED, None).feeds
    assert feeds.layer == "4"
    assert feeds.classes
    order = np.argsort(-np.abs(own), kind="stable")
    assert feeds.channels.tolist() == order.tolist()
    np.testing.assert_allclose(feeds.weights, own[order], rtol=1e-6)


def test_a_maximum_is_traced_back_to_its_field_alone(red: UnitPage) -> None:
    projected = red.strongest.projected
    assert projected.shape == (4, 3, 24, 24)
    for row in range(4):
        x, y, width, height = red.strongest.inputs[row].astype(int)
        outside = projected[row].copy()
        outside[:, y : y + height, x : x + width] = 0
        assert not outside.any()
        # One ReLU, one convolution: the filter itself, through a batch norm that divides by √(1 + ε).
        at_y, at_x = red.strongest.positions[row]
        np.testing.assert_allclose(projected[row][:, at_y, at_x], [1, -0.5, -0.5], rtol=1e-4)
        drawn = projected_picture(red.strongest, row)
        assert drawn is not None
        assert drawn.shape == (height, width, 3)
        assert drawn.max() == 255


def test_the_picture_grown_raises_the_channel() -> None:
    found = page(known(), "conv", RED, None)
    assert found.synthetic.picture.shape == (18, 18, 3)
    assert (np.diff(found.synthetic.trace) > 0).all()
    assert found.folder is None
    assert set(found.done) == {"weights", "feeds", "alike", "synthetic"}
    red, green, blue = found.synthetic.picture.reshape(-1, 3).astype(float).mean(0)
    assert red > green + 10
    assert red > blue + 10


def test_without_a_folder_weights_tell_who_is_alike() -> None:
    found = page(known(), "conv", RED, None)
    assert not len(found.alike.correlation)
    assert found.alike.channels[0] == TWIN
    assert found.alike.duplicate == -1


def test_it_grows_section_by_section_and_stopping_keeps_them(folder: str) -> None:
    session = known()
    seen: list[tuple[str, ...]] = []
    read: list[int] = []
    for update in session.execute(Run("unit", Target("relu", (RED,)), None, folder, (("steps", 2), ("batch", 4)))):
        if update.preview is not None:
            found = update.preview()
            assert isinstance(found, UnitPage)
            seen.append(found.done)
            read.append(len(found.record.paths))
    assert sorted(seen, key=len) == seen
    assert seen[0] == ("feeds", "weights", "alike")
    assert "record" in seen[-1]
    assert {4, 8, 12} <= set(read), "the record grows with every batch"


def test_one_channel_at_a_time(folder: str) -> None:
    session = known()
    for channels in ((0, 1), ()):
        with pytest.raises(EngineError, match="one channel"):
            finish(session, Run("unit", Target("relu", channels), None, folder))
    with pytest.raises(EngineError, match="does not exist"):
        finish(session, Run("unit", Target("relu", (0,)), None, folder + "/none"))


def test_correlation_and_cosine_are_numpys() -> None:
    rng = np.random.default_rng(0)
    responses = rng.random((30, 6)).astype(np.float32)
    responses[:, 2] = 0.25
    found = correlations(responses, 1)
    assert found is not None
    expected = np.corrcoef(responses[:, [0, 1, 3, 4, 5]].T)[1]
    np.testing.assert_allclose(found[[0, 1, 3, 4, 5]], expected, atol=1e-6)
    assert found[2] == 0
    assert correlations(responses, 2) is None
    assert correlations(responses[:9], 1) is None
    weights = rng.standard_normal((4, 3, 2, 2)).astype(np.float32)
    weights[3] = 0
    flat = weights.reshape(4, -1)
    expected = flat[:3] @ flat[1] / np.linalg.norm(flat[:3], axis=1) / np.linalg.norm(flat[1])
    np.testing.assert_allclose(cosines(weights, 1), [*expected, 0], atol=1e-6)


def test_lineage_is_only_told_where_values_agree() -> None:
    """In a ResNet the ReLU behind the sum comes right after a batch norm, and is not made of it alone."""
    import torchvision

    session = Session()
    info = session.adopt(
        torchvision.models.resnet18(weights=None).eval(), Preprocess((64, 64), 64, "bilinear", (0.5,) * 3, (0.25,) * 3)
    )
    x = noise((3, 64, 64), session.device)

    def source(layer: str) -> str | None:
        found = source_of(session.model, x, info, session.layer(layer))
        return found.id if found is not None else None

    assert source("conv1") == "conv1"
    assert source("maxpool") == "conv1"
    assert source("layer1.0.relu#1") == "layer1.0.conv1"
    assert source("layer1.0.relu#2") is None
    assert source("layer1.0") is None
    reader = reader_of(session.model, x, info, session.layer("avgpool"))
    assert reader is None or reader.id == "fc"
    listener = reader_of(session.model, x, info, session.layer("layer1.0.bn1"))
    assert listener is not None
    assert listener.id == "layer1.0.conv2"


def test_a_toybox_channel_shows_what_it_is_for(tmp_path: Path) -> None:
    """The channel of ToyNet's last layer that speaks most for the umbrella fires most in umbrellas."""
    toy_folder(tmp_path, 60, 21)
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec())):
        pass
    umbrella = toybox.CLASSES.index("umbrella")
    head = session.model.get_submodule("classifier").weight
    channel = int(head[umbrella].argmax())
    found = page(session, "block5_relu1", channel, str(tmp_path), top=3, size=64)
    assert found.feeds.classes
    assert umbrella in found.feeds.channels.tolist()
    ranked = [found.record.groups[i] for i in np.argsort(-found.record.group_peaks)]
    assert "umbrella" in ranked[:3]
    assert found.strongest.sees == "part"


def test_a_vector_has_a_page_too(folder: str) -> None:
    found = page(tiny_session(), "head", 2, folder)
    assert found.strongest.positions.tolist()[0] == [0, 0]
    assert found.strongest.sees == "whole"
    assert {"weights", "record", "strongest"} <= set(found.done)
