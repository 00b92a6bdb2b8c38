"""A picture and its neighbours in words. No Qt."""

from __future__ import annotations

import math

from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.engine.payloads import Located
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import even
from convviz_gui.gui.look.words import percent

UNKNOWN = "Its neighbours are not known yet"


def nearest_words(ranks: list[int]) -> str:
    """How many of the true neighbours are as near on the map; `ranks` are theirs there, 0 where there is no place."""
    k = len(ranks)
    if not all(ranks):
        return f"{k} nearest neighbours"
    near = sum(rank <= k for rank in ranks)
    return f"Neighbours kept: {near} of {k} ({percent(near / k)})"


def nearest_help(ranks: list[int], dims: int) -> str:
    """The same at length."""
    k = len(ranks)
    told = f"The {k} pictures nearest in {dims:,} dimensions, with their distances there."
    if not all(ranks):
        return told
    near = sum(rank <= k for rank in ranks)
    return f"{told} {near} of them are among the {k} nearest on the map; below each, how near it is there."


def unknown_neighbours(facts: PointFacts, point: int) -> str:
    """Why no neighbours are shown."""
    if facts.must_ask(point):
        return f"Looking for its neighbours among {len(facts):,} pictures…"
    return f"Neighbours are not listed for {len(facts):,} pictures" if facts.large else UNKNOWN


def guest_lines(facts: PointFacts, located: Located) -> tuple[str, ...]:
    """What is known of a picture that is not in the dataset."""
    lines = ["Not in the dataset"]
    if len(located.distances) and located.distances[0] == 0:
        lines = [f"To the network the same as {facts.name(int(located.neighbours[0]))}"]
    if located.logits.size and (top := int(top_classes(located.logits[None])[0])) >= 0:
        lines.append(f"Prediction: {facts.class_name(top)}, {percent(probabilities(located.logits[None])[0, top])}")
    if score := even(located.outlier):
        lines.append(f"Outlier score: {score}")
        if not math.isnan(part := facts.odder_than(located.outlier)):
            lines.append(f"Odder than {percent(part)} of the dataset")
    return tuple(lines)


def likely(facts: PointFacts, point: int) -> list[str]:
    """The most probable classes, where there are more than one."""
    found = facts.predictions(point, 3)
    return [f"{name}: {percent(part)}" for name, part in found] if len(found) > 1 else []
