"""Brings pictures that are not in the dataset onto its map: loaded in the pool, located by the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.payloads import Located
from convviz_gui.engine.types import ImageInput, Locate, Result
from convviz_gui.gui.latent.placed import Placed
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.photos.image_loader import ImageLoader, thumbnail
from convviz_gui.gui.photos.intake import from_qimage

NOT_YET = "The map is not finished: pictures can be placed on it in a moment."


class Guests(QObject):
    """Pictures on their way to the map of a `Workbench`.

    Signals:
        problem: a `Problem` with a file.
        status: a short remark.
    """

    problem = Signal(object)
    status = Signal(str)

    def __init__(self, bench: Workbench, loader: ImageLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._loader = loader
        self._thumbnails: dict[str, QImage] = {}
        self._dropped = 0

    def drop(self, paths: Iterable[Path], picture: QImage | None = None) -> None:
        """Place files, or a picture that is none; a file of the dataset is chosen instead."""
        facts = self._bench.facts
        if facts is None or self._bench.result is None:
            self.status.emit(NOT_YET)
            return
        for path in paths:
            known = max(facts.row(str(path)), facts.row(str(path.absolute())))
            if known >= 0:
                self._bench.choose(known)
            else:
                self._load(_opener(path.absolute()))
        if picture is not None:
            self._dropped += 1
            self._load(from_qimage(picture, f"dropped picture {self._dropped}"))

    def place(self, image: ImageInput) -> None:
        """Place a picture that is decoded already."""
        self._load(lambda: image)

    def _load(self, make: Callable[[], ImageInput]) -> None:
        def work() -> tuple[ImageInput, QImage]:
            image = make()
            return image, thumbnail(image)

        # Until it is loaded another map may have come; it belongs on the one that was there.
        result = self._bench.result
        if result is not None:
            self._loader.call(work, lambda value: self._on_loaded(value, result))

    def _on_loaded(self, value: object, result: Result) -> None:
        if isinstance(value, Problem):
            self.problem.emit(value)
        elif isinstance(value, tuple):
            image, small = value
            self._thumbnails[image.digest] = small
            self._bench.command_wanted.emit(Locate(result, image))

    def arrive(self, command: Locate, located: Located) -> None:
        """A picture has been located."""
        small = self._thumbnails.pop(command.image.digest, QImage())
        self._bench.place(Placed(command.result, located, command.image, small))


def _opener(path: Path) -> Callable[[], ImageInput]:
    def make() -> ImageInput:
        from convviz_gui.engine.images import load_image

        return load_image(path)

    return make
