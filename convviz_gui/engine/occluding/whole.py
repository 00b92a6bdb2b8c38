"""Scores behind windows by whole passes: batches in the network's own layout, batch norms folded."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.occluding.windows import Window, Windows


class Whole:
    """A network that is taken through once for each window.

    Args:
        model: in eval mode; it is left as it is.
        x: the picture [1, C, H, W] as the network takes it.
        fill: [1, C, H, W], what windows show instead.
        windows: where they are.
    """

    def __init__(self, model: nn.Module, x: Tensor, fill: Tensor, windows: Windows) -> None:
        self._model, self._x, self._fill, self._windows = model, x, fill, windows

    def logits_behind(self, windows: Sequence[Window]) -> Tensor:
        """Logits [n, K] of the picture with each of these windows filled."""
        batch = self._x.repeat(len(windows), 1, 1, 1).contiguous(memory_format=torch.channels_last)
        for at, window in enumerate(windows):
            place = self._windows.place(window)
            batch[(at, slice(None), *place)] = self._fill[(0, slice(None), *place)]
        with torch.no_grad():
            return logits_of(forward(self._model, batch))
