"""What a check of a map found, in files: added to those of the map itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Pictures, Tables, table
from convviz_gui.engine.payloads import FloatArray, Trust
from convviz_gui.engine.trust_plot import trust_picture

_CURVES = (
    "fractions",
    "deletion",
    "insertion",
    "random_deletion",
    "random_insertion",
    "centre_deletion",
    "centre_insertion",
)


def trust_arrays(trust: Trust) -> Arrays:
    """All of its numbers, each name with `trust_` before it."""
    names = (*_CURVES, "ssim", "spearman", "spearman_signed")
    arrays: Arrays = {f"trust_{name}": getattr(trust, name) for name in names}
    return arrays | {"trust_layers": np.array(trust.layers, np.str_)}


def trust_pictures(trust: Trust) -> Pictures:
    """The curves with the verdict below them; nothing where nothing was measured."""
    return {"trust": trust_picture(trust)} if len(trust.fractions) else {}


def trust_tables(trust: Trust) -> Tables:
    """The curves, a row for each fraction, and the likenesses, a row for each stage."""
    made = {}
    if len(trust.fractions):
        n_draws = len(trust.random_deletion)
        head = ["fraction", "deletion", "insertion", "centre_deletion", "centre_insertion"]
        head += [f"random_{way}_{i}" for way in ("deletion", "insertion") for i in range(n_draws)]
        columns = [trust.fractions, trust.deletion, trust.insertion, trust.centre_deletion, trust.centre_insertion]
        columns += [*trust.random_deletion, *trust.random_insertion]
        made["trust"] = table(head, zip(*(column.tolist() for column in columns), strict=True))
    if trust.layers:
        rows = zip(
            trust.layers, *(c.tolist() for c in (trust.ssim, trust.spearman, trust.spearman_signed)), strict=True
        )
        made["trust_weights"] = table(["shuffled_down_to", "ssim", "spearman", "spearman_signed"], rows)
    return made


def trust_facts(trust: Trust) -> dict[str, Any]:
    """What the manifest says of it, as JSON-ready values."""
    areas = {name: _area(trust, getattr(trust, name)) for name in _CURVES[1:]} if len(trust.fractions) else {}
    stages = zip(
        trust.layers, trust.ssim.tolist(), trust.spearman.tolist(), trust.spearman_signed.tolist(), strict=True
    )
    return {
        "level": trust.level.value,
        "verdict": list(trust.verdict),
        "measure": trust.measure,
        "known": trust.known,
        "areas": areas,
        "weights": [
            {"layers": layer, "ssim": _number(one), "spearman": _number(two), "spearman_signed": _number(three)}
            for layer, one, two, three in stages
        ],
        "settings": trust.settings,
        "seconds": round(trust.seconds, 6),
    }


def _area(trust: Trust, values: FloatArray) -> list[float | None] | float | None:
    areas = np.atleast_1d(np.trapezoid(values.astype(np.float64), trust.fractions.astype(np.float64), axis=-1))
    numbers = [_number(float(area)) for area in areas]
    return numbers if values.ndim == 2 else numbers[0]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
