"""Checks of maps: curves against closed forms, likeness against its definition, other weights, the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from convviz_gui.engine.demo.toybox import Sample, samples
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.methods.saliency import Saliency
from convviz_gui.engine.payloads import Heat, Occlusion, PixelMap, Trust, TrustLevel, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.trust import deletion, order, randomisation, similarity, verdict
from convviz_gui.engine.trust.explained import Explained, explained_by
from convviz_gui.engine.types import Check, LoadModel, ModelSpec, Preprocess, Result, Run, Target
from tests.engine.bad_maps import bad_maps
from tests.engine.nasty import NASTY, Plain, nasty
from tests.engine.test_methods import fingerprint, finish
from tests.engine.test_nasty import BIG, REFUSED, state_of
from tests.engine.tiny import PREPROCESS, SIDE, noise_picture, tiny_net, tiny_session

RANDOM = np.random.default_rng(0)


class Linear(nn.Module):
    """A picture's score is the sum of its values, each weighted: what every pixel does is known."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.weight = nn.Parameter(torch.randn(2, 3, SIDE, SIDE))

    def forward(self, x: Tensor) -> Tensor:
        self.conv(x)
        return torch.einsum("bchw,kchw->bk", x, self.weight)


def finished(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def checked(session: Session, result: Result) -> Result:
    outcome = finished(session.execute(Check(result)))
    assert isinstance(outcome, Result)
    assert isinstance(outcome.trust, Trust)
    return outcome


def trust_of(session: Session, run: Run) -> Trust:
    trust = checked(session, finish(session, run)).trust
    assert trust is not None
    return trust


@pytest.fixture(scope="module")
def demo() -> Session:
    session = Session()
    finished(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    return session


@pytest.fixture(scope="module")
def toys() -> list[Sample]:
    return list(samples(4, 5))


@pytest.fixture
def _bad() -> Iterator[None]:
    with bad_maps():
        yield


# ------------------------------------------------------------------------------------------------------- orders


def a_heat(raw: Any, side: int = 16, **others: Any) -> Heat:
    raw = frozen(np.asarray(raw, np.float32))
    drawn = order.enlarged(np.maximum(raw, 0), (side, side))
    heat = frozen(drawn / max(float(drawn.max()), 1e-9))
    return Heat("conv1", 0, bool(drawn.any()), raw, heat, np.zeros(4, np.float32), np.zeros(5, np.float32), **others)


def test_equal_values_keep_the_order_of_their_positions() -> None:
    values = np.array([[1, 0, 1], [0, 2, 1]], np.float32)
    np.testing.assert_array_equal(order.ranks(values), [[1, 4, 2], [5, 0, 3]])


def test_places_of_a_class_map_where_nothing_is_drawn_are_ordered_by_the_raw_map() -> None:
    found = a_heat([[4, -1], [-3, 1]], side=2)
    assert found.heat[0, 1] == found.heat[1, 0] == 0
    np.testing.assert_array_equal(order.ranks(order.values_of(found)), [[0, 2], [3, 1]])


def test_whatever_is_drawn_comes_before_what_is_not() -> None:
    found = a_heat([[1000, -1e-3], [-5, -5]], side=40)
    values = order.values_of(found)
    assert values[found.heat > 0].min() > values[found.heat == 0].max()


def test_a_pixel_map_is_ordered_by_the_means_of_its_cells() -> None:
    heat = RANDOM.standard_normal((56, 84)).astype(np.float32)
    found = PixelMap(heat[None], heat, np.zeros(4, np.float32), np.zeros(5, np.float32), 0.0, True, 0)
    cells = heat.reshape(28, 2, 42, 2).mean((1, 3))
    np.testing.assert_allclose(order.values_of(found), cells.repeat(2, 0).repeat(2, 1), atol=1e-6)


def test_random_orders_have_the_grain_of_the_map_and_the_blob_is_in_the_middle() -> None:
    found = a_heat(RANDOM.standard_normal((4, 4)), side=64)
    draws = [order.random_values(found, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    steps = np.abs(np.diff(draws[0], axis=1)).max()
    assert steps < 0.2 * np.ptp(draws[0])
    blob = order.centred_values((8, 6))
    np.testing.assert_allclose(blob, blob[::-1, ::-1])
    distance = (((np.arange(8) + 0.5) / 8 - 0.5) ** 2)[:, None] + ((np.arange(6) + 0.5) / 6 - 0.5) ** 2
    np.testing.assert_allclose(np.log(blob / blob.max()), -8 * (distance - distance.min()), rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------------------------------- curves


@pytest.fixture
def linear() -> tuple[Session, Linear]:
    session, net = Session(), Linear()
    session.adopt(net, PREPROCESS, name="linear")
    return session, net


def test_curves_of_a_linear_network_are_its_sums(linear: tuple[Session, Linear]) -> None:
    session, net = linear
    x, _ = session.input(noise_picture())
    orders = [order.ranks(RANDOM.standard_normal((SIDE, SIDE)).astype(np.float32)) for _ in range(3)]
    explained = Explained("score", explained_by(a_heat([[1]], against=1), session).score)
    gone, back = finished(deletion.curves(session, explained, x, orders, 0, 1))
    weight = (net.weight[0] - net.weight[1]).detach().double()
    soft = deletion.blurred(x)
    counts = np.round(np.linspace(0, SIDE**2, deletion.STEPS + 1))
    for i, ranks in enumerate(orders):
        for k, count in enumerate(counts):
            taken = torch.from_numpy(ranks < count)
            assert gone[i, k] == pytest.approx(float((x[0] * weight)[:, ~taken].sum()), abs=2e-3)
            mixed = torch.where(taken, x[0], soft[0]).double()
            assert back[i, k] == pytest.approx(float((mixed * weight).sum()), abs=2e-3)


def test_the_contributions_own_order_is_best_and_random_ones_lose_in_proportion(
    linear: tuple[Session, Linear],
) -> None:
    """Of a linear network a random order takes away the same of the score in every step, on average."""
    session, net = linear
    x, _ = session.input(noise_picture())
    weight = (net.weight[0] - net.weight[1]).detach()
    contribution = (x[0] * weight).sum(0).numpy()
    draws = [RANDOM.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(24)]
    explained = Explained("score", explained_by(a_heat([[1]], against=1), session).score)
    ranked = [order.ranks(values) for values in (contribution, -contribution, *draws)]
    gone, _ = finished(deletion.curves(session, explained, x, ranked, 0, 1))
    areas = deletion.area(gone, deletion.fractions(SIDE**2))
    assert areas[0] < areas[2:].min()
    assert areas[1] > areas[2:].max()
    spread = areas[2:].std(ddof=1) / np.sqrt(24)
    assert abs(areas[2:].mean() - contribution.sum() / 2) < 4 * spread


def test_areas_are_trapezoids_over_the_fraction_really_taken() -> None:
    at = deletion.fractions(10)
    assert len(at) == 11
    np.testing.assert_allclose(at, np.arange(11) / 10)
    uneven = np.array([0, 0.1, 0.5, 1], np.float32)
    values = np.array([[1, 0.4, 0.2, 0], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(deletion.area(values, uneven), [0.07 + 0.12 + 0.05, 1], rtol=1e-6)


def test_insertion_begins_with_a_gaussian_blur() -> None:
    x = torch.zeros(1, 2, 64, 64)
    x[0, 0, 32, 32] = 1
    soft = deletion.blurred(x)[0]
    sigma = 0.05 * 64
    away = (torch.arange(64) - 32.0) ** 2
    expected = torch.exp(-(away[:, None] + away) / (2 * sigma**2)) / (2 * torch.pi * sigma**2)
    torch.testing.assert_close(soft[0], expected, atol=1e-4, rtol=0)
    assert not soft[1].any()
    flat = torch.full((1, 1, 9, 40), 0.7)
    torch.testing.assert_close(deletion.blurred(flat), flat)


def test_a_network_that_takes_one_picture_at_a_time_gets_one(linear: tuple[Session, Linear]) -> None:
    session, net = linear
    x, _ = session.input(noise_picture())
    explained = Explained("score", explained_by(a_heat([[1]]), session).score)
    ranks = [order.ranks(RANDOM.standard_normal((SIDE, SIDE)).astype(np.float32))]
    expected = finished(deletion.curves(session, explained, x, ranks, 0, 1))
    forward = net.forward

    def one_by_one(batch: Tensor) -> Tensor:
        return forward(batch.reshape(1, 3, SIDE, SIDE))

    net.forward = one_by_one
    got = finished(deletion.curves(session, explained, x, ranks, 0, 1))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)


class OneAtATime(Plain):
    """Reshapes to a batch of one: the answer to eight pictures is one row."""

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x).reshape(1, 8, -1).mean(2))


@pytest.mark.parametrize("name", ["smoothgrad", "integrated-gradients", "grad-cam", "occlusion"])
def test_maps_of_a_network_that_takes_one_picture_at_a_time_are_checked_as_of_any(name: str) -> None:
    found = []
    for network in (Plain, OneAtATime):
        session = Session()
        torch.manual_seed(0)
        session.adopt(network(), PREPROCESS)
        trust = checked(session, finish(session, Run(name, image=noise_picture()))).trust
        assert trust is not None
        found.append(trust)
    one, other = found
    assert other.verdict[0] == one.verdict[0]
    for what in ("deletion", "insertion", "random_deletion", "random_insertion", "ssim", "spearman"):
        np.testing.assert_allclose(getattr(other, what), getattr(one, what), rtol=1e-3, atol=1e-4)


class Sometimes(Plain):
    """`extra` runs where `wanted` says so of the pictures and of what came before it."""

    def __init__(self) -> None:
        super().__init__()
        self.extra = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Any:
        maps = self.features(x)
        return self.head((self.extra(maps) if self.wanted(x, maps) else maps).mean((2, 3)))

    def wanted(self, x: Tensor, maps: Tensor) -> bool:
        return float(x.detach().std()) > 0.3


class WithThoseWeights(Sometimes):
    def wanted(self, x: Tensor, maps: Tensor) -> bool:
        return bool(torch.equal(self.conv2.weight, self.extra.weight[:, :6] * 2))


def test_a_layer_that_runs_for_some_pictures_only_is_refused_at_once_in_a_sentence() -> None:
    session = Session()
    session.adopt(Sometimes(), PREPROCESS)
    result = finish(session, Run("saliency", Target("extra", (2,)), noise_picture()))
    steps = session.execute(Check(result))
    with pytest.raises(EngineError, match="'extra' does not run for every picture") as caught:
        for _ in range(4):
            next(steps)
    assert "always runs" in caught.value.hint


def test_a_layer_that_does_not_run_with_other_weights_leaves_the_reaction_unknown() -> None:
    net = WithThoseWeights()
    with torch.no_grad():
        net.conv2.weight.copy_(net.extra.weight[:, :6] * 2)
    session = Session()
    session.adopt(net, PREPROCESS)
    trust = checked(session, finish(session, Run("grad-cam", Target("extra"), noise_picture()))).trust
    assert trust is not None
    assert not len(trust.ssim)
    assert "reacts to the weights" not in trust.verdict[0]
    assert any("'extra' does not run" in sentence and "with other weights" in sentence for sentence in trust.verdict)


def test_what_is_measured() -> None:
    """Probabilities by softmax, against another class by the two alone; hardly seen classes by their scores."""
    session = tiny_session()
    x, _ = session.input(noise_picture())
    logits = session.model(x)
    heat = dataclasses.replace(a_heat([[1]]), logits=frozen(logits[0].detach().numpy().copy()))
    share = explained_by(heat, session)
    assert share.measure == "probability"
    torch.testing.assert_close(share.of(session.model, x), logits.softmax(1)[:, 0])
    pair = explained_by(dataclasses.replace(heat, against=3), session)
    torch.testing.assert_close(pair.of(session.model, x), logits[:, [0, 3]].softmax(1)[:, 0])
    rare = explained_by(dataclasses.replace(heat, logits=frozen(np.array([-9, 9, 0, 0, 0], np.float32))), session)
    assert rare.measure == "score"
    torch.testing.assert_close(rare.of(session.model, x), logits[:, 0])


def test_a_channel_and_a_unit_are_measured_by_their_activation() -> None:
    session = tiny_session()
    x, _ = session.input(noise_picture())
    maps = session.model.conv2(session.model.pool(session.model.bn1(session.model.conv1(x)).relu()))
    zero = np.zeros((SIDE, SIDE), np.float32)
    found = PixelMap(zero[None], zero, np.zeros(4), np.zeros(5), 0.0, True, layer="conv2", channel=5)
    torch.testing.assert_close(explained_by(found, session).of(session.model, x), maps[:, 5].mean((1, 2)))
    unit = dataclasses.replace(found, unit=(3, 7))
    torch.testing.assert_close(explained_by(unit, session).of(session.model, x), maps[:, 5, 3, 7])


# --------------------------------------------------------------------------------------------------- similarity


def test_spearman_is_scipys_with_ties() -> None:
    x = RANDOM.integers(0, 5, (20, 20)).astype(np.float32)
    y = (x + RANDOM.integers(0, 9, (20, 20))).astype(np.float32)
    assert similarity.spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x.ravel(), y.ravel()).statistic, abs=1e-9)
    assert np.isnan(similarity.spearman(x, np.zeros_like(x)))


def test_ssim_is_as_defined() -> None:
    """Wang et al. 2004, window by window."""
    x = RANDOM.random((17, 14)).astype(np.float32)
    y = (0.5 * x + RANDOM.random((17, 14)) / 2).astype(np.float32)
    x[0, 0] = y[0, 0] = 1
    steps = np.arange(-5, 6)
    window = np.exp(-(steps[:, None] ** 2 + steps**2) / 4.5)
    window /= window.sum()
    values = []
    for i in range(7):
        for j in range(4):
            a, b = (m[i : i + 11, j : j + 11].astype(float) for m in (x, y))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            values.append((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    assert similarity.ssim(x, y) == pytest.approx(np.mean(values), abs=1e-9)
    assert similarity.ssim(x, 3 * x) == pytest.approx(1)
    assert np.isnan(similarity.ssim(x, np.ones_like(x)))
    assert similarity.ssim(x[:4, :4], x[:4, :4]) == pytest.approx(1)


# ------------------------------------------------------------------------------------------------ other weights


def test_stages_go_from_the_logits_down_and_take_every_layer_once() -> None:
    net, x = tiny_net(), torch.zeros(1, 3, SIDE, SIDE)
    twin = randomisation.twin_of(net)
    stages = randomisation.stages_of(twin, x, 8)
    assert [stage.name for stage in stages] == ["head", "conv2", "conv1"]
    assert stages[2].parts == (twin.conv1, twin.bn1)
    few = randomisation.stages_of(twin, x, 2)
    assert [stage.name for stage in few] == ["head", "conv2 – conv1"]
    assert [part for stage in few for part in stage.parts] == [part for stage in stages for part in stage.parts]


def test_shuffling_keeps_sizes_and_strikes_every_weight_even_behind_a_parametrisation() -> None:
    twin = nn.Sequential(nn.Conv2d(3, 8, 3), parametrizations.weight_norm(nn.Conv2d(8, 5, 3)), nn.Flatten()).eval()
    before = {name: tensor.clone() for name, tensor in twin.named_parameters()}
    used = [twin[0].weight.clone(), twin[1].weight.clone()]
    x = torch.randn(1, 3, 9, 9)
    for stage in randomisation.stages_of(twin, x, 8):
        randomisation.shuffle(stage, torch.Generator().manual_seed(3))
    for name, tensor in twin.named_parameters():
        torch.testing.assert_close(tensor.abs().flatten().sort().values, before[name].abs().flatten().sort().values)
        assert not torch.equal(tensor, before[name]), name
    assert (twin[0].weight == used[0]).float().mean() < 0.1
    assert (twin[1].weight == used[1]).float().mean() < 0.1


def test_batch_normalisation_takes_the_photos_statistics_where_it_was_shuffled() -> None:
    twin = randomisation.twin_of(tiny_net())
    x = torch.randn(1, 3, SIDE, SIDE)
    stages = randomisation.stages_of(twin, x, 8)
    kept = twin.bn1.running_var.clone()
    randomisation.settle(twin, stages[:2], x)
    torch.testing.assert_close(twin.bn1.running_var, kept)
    randomisation.settle(twin, stages, x)
    torch.testing.assert_close(twin.bn1.running_mean, twin.conv1(x).mean((0, 2, 3)))
    torch.testing.assert_close(twin.bn1.running_var, twin.conv1(x).transpose(0, 1).flatten(1).var(1))


def test_all_that_was_shuffled_so_far_has_the_photos_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6), nn.ReLU()]
    session = Session()
    session.adopt(nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)), PREPROCESS)
    run, settled = Saliency.run, []

    def watched(self: Saliency, beside: Session, request: Run, params: Any) -> Any:
        x, found = beside.input(noise_picture())[0], []
        with torch.no_grad():
            for part in beside.model.children():
                if isinstance(part, nn.BatchNorm2d):
                    found.append(torch.allclose(part.running_mean, x.mean((0, 2, 3)), atol=1e-5))
                x = part(x)
        settled.append(found)
        return (yield from run(self, beside, request, params))

    monkeypatch.setattr(Saliency, "run", watched)
    trust_of(session, Run("saliency", image=noise_picture()))
    assert settled == [[False, False], [False, False], [False, True], [True, True]]


def test_a_network_that_cannot_be_copied_is_told_and_judged_by_its_curves(demo: Session, toys: list[Sample]) -> None:
    result = finish(demo, Run("grad-cam", image=image_from_array(toys[2].pixels, "toy")))
    demo.model.lock = (step for step in ())  # a generator cannot be copied
    try:
        trust = checked(demo, result).trust
    finally:
        del demo.model.lock
    assert trust is not None
    assert trust.layers == ()
    assert trust.level is TrustLevel.MIXED
    assert "cannot be copied" in " ".join(trust.verdict)
    assert len(trust.fractions)


def test_a_copy_that_shares_its_weights_is_refused() -> None:
    net = tiny_net()
    net.__deepcopy__ = lambda _memo: net  # type: ignore[attr-defined]
    type(net).__deepcopy__ = lambda self, _memo: self  # type: ignore[attr-defined]
    try:
        with pytest.raises(EngineError, match="shares its weights"):
            randomisation.twin_of(net)
    finally:
        del type(net).__deepcopy__  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------- the check


def everything(model: nn.Module) -> Any:
    return fingerprint(model), {name: (id(t), t.clone()) for name, t in model.state_dict(keep_vars=True).items()}


def same(model: nn.Module, before: Any) -> bool:
    now = everything(model)
    tensors = zip(now[1].values(), before[1].values(), strict=True)
    return now[0] == before[0] and all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in tensors)


@pytest.mark.parametrize("name", ["grad-cam", "saliency", "smoothgrad"])
def test_the_users_network_is_untouched_at_every_step_and_wherever_it_stops(name: str) -> None:
    session = tiny_session()
    before = everything(session.model)
    result = finish(session, Run(name, image=noise_picture()))
    n_steps = 0
    for update in session.execute(Check(result)):
        n_steps += 1
        assert 0 <= update.done <= update.total
        assert same(session.model, before)
    assert same(session.model, before)
    for stop_at in (0, n_steps // 2, n_steps - 1):
        steps = session.execute(Check(result))
        for _ in range(stop_at + 1):
            next(steps)
        steps.close()
        assert same(session.model, before)


def test_same_seed_same_result_and_another_run_in_between_changes_nothing() -> None:
    trusts = []
    for guest in (None, None, Run("grad-cam", image=noise_picture(seed=9))):
        session = tiny_session()
        result = finish(session, Run("grad-cam", image=noise_picture(), seed=4))
        steps = session.execute(Check(result))
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                trusts.append(stop.value.trust)
                break
            if guest is not None:
                finish(session, guest)
    for other in trusts[1:]:
        assert other.verdict == trusts[0].verdict
        for field in dataclasses.fields(Trust):
            value = getattr(other, field.name)
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, getattr(trusts[0], field.name), err_msg=field.name)
                assert not value.flags.writeable


def test_shapes_are_as_documented(demo: Session, toys: list[Sample]) -> None:
    trust = trust_of(demo, Run("grad-cam", image=image_from_array(toys[0].pixels, "toy")))
    n = deletion.STEPS + 1
    assert n - 1 <= 20
    assert trust.fractions.shape == trust.deletion.shape == trust.centre_insertion.shape == (n,)
    assert trust.random_deletion.shape == trust.random_insertion.shape == (verdict.DRAWS, n)
    assert trust.ssim.shape == trust.spearman.shape == trust.spearman_signed.shape == (len(trust.layers),)
    assert trust.layers[0] == "classifier"
    assert trust.layers[-1].endswith("block1_conv1")
    assert trust.deletion[0] == trust.insertion[-1] == trust.random_deletion[3, 0]


def test_grad_cam_of_the_demo_is_believed(demo: Session, toys: list[Sample]) -> None:
    trusts = [trust_of(demo, Run("grad-cam", image=image_from_array(toy.pixels, "toy"))) for toy in toys]
    assert sum(trust.level is TrustLevel.GOOD for trust in trusts) >= len(toys) // 2
    assert not any(trust.level is TrustLevel.BAD for trust in trusts)
    good = next(trust for trust in trusts if trust.level is TrustLevel.GOOD)
    assert good.verdict[0] == "Explains this class better than chance and than a centred blob; reacts to the weights."


@pytest.mark.usefixtures("_bad")
@pytest.mark.parametrize("name", ["random-map", "edge-detector"])
def test_bad_maps_lose_and_are_told(name: str, demo: Session, toys: list[Sample]) -> None:
    for toy in toys[1:3]:
        trust = trust_of(demo, Run(name, image=image_from_array(toy.pixels, "toy")))
        assert trust.level is TrustLevel.BAD
        assert "not what the network learned" in trust.verdict[0]
        np.testing.assert_allclose(trust.ssim, 1)


@pytest.mark.usefixtures("_bad")
def test_a_random_map_is_no_better_than_chance_as_often_as_the_rule_says(demo: Session) -> None:
    """One in twenty may pass by chance."""
    said = []
    for number, toy in enumerate(samples(5, 11)):
        run = Run("random-map", image=image_from_array(toy.pixels, "toy"), seed=number)
        said.append(trust_of(demo, run).verdict[0])
    assert sum("no better than chance" in sentence for sentence in said) >= 4


def test_methods_known_to_fail_say_so_before_and_after(demo: Session, toys: list[Sample]) -> None:
    from convviz_gui.engine.method import methods

    for name in ("guided-backprop", "deconvnet", "guided-grad-cam"):
        assert methods()[name].info().known_to_fail_randomisation
    trust = trust_of(demo, Run("guided-backprop", image=image_from_array(toys[0].pixels, "toy")))
    assert trust.level is not TrustLevel.GOOD
    assert any("Adebayo" in sentence for sentence in trust.verdict)


def test_slow_methods_say_what_was_made_cheaper() -> None:
    run = Run("integrated-gradients", image=noise_picture())
    assert trust_of(tiny_session(), run).settings == "Steps 12"
    assert trust_of(tiny_session(), dataclasses.replace(run, settings=(("steps", 12),))).settings == ""


def test_what_cannot_be_measured_is_said() -> None:
    session = tiny_session()
    result = finish(session, Run("grad-cam", image=noise_picture()))
    flat = a_heat(np.full((4, 4), 0.0), side=SIDE)
    trust = checked(session, dataclasses.replace(result, payload=flat)).trust
    assert trust is not None
    assert trust.level is TrustLevel.UNKNOWN
    assert not len(trust.fractions)
    assert "no evidence" in trust.verdict[0]


def test_what_cannot_be_checked_is_refused_in_a_sentence() -> None:
    session = tiny_session()
    result = finish(session, Run("grad-cam", image=noise_picture()))
    other = Session()
    other.adopt(tiny_net(4), PREPROCESS, name="other")
    grey = np.zeros((SIDE, SIDE), np.float32)
    undone = Occlusion(grey, grey, grey.astype(bool), np.zeros(4), np.zeros(5), 0.0, 0, 8, 4, "mean")
    for where, wrong in (
        (other, result),
        (session, finish(session, Run("activations", image=noise_picture()))),
        (session, dataclasses.replace(result, payload=undone)),
        (session, dataclasses.replace(result, run=dataclasses.replace(result.run, image=None))),
        (session, dataclasses.replace(result, model=dataclasses.replace(result.model, preprocess=_other()))),
    ):
        with pytest.raises(EngineError) as caught:
            finished(where.execute(Check(wrong)))
        assert caught.value.hint


def _other() -> Preprocess:
    return dataclasses.replace(PREPROCESS, mean=(0.0, 0.0, 0.0))


# -------------------------------------------------------------------------------------------------- the verdict


def curves_with(gain: float, centre: float, random: tuple[float, float], start: float = 1.0) -> verdict.Curves:
    """Curves of two steps whose areas differ by so much."""
    at = np.array([0, 0.5, 1], np.float32)

    def insertion(area: float) -> Any:
        return np.array([0, area * 2, start], np.float32)

    draws = np.array([random[0] + random[1] * way for way in (-1, 1, -1, 1, -1, 1, -1, 1)])
    gone = np.array([start, 0, 0], np.float32)
    each = np.tile(gone, (8, 1))
    rows = np.stack([insertion(float(draw)) for draw in draws])
    return verdict.Curves(at, gone, insertion(gain), each, rows, gone, insertion(centre))


@pytest.mark.parametrize(
    ("gain", "centre", "random", "ssim", "known", "level", "words"),
    [
        (0.5, 0.2, 0.1, 0.2, "", TrustLevel.GOOD, "better than chance and than a centred blob; reacts to the weights."),
        (0.5, 0.48, 0.1, 0.2, "", TrustLevel.MIXED, "but no better than a centred blob; the map reacts to the"),
        (0.5, 0.2, 0.1, 0.7, "", TrustLevel.MIXED, "centred blob; but the map reacts only weakly"),
        (0.5, 0.2, 0.1, 0.95, "", TrustLevel.BAD, "but the map hardly reacts to the weights: it shows the photo"),
        (0.15, 0.2, 0.1, 0.2, "", TrustLevel.BAD, "no better than chance; but the map reacts to the weights."),
        (0.5, 0.2, 0.1, 0.2, "It is known", TrustLevel.MIXED, "reacts to the weights."),
        (0.5, 0.2, 0.1, np.nan, "", TrustLevel.GOOD, "reacts to the weights."),
    ],
)
def test_the_rules(
    gain: float, centre: float, random: float, ssim: float, known: str, level: TrustLevel, words: str
) -> None:
    likeness = np.full(4, ssim, np.float32)
    found = verdict.judged("this class", curves_with(gain, centre, (random, 0.05)), likeness, "", known)
    assert found.level is level
    assert words in found.sentences[0]
    assert all(sentence.endswith(".") for sentence in found.sentences)
    assert (f"{known}." in found.sentences) == bool(known)


def test_a_photo_that_does_not_speak_for_the_class_leaves_nothing_to_measure() -> None:
    at = np.array([0, 0.5, 1], np.float32)
    flat = np.full(3, 0.3, np.float32)
    rows = np.tile(flat, (8, 1))
    curves = verdict.Curves(at, flat, flat, rows, rows, flat, flat)
    found = verdict.judged("this class", curves, np.zeros(3, np.float32))
    assert found.level is TrustLevel.UNKNOWN
    assert "hardly speaks for this class" in found.sentences[0]


def test_the_margin_is_that_of_students_t() -> None:
    quantile = scipy.stats.t.ppf(0.95, verdict.DRAWS - 1) * np.sqrt(1 + 1 / verdict.DRAWS)
    assert pytest.approx(quantile, abs=0.02) == verdict.CHANCE


@pytest.mark.parametrize("name", sorted(NASTY.keys() - {"NaN", BIG}))
def test_maps_of_networks_as_users_have_them_are_checked_and_the_network_left_alone(name: str) -> None:
    session = Session()
    info = session.adopt(nasty(name))
    quick = ("grad-cam", "saliency", "eigen-cam")
    method = next(one for one in quick if one not in dict(info.cannot) and (one, name) not in REFUSED)
    result = finish(session, Run(method, image=noise_picture()))
    before = state_of(session.model)
    trust = checked(session, result).trust
    assert trust is not None
    assert trust.verdict
    assert state_of(session.model) == before
