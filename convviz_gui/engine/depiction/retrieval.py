"""Similar pictures in files."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.payloads import ByteArray, Retrieval
from convviz_gui.engine.render import mosaic
from convviz_gui.engine.sheets import named, word_tile
from convviz_gui.engine.types import Result

_TILE, _GAP = 160, 6
_MOST_SHOWN = 100


def _arrays(found: Retrieval) -> Arrays:
    return {
        "paths": np.array(found.paths, np.str_),
        "labels": np.array(found.labels, np.str_),
        "indices": found.indices,
        "distances": found.distances,
        "similarity": found.similarity,
        "predictions": found.predictions,
        "vote_labels": np.array([label for label, _ in found.votes], np.str_),
        "votes": np.array([count for _, count in found.votes], np.int64),
        "row": np.array(found.row, np.int64),
    }


def _pictures(found: Retrieval, result: Result) -> Pictures:
    """A sheet: first the picture itself, then those that were found, nearest first."""
    tiles = []
    if result.run.image is not None:
        tiles.append(named(_fitted(Image.fromarray(result.run.image.pixels)), found.label or "the picture"))
    for path, label, distance in zip(found.paths, found.labels, found.distances.tolist(), strict=True):
        if len(tiles) > _MOST_SHOWN:
            break
        tiles.append(named(_tile(path), f"{distance:.3g} {label}".strip()))
    if not tiles:
        return {}
    return {"similar": mosaic(np.stack(tiles), math.ceil(math.sqrt(len(tiles))), _GAP, 255)}


def _tile(path: str) -> ByteArray:
    try:
        return _fitted(open_rgb(path)[0])
    except EngineError:  # gone since
        return word_tile("gone", _TILE, _TILE)


def _fitted(picture: Image.Image) -> ByteArray:
    """The whole picture in the middle of a white square."""
    scale = _TILE / max(picture.size)
    small = picture.resize((max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)))
    square = Image.new("RGB", (_TILE, _TILE), (255, 255, 255))
    square.paste(small, ((_TILE - small.width) // 2, (_TILE - small.height) // 2))
    return np.asarray(square)


def _tables(found: Retrieval, result: Result) -> Tables:
    rows = (
        [
            rank + 1,
            found.paths[rank],
            found.labels[rank],
            result.model.class_name(top) if top >= 0 else "",
            float(found.distances[rank]),
            float(found.similarity[rank]),
            int(found.indices[rank]),
        ]
        for rank, top in enumerate(found.predictions.tolist())
    )
    return {"similar": table(["rank", "path", "label", "prediction", found.metric, "similarity", "row"], rows)}


RETRIEVAL = Depiction(_arrays, _pictures, _tables)
