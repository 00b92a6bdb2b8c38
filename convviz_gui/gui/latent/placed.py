"""A picture that stands beside a dataset, on its map."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtGui import QImage

from convviz_gui.engine.payloads import Located
from convviz_gui.engine.types import ImageInput, Result


@dataclass(frozen=True, slots=True)
class Placed:
    """Where `located` says that `image` belongs among the points of `result`; `thumbnail` shows it."""

    result: Result = field(repr=False, compare=False)
    located: Located
    image: ImageInput
    thumbnail: QImage = field(repr=False, compare=False)
