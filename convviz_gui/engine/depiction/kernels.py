"""Weights in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.kernel_tiles import KernelScale, colour_tile, limits, matrix, slices
from convviz_gui.engine.payloads import ByteArray, Kernels
from convviz_gui.engine.render import colourise, mosaic
from convviz_gui.engine.sheets import LEAST_TILE, MARGIN
from convviz_gui.engine.types import Result

_MOST_SLICES = 4_000_000
"""Weights up to which all slices are drawn."""


def _arrays(kernels: Kernels) -> Arrays:
    return {
        "weights": kernels.weights,
        "norms": kernels.norms,
        "blank": kernels.blank,
        "duplicates": kernels.duplicates,
        "similarity": kernels.similarity,
    }


def _pictures(kernels: Kernels, _result: Result) -> Pictures:
    tops = limits(kernels, KernelScale.PER_FILTER)
    if kernels.colours:
        tiles = [colour_tile(kernels, item, float(top)) for item, top in enumerate(tops)]
        return {"filters": _sheet(tiles)}
    if kernels.weights.shape[2:] == (1, 1):
        cells, _ = matrix(kernels)
        top = float(np.abs(cells).max())
        return {"matrix": colourise(cells, -top, top, COLORMAPS[DIVERGING])}
    if kernels.weights.size > _MOST_SLICES:
        return {}
    return {"slices": _sheet([slices(kernels, item, float(top)) for item, top in enumerate(tops)])}


def _sheet(tiles: list[ByteArray]) -> ByteArray:
    stacked = np.stack(tiles)
    if stacked.ndim == 3:
        stacked = stacked[..., None].repeat(3, axis=3)
    factor = -(-LEAST_TILE // max(stacked.shape[1:3]))
    stacked = stacked.repeat(factor, axis=1).repeat(factor, axis=2)
    return mosaic(stacked, int(np.ceil(np.sqrt(len(stacked)))), MARGIN)


def _tables(kernels: Kernels, _result: Result) -> Tables:
    rows = zip(range(len(kernels.norms)), kernels.norms.tolist(), kernels.blank.tolist(), strict=True)
    pairs = zip(kernels.duplicates.tolist(), kernels.similarity.tolist(), strict=True)
    return {
        "filters": table(["filter", "norm", "blank"], rows),
        "duplicates": table(["filter", "other", "cosine"], ([one, other, cosine] for (one, other), cosine in pairs)),
    }


KERNELS = Depiction(_arrays, _pictures, _tables)
