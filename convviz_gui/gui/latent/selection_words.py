"""A selection in words. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 4
_LONGEST = 32
"""Letters of a label: a longer word, which cannot be wrapped, would make the whole page as wide."""


def counted(number: int, noun: str = "picture") -> str:
    """1 → "1 picture", 1204 → "1,204 pictures"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def summary(number: int, labels: Sequence[tuple[str, int]], most: int = _NAMED) -> str:
    """How many are selected, and how many of each label: "34 selected: 20 cat, 14 dog"."""
    start = f"{number:,} selected"
    if not any(name for name, _ in labels):
        return start
    told = [f"{count:,} {_short(name)}" for name, count in labels[:most]]
    rest = labels[most:]
    if len(rest) == 1:
        told.append(f"{rest[0][1]:,} {_short(rest[0][0])}")
    elif rest:
        told.append(f"{sum(count for _, count in rest):,} of {len(rest):,} other labels")
    return f"{start}: {', '.join(told)}"


def _short(name: str) -> str:
    half = _LONGEST // 2
    return name if 0 < len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}" if name else "without a label"
