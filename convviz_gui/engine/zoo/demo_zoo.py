"""The bundled network: ToyNet, trained on Toybox pictures."""

from __future__ import annotations

from torch import nn

from convviz_gui.engine.demo import toynet
from convviz_gui.engine.demo.toybox import CLASSES
from convviz_gui.engine.types import Preprocess
from convviz_gui.engine.zoo.architecture import Architecture

SOURCE = "demo"
WEIGHTS = "toynet.safetensors"
"""Name of the bundled weights among the resources."""


def architecture() -> Architecture:
    """ToyNet, without its weights."""

    def build(_n_classes: int | None, _channels: int | None) -> nn.Module:
        return toynet.build_toynet()

    size = toynet.INPUT_SIZE
    return Architecture(
        source=SOURCE,
        name="ToyNet",
        preprocess=Preprocess((size, size), size, "bilinear", toynet.MEAN, toynet.STD, "Toybox"),
        class_names=CLASSES,
        n_classes=len(CLASSES),
        build=build,
    )
