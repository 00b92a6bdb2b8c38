"""How alike two pictures are, by their fingerprints: the same picture in another file, or only a similar one."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.desk.fingerprint import HEAD, SIDE, brightness, colour
from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray

SAME = 0.2
"""Unlikeness up to which two files are taken for the same picture."""

_HOPELESS, _APART = 0.85, 0.45
"""Unlikeness from which on no shift or cut makes two pictures the same, and none that has been found does."""
_SKETCHED = 0.55
"""What two sketches of the same picture differ by at most."""
_NEARLY = 0.05
"""Unlikeness up to which nothing need be shifted or cut."""
_COLOUR_WEIGHT = 2.0
_LEAST_CONTRAST = 4.0
"""Levels (RMS) below which a picture is nearly of one colour, and what differs is measured by this."""
_GAIN, _OFFSET = 1.6, 40.0
"""By how much the contrast may have been raised, and the brightness moved (levels), for nothing."""
_MOVED = 0.12
"""The farthest that an edge may have been cut off or moved, as a part of the side."""
_STEPS = 7


def unlikeness(these: ByteArray, those: ByteArray) -> FloatArray:
    """How unlike pictures are, f32 [P], from fingerprints u8 [P, length] each: 0 only where all pixels are the same.

    √(1 − r) with r the correlation of their brightness and colours at 32 × 32, after an overall change of brightness
    and contrast has been undone, and margins of up to 12 % a side cut off. The same picture resized, recompressed, a
    little brighter or a little cropped is below `SAME`; others are around 1.
    """
    found = np.ones(len(these), np.float32)
    likely = np.flatnonzero(may_be_same(sketches(these), sketches(those)))
    if len(likely):
        found[likely] = _compared(these[likely], those[likely])
    return found


def may_be_same(ours: FloatArray, theirs: FloatArray) -> BoolArray:
    """Whether it is worth comparing pictures, bool [P], by their `sketches` [P, 96]: quickly told of most."""
    may: BoolArray = np.sqrt(np.square(ours - theirs).mean(axis=1) / 2) < _SKETCHED
    return may


def _compared(these: ByteArray, those: ByteArray) -> FloatArray:
    ours, theirs = _views(these), _views(those)
    found = _unlike(ours, theirs)
    some = np.flatnonzero((found > _NEARLY) & (found < _HOPELESS))
    if len(some):
        # A picture that was cut is found in the whole one, and either may be the whole one.
        for one, other in ((ours[some], theirs[some]), (theirs[some], ours[some])):
            found[some] = np.minimum(found[some], _registered(one, other))
    found = np.maximum(found, np.float32(1e-6))
    found[(these == those).all(axis=1)] = 0.0
    return found


def mirrored(prints: ByteArray) -> ByteArray:
    """Fingerprints of the same pictures mirrored left to right; their checksums, which are not known, are 0."""
    light = np.rint(brightness(prints)[..., ::-1])
    tints = np.rint(colour(prints)[..., ::-1] + 128)
    parts = (np.zeros((len(prints), HEAD)), light.reshape(-1, SIDE * SIDE), tints.reshape(-1, SIDE * SIDE // 2))
    return np.concatenate([part.astype(np.uint8) for part in parts], axis=1)


def sketches(prints: ByteArray) -> FloatArray:
    """Points f32 [N, 96] that are near each other for pictures that look alike, to find candidates by."""
    light = brightness(prints).reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    light -= light.mean(axis=(1, 2), keepdims=True)
    tints = colour(prints).reshape(-1, 2, 4, 4, 4, 4).mean(axis=(3, 5)) * np.sqrt(2 * _COLOUR_WEIGHT)
    points = np.concatenate([light.reshape(-1, 64), tints.reshape(-1, 32)], axis=1)
    contrast = np.sqrt(np.square(points).mean(axis=1, keepdims=True))
    made: FloatArray = (points / np.maximum(contrast, _LEAST_CONTRAST)).astype(np.float32)
    return made


def _views(prints: ByteArray) -> FloatArray:
    """Brightness and weighted colours, f32 [P, 3, 32, 32]."""
    tints = colour(prints).repeat(2, axis=2).repeat(2, axis=3)
    weight = np.float32(np.sqrt(_COLOUR_WEIGHT))
    return np.concatenate([brightness(prints)[:, None], tints * weight], axis=1)


def _unlike(ours: FloatArray, theirs: FloatArray, inside: BoolArray | None = None) -> FloatArray:
    """√(1 − r) of views [P, 3, 32, 32], where `inside` [P, 32, 32] if given."""
    weight = np.ones_like(ours[:, 0]) if inside is None else inside.astype(np.float32)
    count = np.maximum(weight.sum(axis=(1, 2)), 1)
    means = [(view[:, 0] * weight).sum(axis=(1, 2)) / count for view in (ours, theirs)]
    a, b = (_centred(view, mean) * weight[:, None] for view, mean in zip((ours, theirs), means, strict=True))
    contrasts = [np.sqrt(np.square(view).sum(axis=(1, 2, 3)) / count) for view in (a, b)]
    gain = np.clip(contrasts[1] / np.maximum(contrasts[0], 1e-6), 1 / _GAIN, _GAIN)[:, None, None, None]
    rest = np.square(a * np.sqrt(gain) - b / np.sqrt(gain)).sum(axis=(1, 2, 3)) / count
    contrast = np.sqrt(contrasts[0] * contrasts[1])
    squared = rest / (2 * np.square(np.maximum(contrast, _LEAST_CONTRAST)))
    # Of pictures with little contrast the brightness is what there is to go by.
    free = _OFFSET * np.minimum(contrast / (4 * _LEAST_CONTRAST), 1)
    squared += np.square(np.maximum(np.abs(means[0] - means[1]) - free, 0) / _OFFSET)
    found: FloatArray = np.sqrt(squared).astype(np.float32)
    return found


def _centred(view: FloatArray, mean: FloatArray) -> FloatArray:
    moved = view.copy()
    moved[:, 0] -= mean[:, None, None]
    return moved


# ------------------------------------------------------------------------------------------------- laid over


def _registered(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """`_unlike` once the second picture is shifted and stretched along both axes to lie over the first.

    Infinite for those that do not come to lie over each other.
    """
    edges, rest = _edges(_halved(ours[:, 0]), _halved(theirs[:, 0]))
    found = np.full(len(ours), np.inf, np.float32)
    near = np.flatnonzero(rest < _APART)
    # Sampling between pixels blurs; blurred beforehand, both are about equally sharp.
    moved, inside = _sampled(_blurred(theirs[near]), edges[near])
    found[near] = _unlike(_blurred(ours[near]), moved, inside)
    return found


def _edges(template: FloatArray, light: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where in `light` [P, 16, 16] are the edges of `template` [P, 16, 16], and what differs then, about 0…1.

    Gauss-Newton steps (Lucas & Kanade, IJCAI 1981); the edges [P, 4] are top, bottom, left, right as parts of the side,
    (0, 1, 0, 1) for all of it.
    """
    start = np.array([0, 1, 0, 1], np.float32)
    edges = np.tile(start, (len(template), 1))
    best, least = edges.copy(), np.full(len(template), np.inf, np.float32)
    template = _standard(template)
    going = np.arange(len(template))
    for step in range(_STEPS):
        moved, inside = _sampled(light[going, None], edges[going])
        laid = _standard(moved[:, 0])
        rest = (template[going] - laid) * inside
        differs = np.sqrt(np.square(rest).sum(axis=(1, 2)) / np.maximum(inside.sum(axis=(1, 2)), 1) / 2)
        better = differs < least[going]
        least[going[better]], best[going[better]] = differs[better], edges[going[better]]
        if step == _STEPS - 1:
            break
        hopeful = differs < (_HOPELESS if step < 3 else _APART)
        going, rest, laid, inside = going[hopeful], rest[hopeful], laid[hopeful], inside[hopeful]
        if not len(going):
            break
        change = np.clip(_step(rest, laid, inside), -0.05, 0.05)
        edges[going] = np.clip(edges[going] + change, start - _MOVED, start + _MOVED)
    return best, least


def _step(rest: FloatArray, light: FloatArray, inside: BoolArray) -> FloatArray:
    """By how much to move the edges, [P, 4], for `light` to come nearer by `rest`, both [P, S, S]."""
    side = light.shape[-1]
    ramp = ((np.arange(side) + 0.5) / side).astype(np.float32)
    along, across = ramp[None, :, None], ramp[None, None, :]
    # By the edges' places, in units of the side.
    dy, dx = (slope * (side * inside) for slope in np.gradient(light, axis=(1, 2)))
    slopes = np.stack([dy * (1 - along), dy * along, dx * (1 - across), dx * across], axis=1).reshape(len(light), 4, -1)
    normal = slopes @ slopes.transpose(0, 2, 1)
    # Damped: a picture may have no slopes along one axis.
    normal += np.eye(4, dtype=np.float32) * (2.5e-4 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-6)
    solved: FloatArray = np.linalg.solve(normal, slopes @ rest.reshape(len(light), -1, 1))[..., 0].astype(np.float32)
    return solved


def _halved(light: FloatArray) -> FloatArray:
    """[P, 32, 32] at half the size, [P, 16, 16]."""
    half: FloatArray = light.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
    return half


def _blurred(views: FloatArray) -> FloatArray:
    """By 1 2 1 along both axes."""
    for axis in (2, 3):
        pad = [(0, 0)] * axis + [(1, 1)] + [(0, 0)] * (3 - axis)
        wide = np.moveaxis(np.pad(views, pad, mode="edge"), axis, -1)
        blurred: FloatArray = (wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]) / np.float32(4)
        views = np.moveaxis(blurred, -1, axis)
    return views


def _standard(light: FloatArray) -> FloatArray:
    light = light - light.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(np.square(light).mean(axis=(1, 2), keepdims=True))
    made: FloatArray = light / np.maximum(deviation, _LEAST_CONTRAST)
    return made


def _sampled(views: FloatArray, edges: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Views [P, C, S, S] between `edges` [P, 4], interpolated, and which places are inside, [P, S, S]."""
    down, in_rows = _interpolation(edges[:, 0], edges[:, 1], views.shape[-1])
    right, in_columns = _interpolation(edges[:, 2], edges[:, 3], views.shape[-1])
    moved = (down[:, None] @ views @ right[:, None].transpose(0, 1, 3, 2)).astype(np.float32)
    return moved, in_rows[:, :, None] & in_columns[:, None, :]


def _interpolation(first: FloatArray, last: FloatArray, side: int) -> tuple[FloatArray, BoolArray]:
    """Matrices f32 [P, S, S] that take S samples between two places of a line, and which are inside it [P, S]."""
    ramp = ((np.arange(side) + 0.5) / side).astype(np.float32)
    places = (first[:, None] + (last - first)[:, None] * ramp) * np.float32(side) - np.float32(0.5)
    inside = (places >= -0.5) & (places <= side - 0.5)
    places = np.clip(places, 0, side - 1)
    weights = np.maximum(1 - np.abs(places[..., None] - np.arange(side, dtype=np.float32)), 0)
    return weights.astype(np.float32), inside
