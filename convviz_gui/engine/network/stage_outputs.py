"""The outputs of several layers, ready for one backward pass that tells what each of them did for the class scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convviz_gui.engine.network.hooks import Visit, logits_of, never_ran, not_differentiable, visiting
from convviz_gui.engine.network.passes import forward


def logits_and_outputs(model: nn.Module, x: Tensor, layers: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits [B, K] that can be differentiated with respect to the outputs of several layers, and no further down.

    The outputs come in order of execution. As in `logits_and_leaf` the network goes on with copies of them, and a part
    of it that runs without gradients ends at the last of the layers inside it: what logits depend on no more has no
    gradient. Raises `EngineError` if a layer does not run or no gradient can be taken at all.
    """
    logits, outputs, versions = _outputs(model, x, layers, careful=False)
    if any(outputs[layer]._version != version for layer, version in versions.items()):
        # An output was somebody else's tensor as well, who overwrote it (an identity in front of x += y).
        logits, outputs, _ = _outputs(model, x, layers, careful=True)
    if missing := set(layers) - outputs.keys():
        raise never_ran(", ".join(sorted(missing)))
    if not logits.requires_grad:
        raise not_differentiable(layers[-1])
    return logits, outputs


def _outputs(
    model: nn.Module, x: Tensor, layers: Sequence[str], *, careful: bool
) -> tuple[Tensor, dict[str, Tensor], dict[str, int]]:
    """A pass that keeps outputs, copies of them if `careful`, and their versions before the network went on."""
    outputs: dict[str, Tensor] = {}
    versions: dict[str, int] = {}

    def visit_for(layer: str) -> Visit:
        def visit(output: Tensor) -> Tensor:
            with torch.enable_grad():
                if not output.requires_grad:
                    output = output.detach().clone().requires_grad_(True)
                elif careful:
                    output = output.clone()
                outputs[layer], versions[layer] = output, output._version
                return output.clone()

        return visit

    with torch.enable_grad(), visiting(model, {layer: visit_for(layer) for layer in layers}):
        return logits_of(forward(model, x)), outputs, versions
