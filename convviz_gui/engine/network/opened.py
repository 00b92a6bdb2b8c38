"""A network as the door it came in by hands it over, before anybody has looked into it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from convviz_gui.engine.types import Finding, ModelSpec, Preprocess


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A network in memory, on the CPU; fields as in `ModelInfo`.

    `digest` is the SHA-256 of the weights' file, or of the state dict where there is none. `findings` are what the door
    it came in by has to say; `spec` is what was opened where that says more than what was asked (a recognised file).
    `code` is a digest of the user's own code that built it, "" if a library did, None if it cannot be told.
    """

    module: nn.Module
    name: str
    weights: str
    trained: bool
    digest: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    spec: ModelSpec | None = None
    code: str | None = None
