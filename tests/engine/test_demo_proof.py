"""The demo proves the methods: the program's own Grad-CAM against the truth that Toybox was drawn with."""

from __future__ import annotations

import numpy as np
import pytest

from convviz_gui.engine.demo.toybox import CLASSES, Sample, samples
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Run, Target
from tests.engine.test_methods import finish

CAT, DOG = CLASSES.index("cat"), CLASSES.index("dog")
N_PICTURES = 240
EARS_FACTOR = 3.0
"""Ears' share of the map over their share of the picture's area, at least."""


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("demo"), "cpu")):
        pass
    return session


def class_map(session: Session, sample: Sample, class_index: int | None = None) -> Heat:
    image = image_from_array(sample.pixels, "toy")
    payload = finish(session, Run("grad-cam", Target(class_index=class_index), image)).payload
    assert isinstance(payload, Heat)
    return payload


def test_the_maximum_lies_inside_the_thing(session: Session) -> None:
    hits = []
    for sample in samples(N_PICTURES, 77):
        found = class_map(session, sample)
        if found.class_index == sample.label:
            place = np.unravel_index(found.heat.argmax(), found.heat.shape)
            hits.append(bool(sample.mask[place]))
    assert len(hits) >= 0.97 * N_PICTURES
    assert np.mean(hits) >= 0.9


def test_the_ears_get_more_of_the_map_than_of_the_picture(session: Session) -> None:
    factors = []
    for sample in samples(N_PICTURES, 78):
        if sample.ears is not None:
            heat = class_map(session, sample).heat
            factors.append(heat[sample.ears].sum() / heat.sum() / sample.ears.mean())
    assert len(factors) == N_PICTURES // 6
    assert np.mean(factors) >= EARS_FACTOR


def test_evidence_for_the_other_animal_is_weaker_on_the_ears(session: Session) -> None:
    weaker = []
    for sample in samples(N_PICTURES, 79):
        if sample.ears is not None:
            true, other = class_map(session, sample, sample.label), class_map(session, sample, CAT + DOG - sample.label)
            ears = sample.ears.reshape(16, 8, 16, 8).mean((1, 3)) > 0.5
            weaker.append(true.raw[ears].sum() > other.raw[ears].sum())
    assert np.mean(weaker) >= 0.9
