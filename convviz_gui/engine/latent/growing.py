"""A map while its pictures are still being read: principal components of what is there."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.latent.embedding import Embedding
from convviz_gui.engine.payloads import FloatArray, Points, frozen
from convviz_gui.engine.projections.pca import Axes, principal_axes
from convviz_gui.engine.types import Run

MOST_FITTED = 1024
"""Rows that the axes are found of at most; all further ones are only placed."""

_NONE = frozen(np.zeros(0, np.float32))
_NO_NEIGHBOURS = frozen(np.zeros((0, 0), np.int64))


class Growing:
    """Places for rows as they come.

    The axes are found anew whenever the rows have doubled in number, up to `MOST_FITTED`, and turned or mirrored so
    that the points known before lie as near to their old places as they can (orthogonal Procrustes): in between no
    point moves. A picture costs D multiplications, and each finding at most those of 1,024 rows, some 0.3 s; of a run,
    all previews together take a tenth at most (`jobs`).
    """

    def __init__(self, run: Run, projection: str, listing: Listing) -> None:
        self._run, self._projection, self._listing = run, projection, listing
        self._axes: Axes | None = None
        self._turn = np.eye(2)
        self._fitted = 0
        self._xy: FloatArray = np.zeros((0, 2), np.float32)

    def points(self, found: Embedding) -> Points:
        """The map of an embedding that begins with the rows of the one before."""
        return Points(
            layer=found.layer,
            folder=self._run.folder or "",
            others=self._run.splits,
            projection=self._projection,
            paths=found.paths,
            labels=found.labels,
            splits=self._listing.splits_of(found.rows),
            columns=self._listing.columns_of(found.rows),
            features=found.features,
            xy=self.place(found.features),
            logits=found.logits,
            outlier=_NONE,
            neighbours=_NO_NEIGHBOURS,
            skipped=found.skipped,
            digests=found.digests,
            final=False,
            reduced_to=found.reduced_to,
            expected=len(self._listing.paths),
        )

    def place(self, features: FloatArray) -> FloatArray:
        """Places f32 [N, 2] of rows f32 [N, D], which begin with those of the call before."""
        n = len(features)
        if self._axes is None or (self._fitted < MOST_FITTED and n >= 2 * self._fitted):
            self._fit(features[:MOST_FITTED])
            self._xy = self._axes_scores(features)
        elif n > len(self._xy):
            self._xy = np.concatenate([self._xy, self._axes_scores(features[len(self._xy) :])])
        return frozen(self._xy.view())

    def _fit(self, features: FloatArray) -> None:
        before, n = self._xy.astype(np.float64), len(features)
        self._axes, self._fitted = principal_axes(features), n
        if len(before):
            now = self._axes.scores(features[: len(before)]).astype(np.float64)
            left, _, right = np.linalg.svd(now.T @ before[: len(now)])
            self._turn = left @ right

    def _axes_scores(self, features: FloatArray) -> FloatArray:
        assert self._axes is not None
        return (self._axes.scores(features) @ self._turn).astype(np.float32)
