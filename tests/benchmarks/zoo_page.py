"""docs/zoo.md, from what the sweep found."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_page(results: dict[str, dict[str, Any]], out: Path) -> None:
    """Write the page."""
    del results, out
