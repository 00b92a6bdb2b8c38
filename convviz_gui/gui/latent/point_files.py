"""Pictures of a map as text for files and the clipboard. No Qt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from convviz_gui.engine.datasets.columns import different
from convviz_gui.gui.latent.point_facts import PointFacts


def as_csv(facts: PointFacts, rows: Iterable[int]) -> str:
    """Comma-separated values with a header, one line per picture, in this order; `rank` is by outlier score."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = facts.points.columns
    known = {"suspicion": facts.points.suspects, "ambiguity": facts.points.ambiguity, "kept": facts.points.preservation}
    more = {name: values for name, values in known.items() if len(values) == len(facts)}
    split = ["split"] if len(facts.points.splits) == len(facts) else []
    header = ["rank", "path", "label", "prediction", "probability", "outlier_score", "x", "y", *split, *more]
    writer.writerow([*header, *different([column.name for column in columns], header)])
    for row in rows:
        x, y = facts.points.xy[row]
        numbers = [f"{value:.6g}" for value in (facts.probability(row), facts.score(row), x, y)]
        line = [facts.rank[row] + 1, facts.points.paths[row], facts.label(row), facts.prediction(row), *numbers]
        line += [facts.split(row)] if split else []
        line += [f"{values[row]:.6g}" for values in more.values()]
        writer.writerow([*line, *(column.text(row) for column in columns)])
    return text.getvalue()


def as_list(facts: PointFacts, rows: Iterable[int]) -> str:
    """The files' paths, one a line."""
    return "".join(f"{facts.points.paths[row]}\n" for row in rows)
