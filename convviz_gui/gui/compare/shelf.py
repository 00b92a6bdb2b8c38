"""The latest results of all tabs and networks, to choose from."""

from __future__ import annotations

from convviz_gui.engine.compare.side import can_compare
from convviz_gui.engine.types import Result
from convviz_gui.gui.tabs.result_cache import size_of

MOST = 24
"""Results to choose from; more would be a list to search, not to choose from."""
KEPT_BYTES = 128 * 2**20


class Shelf:
    """Results that can be compared, newest first; the oldest go beyond `MOST` of them or `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._results: list[Result] = []

    def put(self, result: Result) -> bool:
        """Keep a result, or move it to the front; False if it has nothing to compare."""
        if not can_compare(result):
            return False
        self._results = [result, *(kept for kept in self._results if kept is not result)][:MOST]
        total = 0
        for place, kept in enumerate(self._results):
            total += size_of(kept)
            if total > KEPT_BYTES and place > 0:
                self._results = self._results[:place]
                break
        return True

    def results(self) -> tuple[Result, ...]:
        """Newest first."""
        return tuple(self._results)


def name_of(result: Result, title: str = "") -> str:
    """A result in one line: "Grad-CAM · features.12 · tabby · cat.jpg · SqueezeNet"."""
    run, payload = result.run, result.payload
    index = getattr(payload, "class_index", None)
    against = getattr(payload, "against", None)
    parts = [title or run.method, getattr(payload, "layer", None) or run.target.layer or ""]
    if index is not None:
        rather = "" if against is None else f" rather than {result.model.class_name(against)}"
        parts.append(result.model.class_name(index) + rather)
    elif run.target.channels is not None and len(run.target.channels) == 1:
        parts.append(f"channel {run.target.channels[0]}")
    parts += [run.image.name if run.image is not None else "", result.model.name]
    return " · ".join(part for part in parts if part)
