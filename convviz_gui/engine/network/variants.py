"""One picture, many variants of one layer's output: the part of the network before the layer is run once for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.hooks import Visit
from convviz_gui.engine.network.intervening import channel_axis, logits_with
from convviz_gui.engine.types import LayerNode, ModelInfo

SHARED = "the part before the layer once for each batch of channels, the rest for every channel"
WHOLE = "whole passes for every channel: this network does not let the part before the layer be shared"
_FACTORS = (1.0, 0.0, 0.5)
_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-4}
_COARSE = 3e-2
_AT_ONCE, _MOST_AT_ONCE, _ELSEWHERE = 8, 64, 8
"""Few enough on a processor that Stop is heard; a graphics card wants to be filled."""


class Variants:
    """Logits of a picture with one channel of a layer after another multiplied by a factor.

    The layer's output [1, ...] is repeated n times, and the rest of the network computes n variants at once. What the
    network adds to them from before the layer, as a residual connection does, is the same for all of them and
    broadcasts. Where it is concatenated, or where the batch's size was noted before the layer, that fails; then, or
    where a trial gives other numbers than whole passes do, the n variants go through the whole network.

    Attributes:
        shared: whether the part before the layer is run once; None before the trial.
    """

    def __init__(self, node: LayerNode, factor: float = 0.0) -> None:
        self._node = node
        self._axis = channel_axis(node)
        self._factor = factor
        self.shared: bool | None = None

    @property
    def how(self) -> str:
        """How it is computed, in words."""
        return WHOLE if self.shared is False else SHARED

    def suiting(self, info: ModelInfo, device: torch.device) -> int:
        """How many variants are computed at once by default: what follows the layer takes as long as 8 whole passes.

        Depth in the order of execution stands for the time that it takes.
        """
        if self.shared is False:
            return _AT_ONCE if device.type == "cpu" else _AT_ONCE * _ELSEWHERE
        depths = [node.depth or 0 for node in info.layers()]
        behind = 1 - (self._node.depth or 0) / max(max(depths, default=1), 1)
        n = min(int(_AT_ONCE / max(behind, _AT_ONCE / _MOST_AT_ONCE)), _MOST_AT_ONCE)
        return n if device.type == "cpu" else n * _ELSEWHERE

    def logits(self, model: nn.Module, x: Tensor, channels: Sequence[int]) -> Tensor:
        """Logits [n, K] of the picture `x` [1, C, H, W], row i with `channels[i]` changed."""
        self.try_sharing(model, x)

        def change(output: Tensor) -> Tensor:
            changed = _repeated(output, len(channels))
            part = changed.movedim(self._axis, 1)
            rows, chosen = range(len(channels)), list(channels)
            # Not multiplied by 0, which would leave what is infinite.
            part[rows, chosen] = 0 if self._factor == 0 else part[rows, chosen] * self._factor
            return changed

        return self._through(model, x, change, len(channels), shared=bool(self.shared))

    def try_sharing(self, model: nn.Module, x: Tensor) -> None:
        """Find out on a picture `x` [1, C, H, W], once, whether the part before the layer can be shared."""
        if self.shared is None:
            self.shared = self._can_share(model, x)

    def _through(self, model: nn.Module, x: Tensor, change: Visit, n: int, *, shared: bool) -> Tensor:
        logits = logits_with(model, x if shared else x.expand(n, -1, -1, -1), {self._node.id: change})
        if len(logits) != n:
            raise ValueError(f"{n} variants gave {len(logits)} rows of logits")
        return logits

    def _can_share(self, model: nn.Module, x: Tensor) -> bool:
        """Try it with the whole output scaled, which no network can mistake for another row's."""
        n = len(_FACTORS)

        def change(output: Tensor) -> Tensor:
            changed = _repeated(output, n)
            return changed * changed.new_tensor(_FACTORS).reshape(-1, *[1] * (changed.ndim - 1))

        expected = self._through(model, x, change, n, shared=False)
        try:
            got = self._through(model, x, change, n, shared=True)
        except EngineError:
            return False
        except Exception as error:
            if fault_of(error) is not None:
                raise
            return False
        tolerance = _TOLERANCE.get(expected.dtype, _COARSE) if not torch.is_autocast_enabled(x.device.type) else _COARSE
        scale = float(expected.nan_to_num().abs().max())
        return got.shape == expected.shape and torch.allclose(got, expected, rtol=0, atol=tolerance * scale)


def _repeated(output: Tensor, n: int) -> Tensor:
    """A copy with a row for each of n variants: the layer's own rows, or its only one n times."""
    return output.expand(n, *output.shape[1:]).clone()
