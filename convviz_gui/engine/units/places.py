"""From a position of a layer's map to the part of the photo that it sees."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.types import LayerNode


class Sees(StrEnum):
    """What of the picture a position of a layer sees.

    PART: its receptive field. WHOLE: all of the crop. UNKNOWN: nobody can tell, so the crop is taken for it.
    """

    PART = "part"
    WHOLE = "whole"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, node: LayerNode) -> Sees:
        """What positions of a layer see."""
        if node.receptive_field is None:
            return cls.UNKNOWN
        return cls.WHOLE if node.receptive_field.whole else cls.PART


@dataclass(frozen=True, slots=True)
class Frames:
    """Where crops lie in their photos, N of each.

    `boxes` f32 [N, 4]: x, y, width, height in the photo's pixels. `sizes` f32 [N, 2]: the photos' height and width.
    """

    boxes: FloatArray
    sizes: FloatArray


def field_boxes(
    node: LayerNode, positions: NDArray[np.integer], frames: Frames, input_size: tuple[int, int]
) -> FloatArray:
    """The parts of the photos that positions of a layer see: x, y, width, height in the photos' pixels, f32 [N, 4].

    The layer's receptive field, uncut in the input's pixels, cut at the crop's edge, carried into the photo by the
    crop's box, and cut at the photo's edge. Where the field is unknown or the whole picture, that is the crop. A
    position that sees nothing but padding has a box without width or height. Resizing looks a little further than a
    pixel of the input: by half of one with Pillow's bilinear filter, 1.5 with bicubic, 2.5 with lanczos.

    Args:
        positions: [N, 2], rows and columns of the layer's map.
        frames: of N pictures, or of one that all positions are in.
        input_size: (H, W) of the network's input in pixels.
    """
    field, sees = node.receptive_field, Sees.of(node)
    at = np.asarray(positions, np.float64).reshape(-1, 2)
    edge = np.array(input_size, np.float64)
    low, high = np.zeros_like(at), np.broadcast_to(edge, at.shape)
    if sees is Sees.PART and field is not None:
        first = np.array(field.start) + at * np.array(field.stride)
        # A field that begins between two pixels begins with the next one.
        first = np.ceil(first - 1e-6)
        low, high = np.clip(first, 0, edge), np.clip(first + np.array(field.size), 0, edge)
    boxes, sizes = frames.boxes.astype(np.float64).reshape(-1, 4), frames.sizes.astype(np.float64).reshape(-1, 2)
    corner, extent = boxes[:, 1::-1], boxes[:, :1:-1]
    low, high = corner + low * extent / edge, corner + high * extent / edge
    low, high = np.clip(low, 0, sizes), np.clip(high, 0, sizes)
    return np.concatenate([low[:, ::-1], (high - low)[:, ::-1]], axis=1).astype(np.float32)


def field_box(
    node: LayerNode,
    position: tuple[int, int],
    crop_box: FloatArray,
    photo_size: tuple[int, int],
    input_size: tuple[int, int],
) -> FloatArray:
    """`field_boxes` of one position: f32 [4], x, y, width, height in the photo's pixels.

    Args:
        position: row and column of the layer's map.
        crop_box: f32 [4], the crop in the photo, as `Session.input` and `preprocess.crop_box` tell it.
        photo_size: (height, width) of the photo.
        input_size: (H, W) of the network's input.
    """
    frames = Frames(np.asarray(crop_box, np.float32)[None], np.array([photo_size], np.float32))
    box: FloatArray = field_boxes(node, np.array([position]), frames, input_size)[0]
    return box
