"""Whose features they are, where a network that need not be open made them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convviz_gui.engine.types import Preprocess


@dataclass(frozen=True, slots=True)
class Origin:
    """The network that a directory of features was written with, as its manifest tells.

    `digest` is of its weights; `class_names` has a name for each of `n_classes` or none. `whole` is False where the
    directory is too large for its features to be in memory.
    """

    model: str
    source: str
    weights: str
    trained: bool
    digest: str
    n_classes: int
    preprocess: Preprocess
    precision: str
    store: str
    class_names: tuple[str, ...] = field(default=(), repr=False)
    whole: bool = True
