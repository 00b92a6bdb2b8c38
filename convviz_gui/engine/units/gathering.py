"""Cutting the patches that a scan has found out of their photos, each photo read once."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.decoding_room import Reserve
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import in_threads
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.patch_cutting import GROUND, cut
from convviz_gui.engine.payloads import ByteArray, FloatArray, IntArray, Skipped

MOST_BYTES = 96_000_000
"""Of all patches of a layer together: their side is chosen by it."""
LARGEST, SMALLEST = 96, 16
"""Side of a patch in pixels."""
_AHEAD = 4


def patch_side(channels: int, k: int) -> int:
    """Pixels a side, so that C·k patches keep to `MOST_BYTES`: 96 up to 385 channels × 9, 41 for 2,048 × 9.

    Raises `EngineError` where they would be too small to show anything.
    """
    side = min(int((MOST_BYTES / (3 * channels * k)) ** 0.5), LARGEST)
    if side < SMALLEST:
        most = MOST_BYTES // (3 * SMALLEST**2 * k)
        raise EngineError(
            f"{channels} channels with {k} patches each are too many to keep",
            f"Choose up to {most} of them, for instance the first {most} (--channels 'first {most}'), or fewer patches",
        )
    return side


def gather(
    paths: tuple[str, ...], pictures: IntArray, boxes: FloatArray, side: int
) -> Steps[tuple[ByteArray, tuple[Skipped, ...]]]:
    """Patches u8 [C, k, side, side, 3], and photos that can no longer be read, whose patches stay grey.

    Yields after each photo. Holds the patches and at most `_AHEAD` photos' worth of them besides.

    Args:
        pictures: i64 [C, k], places in `paths`, or −1 for none.
        boxes: f32 [C, k, 4], see `places.field_boxes`.
    """
    images = np.full((*pictures.shape, side, side, 3), GROUND, np.uint8)
    flat, where = images.reshape(-1, side, side, 3), boxes.reshape(-1, 4)
    slots = _slots(pictures)
    skipped: list[Skipped] = []

    def patches(item: tuple[int, IntArray], reserve: Reserve) -> list[ByteArray] | Skipped:
        try:
            return cut(open_rgb(paths[item[0]], reserve=reserve)[0], list(where[item[1]]), side)
        except EngineError as error:
            return Skipped(paths[item[0]], error.title)

    with in_threads(patches, slots, _AHEAD) as made:
        for done, (item, squares) in enumerate(zip(slots, made, strict=True)):
            if isinstance(squares, Skipped):
                skipped.append(squares)
            else:
                flat[item[1]] = squares
            yield Update(done + 1, len(slots), f"cutting patches: {done + 1} of {len(slots)} pictures")
    return images, tuple(skipped)


def _slots(pictures: IntArray) -> list[tuple[int, IntArray]]:
    """Each picture with the places in the flattened [C, k] that it fills."""
    flat = pictures.reshape(-1)
    order = np.argsort(flat, kind="stable")
    order = order[flat[order] >= 0]
    starts = np.flatnonzero(np.diff(flat[order], prepend=-1))
    return [(int(flat[part[0]]), part) for part in np.split(order, starts[1:])]
