"""The benchmark of all maps against the drawn truth tells good maps from bad ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from convviz_gui.engine.demo.toybox import Sample, samples
from convviz_gui.engine.payloads import TrustLevel
from convviz_gui.engine.session import Session
from tests.benchmarks import ground_truth
from tests.engine.bad_maps import bad_maps


@pytest.fixture(scope="module")
def demo() -> Session:
    return ground_truth.demo()


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(samples(18, ground_truth.SEED))


@pytest.fixture(autouse=True)
def _bad() -> Iterator[None]:
    with bad_maps():
        yield


def test_bad_maps_lose_against_the_truth(demo: Session, drawn: list[Sample]) -> None:
    tallies = {
        name: ground_truth.toybox_tally(demo, name, drawn, 1) for name in ("grad-cam", "random-map", "edge-detector")
    }
    good, random, edges = tallies.values()
    assert np.mean(good.pointing) > 0.9
    assert np.mean(random.pointing) < 0.6
    assert np.mean(good.ears) > 2 * np.mean(random.ears)
    assert np.mean(good.ears) > np.mean(edges.ears)
    assert np.mean(random.ears) == pytest.approx(1, abs=0.7)
    assert [tally.toys[0].level for tally in (random, edges)] == [TrustLevel.BAD] * 2
    lines = ground_truth.table(tallies, drawn).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["chance", *(f"`{name}`" for name in tallies)]
    assert len({line.count("|") for line in lines}) == 1


def test_every_map_method_is_in_the_table() -> None:
    names = list(ground_truth.map_methods())
    assert {"grad-cam", "saliency", "guided-backprop"} <= set(names)
    assert set(names[-2:]) == {"random-map", "edge-detector"}


def test_the_ears_factor_is_1_for_a_map_that_is_the_same_everywhere(drawn: list[Sample]) -> None:
    sample = next(sample for sample in drawn if sample.ears is not None)
    assert sample.ears is not None
    assert ground_truth.ears_factor(np.ones_like(sample.mask, np.float32), sample) == pytest.approx(1)
    on_ears = np.where(sample.ears, 1, -5).astype(np.float32)
    assert ground_truth.ears_factor(on_ears, sample) == pytest.approx(1 / sample.ears.mean())
