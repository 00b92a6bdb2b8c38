"""What a projection's child process and its parent say to each other: a line of JSON, then the arrays' bytes.

No pickle: what comes through the pipe is only ever numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Message:
    """`facts` is plain JSON; `arrays` are numbers of any shape."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def write_message(stream: IO[bytes], facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write one message and flush."""
    parts = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    head = {"facts": dict(facts), "arrays": [[name, part.dtype.str, part.shape] for name, part in parts.items()]}
    stream.write(json.dumps(head).encode() + b"\n")
    for part in parts.values():
        stream.write(part.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """Read one message; None if the stream ends before it is complete."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    arrays = {}
    for name, kind, shape in head["arrays"]:
        length = math.prod(shape) * np.dtype(kind).itemsize
        data = stream.read(length)
        if len(data) < length:
            return None
        arrays[name] = np.frombuffer(data, np.dtype(kind)).reshape(shape)
    return Message(head["facts"], arrays)
