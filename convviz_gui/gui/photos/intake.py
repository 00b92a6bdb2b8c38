"""What to do with what is dropped, pasted, opened or named on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from convviz_gui.engine import archives
from convviz_gui.engine.sources import is_archive, is_table
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.opening.page import WEIGHT_SUFFIXES


@dataclass(frozen=True, slots=True)
class Sorted:
    """Paths by what they are: everything that is neither a dataset, weights nor Python is taken for a picture.

    Datasets are folders, zip archives and CSV tables.
    """

    pictures: tuple[Path, ...]
    datasets: tuple[Path, ...]
    weights: tuple[Path, ...]
    code: tuple[Path, ...]


def sort_paths(paths: Iterable[Path]) -> Sorted:
    """Tell pictures, datasets, weights and Python files apart by their names, without opening them."""
    pictures, datasets, weights, code = [], [], [], []
    for path in paths:
        name = path.name.lower()
        if _is_folder(path) or is_archive(path) or is_table(path):
            datasets.append(path)
        elif name.endswith(WEIGHT_SUFFIXES):
            weights.append(path)
        elif name.endswith(".py"):
            code.append(path)
        else:
            pictures.append(path)
    return Sorted(tuple(pictures), tuple(datasets), tuple(weights), tuple(code))


def paths_of(data: QMimeData) -> list[Path]:
    """Local files of a drop or of the clipboard; a pasted text that is the path of a file counts."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not paths and data.hasText():
        lines = (line.strip().removeprefix("file://") for line in data.text().splitlines())
        paths = [path for line in lines if line and (path := _existing(line)) is not None]
    return paths


def _existing(text: str) -> Path | None:
    """The absolute path of something there is; None for any other text."""
    try:
        path = Path(text).expanduser()
        there = path.exists() or archives.split(str(path)) is not None
        return path if path.is_absolute() and there else None
    except (OSError, RuntimeError, ValueError):  # too long, a home of nobody, no Unicode
        return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long; what is wrong with it is said when it is opened
        return False


def image_of(data: QMimeData) -> QImage | None:
    """The picture itself, where the clipboard or the drop carries one."""
    image = data.imageData() if data.hasImage() else None
    return image if isinstance(image, QImage) and not image.isNull() else None


def from_qimage(image: QImage, name: str) -> Callable[[], ImageInput]:
    """A maker of the photo from a pasted picture, to be called in the loader's pool."""

    def make() -> ImageInput:
        import numpy as np

        from convviz_gui.engine.images import image_from_array

        rgb = image.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
        pixels = rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3)
        return image_from_array(np.ascontiguousarray(pixels), name)

    return make


def first_pictures(sources: Sequence[str], limit: int, is_stopped: Callable[[], bool]) -> tuple[Path, ...]:
    """A dataset's first pictures, for the tray. Raises `EngineError` if there are none."""
    from convviz_gui.engine.datasets import Search, list_dataset

    found = list_dataset(sources[0], sources[1:], Search(is_stopped))
    return tuple(Path(path) for path in found.paths[:limit])
