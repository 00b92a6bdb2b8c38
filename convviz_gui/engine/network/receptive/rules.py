"""The table of rules: how an operation's results see the picture, given how its inputs see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

from convviz_gui.engine.network.receptive.reach import Reach


@dataclass(frozen=True, slots=True)
class Op:
    """One call of an operation: `reaches` holds what its input tensors see, None for those that see nothing."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outs: list[Tensor]
    reach_of: Callable[[object], Reach | None]

    def arg(self, index: int, default: Any = None) -> Any:
        """A positional argument, or its default where the call left it out."""
        return self.args[index] if index < len(self.args) else default

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first result."""
        return tuple(self.outs[0].shape)

    @property
    def first(self) -> Reach:
        """What the first argument sees; raises `LookupError` if it sees nothing."""
        reach = self.reach_of(self.args[0])
        if reach is None:
            raise LookupError(self.name)
        return reach


Result = Reach | Sequence[Reach | None] | None
"""What each result of an operation sees: one for all, one for each, or None for results that see nothing."""
Rule = Callable[[Op], Result]

F = TypeVar("F", bound=Rule)
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[F], F]:
    """Register a rule for the ATen operations of these names, in-place forms included."""

    def register(function: F) -> F:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def sizes(value: Any, n: int) -> tuple[int, ...]:
    """An argument such as a kernel size as `n` numbers: ATen takes one for all."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values if len(values) == n else values * n
