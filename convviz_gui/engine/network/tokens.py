"""Tokens as maps: which places of a sequence are places of the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor, nn

from convviz_gui.engine.types import TokenGrid

MOST_BEFORE = 16
"""Class tokens, distillation tokens and registers that a sequence may begin with."""
MOST_STRETCHED = 4.0
_SHUFFLING = ("Unroll", "Reroll")
"""Modules (of Hiera) behind which tokens stand in an order of their own, not row by row."""


class Grids:
    """The grids of places that a network has shown so far, from which a sequence's length is understood.

    A sequence is taken to be a grid's places row by row, as patch embeddings write them, after a few other tokens.

    Args:
        size: (H, W) of the picture.
    """

    def __init__(self, model: nn.Module, size: tuple[int, int]) -> None:
        self._size = size
        self._seen: list[tuple[int, int]] = []
        self._channels: set[int] = set()
        self._shuffled = any(type(module).__name__ in _SHUFFLING for module in model.modules())

    def see(self, channels: int, height: int, width: int) -> None:
        """Note the size of maps, or of a grid of tokens."""
        self._channels.add(channels)
        if height * width > 1 and (height, width) not in self._seen[-1:]:
            self._seen.append((height, width))

    def expect(self, height: int, width: int) -> bool:
        """Whether maps of that size would come as no surprise: as large as earlier ones, half the last, or pooled.

        Weights of attention, [N, N] for each head, are square too: N is the number of places, or one more.
        """
        if not self._seen or height == width == 1:
            return True
        last = self._seen[-1]
        if (height, width) in (last, _halved(*last)):
            return True
        attention = height == width and any(height - math.prod(grid) in (0, 1) for grid in self._seen)
        return (height, width) in self._seen and not attention

    def allow(self, height: int, width: int) -> bool:
        """Whether the sides of a map are in the picture's proportion, at least roughly."""
        stretch = height * self._size[1] / (width * self._size[0])
        return 1 / MOST_STRETCHED <= stretch <= MOST_STRETCHED

    def of(self, shape: tuple[int, ...]) -> TokenGrid | None:
        """The grid in a sequence [N, C], or None if it holds no places of the picture that could be told."""
        if len(shape) != 2 or self._shuffled:
            return None
        areas = {math.prod(grid) for grid in self._seen}
        if shape[1] in areas and shape[0] not in areas and shape[1] not in self._channels:
            return None  # [C, N], as where an MLP mixes places
        fitting = [
            TokenGrid(before, height, width)
            for height, width in self._candidates()
            if 0 <= (before := shape[0] - height * width) <= MOST_BEFORE
        ]
        if not fitting:
            return None
        # The newest of those with the fewest tokens before: networks shrink their maps as they go.
        grid = min(fitting, key=lambda each: each.before)
        self.see(shape[1], grid.height, grid.width)
        return grid

    def _candidates(self) -> Iterator[tuple[int, int]]:
        seen = list(reversed(self._seen))
        yield from seen
        # Attention may halve the grid without any maps being made, and patches may be made of pixels' maps.
        for grid in seen:
            while math.prod(grid) > 4:
                grid = _halved(*grid)
                yield grid
        if not seen:
            yield from _in_proportion(self._size)


def _halved(height: int, width: int) -> tuple[int, int]:
    return (height + 1) // 2, (width + 1) // 2


def _in_proportion(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Grids of square patches that cut the picture up without a rest: those of networks that do that by a function."""
    step = math.gcd(*size)
    for patch in range(4, step + 1):
        if step % patch == 0 and size[0] * size[1] > patch * patch:
            yield size[0] // patch, size[1] // patch


def maps_of(tokens: Tensor, grid: TokenGrid) -> Tensor:
    """Tokens [B, N, C] as maps [B, C, h, w]; for pictures of another size, a grid in the same proportion."""
    places = tokens.shape[1] - grid.before
    height, width = grid.height, grid.width
    if places != height * width:
        height = round(math.sqrt(places * height / width))
        width = places // height
    maps = tokens[:, grid.before :].movedim(-1, 1)
    return maps.reshape(*maps.shape[:2], height, width)
