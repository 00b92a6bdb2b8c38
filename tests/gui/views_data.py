"""Plausible results for the views, made of plain arrays."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from convviz_gui.engine.payloads import FloatArray, Gallery, Heat, Maps, Overview, Payload, PixelMap
from convviz_gui.engine.types import ImageInput, LayerNode, ModelInfo, ModelSpec, Preprocess, Result, Run
from convviz_gui.gui.selection import Selection

BOX = np.array([10, 50, 80, 80], np.float32)
CLASSES = ("cat", "dog", "car")


def photo(height: int = 180, width: int = 100, name: str = "photo") -> ImageInput:
    """A portrait photo, grey but for a red left half."""
    pixels = np.full((height, width, 3), 120, np.uint8)
    pixels[:, : width // 2, 0] = 240
    return ImageInput(pixels, name, name)


def model(layers: tuple[str, ...] = ("conv1", "conv2", "fc")) -> ModelInfo:
    """A model of which only names matter."""
    nodes = tuple(LayerNode(layer, layer, "Conv2d", (8, 16, 16), 8, 100, i) for i, layer in enumerate(layers))
    root = LayerNode("", "net", "Net", None, None, 300, None, nodes)
    preprocess = Preprocess((64, 64), 64, "bilinear", (0.5,) * 3, (0.5,) * 3)
    return ModelInfo(
        ModelSpec(), "net", "random weights", False, "0", 300, "cpu", preprocess, CLASSES, 3, root, "conv2", "fc"
    )


def selection() -> Selection:
    """A window's selection with model, photo and overview."""
    made = Selection()
    made.set_model(model())
    made.set_image(photo())
    sparsity = np.array([0.1, 0.5, 0.9], np.float32)
    made.set_overview(
        Overview(np.ones(3, np.float32), np.ones(3, np.float32), ("conv1", "conv2", "fc"), sparsity, sparsity / 10, BOX)
    )
    return made


def maps(values: FloatArray | None = None, layer: str = "conv1") -> Maps:
    """Maps with true statistics; by default 8 channels 16×16, each a blob, number 5 blank."""
    if values is None:
        values = np.random.default_rng(0).random((8, 16, 16)).astype(np.float32)
        values *= np.arange(1, 9, dtype=np.float32)[::-1, None, None]
        values[5] = 0
    flat = values.reshape(len(values), -1)
    return Maps(
        layer=layer,
        maps=values,
        mean=flat.mean(1),
        std=flat.std(1),
        max=flat.max(1),
        sparsity=(flat == 0).mean(1).astype(np.float32),
        blank=flat.max(1) <= 1e-6 * flat.max(),
        box=BOX,
    )


def gallery(n: int = 6, steps: int = 10, side: int = 24) -> Gallery:
    """Pictures each of one colour; number 1 dead, the last one waiting."""
    images = np.zeros((n, side, side, 3), np.uint8)
    images[..., 1] = (40 + 30 * np.arange(n, dtype=np.uint8))[:, None, None]
    trace = np.tile(np.arange(steps, dtype=np.float32), (n, 1))
    trace[-1] = np.nan
    done = np.full(n, steps)
    done[-1] = 0
    dead = np.zeros(n, bool)
    dead[1:2] = True
    return Gallery("conv1", np.arange(n) * 2, images, trace, dead, done)


def heat(*, positive: bool = True) -> Heat:
    """A map whose right half speaks for the class and whose left half against it."""
    raw = np.full((4, 4), -1, np.float32)
    raw[:, 2:] = 2 if positive else -0.5
    drawn = np.zeros((64, 64), np.float32)
    if positive:
        drawn[:, 32:] = 1
    return Heat("conv2", 1, positive, raw, drawn, BOX, np.array([0.0, 2.0, 1.0], np.float32))


def pixel_map(*, signed: bool = False, zero: bool = False) -> PixelMap:
    """A map of 64×64: right half for the class, left half half as strongly against it, all of it in red's channel."""
    attribution = np.zeros((3, 64, 64), np.float32)
    if not zero:
        attribution[0, :, 32:] = 2
        attribution[0, :, :32] = -1
    drawn = attribution.sum(0) if signed else np.abs(attribution).max(0)
    return PixelMap(attribution, drawn, BOX, np.array([0.0, 2.0, 1.0], np.float32), 2.0, signed, 1)


def result(payload: Payload, image: ImageInput | None = None) -> Result:
    """A finished run."""
    return Result(Run("method", image=image or photo()), payload, (), model(), 0.01)


def wheel(widget: QWidget, at: QPointF, steps: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel by so many notches with the cursor at `at`."""
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
