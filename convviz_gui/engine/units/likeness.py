"""Which channels of a layer answer alike."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray

FEWEST = 10
"""Pictures below which channels agree by chance."""
_ROWS = 1024


def earlier_twins(responses: FloatArray, alike: float, alive: BoolArray) -> tuple[IntArray, FloatArray]:
    """For each of C channels the earlier one it is most like, i64 [C], −1 for none, and their correlation f32 [C].

    Pearson's correlation over n pictures. Channels with the same response to every picture are like none; with fewer
    than `FEWEST` pictures nothing is alike.

    Args:
        responses: f32 [n, C].
        alike: the least correlation that counts.
        alive: bool [C], channels that are compared.
    """
    n, channels = len(responses), len(alive)
    twin, similarity = np.full(channels, -1, np.int64), np.zeros(channels, np.float32)
    if n < FEWEST:
        return twin, similarity
    centred = responses.astype(np.float64)
    centred -= centred.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    # What is left of a constant after rounding is no variation.
    varies = alive & (length > 1e-5 * np.abs(responses).max(axis=0) * np.sqrt(n))
    rows = (centred / np.where(varies, length, 1)).T.astype(np.float32)
    rows[~varies] = 0
    for start in range(0, channels, _ROWS):
        block = rows[start : start + _ROWS]
        products = block @ rows[: start + len(block)].T
        # Only earlier ones.
        later = np.arange(products.shape[1])[None] >= np.arange(start, start + len(block))[:, None]
        products[later] = -2
        products[:, ~varies[: products.shape[1]]] = -2
        best = products.argmax(axis=1)
        most = np.take_along_axis(products, best[:, None], axis=1)[:, 0]
        found = (most >= alike - 1e-6) & varies[start : start + len(block)]
        twin[start : start + len(block)][found] = best[found]
        similarity[start : start + len(block)][found] = np.minimum(most[found], 1)
    return twin, similarity
