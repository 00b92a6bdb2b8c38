"""The colourings that a map can have, as far as what they show is known. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine import palette
from convviz_gui.engine.datasets import natural
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.gui.latent.encoding import Encoded, encode
from convviz_gui.gui.latent.point_colours import GREY, LEVELS, Choice, ColourBy, Colouring, Group, Scale
from convviz_gui.gui.latent.point_facts import PointFacts

MOST_CLASSES = 10_000
"""Entries of a legend: of more classes, those with the fewest points share the last entry."""

_FIRST, _SECOND, _THIRD = 0, 1, 2

Decisions = Sequence[str] | NDArray[np.str_]
"""What a review says of each picture, "" where it has not been looked at; empty without a review."""


def choices(facts: PointFacts, decisions: Decisions = ()) -> tuple[Choice, ...]:
    """What can be coloured by, best first; columns of the table come last."""
    points, n = facts.points, len(facts)
    known = {
        ColourBy.LABEL: facts.has_labels,
        ColourBy.PREDICTION: facts.has_predictions,
        ColourBy.CORRECT: facts.has_labels and bool((facts.orders.correct >= 0).any()),
        ColourBy.OUTLIER: bool(np.isfinite(facts.scores).any()),
        ColourBy.SUSPECT: _says(points.suspects, n),
        ColourBy.AMBIGUITY: _says(points.ambiguity, n),
        ColourBy.PRESERVATION: _says(points.preservation, n),
        ColourBy.SPLIT: len(points.splits) == n and facts.orders.splits.says_something,
        ColourBy.DUPLICATE: len(points.duplicates) > 0,
        ColourBy.REVIEW: len(decisions) == n > 0,
    }
    wanted = [Choice(by) for by, there in known.items() if there] or [Choice(ColourBy.LABEL)]
    columns = (Choice(ColourBy.COLUMN, column.name) for column in points.columns if len(column.values) == n)
    return (*wanted, *columns)


def colouring(facts: PointFacts, choice: Choice, decisions: Decisions = ()) -> Colouring:
    """Work out what the colours say. Takes time in proportion to the number of pictures."""
    match choice.by:
        case ColourBy.LABEL:
            return _by_name(choice, facts.labels, "no label")
        case ColourBy.PREDICTION:
            return _predictions(facts, choice)
        case ColourBy.CORRECT:
            return _correctness(facts, choice)
        case ColourBy.SPLIT:
            return _by_name(choice, facts.orders.splits, "no split")
        case ColourBy.DUPLICATE:
            return _duplicates(facts, choice)
        case ColourBy.REVIEW:
            return _by_name(choice, encode(decisions), "not reviewed")
        case ColourBy.COLUMN:
            return _column(facts, choice)
        case _:
            return _scores(facts, choice)


def _predictions(facts: PointFacts, choice: Choice) -> Colouring:
    classes, codes = np.unique(facts.top, return_inverse=True)
    names = tuple(facts.class_name(index) for index in classes.tolist())
    note = "" if facts.has_labels else "There are no labels: these are the network's predictions."
    return _by_name(choice, Encoded(names, codes.astype(np.int64)), "no prediction", note)


def _scores(facts: PointFacts, choice: Choice) -> Colouring:
    points, part = facts.points, (0.0, 1.0)
    if choice.by is ColourBy.SUSPECT:
        return _by_number(choice, points.suspects, ("label fits", "label doubtful"), bounds=part)
    if choice.by is ColourBy.AMBIGUITY:
        return _by_number(choice, points.ambiguity, ("one label", "many labels"), bounds=part)
    if choice.by is ColourBy.PRESERVATION:
        note = "The part of each picture's true neighbours that are near it here."
        return _by_number(choice, points.preservation, ("none kept", "all kept"), bounds=part, falling=True, note=note)
    return _by_number(choice, facts.scores, ("common", "odd"), logarithmic=True)


def _says(values: FloatArray, n: int) -> bool:
    return len(values) == n and bool(np.isfinite(values).any())


def _by_name(choice: Choice, encoded: Encoded, nothing: str, note: str = "") -> Colouring:
    """A class for each name, in natural order; what has none comes last and is grey, called `nothing`."""
    names, codes = encoded.names, encoded.codes
    counts = np.bincount(codes, minlength=len(names))
    shown = range(len(names))
    if len(names) > MOST_CLASSES:
        shown = np.argsort(-counts, kind="stable")[: MOST_CLASSES - 1].tolist()
    order = sorted(shown, key=lambda code: (not names[code], natural(names[code])))
    place = np.full(max(len(names), 1), len(order), np.int64)
    place[order] = np.arange(len(order))
    groups = [
        Group(names[code] or nothing, int(counts[code]), *((at % palette.DISTINCT, 2) if names[code] else (GREY, 1)))
        for at, code in enumerate(order)
    ]
    if rest := len(names) - len(order):
        groups.append(Group(f"{rest:,} other values", int(counts.sum()) - sum(g.count for g in groups), GREY))
    return Colouring(choice, tuple(groups), note=note, group=place[codes])


def _kinds(choice: Choice, which: IntArray, kinds: tuple[tuple[str, int], ...], note: str) -> Colouring:
    """`which` i64 [N] names one of a few `kinds` (name, colour) for each point; later ones lie over earlier ones."""
    counts = np.bincount(which, minlength=len(kinds)).tolist()
    there = [kind for kind in range(len(kinds)) if counts[kind]]
    groups = tuple(Group(kinds[kind][0], counts[kind], kinds[kind][1], 1 + kind) for kind in there)
    place = np.zeros(len(kinds), np.int64)
    place[there] = np.arange(len(there))
    return Colouring(choice, groups, note=note, group=place[which])


def _correctness(facts: PointFacts, choice: Choice) -> Colouring:
    kinds = (
        ("label is no class of the network", GREY),
        ("predicted as labelled", _FIRST),
        ("predicted otherwise", _SECOND),
    )
    which = np.array([2, 1, 0])[facts.orders.correct]
    return _kinds(choice, which, kinds, "Prediction against label, where the label is a class of the network.")


def _duplicates(facts: PointFacts, choice: Choice) -> Colouring:
    which = np.zeros(len(facts), np.int64)
    pairs = facts.points.duplicates
    which[pairs.reshape(-1)] = 1
    splits = facts.orders.splits
    note = "Pictures that are in another file as well."
    if len(splits.codes) == len(facts) and splits.says_something:
        leaks = pairs[splits.codes[pairs[:, 0]] != splits.codes[pairs[:, 1]]]
        which[leaks.reshape(-1)] = 2
    kinds = (("no duplicate", GREY), ("has a duplicate", _FIRST), ("duplicate in another split", _THIRD))
    return _kinds(choice, which, kinds, note)


def _column(facts: PointFacts, choice: Choice) -> Colouring:
    column = next(column for column in facts.points.columns if column.name == choice.column)
    if not column.is_number:
        return _by_name(choice, encode(column.values), "nothing said")  # type: ignore[arg-type]
    return _by_number(choice, column.values)  # type: ignore[arg-type]


def _by_number(
    choice: Choice,
    values: FloatArray | NDArray[np.float64],
    ends: tuple[str, str] = ("", ""),
    *,
    bounds: tuple[float, float] | None = None,
    logarithmic: bool = False,
    falling: bool = False,
    note: str = "",
) -> Colouring:
    """A scale from the lowest to the highest number, and at least from end to end of `bounds`.

    It is `logarithmic` only where all numbers are above 0.
    """
    known = np.isfinite(values)
    numbers = values[known].astype(np.float64)
    limits = [*(bounds or ()), *((float(numbers.min()), float(numbers.max())) if len(numbers) else ())] or [0.0]
    low, high = min(limits), max(limits)
    # Logarithmic where it can be: a few pictures are often many times as far off as all others.
    logarithmic = logarithmic and low > 0
    along = np.log(numbers / low) if logarithmic else numbers - low
    span = float(np.log(high / low) if logarithmic else high - low) or 1.0
    level = np.full(len(values), LEVELS, np.uint8)
    level[known] = np.round(along / span * (LEVELS - 1)).astype(np.uint8)
    scale = Scale(low, high, ends, logarithmic, falling, int(len(values) - len(numbers)))
    named = "Logarithmic scale." if logarithmic else "Linear scale."
    return Colouring(choice, scale=scale, note=f"{note} {named}".strip(), level=level)
