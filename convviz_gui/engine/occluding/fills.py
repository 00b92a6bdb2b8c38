"""What windows show instead of the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from convviz_gui.engine.attribution.baselines import Baseline, baseline, level
from convviz_gui.engine.types import Preprocess

FILLS = ("mean", "grey", "black", "blur")


def filling(kind: str, x: Tensor, preprocess: Preprocess) -> Tensor:
    """What a window shows wherever it stands, f32 [1, C, H, W] as the network takes it.

    `mean` is 0 after normalising, `grey` and `black` are 0.5 and 0 before it, `blur` is the crop itself, blurred as for
    integrated gradients.
    """
    if kind == "grey":
        return torch.zeros_like(x) + level(preprocess, 0.5).to(x)
    return baseline(x, Baseline(kind), preprocess)
