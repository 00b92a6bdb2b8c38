"""Whether a run can be, said before the work starts: what is missing, and what the network does not have."""

from __future__ import annotations

from typing import Any

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Method, Need, methods
from convviz_gui.engine.names import close_names, did_you_mean
from convviz_gui.engine.types import LayerNode, ModelInfo, Run, Target

_OF_A_LAYER = frozenset({Need.LAYER, Need.CHANNEL, Need.CHANNELS, Need.SOURCE})


def check_run(method: Method[Any], request: Run, info: ModelInfo) -> None:
    """Look whether the method has what it needs and the network what is asked about.

    Raises:
        EngineError: a picture or folder is missing, the method does not apply, a layer, class or channel is not there,
            or the target says more than the method can answer.
    """
    needs, target = method.needs_with(request.settings), request.target
    # What both numpy and torch begin from.
    if not 0 <= request.seed < 2**63:
        raise EngineError(f"The seed (--seed) cannot be {request.seed}", "Give a whole number from 0 to 2^63 − 1")
    if Need.IMAGE in needs and request.image is None:
        raise EngineError(f"{method.title} needs a picture", "Open one (command line: --image FILE)")
    if Need.FOLDER in needs and request.folder is None:
        raise EngineError(f"{method.title} needs a folder of pictures", "Open one (command line: --folder DIR)")
    # A layer that was chosen may be one where it works; the method itself says so if not.
    chosen = target.layer is not None and bool(needs & _OF_A_LAYER)
    if not chosen and (reason := method.applies(info)):
        cannot = dict(info.cannot)
        raise EngineError(reason, "These apply: " + ", ".join(name for name in methods() if name not in cannot))
    node = _layer_meant(info, target.layer, needs)
    _check_classes(method, target, info, needs)
    if target.unit is not None and not needs & {Need.SOURCE, Need.PLACE}:
        raise EngineError(f"{method.title} takes no single unit", "Leave --unit out")
    if target.channels is not None and node is not None and node.channels is not None:
        wrong = [channel for channel in target.channels if not 0 <= channel < node.channels]
        if wrong:
            raise EngineError(
                f"Layer {node.id!r} has no channel {wrong[0]}", f"Its channels go from 0 to {node.channels - 1}"
            )


def layer_named(info: ModelInfo, layer_id: str) -> LayerNode:
    """The layer of that id, or of its first call ("relu" is "relu#1"); raises `EngineError` naming close ones."""
    node = info.find(layer_id) or info.find(layer_id.removesuffix("#1"))
    if node is None and not layer_id.endswith("#1"):
        node = info.find(layer_id + "#1")
    if node is None:
        close = close_names(layer_id, [other.id for other in info.layers() if other.id])
        title = f"There is no layer {layer_id!r} in {info.name}"
        raise EngineError(title, did_you_mean(close, "List them with: convviz layers --model …"))
    return node


def _check_classes(method: Method[Any], target: Target, info: ModelInfo, needs: frozenset[Need]) -> None:
    for index in (target.class_index, target.against):
        if index is not None and not 0 <= index < info.n_classes:
            raise EngineError(f"There is no class {index} in {info.name}", f"Classes go from 0 to {info.n_classes - 1}")
    if target.against is not None and Need.AGAINST not in needs:
        raise EngineError(f"{method.title} explains one class", "Leave the second class (--against) out")


def _layer_meant(info: ModelInfo, layer: str | None, needs: frozenset[Need]) -> LayerNode | None:
    """The layer that a target's channels are of, if it is one of the tree's."""
    if layer is None and needs & {Need.CHANNEL, Need.CHANNELS, Need.SOURCE}:
        layer = info.default_layer
    return layer_named(info, layer) if layer is not None and "@" not in layer else None
