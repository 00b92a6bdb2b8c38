"""What the whole window is looking at: one selection, shared by every tab."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.payloads import Overview
from convviz_gui.engine.types import ImageInput, LayerNode, ModelInfo


class Selection(QObject):
    """The open model; layer, channel and class chosen in it; the photo, and a place in it; the folder of pictures.

    Setters emit their signal only when the value changes. A new model resets layer, channel and class; the same one on
    another device or in another precision resets nothing and is told by `place_changed` alone.
    """

    model_changed = Signal()
    place_changed = Signal()
    layer_changed = Signal()
    channel_changed = Signal()
    class_changed = Signal()
    image_changed = Signal()
    overview_changed = Signal()
    folder_changed = Signal()
    point_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model: ModelInfo | None = None
        self._layer: str | None = None
        self._channel = 0
        self._class_index: int | None = None
        self._image: ImageInput | None = None
        self._overview: Overview | None = None
        self._folder: str | None = None
        self._splits: tuple[str, ...] = ()
        self._point: tuple[float, float] | None = None

    @property
    def model(self) -> ModelInfo | None:
        """The open model, or None while none is open."""
        return self._model

    def set_model(self, model: ModelInfo | None) -> None:
        """Take a model; the layer is kept when the new model has one of that id."""
        before, self._model = self._model, model
        if before is not None and model is not None and _same_network(before, model):
            self.place_changed.emit()
            return
        self._class_index = None
        self._overview = None
        if model is None or self._layer is None or model.find(self._layer) is None:
            self._layer = _first_layer(model)
            self._channel = 0
        self.model_changed.emit()
        self.layer_changed.emit()
        self.class_changed.emit()
        self.overview_changed.emit()

    @property
    def layer(self) -> str | None:
        """Id of the layer chosen in the tree."""
        return self._layer

    def node(self) -> LayerNode | None:
        """The chosen layer itself."""
        return self._model.find(self._layer) if self._model and self._layer is not None else None

    def set_layer(self, layer: str) -> None:
        """Choose a layer; its first channel becomes the chosen one."""
        if layer != self._layer:
            self._layer = layer
            self._channel = 0
            self.layer_changed.emit()

    @property
    def channel(self) -> int:
        """The chosen channel of the chosen layer, from 0."""
        return self._channel

    def set_channel(self, channel: int) -> None:
        """Choose a channel of the current layer."""
        if channel != self._channel:
            self._channel = channel
            self.channel_changed.emit()

    @property
    def class_index(self) -> int | None:
        """The class that class maps explain; None means the top class."""
        return self._class_index

    def set_class(self, index: int | None) -> None:
        """Choose the class to explain, or None for the top class of each photo."""
        if index != self._class_index:
            self._class_index = index
            self.class_changed.emit()

    @property
    def image(self) -> ImageInput | None:
        """The current photo."""
        return self._image

    def set_image(self, image: ImageInput | None) -> None:
        """Choose a photo; what was known of the last one is forgotten."""
        if image is not self._image:
            self._image = image
            self._overview = None
            self.image_changed.emit()
            self.overview_changed.emit()

    @property
    def folder(self) -> str | None:
        """The dataset: a folder of pictures, an archive or a table, an absolute path, or None while none is open."""
        return self._folder

    @property
    def splits(self) -> tuple[str, ...]:
        """Further folders that are looked through together with `folder`, each a split of its own."""
        return self._splits

    @property
    def sources(self) -> tuple[str, ...]:
        """All that the dataset is made of: `folder` and `splits`, () while none is open."""
        return (self._folder, *self._splits) if self._folder is not None else ()

    def set_sources(self, sources: Iterable[str]) -> None:
        """Choose a dataset by what it is made of, each source once; nothing at all closes it."""
        paths = tuple(dict.fromkeys(os.path.abspath(source) for source in sources))  # noqa: PTH100 - no ".." in it
        self.set_folder(paths[0] if paths else None, paths[1:])

    def set_folder(self, folder: str | None, splits: tuple[str, ...] = ()) -> None:
        """Choose a dataset."""
        if (folder, splits) != (self._folder, self._splits):
            self._folder, self._splits = folder, splits
            self.folder_changed.emit()

    @property
    def point(self) -> tuple[float, float] | None:
        """The place pointed at, (u, v) in 0…1 of the part of the photo that the network sees; None for its middle."""
        return self._point

    def set_point(self, point: tuple[float, float] | None) -> None:
        """Point at a place; it stays where it is when layer or photo change."""
        if point != self._point:
            self._point = point
            self.point_changed.emit()

    @property
    def overview(self) -> Overview | None:
        """Predictions and sparsity by depth of the current photo, once computed."""
        return self._overview

    def set_overview(self, overview: Overview | None) -> None:
        """Tell what the model says of the current photo."""
        self._overview = overview
        self.overview_changed.emit()


def _same_network(one: ModelInfo, other: ModelInfo) -> bool:
    """True if they differ in nothing but where they compute."""
    return dataclasses.replace(other, device=one.device, precision=one.precision) == one


def _first_layer(model: ModelInfo | None) -> str | None:
    if model is None:
        return None
    return next((node.id for node in model.layers() if node.is_map), model.default_layer)
