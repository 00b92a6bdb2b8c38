"""Activation functions as steps of autograd's graph: what a gradient meets on its way, however that was written.

The graph shows what no hook sees: functions, scripted parts, and which of them lie between a result and the picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch

_NAMES = {
    "ReluBackward0": "ReLU",
    "SiluBackward0": "SiLU",
    "GeluBackward0": "GELU",
    "LeakyReluBackward0": "LeakyReLU",
    "RreluWithNoiseBackward0": "RReLU",
    "PreluKernelBackward0": "PReLU",
    "EluBackward0": "ELU",
    "CeluBackward0": "CELU",
    "MishBackward0": "Mish",
    "SoftplusBackward0": "Softplus",
    "SigmoidBackward0": "Sigmoid",
    "LogSigmoidBackward0": "LogSigmoid",
    "TanhBackward0": "Tanh",
    "HardswishBackward0": "Hardswish",
    "HardsigmoidBackward0": "Hardsigmoid",
    "HardtanhBackward0": "Hardtanh",
    "GluBackward0": "GLU",
    "SoftshrinkBackward0": "Softshrink",
    "HardshrinkBackward0": "Hardshrink",
    "ThresholdBackward0": "Threshold",
}
_RELUS_FROM = {"HardtanhBackward0": "min_val", "ThresholdBackward0": "threshold"}
"""Steps that are a ReLU if a number that they keep is 0."""
_CLAMPS = ("ClampBackward1", "ClampMinBackward0")
RELU = "ReLU"


def steps_below(last: Any) -> set[Any]:
    """All steps of autograd's graph that a result was made by, `last`, its own, among them."""
    reached, waiting = set(), [last]
    while waiting:
        step = waiting.pop()
        if step is not None and step not in reached:
            reached.add(step)
            waiting += [before for before, _ in step.next_functions]
    return reached


def activation_of(step: Any) -> str:
    """Which activation function a step is of: "ReLU" (ReLU6 and clamp(min=0) too), "SiLU", …, or "" for anything else.

    A function whose gradient the network's author wrote goes by its own name: nobody can tell what it is.
    """
    name = type(step).__name__
    if name == "ThresholdBackward1":  # in place
        name = "ThresholdBackward0"
    if name in _CLAMPS:
        return RELU if getattr(step, "_saved_min", None) == 0 else ""
    if name in _RELUS_FROM and getattr(step, f"_saved_{_RELUS_FROM[name]}", None) == 0:
        return RELU
    if isinstance(step, torch.autograd.function.BackwardCFunction):
        return name.removesuffix("Backward")
    if "DifferentiableGraph" in name:
        return "scripted part"
    return _NAMES.get(name, "")


def activations_in(steps: Iterable[Any]) -> tuple[tuple[str, int], ...]:
    """The activation functions among steps by name, with their number, the commonest first."""
    counted = Counter(name for name in map(activation_of, steps) if name)
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
