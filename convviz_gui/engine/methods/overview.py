"""What one forward pass says: predictions, and how sparse the layers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network import classes
from convviz_gui.engine.network.layers import channels_first, watching
from convviz_gui.engine.network.outputs import logits_of, tensor_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Overview as OverviewPayload
from convviz_gui.engine.payloads import frozen
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.statistics import layer_sparsity
from convviz_gui.engine.types import LayerNode, Run


@register
class Overview(Method[NoParams]):
    """The network's predictions for this photo, and how many of each layer's positions stay silent."""

    name = "overview"
    title = "Overview"
    category = Category.ACTIVATIONS
    needs = frozenset({Need.IMAGE})
    live = True
    lower_precision = True
    params = NoParams
    payload = OverviewPayload
    when_to_use = (
        "It is always there, beside the photo: look at it before any map, since a map explains the class that you "
        "choose, whether the network believes in it or not."
    )
    how_to_read = (
        "Going deeper, more and more positions are silent: the network drops what does not matter for its task and "
        "keeps what does."
    )
    how_it_misleads = (
        "Layers without a ReLU count a position as silent below 1 % of the layer's maximum, so their bars do not "
        "compare with those after a ReLU. A high probability is not the same as being right."
    )
    reference = "Chollet, Deep Learning with Python, “Interpreting what ConvNets learn”"

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[OverviewPayload]:
        """One whole forward pass, watching every innermost layer that makes maps."""
        yield Update(0, 1, "forward pass")
        if request.image is None:
            raise EngineError("The overview needs a picture", "Open one (command line: --image FILE)")
        x, box = session.input(request.image)
        shown = {_call_of(node): node for node in _map_leaves(session.info.root)}
        found: dict[str, tuple[float, float]] = {}

        def watch(path: str, number: int, _module: nn.Module, _inputs: Any, output: Any) -> None:
            node = shown.get((path, number))
            tensor = tensor_of(output) if node is not None else None
            if node is not None and tensor is not None:
                found[node.id] = layer_sparsity(channels_first(tensor, node)[0].float())

        # Not in inference mode: what a network keeps of a pass could then not be differentiated in the next.
        with torch.no_grad(), session.computing(), watching(session.model, watch):
            logits = logits_of(forward(session.model, x))
        numbers = np.array(list(found.values()), np.float32).reshape(-1, 2)
        return OverviewPayload(
            logits=read_only(logits[0]),
            probabilities=read_only(classes.probabilities(logits)[0]),
            layers=tuple(found),
            sparsity=frozen(numbers[:, 0]),
            blank=frozen(numbers[:, 1]),
            box=box,
        )


def _map_leaves(root: LayerNode) -> list[LayerNode]:
    return [node for node in root.walk() if node.is_map and not any(child.depth is not None for child in node.children)]


def _call_of(node: LayerNode) -> tuple[str, int]:
    path, _, number = node.id.partition("#")
    return path, int(number or 1)
