"""Whether labels can be judged, and what came of it, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from convviz_gui.engine.desk.folds import classes_in
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.types import Score


def why_not(labels: Sequence[str]) -> str:
    """Why labels cannot be judged, in a sentence without a final stop, or ""."""
    classes = classes_in(labels)
    if not classes.names:
        return "No picture has a label"
    if len(classes.names) == 1:
        return "All labels are the same"
    if classes.counts.max() < 2:
        return "No two pictures have the same label"
    return ""


def label_scores(points: Points) -> tuple[Score, ...]:
    """How many labels are suspect; of a dataset without labels nothing is said."""
    if not any(points.labels):
        return ()
    if not len(points.suspects):
        return (Score("Other label suggested", math.nan, "not judged", f"{why_not(points.labels) or 'Not finished'}."),)
    found, unknown = sum(map(bool, points.suggested)), int(np.isnan(points.suspects).sum())
    some = (
        f" {unknown:,} pictures are not judged: they have no label, or one that no other picture has."
        if unknown
        else ""
    )
    return (
        Score(
            "Other label suggested",
            found,
            f"{found:,}",
            "Pictures whose neighbours, and a linear probe that has not seen them, agree on another label, and are as "
            "sure of it as of the pictures that have it. The desk's list is longer: it ranks all pictures by how much "
            f"speaks against their label.{some}",
        ),
    )
