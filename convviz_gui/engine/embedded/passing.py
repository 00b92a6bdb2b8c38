"""One layer's vectors and the logits of a batch, and how long they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convviz_gui.engine.folder_pass import Decoded, network_input
from convviz_gui.engine.latent.embedding import rows_of
from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.session import Session

LayerRows = tuple[FloatArray, FloatArray]


def vectors_and_logits(session: Session, layer: str, pictures: Sequence[Decoded]) -> LayerRows:
    """Features f32 [N, D] and logits f32 [N, K] of pictures, as the method "latent" has them."""
    features, logits = rows_of(session, (layer,), network_input(session, pictures))
    return features[layer], logits


def widths(session: Session, layer: str) -> tuple[int, int]:
    """D and K, from a black picture. Raises `EngineError` for a layer that gives neither maps nor vectors."""
    preprocess = session.info.preprocess
    height, width = preprocess.size
    black = np.zeros((height, width, min(preprocess.channels, 3)), np.uint8)
    box = np.array([0, 0, width, height], np.float32)
    features, logits = vectors_and_logits(session, layer, [Decoded(0, black, box, (height, width))])
    return features.shape[1], logits.shape[1]
