"""A projection from request to points: what is checked first, what it needs, and the run itself."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.neighbours import Neighbours, nearest
from convviz_gui.engine.method import Steps
from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.projections.process import Arrays, Frame, project_in_child

PROJECTIONS = ("umap", "tsne", "pca")
TITLES = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}
_DENSE = 4096
"""Of fewer pictures umap-learn itself takes all distances, and gives exactly what it gives by itself."""
FEWEST = 5
"""Fewer pictures have too few neighbours for t-SNE and UMAP to work with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which projection, and how. `perplexity` 0 means min(30, (N − 1)/3); each reads only its own parameters."""

    projection: str
    seed: int = 0
    perplexity: float = 0.0
    n_neighbors: int = 15
    min_dist: float = 0.1

    def check(self, n: int) -> None:
        """Raise `EngineError` if `n` pictures are too few for this plan."""
        if self.projection == "pca":
            return
        if n < FEWEST:
            title = TITLES[self.projection]
            raise EngineError(f"{title} needs at least {FEWEST} pictures, and there are {n}", "Choose PCA")
        largest = (n - 1) / 3
        if self.projection == "tsne" and self.perplexity and not 1 <= self.perplexity <= largest:
            raise EngineError(
                f"Perplexity {self.perplexity:g} does not suit {n} pictures",
                f"Give at least 1 and at most {largest:.1f}, or 0 to have it chosen",
            )


def project(features: FloatArray, start: FloatArray, plan: Plan) -> Generator[Frame, None, FloatArray]:
    """Project `features` f32 [N, D] to the plane; returns f32 [N, 2].

    `start` f32 [N, 2] are the two first principal components: they are the answer for "pca", and where t-SNE starts.
    Features that are all the same stay on one point.

    Raises:
        EngineError: too few pictures, or the process was killed.
        RuntimeError: the child process failed.
    """
    plan.check(len(features))
    if plan.projection == "pca" or not start.any():
        return start
    points = yield from _tsne(features, start, plan) if plan.projection == "tsne" else _umap(features, plan)
    if not np.isfinite(points).all():
        raise EngineError(
            f"{TITLES[plan.projection]} found no finite positions for these pictures", "Choose PCA or other parameters"
        )
    return points


def _tsne(features: FloatArray, start: FloatArray, plan: Plan) -> Generator[Frame, None, FloatArray]:
    n = len(features)
    perplexity = plan.perplexity or min(30.0, (n - 1) / 3)
    found = yield from _frames(nearest(features, min(n - 1, int(3 * perplexity))))
    facts = {"projection": "tsne", "perplexity": perplexity, "seed": plan.seed % 2**32}
    arrays: Arrays = {"indices": found.indices, "distances": found.distances, "start": start}
    return (yield from project_in_child(facts, arrays))


def _umap(features: FloatArray, plan: Plan) -> Generator[Frame, None, FloatArray]:
    n = len(features)
    n_neighbors = min(plan.n_neighbors, n)
    note = f" ({n_neighbors} neighbours: there are only {n} pictures)" if n < plan.n_neighbors else ""
    facts = {
        "projection": "umap",
        "n_neighbors": n_neighbors,
        "min_dist": plan.min_dist,
        "seed": plan.seed % 2**32,
        "remark": note,
    }
    if n < _DENSE:
        return (yield from project_in_child(facts, {"features": features}))
    # umap-learn counts a row among its own neighbours.
    found = yield from _frames(nearest(features, plan.n_neighbors - 1, "cosine"))
    indices = np.concatenate([np.arange(n)[:, None], found.indices], axis=1)
    distances = np.concatenate([np.zeros((n, 1)), found.distances], axis=1)
    arrays: Arrays = {"features": features, "indices": indices, "distances": distances}
    return (yield from project_in_child(facts, arrays))


def _frames(steps: Steps[Neighbours]) -> Generator[Frame, None, Neighbours]:
    while True:
        try:
            update = next(steps)
        except StopIteration as stop:
            found: Neighbours = stop.value
            return found
        yield Frame(update.note)
