"""The stages of a network: which layers its maps are best followed at from the photo to the answer."""

from __future__ import annotations

import math
from collections.abc import Iterator

from convviz_gui.engine.types import LayerNode, ModelInfo

FEW = 3
"""With fewer resolutions than that, resolutions tell nothing of a network's depth, and blocks are taken."""
_PASSING_ON = ("Dropout", "Dropout2d", "Identity")


def resolutions(info: ModelInfo) -> list[LayerNode]:
    """The last layer of the main path at each size of its maps, in order of execution.

    Where there are fewer than `FEW` sizes, as in a ViT, all of `blocks`.
    """
    found = blocks(info)
    last = {node.extent: node for node in found}
    chosen = sorted(last.values(), key=_depth)
    return chosen if len(chosen) >= FEW else found


def blocks(info: ModelInfo) -> list[LayerNode]:
    """The outputs of the main path's blocks, and of single convolutions with the norm and activation behind them.

    In order of execution; the last is the default layer of class maps, behind which the class tells nothing of places.
    Inside of a block there are branches, each of which knows only a part: those are left out.
    """
    default = info.find(info.default_map_layer) if info.default_map_layer is not None else None
    if default is None:
        return []
    steps = sorted((node for node in _steps(info.root) if node.depth is not None), key=_depth)
    maps = [node for node in steps if node.extent not in (None, (1, 1)) and _depth(node) <= _depth(default)]
    parents = {child.id: node for node in info.root.walk() for child in node.children}
    ends = [_outermost(node, parents) for node in _ends(maps)]
    if ends and ends[-1].extent == default.extent:
        ends.pop()
    return [*ends, default]


def spread(stages: list[LayerNode], most: int) -> list[LayerNode]:
    """At most so many of the stages, spread evenly, the first and the last among them (of one, the last)."""
    if len(stages) <= most:
        return stages
    if most == 1:
        return stages[-1:]
    return [stages[round(i * (len(stages) - 1) / (most - 1))] for i in range(most)]


def _depth(node: LayerNode) -> int:
    return node.depth if node.depth is not None else -1


def _steps(node: LayerNode) -> Iterator[LayerNode]:
    """The layers of the main path, blocks whole, containers that only hold a series of them opened."""
    for child in node.children:
        if child.depth is None or _is_series(child):
            yield from _steps(child)
        else:
            yield child


def _is_series(node: LayerNode) -> bool:
    """Whether a module is no block but a row of them: by its kind, by a row that makes its output, or by its sizes."""
    if node.kind == "Sequential":
        return True
    rows = [child.children for child in node.children if child.kind in ("Sequential", "ModuleList")]
    # A block's branches may be rows, too, but what they make is not yet the block's output.
    if any(len(row) > 1 and len({part.kind for part in row}) == 1 and row[-1].shape == node.shape for row in rows):
        return True
    maps = sorted(
        (part for part in node.walk() if part.extent not in (None, (1, 1)) and part.id != node.id), key=_depth
    )
    areas = [math.prod(part.extent) for part in maps if part.extent is not None]
    return len(set(areas)) >= FEW and areas == sorted(areas, reverse=True)


def _ends(maps: list[LayerNode]) -> Iterator[LayerNode]:
    """The last layer of each block, and of each convolution or pooling with the norm and the activation behind it."""
    end: LayerNode | None = None
    for node in maps:
        begins = end is None or node.children or "Conv" in node.kind or node.extent != end.extent
        if begins and end is not None:
            yield end
        if begins or (not (end is not None and end.children) and node.kind not in _PASSING_ON):
            end = node
    if end is not None:
        yield end


def _outermost(node: LayerNode, parents: dict[str, LayerNode]) -> LayerNode:
    """The outermost module that ends with this layer and gives the same: `layer1`, not `layer1.2`."""
    while (parent := parents.get(node.id)) is not None and parent.id:
        if parent.depth != _depth(node) + 1 or parent.shape != node.shape:
            break
        node = parent
    return node
