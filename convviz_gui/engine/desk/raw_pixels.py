"""Pictures as vectors of a few pixels: what features are held against."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.folder_pass import Decoded, decoding
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import BoolArray, FloatArray
from convviz_gui.engine.types import Preprocess

SIDE = 16
_BATCH = 16


def raw_pixels(listing: Listing, preprocess: Preprocess) -> Steps[tuple[FloatArray, BoolArray]]:
    """The part of each photo that the network sees, shrunk to 16×16 by averaging: f32 [N, 256·C] 0…255.

    And which of them could be read, bool [N]; the others are zeros. C is the network's channels, 3 at most.
    """
    total = len(listing.paths)
    pixels = np.zeros((total, SIDE * SIDE * min(preprocess.channels, 3)), np.float32)
    read = np.zeros(total, np.bool_)
    with decoding(listing.paths, preprocess, 2 * _BATCH) as pictures:
        for index, picture in pictures:
            if isinstance(picture, Decoded):
                crop = torch.from_numpy(np.array(picture.crop, np.float32)).permute(2, 0, 1)
                pixels[index] = F.adaptive_avg_pool2d(crop, SIDE).flatten().numpy()
                read[index] = True
            if (index + 1) % _BATCH == 0 or index + 1 == total:
                yield Update(index + 1, total, f"raw pixels of picture {index + 1} of {total}")
    return pixels, read
