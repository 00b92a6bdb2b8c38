"""How a map reacts to other weights: the method runs again and again on a copy that forgets from the logits down."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.method import Method, Steps, Update
from convviz_gui.engine.network.hooks import NeverRanError
from convviz_gui.engine.params import Settings
from convviz_gui.engine.payloads import AttributionMap, FloatArray, Heat, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.trust.randomisation import settle, shuffle, stages_of, twin_of
from convviz_gui.engine.trust.similarity import spearman, ssim
from convviz_gui.engine.types import Result, Run


def _none() -> FloatArray:
    return frozen(np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Reacting:
    """Stages and likenesses as in `Trust`; where there are none, `why_not` says why in a sentence."""

    layers: tuple[str, ...] = ()
    ssim: FloatArray = field(default_factory=_none)
    spearman: FloatArray = field(default_factory=_none)
    spearman_signed: FloatArray = field(default_factory=_none)
    settings: str = ""
    why_not: str = ""


def reaction_to_weights(
    session: Session, result: Result, found: AttributionMap, method: Method[Any], done: int, weight: int
) -> Steps[Reacting]:
    """How the map changes when the weights are shuffled, from the last layer to all.

    `done` is how much has been done before, `weight` what a run of the method counts for beside it.
    """
    most = method.check_stages
    settings, words = _cheaper(method, result.settings)
    request = _pinned(result, found, settings)
    total = done + weight * (most + bool(words))
    yield Update(done, total, "copying the network")
    if words:
        found = yield from _shown(session, method, request, done, weight, total, "the map with cheaper settings")
        done += weight
    image = result.run.image
    assert image is not None
    try:
        twin = twin_of(session.model)
    except EngineError as error:
        return Reacting(why_not=error.title)
    x, _ = session.input(image)
    stages = stages_of(twin, x, most)
    if not stages:
        return Reacting(why_not="This network has no weights that could be shuffled")
    total = done + weight * len(stages)
    draw = torch.Generator().manual_seed(result.run.seed)
    rows = []
    for number, stage in enumerate(stages):
        yield Update(done, total, f"shuffling {stage.name}")
        shuffle(stage, draw)
        beside = Session.beside(session, twin)
        note = f"weights shuffled down to {stage.name.rpartition(' – ')[2]}"
        try:
            settle(twin, stages[: number + 1], x.to(session.device))
            other = yield from _shown(beside, method, request, done, weight, total, note)
            rows.append(_alike(found, other))
        except NeverRanError as error:
            return Reacting(why_not=f"{error.title} with other weights, so whether the map reacts to them is not known")
        except Exception as error:
            if fault_of(error) is not None:
                raise
            # Numbers that are not finite, or a network whose own code refuses them: there is no map any more.
            rows.append((float("nan"),) * 3)
        done += weight
    alike, ranked, signed = (frozen(np.array(column, np.float32)) for column in zip(*rows, strict=True))
    return Reacting(tuple(stage.name for stage in stages), alike, ranked, signed, words)


def _shown(
    session: Session, method: Method[Any], request: Run, done: int, weight: int, total: int, note: str
) -> Steps[AttributionMap]:
    """A run of the method, its progress as a part of ours."""
    steps = method.run(session, request, method.params.from_settings(request.settings))
    while True:
        try:
            update = next(steps)
        except StopIteration as stop:
            payload: AttributionMap = stop.value
            return payload
        yield Update(done + weight * update.done // max(update.total, 1), total, note)


def _alike(one: AttributionMap, other: AttributionMap) -> tuple[float, float, float]:
    first, second = np.abs(one.heat), np.abs(other.heat)
    return ssim(first, second), spearman(first, second), spearman(one.heat, other.heat)


def _cheaper(method: Method[Any], settings: Settings) -> tuple[Settings, str]:
    """Settings for the many runs, and in words what they change; "" if nothing."""
    asked, cheap = dict(settings), dict(method.check_settings)
    labels = {spec.name: spec.label for spec in method.params.specs()}
    words = [f"{labels[name]} {value}" for name, value in cheap.items() if asked.get(name) != value]
    return tuple((asked | cheap).items()), ", ".join(words)


def _pinned(result: Result, found: AttributionMap, settings: Settings) -> Run:
    """The run again, about the class and the layer that it chose itself: other weights would choose others."""
    target = result.run.target
    if found.class_index is not None:
        target = dataclasses.replace(target, class_index=found.class_index)
    if isinstance(found, Heat):
        target = dataclasses.replace(target, layer=found.layer)
    return dataclasses.replace(result.run, target=target, settings=settings)
