"""The array vocabulary that payloads are written in. Arrays are numpy, on the host, read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` contiguous and read-only, so that it can be shared between threads; copies only if it must."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
