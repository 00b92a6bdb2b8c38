"""Small networks and pictures that tests of methods share."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Preprocess

SIDE = 32
PREPROCESS = Preprocess((SIDE, SIDE), SIDE, "bilinear", (0.5, 0.4, 0.3), (0.2, 0.25, 0.3), "tests")


class TinyNet(nn.Module):
    """Two convolutions with in-place ReLUs, batch norm, pooling and a linear head: 6 channels, 5 classes."""

    def __init__(self, n_logits: int = 5, in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, n_logits)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.conv2(x))
        return self.head(x.mean((2, 3)))


def tiny_net(n_logits: int = 5, in_channels: int = 3) -> TinyNet:
    """A `TinyNet` with seeded weights and batch-norm statistics that are not the trivial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = TinyNet(n_logits, in_channels)
        nn.init.normal_(net.bn1.running_mean, std=0.1)
        nn.init.uniform_(net.bn1.running_var, 0.5, 1.5)
    return net.eval()


def tiny_session(n_logits: int = 5) -> Session:
    """A session with a `TinyNet` open."""
    session = Session()
    session.adopt(tiny_net(n_logits), PREPROCESS, name="tiny")
    return session


def noise_picture(height: int = 40, width: int = 52, seed: int = 0) -> ImageInput:
    """A picture of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return image_from_array(pixels, f"noise{seed}.png")
