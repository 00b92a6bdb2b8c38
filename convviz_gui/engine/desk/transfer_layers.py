"""Which layers a transfer check looks at, in order of depth."""

from __future__ import annotations

import math
from collections.abc import Iterable

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.stages import blocks, spread
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode, ModelInfo

SPREAD, EVERY_STAGE, ALL = "spread", "every stage", "all"
_FEW = 7
_INPUT = "@input"


def chosen_layers(session: Session, text: str) -> tuple[str, ...]:
    """Layer ids from "spread", "every stage", "all", or ids with commas between them ("block1, fc@input").

    "spread": at most 7 of the network's stages, and what its classifier looks at; "every stage": all of them; "all":
    every layer that gives maps or a vector. Raises `EngineError` for a layer that is not there, or if there is none.
    """
    info = session.info
    wanted = text.strip()
    if wanted in (SPREAD, EVERY_STAGE):
        stages = blocks(info)
        found = [node.id for node in (spread(stages, _FEW) if wanted == SPREAD else stages)]
        if info.penultimate_layer is not None:
            found.append(info.penultimate_layer)
    elif wanted == ALL:
        found = [node.id for node in info.layers() if node.id and node.channels]
    else:
        found = [_named(session, name.strip()) for name in wanted.split(",") if name.strip()]
    if not found:
        raise EngineError("No layer to check is known", "Name some (--layers ID,ID); convviz layers lists them")
    return tuple(sorted(dict.fromkeys(found), key=lambda layer: _depth(info, layer)))


def _named(session: Session, name: str) -> str:
    if name.endswith(_INPUT):
        return session.layer(name.removesuffix(_INPUT)).id + _INPUT
    return session.layer(name).id


def _depth(info: ModelInfo, layer: str) -> float:
    node = info.find(layer.removesuffix(_INPUT))
    if node is None or node.depth is None:
        return math.inf
    return node.depth - 0.5 if layer.endswith(_INPUT) else node.depth


def width(info: ModelInfo, layer: str) -> int:
    """About how many numbers a layer gives for each picture, for planning memory."""
    node: LayerNode | None = info.find(layer.removesuffix(_INPUT))
    return (node.channels if node is not None else None) or 2048


def in_passes(info: ModelInfo, layers: Iterable[str], n: int, most_bytes: int) -> list[tuple[str, ...]]:
    """Layers in order, in parts whose features of n pictures fit into `most_bytes`: a pass over the pictures each."""
    parts: list[list[str]] = []
    size = 0
    for layer in layers:
        own = 4 * n * width(info, layer)
        if not parts or size + own > most_bytes:
            parts.append([])
            size = 0
        parts[-1].append(layer)
        size += own
    return [tuple(part) for part in parts]
