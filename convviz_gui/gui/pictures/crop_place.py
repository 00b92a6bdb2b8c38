"""Where in the model's crop a point of the photo lies."""

from __future__ import annotations

from convviz_gui.engine.payloads import FloatArray

OUTSIDE = "outside the crop: the model did not see this"


def place_in_crop(at: tuple[float, float], box: FloatArray) -> tuple[float, float] | None:
    """Fractions (u, v) in 0…1 of the crop's width and height at a point (x, y) of the photo, in its pixels; or None.

    Args:
        box: x, y, width, height of the crop in the photo's pixels.
    """
    x, y, width, height = (float(number) for number in box)
    u, v = (at[0] - x) / width, (at[1] - y) / height
    return (u, v) if 0 <= u < 1 and 0 <= v < 1 else None
