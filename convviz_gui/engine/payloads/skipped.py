"""Files that were left out of a folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why, in words."""

    path: str
    reason: str
