"""The last embedding of each open network, so that another projection of the same dataset starts at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from torch import nn

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.latent.embedding import Embedding, embed_layers
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.session import Session

_MOST_BYTES = 2**30
"""Of features of several layers together; the layers asked for last are kept in any case."""

# One for each network that is alive: closing a network frees it.
_latest: WeakKeyDictionary[nn.Module, tuple[Hashable, dict[str, Embedding]]] = WeakKeyDictionary()


def embed_cached(session: Session, listing: Listing, layer: str, batch: int = 0) -> Steps[Embedding]:
    """`embed`, or what it returned last if nothing it depends on has changed: network, layer, device, any file, …"""
    found = yield from embed_layers_cached(session, listing, (layer,), batch)
    return found[layer]


def embed_layers_cached(
    session: Session, listing: Listing, layers: Sequence[str], batch: int = 0
) -> Steps[dict[str, Embedding]]:
    """`embed_layers`, or what is known of it already; only layers that are not known are computed."""
    info, model = session.info, session.model
    key = (info.device, info.precision, info.preprocess, listing, tuple(map(_signature, listing.paths)))
    known = _latest.get(model)
    have = known[1] if known is not None and known[0] == key else {}
    missing = [layer for layer in dict.fromkeys(layers) if layer not in have]
    if not missing:
        yield Update(1, 1, "pictures already read")
    else:
        found = yield from embed_layers(session, listing, missing, batch)
        # A file that could be read at one time and not at another would leave rows that do not belong together.
        if any(have[layer].rows != found[missing[0]].rows for layer in have):
            have = {}
            if set(missing) != set(layers):
                found = yield from embed_layers(session, listing, layers, batch)
        have = {**have, **found}
        _latest[model] = (key, _newest(have, layers))
    return {layer: have[layer] for layer in layers}


def _newest(have: dict[str, Embedding], wanted: Sequence[str]) -> dict[str, Embedding]:
    kept = {layer: have[layer] for layer in wanted}
    size = sum(found.features.nbytes for found in kept.values())
    for layer, found in reversed(have.items()):
        size += found.features.nbytes if layer not in kept else 0
        if layer not in kept and size <= _MOST_BYTES:
            kept[layer] = found
    return kept


def _signature(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
