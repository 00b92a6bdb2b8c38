"""Pictures that are dropped on the map."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from convviz_gui.engine.images import EXTENSIONS
from convviz_gui.gui.photos.intake import image_of, paths_of


def pictures_of(data: QMimeData) -> list[str | QImage]:
    """Pictures in a drop, as paths of files or as they are; empty if there is anything else among them."""
    paths = paths_of(data)
    if paths:
        known = all(path.suffix.lower() in EXTENSIONS and not Path(path).is_dir() for path in paths)
        return [str(path) for path in paths] if known else []
    image = image_of(data)
    return [image] if image is not None else []
