"""A classifier that was wrapped when a network was trained anew: `fc = Sequential(Dropout, Linear)` and the like."""

from __future__ import annotations

from collections import OrderedDict

from convviz_gui.engine.opening.signatures import COUNTER
from convviz_gui.engine.zoo.architecture import State

Head = tuple[str, str]
"""Path of the classifier in the file, and in the network."""


def with_own_head(state: State, wanted: State, n_classes: int) -> tuple[State, Head | None]:
    """The file's tensors with its classifier under the network's name, and the two names; None if nothing was renamed.

    Only where all else fits by name, and where both have a single linear layer there, of the same inputs, one standing
    inside the other's place: what may stand beside it has no weights.
    """
    missing = [name for name in wanted if name not in state and not name.endswith(COUNTER)]
    unknown = [name for name in state if name not in wanted]
    theirs, ours = _linear(unknown, state), _linear(missing, wanted)
    if theirs is None or ours is None or not (_inside(theirs, ours) or _inside(ours, theirs)):
        return state, None
    there, here = state[f"{theirs}.weight"].shape, wanted[f"{ours}.weight"].shape
    if there[1] != here[1] or here[0] != n_classes or len(missing) != len(unknown):
        return state, None
    names = {f"{theirs}.{part}": f"{ours}.{part}" for part in ("weight", "bias")}
    renamed = OrderedDict((names.get(name, name), tensor) for name, tensor in state.items())
    if metadata := getattr(state, "_metadata", None):
        renamed._metadata = metadata  # type: ignore[attr-defined]
    return renamed, (theirs, ours)


def _linear(names: list[str], tensors: State) -> str | None:
    """The path of the linear layer whose weight, and bias if it has one, these names are."""
    weights = [name.removesuffix(".weight") for name in names if name.endswith(".weight") and tensors[name].ndim == 2]
    if len(weights) != 1 or not set(names) <= {f"{weights[0]}.weight", f"{weights[0]}.bias"}:
        return None
    return weights[0]


def _inside(path: str, place: str) -> bool:
    return path.startswith(f"{place}.")
