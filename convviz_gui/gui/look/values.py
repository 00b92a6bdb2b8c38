"""Measured values as text: four significant figures, a true minus sign, and nothing hidden behind a zero."""

from __future__ import annotations

import math


def value(number: float) -> str:
    """31.2345 → "31.23", −0.00012 → "−1.2e−4", NaN → "NaN"."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number and not 1e-3 <= abs(number) < 1e5:
        mantissa, exponent = f"{number:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    else:
        text = f"{number:.4g}"
    return text.replace("-", "−")


def reading(y: float, x: float, number: float) -> str:
    """What stands under the cursor: "(y 31, x 77)  4.31"."""
    return f"(y {int(y)}, x {int(x)})  {value(number)}"
