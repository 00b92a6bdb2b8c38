"""Principal components of rows on disk, in two passes, and the file that keeps them for large directories."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from convviz_gui.engine.embedded.manifest import Part
from convviz_gui.engine.embedded.opened import Opened
from convviz_gui.engine.embedded.parts import DAMAGE, GROUP_ROWS, damaged, write_table
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, frozen
from convviz_gui.engine.projections.pca import axes_of

MAP_NAME = "components.parquet"
COMPONENTS = 3
_PRODUCTS = 2_000_000_000
"""Multiplications of one step: some 100 ms, so that it can be stopped."""
_NOTE = "principal components"


def components_on_disk(opened: Opened) -> Steps[FloatArray]:
    """Scores on the first three principal components, f32 [N, 3]: those of `pca`, with a bounded part in memory.

    The covariance is summed in float64, around the first group's mean so that nothing cancels. Costs N·D²
    multiplications; yields after every few billion of them.
    """
    n, width = len(opened), opened.manifest.description.dimension
    block = max(64, _PRODUCTS // width**2)
    around = np.zeros(width)
    total, products = np.zeros(width), np.zeros((width, width))
    for start, values in opened.vectors():
        if not start:
            around = values.mean(axis=0, dtype=np.float64)
        for first in range(0, len(values), block):
            part = values[first : first + block] - around
            total += part.sum(axis=0)
            products += part.T @ part
            yield Update(start + first + len(part), 2 * n, _NOTE)
    mean = total / n
    axes = axes_of(products - n * np.outer(mean, mean), around + mean, COMPONENTS)
    scores = np.zeros((n, COMPONENTS), np.float32)
    for start, values in opened.vectors():
        scores[start : start + len(values)] = axes.scores(values)
        yield Update(n + start + len(values), 2 * n, _NOTE)
    return frozen(scores)


def write_components(opened: Opened, scores: FloatArray) -> Part:
    """Keep the components beside the parts."""
    columns: dict[str, NDArray[np.float32]] = {name: scores[:, i].copy() for i, name in enumerate("xyz")}
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    return write_table(opened.folder / MAP_NAME, table, 16 * GROUP_ROWS)


def read_components(opened: Opened) -> FloatArray | None:
    """The components f32 [N, 3] that are kept, or None if there are none."""
    part = opened.manifest.map
    if part is None or part.rows != len(opened):
        return None
    try:
        table = pq.read_table(opened.folder / part.file, columns=list("xyz"), page_checksum_verification=True)
        scores = np.stack([table.column(name).to_numpy() for name in "xyz"], axis=1)
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        raise damaged(opened.folder, part, error) from None
    return frozen(scores.astype(np.float32)) if np.isfinite(scores).all() and scores.shape == (len(opened), 3) else None
