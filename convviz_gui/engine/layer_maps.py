"""The maps of one layer for one photo, kept for whoever asks next."""

from __future__ import annotations

import torch

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.payloads import Maps
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.statistics import channel_statistics
from convviz_gui.engine.types import ImageInput


def layer_maps(session: Session, image: ImageInput | None, layer: str | None) -> Maps:
    """The maps of `layer` (None: the default one) for `image`, from the cache if they were seen lately."""
    if image is None:
        raise EngineError("Activations need a picture", "Open one (command line: --image FILE)")
    layer = layer or session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    layer = node.id
    key = (image.digest, layer)
    known = session.maps_cache.get(key)
    if known is not None:
        return known
    x, box = session.input(image)
    # Not in inference mode: what a network keeps of a pass could then not be differentiated in the next.
    with torch.no_grad():
        with session.computing():
            output = run_to(session.model, x, layer)
        output = channels_first(output, node)[0].float()
        maps = output[:, None, None] if output.ndim == 1 else output
        numbers = channel_statistics(maps)
    found = Maps(
        layer=layer,
        maps=read_only(maps),
        mean=read_only(numbers.mean),
        std=read_only(numbers.std),
        max=read_only(numbers.max),
        sparsity=read_only(numbers.sparsity),
        blank=read_only(numbers.blank),
        box=box,
    )
    session.maps_cache.put(key, found)
    return found
