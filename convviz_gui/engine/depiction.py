"""Each payload as arrays for data.npz, as pictures for people and as tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.payloads import ByteArray, Gallery, Heat, Maps, Overview, Payload, Points
from convviz_gui.engine.plot import scatter
from convviz_gui.engine.render import colourise, mosaic, overlay
from convviz_gui.engine.scaling import Scaling, scale_channels
from convviz_gui.engine.types import Result

LEAST_TILE = 48
"""Pixels a side below which an activation tile is enlarged, each value a square."""
TOP_CLASSES = 5


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
        case Points():
            return {
                "features": payload.features,
                "xy": payload.xy,
                "paths": np.array(payload.paths),
                "labels": np.array(payload.labels),
                "logits": payload.logits,
                "outlier": payload.outlier,
                "neighbours": payload.neighbours,
                "trustworthiness": np.array(payload.trustworthiness, np.float64),
            }
        case _:
            assert_never(payload)


def pictures(result: Result) -> dict[str, ByteArray]:
    """Pictures u8 [H, W, 3] by file name without ending."""
    payload, image = result.payload, result.run.image
    match payload:
        case Overview():
            return {}
        case Maps():
            return {"channels": _channel_grid(payload)}
        case Gallery():
            return {"filters": mosaic(payload.images, _square(len(payload.images)))}
        case Heat():
            jet = COLORMAPS["jet"]
            shown = {"heat": colourise(payload.heat, 0, 1, jet)}
            return shown | ({"overlay": overlay(image.pixels, payload.heat, payload.box, jet)} if image else {})
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
        case Points():
            return {"outliers": _outliers(result, payload)}
        case Gallery() | Heat():
            return {}
        case _:
            assert_never(payload)


def _channel_grid(maps: Maps) -> ByteArray:
    tiles = COLORMAPS["viridis"][scale_channels(maps, Scaling.PER_CHANNEL)]
    factor = math.ceil(LEAST_TILE / max(tiles.shape[1:3]))
    if factor > 1:
        tiles = tiles.repeat(factor, axis=1).repeat(factor, axis=2)
    return mosaic(tiles, _square(len(tiles)))


def _square(n: int) -> int:
    return math.ceil(math.sqrt(n))


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


def _outliers(result: Result, points: Points) -> str:
    order = np.argsort(-points.outlier, kind="stable")
    names = [result.model.class_name(top) if top >= 0 else "" for top in top_classes(points.logits).tolist()]
    rows = (
        [rank + 1, points.paths[i], points.labels[i], names[i], float(points.outlier[i])]
        for rank, i in enumerate(order)
    )
    return _csv(["rank", "path", "label", "prediction", "outlier"], rows)
