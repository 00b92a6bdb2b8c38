"""A channel's page as it grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import UnitPage


class GrowingPage:
    """Takes sections one after the other; a copy of what is there can be had at any time."""

    def __init__(self, blank: UnitPage) -> None:
        self._page = blank

    def put(self, section: str, **fields: Any) -> None:
        """Take a finished section."""
        self._page = replace(self._page, done=(*self._page.done, section), **fields)

    def set(self, **fields: Any) -> None:
        """Take facts that are no section."""
        self._page = replace(self._page, **fields)

    def lack(self, section: str, why: EngineError | str) -> None:
        """Note why a section cannot be had; the others can all the same."""
        sentence = why.title if isinstance(why, EngineError) else why
        self._page = replace(self._page, notes=(*self._page.notes, (section, sentence)))

    def page(self) -> UnitPage:
        """What is there."""
        return self._page

    def so_far(self, make: Callable[[], dict[str, Any]]) -> Callable[[], UnitPage]:
        """For previews: what is there, with fields that are still growing."""
        page = self._page
        return lambda: replace(page, **make())
