"""Where in a training checkpoint the network's state dict is."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from convviz_gui.engine.opening.signatures import COUNTER
from convviz_gui.engine.types import Finding, Level
from convviz_gui.engine.zoo.architecture import State

DEPTH = 3
"""How deep state dicts are looked for."""

PREFERRED = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema_model",
    "ema",
    "params_ema",
    "g_ema",
    "teacher",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module",
    "student",
    "generator",
)
"""Names of nests, the preferred one first: averaged weights before plain ones, as timm prefers them."""

_NOT_THE_NETWORK = re.compile(r"optim|schedul|scaler|rng|criterion|loss|metric|discriminator", re.IGNORECASE)

ENOUGH = 0.9
"""Fraction of the fullest nest's tensors that a preferred nest must have: averages often lack running statistics."""


@dataclass(frozen=True, slots=True)
class FoundState:
    """A state dict; `findings` say where it was and what was passed over, where there was a choice."""

    state: State
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Nest:
    path: tuple[str, ...]
    content: Mapping[str, Any]
    n_tensors: int

    @property
    def rank(self) -> tuple[int, int]:
        """Places in `PREFERRED` of the path's first and last name; the network's own level comes first."""
        if not self.path:
            return -1, -1
        places = [PREFERRED.index(word) if word in PREFERRED else len(PREFERRED) for word in self.path]
        return min(places), places[-1]

    @property
    def name(self) -> str:
        return ".".join(self.path)


def find_state(loaded: Any) -> FoundState | None:
    """The state dict in what a file holds, or None if there is none."""
    nests = list(_nests(loaded, (), Counter()))
    fullest = max((nest.n_tensors for nest in nests), default=0)
    full = [nest for nest in nests if nest.n_tensors >= ENOUGH * fullest]
    if not full:
        return None
    chosen = min(full, key=lambda nest: nest.rank)
    findings = [_choice(chosen, [nest for nest in full if nest is not chosen])] if len(full) > 1 else []
    if others := [str(name) for name, value in chosen.content.items() if not isinstance(value, Tensor)]:
        shown = ", ".join(map(repr, others[:3])) + (" …" if len(others) > 3 else "")
        title = f"{len(others)} entries beside the tensors were passed over ({shown})"
        findings.append(Finding("weights", Level.FACT, title, "They are no tensors"))
    return FoundState(_tensors(chosen.content), tuple(findings))


def _nests(value: Any, path: tuple[str, ...], seen: Counter[int]) -> Iterator[_Nest]:
    # What is there under a thousand names would be gone through a thousand times, and what is in it a million.
    if not isinstance(value, Mapping) or seen[id(value)] > DEPTH:
        return
    seen[id(value)] += 1
    tensors = [key for key, entry in value.items() if isinstance(entry, Tensor)]
    # Tensors without names are an optimizer's, or a list's.
    if tensors and all(isinstance(key, str) for key in value):
        yield _Nest(path, value, sum(not key.endswith(COUNTER) for key in tensors))
    if len(path) < DEPTH:
        for key, entry in value.items():
            if isinstance(key, str) and not _NOT_THE_NETWORK.search(key):
                yield from _nests(entry, (*path, key), seen)


def _choice(chosen: _Nest, others: list[_Nest]) -> Finding:
    left = ", ".join(repr(nest.name) for nest in others[:3]) + (" …" if len(others) > 3 else "")
    averaged = PREFERRED.index("state_dict")
    why = (
        "Averaged weights are preferred"
        if -1 < chosen.rank[0] < averaged
        else "Of the names that trainers use it comes first"
    )
    where = repr(chosen.name) if chosen.path else "the file's own level"
    return Finding("weights", Level.HANDLED, f"The weights were taken from {where}; {left} left aside", why)


def _tensors(content: Mapping[str, Any]) -> State:
    """The tensors, with the module paths that torch keeps beside them."""
    # Attributes that a file gives its tensors stay behind, and so does their being parameters.
    state = OrderedDict((name, Tensor.detach(value)) for name, value in content.items() if isinstance(value, Tensor))
    metadata = getattr(content, "_metadata", None)
    if isinstance(metadata, dict):
        state._metadata = metadata  # type: ignore[attr-defined]
    return state
