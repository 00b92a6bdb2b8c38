"""Channels written by hand: "0,3,8-15", "first 64", "all"."""

from __future__ import annotations

import itertools
import re

from convviz_gui.engine.errors import EngineError

MOST = 1_000_000
"""More channels than any layer has: what is read before the layer is known must not fill the memory."""

FORMS = 'Write them like 0,3,8-15, or "first 64", or "all"'


def parse_channels(text: str, n_channels: int | None = None) -> tuple[int, ...] | None:
    """Channel numbers in the order written, each once; None for "all" while the number of channels is not known.

    Args:
        text: for example "0,3,8-15", "first 64" or "all".
        n_channels: how many the layer has; "first 64" of 48 channels is all 48, but a single number beyond is refused.

    Raises `EngineError` for anything else.
    """
    words = text.strip().lower()
    if words == "all":
        return None if n_channels is None else tuple(range(n_channels))
    if match := re.fullmatch(r"first\s+([0-9]{1,18})", words):
        count = min(int(match[1]), MOST if n_channels is None else n_channels)
        if count < 1:
            raise EngineError("The first 0 channels are none at all", FORMS)
        return tuple(range(count))
    ranges = [_range(part, text) for part in re.split(r"[,\s]+", words.strip(","))]
    highest = max(numbers[-1] for numbers in ranges)
    if n_channels is not None and highest >= n_channels:
        raise EngineError(f"There is no channel {highest}", f"Channels go from 0 to {n_channels - 1}")
    if highest >= MOST:
        raise EngineError(f"There is no channel {highest}", "`convviz layers` tells how many channels a layer has")
    return tuple(dict.fromkeys(itertools.chain.from_iterable(ranges)))


def _range(part: str, text: str) -> range:
    match = re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", part)
    if match is None:
        raise EngineError(f"{text!r} does not name channels", FORMS)
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise EngineError(f"The range {part} runs backwards", f"Write {last}-{first}")
    return range(first, last + 1)


def write_channels(channels: tuple[int, ...]) -> str:
    """The shortest text that `parse_channels` reads as `channels`: (0, 3, 8, 9, 10) → "0,3,8-10"."""
    parts: list[str] = []
    start = 0
    for i in range(1, len(channels) + 1):
        if i == len(channels) or channels[i] != channels[i - 1] + 1:
            first, last = channels[start], channels[i - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = i
    return ",".join(parts)
