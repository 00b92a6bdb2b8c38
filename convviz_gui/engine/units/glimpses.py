"""The first channels' patches while a folder is still being read, cut from what the network was given."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from convviz_gui.engine.patch_cutting import GROUND, cut
from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.preprocess import colour_order
from convviz_gui.engine.types import LayerNode, Preprocess
from convviz_gui.engine.units.places import Frames, field_boxes
from convviz_gui.engine.units.scan import Accumulator, Batch
from convviz_gui.engine.units.top_k import Ranking, TopK

CHANNELS = 24
"""Channels that are shown before the end: as many as fill a page."""
SIDE = 64
"""Pixels a side."""


class Glimpses(Accumulator):
    """Keeps the crops that the first `CHANNELS` channels' best pictures are of: at most CHANNELS · k crops.

    Comes after `top` among a layer's accumulators, whose ranking it goes by.
    """

    def __init__(self, top: TopK, node: LayerNode, preprocess: Preprocess) -> None:
        self._top, self._node, self._preprocess = top, node, preprocess
        self._crops: dict[int, ByteArray] = {}
        self._made: dict[tuple[int, int, int], ByteArray] = {}

    def reduce(self, maps: Tensor) -> None:
        """Nothing of the layer."""

    def add(self, batch: Batch, reduced: Any) -> None:
        """Keep the crops that are needed now, and no others."""
        for picture in batch.pictures:
            self._crops[picture.index] = picture.crop
        needed = set(self._top.ranking(CHANNELS).pictures.reshape(-1).tolist())
        self._crops = {index: crop for index, crop in self._crops.items() if index in needed}

    def show(self) -> tuple[Ranking, ByteArray]:
        """The ranking of the first channels so far, and their patches u8 [channels, k, SIDE, SIDE, 3]."""
        ranking = self._top.ranking(CHANNELS)
        images = np.full((*ranking.pictures.shape, SIDE, SIDE, 3), GROUND, np.uint8)
        boxes = self._boxes(ranking)
        made: dict[tuple[int, int, int], ByteArray] = {}
        for at in zip(*np.nonzero(ranking.pictures >= 0), strict=True):
            picture = int(ranking.pictures[at])
            key = (picture, int(ranking.positions[at][0]), int(ranking.positions[at][1]))
            if key not in made:
                known = self._made.get(key)
                made[key] = known if known is not None else self._cut(picture, boxes[at])
            images[at] = made[key]
        self._made = made
        return ranking, images

    def _boxes(self, ranking: Ranking) -> FloatArray:
        height, width = self._preprocess.size
        whole = Frames(np.array([[0, 0, width, height]], np.float32), np.array([[height, width]], np.float32))
        boxes = field_boxes(self._node, ranking.positions.reshape(-1, 2), whole, self._preprocess.size)
        return boxes.reshape(*ranking.pictures.shape, 4)

    def _cut(self, picture: int, box: FloatArray) -> ByteArray:
        crop = self._crops[picture]
        if crop.shape[2] == 1:
            colours = crop.repeat(3, axis=2)
        else:
            colours = np.zeros((*crop.shape[:2], 3), np.uint8)
            colours[..., list(colour_order(self._preprocess))] = crop
        return cut(Image.fromarray(colours), [box], SIDE)[0]
