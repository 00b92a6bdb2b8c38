"""The check of a map: its curves, its reaction to other weights, the verdict."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, find_method
from convviz_gui.engine.payloads import AttributionMap, Heat, Occlusion, PixelMap, Trust, TrustLevel, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.trust.deletion import curves, fractions, n_passes
from convviz_gui.engine.trust.explained import PROBABILITY, explained_by
from convviz_gui.engine.trust.order import centred_values, random_values, ranks, values_of
from convviz_gui.engine.trust.reaction import Reacting, reaction_to_weights
from convviz_gui.engine.trust.verdict import DRAWS, Curves, Verdict, judged
from convviz_gui.engine.types import ImageInput, Result

_SAME_NETWORK = ("name", "digest", "n_params", "n_classes", "preprocess")


def check(session: Session, result: Result) -> Steps[Result]:
    """Measure whether a result's map deserves belief; returns the result with its `trust`.

    The open network stays as it is: other weights are tried on a copy, which takes as much memory as the network. The
    same seed (the run's) gives the same numbers.

    Raises:
        EngineError: the result is no map, not finished, or not of the network as it is open now.
    """
    began = time.monotonic()
    found, image = _checked(session, result)
    method = find_method(result.run.method)
    if (reason := _empty(found)) != "":
        return dataclasses.replace(
            result, trust=_untold(reason, method.known_to_fail_randomisation, time.monotonic() - began)
        )
    x, _ = session.input(image)
    explained = explained_by(found, session)
    orders = [values_of(found), centred_values(found.heat.shape)]
    draw = np.random.default_rng(result.run.seed)
    orders += [random_values(found, draw) for _ in range(DRAWS)]
    passes = n_passes(len(orders), found.heat.size)
    deletion, insertion = yield from curves(session, explained, x, [ranks(values) for values in orders], 0, 2 * passes)
    measured = Curves(
        fractions(found.heat.size), deletion[0], insertion[0], deletion[2:], insertion[2:], deletion[1], insertion[1]
    )
    # From here on a step is a run of the method, as long as it was then.
    per_pass = max(time.monotonic() - began, 1e-6) / passes
    weight = max(1, round(result.seconds / per_pass))
    reaction = yield from reaction_to_weights(session, result, found, method, passes, weight)
    known = method.known_to_fail_randomisation
    verdict = judged(_what(found), measured, reaction.ssim, reaction.why_not, known)
    trust = _trust(verdict, explained.measure, measured, reaction, known, time.monotonic() - began)
    return dataclasses.replace(result, trust=trust)


def _trust(verdict: Verdict, measure: str, measured: Curves, reaction: Reacting, known: str, seconds: float) -> Trust:
    return Trust(
        level=verdict.level,
        verdict=verdict.sentences,
        measure=measure,
        fractions=frozen(measured.fractions),
        deletion=frozen(measured.deletion),
        insertion=frozen(measured.insertion),
        random_deletion=frozen(measured.random_deletion),
        random_insertion=frozen(measured.random_insertion),
        centre_deletion=frozen(measured.centre_deletion),
        centre_insertion=frozen(measured.centre_insertion),
        layers=reaction.layers,
        ssim=reaction.ssim,
        spearman=reaction.spearman,
        spearman_signed=reaction.spearman_signed,
        settings=reaction.settings,
        known=known,
        seconds=seconds,
    )


def _checked(session: Session, result: Result) -> tuple[AttributionMap, ImageInput]:
    """The map and its photo, if they can be checked."""
    found, image, info = result.payload, result.run.image, session.info
    if not isinstance(found, AttributionMap):
        raise EngineError(
            f"{result.run.method!r} makes no map of a photo that could be checked",
            "Class maps, pixel maps and occlusion can be",
        )
    if image is None:
        raise EngineError("The map's photo is missing", "Run the method again with a picture")
    if any(getattr(result.model, what) != getattr(info, what) for what in _SAME_NETWORK):
        raise EngineError("This map is not of the network as it is open now", "Run the method again")
    if isinstance(found, Occlusion) and not found.done.all():
        raise EngineError("This map is not finished", "Run the method to its end, then check it")
    return found, image


def _empty(found: AttributionMap) -> str:
    if isinstance(found, Heat) and not found.positive:
        return "The map shows no evidence, so there is nothing to believe"
    values = found.heat
    return "The map is the same everywhere, so it names no place" if bool(values.min() == values.max()) else ""


def _what(found: AttributionMap) -> str:
    if isinstance(found, PixelMap) and found.class_index is None:
        return "this channel" if found.unit is None else "this unit"
    return "this class" if found.against is None else "this class against the other"


def _untold(reason: str, known: str, seconds: float) -> Trust:
    """For a map that names no place: nothing was measured."""
    none, no_rows = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
    verdict = Verdict(TrustLevel.UNKNOWN, tuple(f"{text}." for text in (reason, known) if text))
    nothing = Curves(none, none, none, no_rows, no_rows, none, none)
    return _trust(verdict, PROBABILITY, nothing, Reacting(), known, seconds)
