"""Colour spaces in which natural pictures vary independently, so that an ascent reaches all colours alike."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import FloatArray

_LUCID = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
LUCID: FloatArray = _LUCID / np.linalg.norm(_LUCID, axis=0).max()
"""f32 [3, 3]: colour = LUCID @ component; square root of the covariance of ImageNet's colours, over its largest column
norm (Olah, Mordvintsev & Schubert 2017)."""

MACO: FloatArray = np.array(
    [
        [0.56282854, 0.58447580, 0.58447580],
        [0.19482528, 0.00000000, -0.19482528],
        [0.04329450, -0.10823626, 0.06494176],
    ],
    np.float32,
)
"""f32 [3, 3]: colour = component @ MACO; principal components of ImageNet's colours, brightness first, each with its
standard deviation over that of brightness (Fel et al. 2023)."""


def mixing(matrix: FloatArray, n_colours: int) -> FloatArray:
    """`matrix`, or where pictures have no three colours the identity f32 [n_colours, n_colours]."""
    return matrix if n_colours == 3 else np.eye(n_colours, dtype=np.float32)
