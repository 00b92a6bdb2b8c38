"""From the name of a network to how it is built. Imports torchvision and timm when first asked, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.names import close_names, did_you_mean
from convviz_gui.engine.zoo.index import DEMO, ModelEntry, entries, entry_of
from convviz_gui.engine.zoo.index import search as search_models

if TYPE_CHECKING:
    from convviz_gui.engine.zoo.architecture import Architecture

__all__ = ["DEMO", "ModelEntry", "entries", "find", "search_models"]

_FORMS = "Networks are demo, torchvision:NAME or timm:NAME; search for one by name"


def find(source: str) -> Architecture:
    """The network that `source` names, as in `ModelSpec`.

    Raises:
        EngineError: there is none; names the closest.
    """
    library, _, name = source.partition(":")
    if source == DEMO:
        from convviz_gui.engine.zoo import demo_zoo

        return demo_zoo.architecture()
    if library == "torchvision":
        from convviz_gui.engine.zoo import torchvision_zoo

        if name in torchvision_zoo.names():
            return torchvision_zoo.architecture(name)
    if library == "timm":
        from convviz_gui.engine.zoo import timm_zoo

        if name in timm_zoo.names():
            return timm_zoo.architecture(name)
    raise _unknown(source)


def _unknown(source: str) -> EngineError:
    library, colon, name = source.partition(":")
    known = entries()
    if (entry := entry_of(source)) is not None:
        from importlib.metadata import version

        title = f"{library} {version(library)}, which is installed, has no network {name!r}"
        return EngineError(title, f"Another version has: pip install --upgrade {entry.library}")
    if colon and not name.strip():
        return EngineError(f"{source!r} names no network", _FORMS)
    if not colon and (same := [entry.source for entry in known if source in (entry.name, entry.library)]):
        title = f"{source!r} does not say which library the network is from"
        return EngineError(title, "Did you mean " + " or ".join(same[:3]) + "?")
    candidates = [entry for entry in known if entry.library == library] or known
    # Comparing the names alone: a shared prefix would make all of a library's networks look alike.
    title = f"There is no network called {source!r}"
    close = close_names(name or library, dict.fromkeys(entry.name for entry in candidates))
    offered = [entry.source for word in close for entry in candidates if entry.name == word]
    return EngineError(title, did_you_mean(offered[:3], _FORMS))
