"""Which channels fire at a place: the arithmetic, in numpy, for the engine and the window alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.fields import Point, Unit, unit_at
from convviz_gui.engine.payloads import Asked, FloatArray, IntArray, frozen
from convviz_gui.engine.types import LayerNode
from convviz_gui.engine.units.places import Sees, field_box

SORTS = ("value", "contrast", "share")
"""What channels can be ordered by; see `payloads.Asked`."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All channels of a layer at one position: f32 [C] each, as in `payloads.Asked`."""

    node: LayerNode
    unit: Unit
    values: FloatArray
    mean: FloatArray
    std: FloatArray
    top: FloatArray

    @property
    def contrast(self) -> FloatArray:
        """(value − mean) / standard deviation of each channel's own map; 0 where it is constant."""
        return _divided(self.values - self.mean, self.std)

    @property
    def share(self) -> FloatArray:
        """value / largest value of each channel's own map; 0 where the largest is not above 0."""
        return _divided(self.values, np.maximum(self.top, 0))

    def order(self, sort: str) -> IntArray:
        """Channels in order, the largest first; equal ones by index, NaN last."""
        key = {"value": self.values, "contrast": self.contrast, "share": self.share}[sort]
        return np.argsort(-key, kind="stable")


def answers_at(node: LayerNode, maps: FloatArray, point: Point) -> Answers:
    """What the channels of `maps` f32 [C, h, w] say at a point (u, v) of the crop."""
    unit = unit_at(point, (maps.shape[1], maps.shape[2]))
    flat = maps.reshape(len(maps), -1)
    # A copy: in the middle of a pass the network may overwrite the maps in place.
    values = maps[:, unit[0], unit[1]].copy()
    return Answers(node, unit, values, flat.mean(1), flat.std(1, dtype=np.float32), flat.max(1))


@dataclass(frozen=True, slots=True)
class Sight:
    """Where the network looked: `box` f32 [4], the crop, and `photo`, the photo's (height, width), in its pixels.

    `size` is the (H, W) of the network's input.
    """

    box: FloatArray
    photo: Unit
    size: Unit


def asked(rows: Sequence[tuple[Answers, IntArray]], point: Point, sort: str, sight: Sight, layer: str) -> Asked:
    """The payload of some channels of some layers: answers, and the channels to take of each, in order."""
    counts = [len(channels) for _, channels in rows]
    fields = [field_box(answers.node, answers.unit, sight.box, sight.photo, sight.size) for answers, _ in rows]
    known = [Sees.of(answers.node) is not Sees.UNKNOWN for answers, _ in rows]

    def taken(name: str) -> FloatArray:
        parts = [getattr(answers, name)[channels] for answers, channels in rows]
        return frozen(np.concatenate(parts).astype(np.float32)) if parts else frozen(np.zeros(0, np.float32))

    return Asked(
        layer=layer,
        sort=sort,
        point=point,
        layers=tuple(answers.node.id for answers, channels in rows for _ in channels),
        units=frozen(np.repeat(np.array([answers.unit for answers, _ in rows], np.int64), counts, axis=0)),
        channels=frozen(np.concatenate([channels for _, channels in rows]).astype(np.int64)),
        values=taken("values"),
        mean=taken("mean"),
        top=taken("top"),
        contrast=taken("contrast"),
        share=taken("share"),
        fields=frozen(np.repeat(np.array(fields, np.float32), counts, axis=0)),
        known=frozen(np.repeat(np.array(known, np.bool_), counts)),
        box=sight.box,
        asked=sum(len(answers.values) for answers, _ in rows),
    )


def _divided(numbers: FloatArray, by: FloatArray) -> FloatArray:
    return np.divide(numbers, by, out=np.zeros_like(numbers), where=by != 0)
