"""Switching off channels, against copies of the network whose weights are 0, and against slow loops."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.ablations import Tally
from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.labels import classes_of
from convviz_gui.engine.network.classes import probabilities
from convviz_gui.engine.network.hooks import visiting
from convviz_gui.engine.network.intervening import averaged, logits_with, scaled
from convviz_gui.engine.network.variants import Variants
from convviz_gui.engine.payloads import Ablation, Switched
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.engine.test_methods import fingerprint, finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session

SIZE = Preprocess((64, 64), 64, "bilinear", (0.5,) * 3, (0.25,) * 3, "tests")


def switched(session: Session, layer: str, channels: tuple[int, ...], **settings: Any) -> Switched:
    run = Run("switch-off", Target(layer, channels), noise_picture(), settings=tuple(settings.items()))
    payload = finish(session, run).payload
    assert isinstance(payload, Switched)
    return payload


def logits(model: nn.Module, session: Session) -> np.ndarray:
    with torch.no_grad():
        return model(session.input(noise_picture())[0])[0].numpy()


def test_off_equals_a_network_whose_channel_has_no_weights() -> None:
    session, twin = tiny_session(), tiny_net()
    with torch.no_grad():
        twin.conv2.weight[[2, 5]] = 0
        twin.conv2.bias[[2, 5]] = 0
    found = switched(session, "conv2", (2, 5))
    np.testing.assert_allclose(found.logits_after, logits(twin, session), atol=1e-5)
    np.testing.assert_allclose(found.logits, logits(session.model, session), atol=1e-6)
    assert np.abs(found.logits_after - found.logits).max() > 1e-3
    np.testing.assert_allclose(found.probabilities_after, probabilities(torch.tensor(found.logits_after)[None])[0])


@pytest.mark.parametrize("layer", ["layer1.0.bn1", "layer2.0.bn2", "bn1"])
def test_off_behind_the_batch_norm_of_a_resnet(layer: str) -> None:
    """0 behind a batch norm is what no weight and no bias of that norm give."""
    import torchvision

    net = torchvision.models.resnet18(weights=None).eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.bias, 0.2, 0.6)
    twin = copy.deepcopy(net)
    session = Session()
    session.adopt(net, SIZE, "resnet18")
    norm = twin.get_submodule(layer)
    with torch.no_grad():
        norm.weight[7:17] = norm.bias[7:17] = 0  # type: ignore[index, operator]
    off = tuple(range(7, 17))
    found = switched(session, layer, off)
    np.testing.assert_allclose(found.logits_after, logits(twin, session), atol=1e-4)
    assert np.abs(found.logits_after - found.logits).max() > 1e-4
    assert found.notes == ()
    before_the_norm = switched(session, layer.replace("bn", "conv"), off)
    assert layer in before_the_norm.notes[0]
    assert np.abs(before_the_norm.logits_after - found.logits_after).max() > 1e-4


@pytest.mark.parametrize("layer", ["conv1", "relu#2", "head"])
def test_a_factor_of_one_changes_no_bit(layer: str) -> None:
    session = tiny_session()
    before = fingerprint(session.model)
    found = switched(session, layer, (0, 3), factor=1.0)
    np.testing.assert_array_equal(found.logits, found.logits_after)
    np.testing.assert_array_equal(found.before, found.after)
    assert fingerprint(session.model) == before


def test_a_linear_layers_answer_is_proportional_to_the_factor() -> None:
    session = tiny_session()
    found = switched(session, "head", (1,), factor=-2.0)
    expected = found.logits.copy()
    expected[1] *= -2
    np.testing.assert_allclose(found.logits_after, expected, rtol=1e-6)
    np.testing.assert_allclose(found.after, -2 * found.before, rtol=1e-6)


def test_the_mean_keeps_how_much_there_is() -> None:
    session = tiny_session()
    found = switched(session, "relu#2", (0, 1), how="mean")
    # The head sees only the maps' means, which stay.
    np.testing.assert_allclose(found.logits_after, found.logits, atol=1e-5)
    np.testing.assert_allclose(found.before, found.after, atol=1e-6)
    moved = switched(session, "pool", (0, 1), how="mean")
    assert np.abs(moved.logits_after - moved.logits).max() > 1e-4
    with pytest.raises(EngineError, match="no positions"):
        switched(session, "head", (0,), how="mean")


def test_several_layers_are_switched_off_in_one_pass() -> None:
    session, twin = tiny_session(), tiny_net()
    with torch.no_grad():
        twin.conv2.weight[[2, 5, 6]] = twin.conv2.bias[[2, 5, 6], None, None, None] = 0
        twin.bn1.weight[0] = twin.bn1.bias[0] = 0
    found = switched(session, "conv2", (2,), also="bn1:0; conv2:5-6")
    assert found.edits == (("conv2", (2, 5, 6)), ("bn1", (0,)))
    np.testing.assert_allclose(found.logits_after, logits(twin, session), atol=1e-5)
    for wrong in ("conv2", "nothing:3", ":3", "conv2:99", "conv2:x"):
        with pytest.raises(EngineError) as caught:
            switched(session, "conv2", (2,), also=wrong)
        assert caught.value.hint


def test_without_channels_the_one_with_the_largest_mean_is_taken() -> None:
    session = tiny_session()
    maps = finish(session, Run("activations", Target("conv2"), noise_picture())).payload
    found = finish(session, Run("switch-off", Target("conv2"), noise_picture())).payload
    assert found.edits == (("conv2", (int(maps.mean.argmax()),)),)


def test_what_is_infinite_is_off_too() -> None:
    output = torch.tensor([[[float("inf"), 1.0], [2.0, 3.0]]])
    assert scaled(output, 1, [0], 0.0).tolist() == [[[0.0, 0.0], [2.0, 3.0]]]
    tokens = torch.arange(12.0).reshape(1, 3, 4)
    assert averaged(tokens, -1, [1])[0, :, 1].tolist() == [5.0, 5.0, 5.0]
    assert tokens[0, :, 1].tolist() == [1.0, 5.0, 9.0], "the layer's own output stays"


@pytest.mark.parametrize("method", ["switch-off", "ablation"])
@pytest.mark.parametrize(
    ("bias", "class_index", "words"),
    [
        ([math.inf, 0, 0, 0, 0], None, "output is infinite"),
        ([math.inf, 0, 0, 0, 0], 1, "output is infinite"),
        ([math.nan, 0, 0, 0, 0], 1, "output is NaN"),
        ([-math.inf] * 5, 1, "output is infinite"),
        ([0, -math.inf, 0, 0, 0], 1, "leaves class 1 out"),
    ],
)
def test_scores_that_are_not_finite_are_refused_in_a_sentence(
    method: str, bias: list[float], class_index: int | None, words: str, tmp_path: Path
) -> None:
    session = Session()
    net = tiny_net(5)
    session.adopt(net, PREPROCESS)
    net.head.bias.data = torch.tensor(bias)
    Image.fromarray(noise_picture().pixels).save(tmp_path / "a.png")
    run = Run(method, Target("conv2", (1,), class_index), noise_picture(), str(tmp_path))
    with pytest.raises(EngineError, match=words) as caught:
        finish(session, run)
    assert caught.value.hint


def test_a_class_that_a_network_leaves_out_does_not_matter_to_others() -> None:
    session = Session()
    net = tiny_net(5)
    session.adopt(net, PREPROCESS)
    net.head.bias.data[1] = -math.inf
    found = finish(session, Run("switch-off", Target("conv2", (1,), 2), noise_picture())).payload
    assert np.isfinite(found.probabilities_after).all()
    assert found.probabilities[1] == 0


class Doubled(nn.Module):
    """A channel's sum times the largest number there is: doubled, it is infinite."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        nn.init.constant_(self.conv.weight, 0.0)
        nn.init.constant_(self.conv.bias, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3)) * 3e38


@pytest.mark.parametrize("method", ["switch-off", "ablation"])
def test_what_the_change_makes_infinite_is_refused_in_a_sentence(method: str, tmp_path: Path) -> None:
    session = Session()
    session.adopt(Doubled(), PREPROCESS)
    Image.fromarray(noise_picture().pixels).save(tmp_path / "a.png")
    run = Run(method, Target("conv", (1,), 0), noise_picture(), str(tmp_path), (("factor", 2.0),))
    with pytest.raises(EngineError, match=r"infinite .*once"):
        finish(session, run)


class Tokens(nn.Module):
    """Maps that go on as [B, h, w, C] and as tokens [B, h·w + 1, C]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, 4)
        self.last = nn.Linear(6, 6)
        self.token = nn.Parameter(torch.randn(1, 1, 6))
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.last(self.conv(x).permute(0, 2, 3, 1)).relu()
        x = torch.cat([self.token.expand(len(x), -1, -1), x.flatten(1, 2)], dim=1)
        return self.head(self.mix(x).relu().mean(1))


@pytest.mark.parametrize("layer", ["last", "mix"])
def test_channels_are_those_of_the_layout(layer: str) -> None:
    torch.manual_seed(2)
    net = Tokens().eval()
    twin = copy.deepcopy(net)
    session = Session()
    session.adopt(net, PREPROCESS, "tokens")
    linear = twin.get_submodule(layer)
    with torch.no_grad():
        linear.weight[3] = linear.bias[3] = 0  # type: ignore[index, operator]
    found = switched(session, layer, (3,))
    np.testing.assert_allclose(found.logits_after, logits(twin, session), atol=1e-5)


# ----------------------------------------------------------------------------------------------------- ablation


class Residual(nn.Module):
    """A connection around `inner`, and maps laid side by side behind `outer`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.left, self.right = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        x = (x + self.inner(x)).relu()
        x = torch.cat([self.left(x), self.right(x)], dim=1)
        return self.head(x.relu().mean((2, 3)))


class Counting(nn.Module):
    """Notes the batch before the layer and goes by it after: no part of it can be shared."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        x = self.conv(x).relu()
        # Silently wrong for another batch than the one that was noted, were it not tried.
        return self.head(x.mean((2, 3))) + (len(x) - n)


@pytest.mark.parametrize(
    ("make", "layer", "shared"),
    [
        (tiny_net, "conv1", True),
        (tiny_net, "relu#2", True),
        (tiny_net, "head", True),
        (Residual, "inner", True),
        (Residual, "left", False),
        (Counting, "conv", False),
        (Tokens, "last", True),
        (Tokens, "mix", True),
    ],
)
def test_variants_of_a_picture_equal_passes_one_by_one(make: Any, layer: str, shared: bool) -> None:
    torch.manual_seed(4)
    session = Session()
    session.adopt(make().eval(), PREPROCESS, "net")
    node = session.layer(layer)
    x, _ = session.input(noise_picture())
    channels = [2, 0, 3]
    variants = Variants(node)
    found = variants.logits(session.model, x, channels)
    assert variants.shared is shared
    axis = -1 if make is Tokens else 1
    for row, channel in enumerate(channels):
        expected = logits_with(session.model, x, {node.id: lambda out, c=channel: scaled(out, axis, [c], 0.0)})
        np.testing.assert_allclose(found[row], expected[0], atol=2e-6)


class Planted(nn.Module):
    """Class k is the mean of colour k, through channel k + 1 of `conv`; channel 0 counts for nothing, 4 is dead."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 5, 1, bias=False), nn.Linear(5, 3)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0] = 0.3
            for colour in range(3):
                self.conv.weight[colour + 1, colour] = 1
            self.head.weight.zero_()
            self.head.bias.zero_()
            for colour in range(3):
                self.head.weight[colour, colour + 1] = 8

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


COLOURS = ("red", "green", "blue")
RAW = Preprocess((16, 16), None, "bilinear", (0.0,) * 3, (1.0,) * 3, "tests")


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    for colour, name in enumerate(COLOURS):
        (root / name).mkdir()
        for i in range(4):
            pixels = rng.integers(20, 70, (20, 20, 3), np.uint8)
            pixels[..., colour] += 120
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    (root / "red" / "broken.png").write_bytes(b"")
    return str(root)


def planted() -> Session:
    session = Session()
    session.adopt(Planted().eval(), RAW, "planted", COLOURS)
    return session


def table(session: Session, folder: str, layer: str, channels: tuple[int, ...] | None = None, **more: Any) -> Ablation:
    run = Run("ablation", Target(layer, channels, more.pop("class_index", None)), None, folder, tuple(more.items()))
    payload = finish(session, run).payload
    assert isinstance(payload, Ablation)
    return payload


def test_the_channel_that_decides_a_class_is_found(colours: str) -> None:
    found = table(planted(), colours, "conv")
    assert found.labelled == found.pictures == 12
    assert found.accuracy_before == 1.0
    assert [Path(left.path).name for left in found.skipped] == ["broken.png"]
    assert found.hurt_class.tolist() == [-1, 0, 1, 2, -1]
    assert found.flips.tolist() == [0, 4, 4, 4, 0]
    np.testing.assert_allclose(found.accuracy, [1, 2 / 3, 2 / 3, 2 / 3, 1], atol=1e-6)
    assert set(np.argsort(found.probability_change)[:3].tolist()) == {1, 2, 3}
    of_red = table(planted(), colours, "conv", class_index=0)
    assert int(of_red.logit_change.argmin()) == 1
    np.testing.assert_allclose(of_red.logit_change[[0, 2, 3, 4]], 0, atol=1e-6)


def test_what_is_hurt_is_the_class_of_the_label_not_the_one_that_was_seen() -> None:
    before, after = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]])
    for truth, hurt in ((1, 1), (-1, -1), (0, -1)):
        tally = Tally(Ablation("conv", "", 0.0, np.zeros(1, np.int64), **Tally.empty(1), total=1))
        tally.add(before, after, truth, "")
        assert tally.payload().hurt_class.tolist() == [hurt]


def test_the_table_equals_a_slow_loop(colours: str) -> None:
    session = tiny_session()
    found = table(session, colours, "conv2", (1, 6, 4), batch=2)
    pre = session.info.preprocess
    from convviz_gui.engine.images import load_image
    from convviz_gui.engine.preprocess import prepare

    paths = sorted(Path(colours).rglob("[0-9].png"))
    xs = [torch.from_numpy(prepare(load_image(path).pixels, pre)[0].copy())[None] for path in paths]
    assert len(xs) == found.pictures == 12
    assert found.labelled == 0, "none of these labels names a class of this network"
    for row, channel in enumerate((1, 6, 4)):
        changes, logit_changes, flips = [], [], 0
        for x in xs:
            with torch.no_grad():
                before = session.model(x)
                with visiting(session.model, {"conv2": lambda out, c=channel: scaled(out, 1, [c], 0.0)}):
                    after = session.model(x)
            top = int(before.argmax())
            changes.append(float(after.softmax(1)[0, top] - before.softmax(1)[0, top]))
            logit_changes.append(float(after[0, top] - before[0, top]))
            flips += int(after.argmax()) != top
        assert found.flips[row] == flips
        assert found.accuracy[row] == pytest.approx(1 - flips / 12)
        assert found.probability_change[row] == pytest.approx(np.mean(changes), abs=1e-5)
        assert found.logit_change[row] == pytest.approx(np.mean(logit_changes), abs=1e-5)


def test_a_factor_of_one_changes_nothing_in_the_table(colours: str) -> None:
    found = table(tiny_session(), colours, "conv1", factor=1.0, pictures=3)
    assert found.pictures == found.total == 3
    assert not found.flips.any()
    np.testing.assert_allclose(found.logit_change, 0, atol=1e-5)


def test_stopping_keeps_the_pictures_seen_so_far(colours: str) -> None:
    session = planted()
    steps = session.execute(Run("ablation", Target("conv"), None, colours, (("batch", 2),)))
    previews = []
    for update in steps:
        if update.preview is not None:
            previews.append(update.preview())
        if previews and previews[-1].pictures == 2:
            break
    steps.close()
    whole = table(planted(), colours, "conv")
    assert previews[-1].pictures == 2
    assert previews[-1].total == whole.total == 13
    assert previews[-1].labelled == 2


def test_too_little_memory_halves_the_channels_at_once(colours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session, expected = planted(), table(planted(), colours, "conv", batch=4)
    real = Variants.logits

    def scarce(self: Variants, model: nn.Module, x: Tensor, channels: Any) -> Tensor:
        if len(channels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, model, x, channels)

    monkeypatch.setattr(Variants, "logits", scarce)
    found = table(session, colours, "conv", batch=4)
    assert found.reduced_to == 1
    np.testing.assert_allclose(found.probability_change, expected.probability_change, atol=1e-6)


def test_labels_name_classes_by_name_or_number() -> None:
    session = Session()
    info = session.adopt(Planted(), RAW, "planted", ("tiger_cat", "Great White, shark", "7"))
    labels = ["train/Tiger Cat", "shark", "great-white", "7", "2", "02", "5", "", "x/dog"]
    assert classes_of(labels, info).tolist() == [0, 1, 1, 2, 2, 2, -1, -1, -1]
    assert parse_channels("all", 3) == (0, 1, 2)
