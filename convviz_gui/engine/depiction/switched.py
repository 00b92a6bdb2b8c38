"""Predictions without some channels in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Tables, table
from convviz_gui.engine.payloads import Ablation, Switched
from convviz_gui.engine.types import Result


def _switched_arrays(found: Switched) -> Arrays:
    pairs = [(layer, channel) for layer, channels in found.edits for channel in channels]
    return {
        "logits": found.logits,
        "logits_after": found.logits_after,
        "probabilities": found.probabilities,
        "probabilities_after": found.probabilities_after,
        "layers": np.array([layer for layer, _ in pairs]),
        "channels": np.array([channel for _, channel in pairs], np.int64),
        "before": found.before,
        "after": found.after,
        "class_index": np.array(found.class_index, np.int64),
        "box": found.box,
    }


def _switched_tables(found: Switched, result: Result) -> Tables:
    before, after = found.probabilities, found.probabilities_after
    order = np.argsort(-np.maximum(before, after), kind="stable")
    rows = (
        [int(i), result.model.class_name(int(i)), float(before[i]), float(after[i]), float(after[i] - before[i])]
        for i in order
    )
    return {"classes": table(["class", "name", "probability", "after", "change"], rows)}


def _ablation_arrays(found: Ablation) -> Arrays:
    return {
        "channels": found.channels,
        "accuracy": found.accuracy,
        "logit_change": found.logit_change,
        "probability_change": found.probability_change,
        "flips": found.flips,
        "hurt_class": found.hurt_class,
        "hurt_change": found.hurt_change,
        "accuracy_before": np.array(found.accuracy_before, np.float64),
        "pictures": np.array(found.pictures, np.int64),
        "labelled": np.array(found.labelled, np.int64),
    }


def _ablation_tables(found: Ablation, result: Result) -> Tables:
    """Most needed channels first."""
    order = np.argsort(found.probability_change, kind="stable")
    rows = (
        [
            int(found.channels[i]),
            float(found.accuracy[i]),
            float(found.accuracy[i]) - found.accuracy_before,
            float(found.probability_change[i]),
            float(found.logit_change[i]),
            int(found.flips[i]),
            result.model.class_name(int(found.hurt_class[i])) if found.hurt_class[i] >= 0 else "",
            float(found.hurt_change[i]),
        ]
        for i in order
    )
    measure = "accuracy" if found.labelled else "agreement"
    head = ["channel", measure, f"{measure}_change", "probability_change", "logit_change", "flips", "hurt_class"]
    return {"channels": table([*head, "hurt_change"], rows)}


SWITCHED = Depiction(_switched_arrays, tables=_switched_tables)
ABLATION = Depiction(_ablation_arrays, tables=_ablation_tables)
