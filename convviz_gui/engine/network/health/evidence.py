"""What the health report is made from, and how its sentences are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import nn

from convviz_gui.engine.network.functional import Heard
from convviz_gui.engine.network.layers import Trace
from convviz_gui.engine.types import Finding, ModelInfo


@dataclass(frozen=True, slots=True)
class Evidence:
    """A network that has been watched for one forward pass.

    `failure` says why that pass had to do without gradients, "" if it did not; `maps_depend` is True if the class
    scores depend differentiably on the layer where Grad-CAM looks by default.
    """

    module: nn.Module
    trace: Trace
    heard: Heard
    failure: str = ""
    maps_depend: bool = True


Check = Callable[[ModelInfo, Evidence], Iterable[Finding]]
"""One thing to look for: yields a finding for each that is there, nothing where there is no news."""


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 layer", "1,200 layers"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def named(names: Sequence[str], most: int = 3) -> str:
    """ "'a', 'b', 'c' and 4 more"."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
