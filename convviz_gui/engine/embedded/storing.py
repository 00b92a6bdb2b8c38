"""From what the network computed to what is stored: half precision, and the rows that it cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray

_LOSS = 1e-3
"""How far a row may be from what was computed, as a part of its length."""


def stored(rows: FloatArray, store: str) -> NDArray[Any]:
    """`rows` f32 [N, D] in the type `store`; what float16 cannot hold is infinite, and `faults` names it."""
    with np.errstate(over="ignore"):
        return rows.astype(store)


def faults(features: FloatArray, logits: FloatArray, layer: str, store: str) -> list[str]:
    """Why a row cannot be kept, for each of `features` f32 [N, D] and `logits` f32 [N, K]; "" where it can.

    Nothing is cut off in silence: a row of NaN or infinities is no row, and one that float16 would make infinite, or
    change by more than a thousandth of its length, is left out and named.
    """
    reasons = [""] * len(features)
    keep = "write the directory with --store float32"
    for name, rows, exact in ((f"layer {layer!r}", features, True), ("the output", logits, False)):
        kept = stored(rows, store)
        for i in np.flatnonzero(~np.isfinite(rows).all(axis=1)):
            reasons[i] = reasons[i] or f"{name} gives {'NaN' if np.isnan(rows[i]).any() else 'infinite values'} for it"
        for i in np.flatnonzero(~np.isfinite(kept).all(axis=1)):
            largest = float(np.abs(rows[i]).max())
            reasons[i] = reasons[i] or f"{name} gives {largest:.3g} for it, beyond float16 (65,504): {keep}"
        if exact and store == "float16":
            lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
            with np.errstate(invalid="ignore"):
                lost = np.linalg.norm(rows.astype(np.float64) - kept.astype(np.float64), axis=1) > _LOSS * lengths
            for i in np.flatnonzero(lost):
                reasons[i] = reasons[i] or f"{name} gives values too small for float16 for it: {keep}"
    return reasons
