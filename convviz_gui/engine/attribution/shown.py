"""What is drawn of a class map."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError

ROUNDING = 1e-6
"""A maximum below this part of what is summed up is no evidence: dividing by it would turn rounding into a picture."""


def shown_map(raw: Tensor, size: tuple[int, int], noise: float) -> tuple[Tensor, bool]:
    """What is drawn of a raw map [1, 1, h, w]: its positive part, bilinear to `size`, divided by its maximum.

    Returns the map [1, 1, H, W] in 0…1 and True, or zeros and False where nothing is above `noise`, the size of the
    map's rounding errors: there is no positive evidence.
    """
    if not bool(torch.isfinite(raw).all()):
        raise EngineError("The map has values that are not finite", "Check the network's weights and its preprocessing")
    heat = F.interpolate(raw.float().relu(), size, mode="bilinear", align_corners=False)
    top = heat.max()
    if float(top) <= noise:
        return torch.zeros_like(heat), False
    return heat / top, True
