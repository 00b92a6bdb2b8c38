"""A network that can be built, whichever library it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from convviz_gui.engine.types import Finding, Preprocess

State = Mapping[str, Tensor]
"""A state dict: tensors by the names of parameters and buffers."""


def as_it_is(state: State) -> State:
    """For networks whose files need no translation."""
    return state


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that the library publishes: `label` names them, `url` or `repository` says where they are.

    `files` are the names to try in a Hugging Face `repository`, in this order. `load` builds the network with a
    downloaded file; None means the file is a state dict of the network.
    """

    label: str
    url: str = ""
    repository: str = ""
    files: tuple[str, ...] = ()
    load: Callable[[Path], nn.Module] | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to build a network and what belongs to it.

    Args:
        source: as in `ModelSpec`.
        name: for people.
        n_classes: of the network as published.
        build: makes it with random weights, for a number of classes and of input channels (None: as published).
        takes_channels: whether `build` can make it for another number of input channels.
        adapt: translates older names in a state dict.
        made: says in words which weights `build` puts in by itself; "" if they are random.
        findings: what is to be said in the health report of every network that is built.
        file_findings: what is to be said besides where the weights are the user's own file.
        code: a digest of the user's own code that builds it, "" if it is a library's, None if it cannot be told.
    """

    source: str
    name: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    n_classes: int
    build: Callable[[int | None, int | None], nn.Module]
    takes_channels: bool = False
    adapt: Callable[[State], State] = as_it_is
    published: Published | None = None
    made: str = ""
    findings: tuple[Finding, ...] = ()
    file_findings: tuple[Finding, ...] = ()
    code: str | None = ""
