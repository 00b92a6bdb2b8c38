"""A picture of the desk in words and numbers."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.desk.queues import Queue
from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import even
from convviz_gui.gui.look.words import percent


def suggestion(facts: PointFacts, row: int) -> str:
    """The label that a picture seems to deserve instead of its own, or ""."""
    suggested = facts.points.suggested
    found = suggested[row] if row < len(suggested) else ""
    return found if found != facts.label(row) else ""


def decision_words(decision: Decision) -> str:
    """ "keep", "exclude", "→ dog", or "" while nothing is decided."""
    match decision.verdict:
        case Verdict.UNDECIDED:
            return ""
        case Verdict.RELABEL:
            return f"→ {decision.label}"
        case _:
            return decision.verdict.value


def bar_parts(queue: Queue | None) -> NDArray[np.float64]:
    """Length [n] in 0…1 of each row's bar; of pairs, the liker the longer."""
    if queue is None or not len(queue.scores):
        return np.zeros(0)
    scores = np.nan_to_num(queue.scores.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(np.abs(scores).max(initial=0.0)) or 1.0
    parts: NDArray[np.float64] = 1 - scores / (2 * top) if len(queue.partners) else np.clip(scores / top, 0, 1)
    return parts


def prediction(facts: PointFacts, row: int) -> tuple[str, float]:
    """Name and probability of the likeliest class; ("", NaN) where there is none.

    Of this row alone: the facts' own would work out those of a million others first.
    """
    logits = facts.points.logits
    if logits.ndim != 2 or row >= len(logits) or not logits.shape[1]:
        return "", float("nan")
    one = logits[row : row + 1]
    top = int(top_classes(one)[0])
    return (facts.class_name(top), float(probabilities(one)[0, top])) if top >= 0 else ("", float("nan"))


def verdict_of_neighbours(facts: PointFacts, neighbours: tuple[int, ...]) -> str:
    """ "9 of 12 neighbours are dog, 3 cat"; "" where no labels or no neighbours are known."""
    labels = Counter(label for other in neighbours if (label := facts.label(other)))
    if not labels:
        return ""
    (first, count), *others = labels.most_common(3)
    # A number does not stand at the end of one line, and what it counts at the beginning of the next.
    rest = "".join(f", {number}\N{NO-BREAK SPACE}{label}" for label, number in others)
    return f"{count} of {len(neighbours)} neighbours: {first}{rest}"


def pair_words(facts: PointFacts, row: int, partner: int, distance: float) -> str:
    """How like the two of a pair are, and in what they differ."""
    like = "Same pixels" if distance == 0 else "Very alike" if np.isnan(distance) else f"Very alike ({even(distance)})"
    splits = facts.points.splits
    known = len(splits) == len(facts)
    differ = ["in two splits"] if known and splits[row] != splits[partner] else []
    differ += ["under two labels"] if facts.label(row) != facts.label(partner) else []
    return f"{like}{', ' if differ else ''}{' and '.join(differ)}"


def picture_words(facts: PointFacts, row: int) -> list[str]:
    """Label, suggestion and prediction of a picture, as far as they are known, a line each."""
    lines = []
    if label := facts.label(row):
        found = suggestion(facts, row)
        lines.append(f"Label: {label}" + (f", rather {found}" if found else ""))
    name, probability = prediction(facts, row)
    if name:
        lines.append(f"Prediction: {name}, {percent(probability)}")
    return lines
