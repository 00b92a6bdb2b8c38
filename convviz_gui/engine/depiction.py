"""Each payload as arrays for data.npz, as pictures for people and as tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.payloads import ByteArray, Gallery, Heat, Maps, Overview, Payload, Points, Seen
from convviz_gui.engine.plot import scatter
from convviz_gui.engine.render import colourise, overlay
from convviz_gui.engine.sheets import captioned, channel_sheet, filter_sheet, word_tile
from convviz_gui.engine.types import ImageInput, ModelInfo, Result

TOP_CLASSES = 5
OPACITY = 0.4
"""Of the class map on the photo, as in the chapter."""


def arrays(payload: Payload) -> dict[str, NDArray[Any]]:
    """What `data.npz` holds; names, types and shapes are the command line's contract (docs/cli.md)."""
    match payload:
        case Overview():
            return {
                "logits": payload.logits,
                "probabilities": payload.probabilities,
                "layers": np.array(payload.layers),
                "sparsity": payload.sparsity,
                "blank": payload.blank,
                "box": payload.box,
            }
        case Maps():
            return {
                "maps": payload.maps,
                "mean": payload.mean,
                "std": payload.std,
                "max": payload.max,
                "sparsity": payload.sparsity,
                "blank": payload.blank,
                "box": payload.box,
            }
        case Gallery():
            return {
                "images": payload.images,
                "trace": payload.trace,
                "dead": payload.dead,
                "channels": payload.channels,
            }
        case Heat():
            return {
                "raw": payload.raw,
                "heat": payload.heat,
                "box": payload.box,
                "logits": payload.logits,
                "class_index": np.array(payload.class_index, np.int64),
                "positive": np.array(payload.positive, np.bool_),
            }
        case Seen():
            return {"input": payload.tensor, "box": payload.box}
        case Points():
            return _arrays_of_points(payload)
        case _:
            assert_never(payload)


def _arrays_of_points(points: Points) -> dict[str, NDArray[Any]]:
    return {
        "features": points.features,
        "xy": points.xy,
        "paths": np.array(points.paths),
        "labels": np.array(points.labels),
        "logits": points.logits,
        "outlier": points.outlier,
        "neighbours": points.neighbours,
        "trustworthiness": np.array(points.trustworthiness, np.float64),
    }


def pictures(result: Result) -> dict[str, ByteArray]:
    """Pictures u8 [H, W, 3] by file name without ending; what random weights made says so below."""
    made = _pictures(result)
    # What the network is given does not depend on its weights.
    if result.model.trained or isinstance(result.payload, Seen):
        return made
    return {name: captioned(picture, random_weights(result.model)) for name, picture in made.items()}


def random_weights(model: ModelInfo) -> str:
    """What is written on pictures of a network that is not trained."""
    return f"Random weights: {model.name} has learned nothing"


def _pictures(result: Result) -> dict[str, ByteArray]:
    payload, image = result.payload, result.run.image
    match payload:
        case Overview():
            return {}
        case Seen():
            return {"input": payload.picture}
        case Maps():
            return {"channels": channel_sheet(payload)}
        case Gallery():
            return {"filters": filter_sheet(payload)}
        case Heat():
            return _class_map(payload, image)
        case Points():
            return {"map": scatter(payload.xy, payload.labels)}
        case _:
            assert_never(payload)


def tables(result: Result) -> dict[str, str]:
    """Tables as CSV text by file name without ending."""
    payload = result.payload
    match payload:
        case Overview():
            return {"predictions": _predictions(result, payload), "sparsity": _sparsity(payload)}
        case Maps():
            return {"channels": _channels(payload)}
        case Seen():
            return {"input": _input(payload)}
        case Points():
            return {"outliers": _outliers(result, payload)}
        case Gallery() | Heat():
            return {}
        case _:
            assert_never(payload)


def _class_map(heat: Heat, image: ImageInput | None) -> dict[str, ByteArray]:
    jet = COLORMAPS["jet"]
    if heat.positive:
        shown, opacity = colourise(heat.heat, 0, 1, jet), OPACITY
    else:
        shown, opacity = word_tile("no positive evidence", *heat.heat.shape), 0.0
    laid = {"overlay": overlay(image.pixels, heat.heat, heat.box, jet, opacity)} if image else {}
    return {"heat": shown} | laid


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue()


def _predictions(result: Result, overview: Overview) -> str:
    order = np.argsort(-overview.probabilities, kind="stable")[:TOP_CLASSES]
    rows = ([int(i), result.model.class_name(int(i)), float(overview.probabilities[i])] for i in order)
    return _csv(["class", "name", "probability"], rows)


def _sparsity(overview: Overview) -> str:
    columns = zip(overview.layers, overview.sparsity.tolist(), overview.blank.tolist(), strict=True)
    return _csv(["layer", "sparsity", "blank_channels"], columns)


def _channels(maps: Maps) -> str:
    columns = (maps.mean, maps.std, maps.max, maps.sparsity, maps.blank)
    rows = zip(range(len(maps.mean)), *(column.tolist() for column in columns), strict=True)
    return _csv(["channel", "mean", "std", "max", "sparsity", "blank"], rows)


def _input(seen: Seen) -> str:
    rows = (
        [i, float(channel.min()), float(channel.mean(dtype=np.float64)), float(channel.max())]
        for i, channel in enumerate(seen.tensor)
    )
    return _csv(["channel", "min", "mean", "max"], rows)


def _outliers(result: Result, points: Points) -> str:
    order = np.argsort(-points.outlier, kind="stable")
    names = [result.model.class_name(top) if top >= 0 else "" for top in top_classes(points.logits).tolist()]
    rows = (
        [rank + 1, points.paths[i], points.labels[i], names[i], float(points.outlier[i])]
        for rank, i in enumerate(order)
    )
    return _csv(["rank", "path", "label", "prediction", "outlier"], rows)
