"""Help for a name that does not exist: the ones that look like it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from convviz_gui.engine.errors import EngineError


def unknown_name(title: str, name: str, known: Iterable[str]) -> EngineError:
    """An error whose hint names the known names closest to `name`."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    hint = "Did you mean " + " or ".join(close) + "?" if close else "Choose another one"
    return EngineError(title, hint)
