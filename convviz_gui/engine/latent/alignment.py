"""Laying one arrangement of points on another (Gower 1975; Umeyama, TPAMI 1991)."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import FloatArray, frozen


def aligned(xy: FloatArray, to: FloatArray) -> FloatArray:
    """Move, turn, mirror and scale `xy` f32 [N, 2] as a whole to lie as near `to` f32 [N, 2] as it can, f32 [N, 2].

    Least squares of the distances; distances within `xy` keep their proportions. Points without finite places in both
    take no part in finding the movement. Where it is not defined (fewer than two places, or all the same) the points
    are only moved, so that their means agree.
    """
    known = np.isfinite(xy).all(1) & np.isfinite(to).all(1)
    if not known.any():
        return xy
    mine, theirs = xy[known].astype(np.float64), to[known].astype(np.float64)
    centre, goal = mine.mean(0), theirs.mean(0)
    mine -= centre
    theirs -= goal
    size = np.square(mine).sum()
    u, strengths, vt = np.linalg.svd(mine.T @ theirs)
    # One that lies anywhere else, or in a point, says nothing of size and direction.
    scale = strengths.sum() / size if size > 0 and strengths.sum() > 0 else 1.0
    turn = u @ vt if size > 0 else np.eye(2)
    return frozen((((xy - centre) @ turn) * scale + goal).astype(np.float32))
