"""What is said of a result that was computed in lower precision."""

from __future__ import annotations

import dataclasses

import numpy as np

from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Score

_BITS = {"bfloat16": 8, "float16": 11}


def precision_scores(payload: Payload, precision: str) -> tuple[Score, ...]:
    """A line for a result in lower precision, which says so if numbers outgrew it; none for float32."""
    if precision == "float32":
        return ()
    bits = _BITS[precision]
    help_text = (
        f"The network computed in {precision}, with {bits} significant bits, about {bits * 0.301:.0f} decimal digits. "
        "Class maps and filters are not affected"
    )
    text = precision
    if precision == "float16" and not _finite(payload):
        text = f"{precision}, overflowed"
        help_text += (
            ". Some values are not finite: float16 ends at 65,504. Choose bfloat16 or float32 to see if that is why"
        )
    return (Score("Precision", bits, text, help_text),)


def _finite(payload: Payload) -> bool:
    values = (getattr(payload, field.name) for field in dataclasses.fields(payload))
    return all(
        np.isfinite(value).all() for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )
