"""What a projection's distortion is called, in a payload and in words."""

from __future__ import annotations

import math
from typing import TypedDict

from convviz_gui.engine.latent.distortion import ALL_ROWS, SAMPLE, Distortion
from convviz_gui.engine.payloads import FloatArray, Points
from convviz_gui.engine.projections.plan import TITLES
from convviz_gui.engine.types import Score


class Said(TypedDict):
    """The fields of `Points` that tell of distortion."""

    trustworthiness: float
    continuity: float
    preservation: FloatArray


def said_of(distortion: Distortion) -> Said:
    """A distortion as fields of `Points`."""
    return {
        "trustworthiness": distortion.trustworthiness,
        "continuity": distortion.continuity,
        "preservation": distortion.preservation,
    }


def distortion_scores(points: Points) -> tuple[Score, ...]:
    """How far the plot is to be believed: two numbers that a projection is judged by, and one for whoever reads it."""
    k = min(points.neighbours.shape[1], (len(points.paths) - 1) // 2)
    title = TITLES.get(points.projection, points.projection)
    if math.isnan(points.trustworthiness):
        why = "There are too few different pictures to tell."
        return (Score("Trustworthiness", math.nan, "undefined", why), Score("Continuity", math.nan, "undefined", why))
    by = f" Estimated from {SAMPLE:,} pictures." if len(points.paths) > ALL_ROWS else ""
    kept = float(points.preservation.mean())
    return (
        Score(
            "Trustworthiness",
            points.trustworthiness,
            f"{points.trustworthiness:.2f}",
            f"{_graded(points.trustworthiness, 'on the plot are true ones', 'on the plot are false')}. How many of "
            f"each point's {k} neighbours on the {title} plot are true neighbours in the full space, those that are "
            f"far away there counting most. 1 is perfect, about 0.5 is chance; go by the list of true neighbours.{by}",
        ),
        Score(
            "Continuity",
            points.continuity,
            f"{points.continuity:.2f}",
            f"{_graded(points.continuity, 'are neighbours on the plot', 'are far on the plot', 'true neighbours')}."
            f" How many of each point's {k} true neighbours are its neighbours on the {title} plot, those that are far "
            f"away there counting most. 1 is perfect: nothing was torn apart.{by}",
        ),
        Score(
            "Neighbours kept",
            kept,
            f"{100 * kept:.0f} %",
            f"The part of a point's {k} neighbours on the plot that are among its {k} true ones, on average. Colour "
            "the points by it to see where the plot may be believed.",
        ),
    )


def _graded(value: float, good: str, bad: str, what: str = "neighbours") -> str:
    if value >= 0.95:
        return f"Nearly all {what} {good}"
    return f"Most {what} {good}" if value >= 0.85 else f"Many {what} {bad}"
