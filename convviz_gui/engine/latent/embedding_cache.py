"""What is known of a dataset's features already: the last ones of each open network in memory, all others on disk."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from weakref import WeakKeyDictionary

from torch import nn

from convviz_gui.engine.content import stamp
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.latent.disk_shelf import shelf_for
from convviz_gui.engine.latent.embedding import Embedding, Preview, embed_layers
from convviz_gui.engine.latent.identity import state_of
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.session import Session

_MOST_BYTES = 2**30
"""Of features of several layers together; the layers asked for last are kept in any case."""

# One for each network that is alive: closing a network frees it.
_latest: WeakKeyDictionary[nn.Module, tuple[Hashable, dict[str, Embedding]]] = WeakKeyDictionary()


def embed_cached(
    session: Session, listing: Listing, layer: str, batch: int = 0, preview: Preview | None = None
) -> Steps[Embedding]:
    """`embed_layers_cached` for one layer."""
    found = yield from embed_layers_cached(session, listing, (layer,), batch, preview)
    return found[layer]


def embed_layers_cached(
    session: Session, listing: Listing, layers: Sequence[str], batch: int = 0, preview: Preview | None = None
) -> Steps[dict[str, Embedding]]:
    """`embed_layers`, but only of what is not known: of layers that were not asked for, of files that are new.

    What was computed last is in memory as long as nothing that it depends on changes: network, layers, device, any
    file. Rows are kept in the user's cache folder, by the content of each file, for this network with its weights and
    code, this preprocessing, precision and kind of device (see `disk_shelf`).
    """
    info, model = session.info, session.model
    key = (state_of(model), info.device, info.precision, info.preprocess, listing, tuple(map(stamp, listing.paths)))
    known = _latest.get(model)
    have = known[1] if known is not None and known[0] == key else {}
    missing = [layer for layer in dict.fromkeys(layers) if layer not in have]
    if not missing:
        yield Update(1, 1, "pictures already read")
        return {layer: have[layer] for layer in layers}
    found = yield from _embedded(session, listing, missing, batch, preview)
    # A file that could be read at one time and not at another would leave rows that do not belong together.
    if any(have[layer].rows != found[missing[0]].rows for layer in have):
        have = {}
        if set(missing) != set(layers):
            found = yield from _embedded(session, listing, layers, batch, preview)
    have = {**have, **found}
    if session.model is model and session.info is info:
        _latest[model] = (key, _newest(have, layers))
    return {layer: have[layer] for layer in layers}


def _embedded(
    session: Session, listing: Listing, layers: Sequence[str], batch: int, preview: Preview | None
) -> Steps[dict[str, Embedding]]:
    shelf = yield from shelf_for(session, batch)
    return (yield from embed_layers(session, listing, layers, batch, preview, shelf))


def _newest(have: dict[str, Embedding], wanted: Sequence[str]) -> dict[str, Embedding]:
    kept = {layer: have[layer] for layer in wanted}
    size = sum(found.features.nbytes for found in kept.values())
    for layer, found in reversed(have.items()):
        size += found.features.nbytes if layer not in kept else 0
        if layer not in kept and size <= _MOST_BYTES:
            kept[layer] = found
    return kept
