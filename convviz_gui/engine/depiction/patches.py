"""Max-activating patches in files."""

from __future__ import annotations

import math

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.patch_cutting import GROUND
from convviz_gui.engine.payloads import Patches
from convviz_gui.engine.render import mosaic
from convviz_gui.engine.types import Result

_MOST_PIXELS = 64_000_000
"""Of a sheet; channels beyond are in data.npz only."""
_GAP, _BETWEEN = 2, 10


def _arrays(patches: Patches) -> Arrays:
    paths = np.array([*patches.paths, ""])
    return {
        "images": patches.images,
        "values": patches.values,
        "boxes": patches.boxes,
        "paths": paths[patches.pictures],
        "positions": patches.positions,
        "channels": patches.channels,
    }


def _pictures(patches: Patches, _result: Result) -> Pictures:
    """Each channel's patches in a square, the channels row by row."""
    k, side = patches.images.shape[1:3]
    columns = math.ceil(math.sqrt(k))
    edge = columns * (side + _GAP) + _BETWEEN
    shown = patches.images[: max(_MOST_PIXELS // edge**2, 1)]
    squares = np.stack([mosaic(channel, columns, _GAP, GROUND) for channel in shown])
    return {"patches": mosaic(squares, math.ceil(math.sqrt(len(squares))), _BETWEEN, 0)}


def _tables(patches: Patches, _result: Result) -> Tables:
    rows = (
        [
            int(patches.channels[channel]),
            rank + 1,
            float(patches.values[channel, rank]),
            *patches.positions[channel, rank].tolist(),
            *patches.boxes[channel, rank].tolist(),
            patches.paths[patches.pictures[channel, rank]],
            patches.labels[patches.pictures[channel, rank]],
        ]
        for channel, rank in np.argwhere(patches.pictures >= 0).tolist()
    )
    head = ["channel", "rank", "value", "row", "column", "x", "y", "width", "height", "path", "label"]
    return {"patches": table(head, rows)}


PATCHES = Depiction(_arrays, _pictures, _tables)
