"""Predictions, inputs and activations in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.payloads import Maps, Overview, Seen
from convviz_gui.engine.sheets import channel_sheet
from convviz_gui.engine.types import Result

TOP_CLASSES = 5


def _overview_arrays(overview: Overview) -> Arrays:
    return {
        "logits": overview.logits,
        "probabilities": overview.probabilities,
        "layers": np.array(overview.layers),
        "sparsity": overview.sparsity,
        "blank": overview.blank,
        "box": overview.box,
    }


def _overview_tables(overview: Overview, result: Result) -> Tables:
    order = np.argsort(-overview.probabilities, kind="stable")[:TOP_CLASSES]
    rows = ([int(i), result.model.class_name(int(i)), float(overview.probabilities[i])] for i in order)
    columns = zip(overview.layers, overview.sparsity.tolist(), overview.blank.tolist(), strict=True)
    return {
        "predictions": table(["class", "name", "probability"], rows),
        "sparsity": table(["layer", "sparsity", "blank_channels"], columns),
    }


def _maps_arrays(maps: Maps) -> Arrays:
    return {
        "maps": maps.maps,
        "mean": maps.mean,
        "std": maps.std,
        "max": maps.max,
        "sparsity": maps.sparsity,
        "blank": maps.blank,
        "box": maps.box,
    }


def _maps_pictures(maps: Maps, _result: Result) -> Pictures:
    return {"channels": channel_sheet(maps)}


def _maps_tables(maps: Maps, _result: Result) -> Tables:
    columns = (maps.mean, maps.std, maps.max, maps.sparsity, maps.blank)
    rows = zip(range(len(maps.mean)), *(column.tolist() for column in columns), strict=True)
    return {"channels": table(["channel", "mean", "std", "max", "sparsity", "blank"], rows)}


def _seen_arrays(seen: Seen) -> Arrays:
    return {"input": seen.tensor, "box": seen.box}


def _seen_pictures(seen: Seen, _result: Result) -> Pictures:
    return {"input": seen.picture}


def _seen_tables(seen: Seen, _result: Result) -> Tables:
    rows = (
        [i, float(channel.min()), float(channel.mean(dtype=np.float64)), float(channel.max())]
        for i, channel in enumerate(seen.tensor)
    )
    return {"input": table(["channel", "min", "mean", "max"], rows)}


OVERVIEW = Depiction(_overview_arrays, tables=_overview_tables)
MAPS = Depiction(_maps_arrays, _maps_pictures, _maps_tables)
SEEN = Depiction(_seen_arrays, _seen_pictures, _seen_tables)
