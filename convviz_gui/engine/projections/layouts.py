"""t-SNE and UMAP with frames on the way. Runs in the child process only: the imports take seconds and hold the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray

Arrays = Mapping[str, NDArray[Any]]
Report = Callable[[str, int, int, FloatArray | None], None]
"""Called with a note, epochs done, epochs in all, and the points as they are now (or None)."""

_TSNE_EARLY, _TSNE_LATE = 250, 500
_TSNE_EVERY = 5
"""Iterations between frames: openTSNE computes its loss for each, which costs as much as most of an iteration."""


def tsne(arrays: Arrays, settings: Mapping[str, Any], report: Report) -> FloatArray:
    """t-SNE (van der Maaten & Hinton 2008; Kobak & Berens 2019) of rows given by their neighbours.

    `arrays`: `indices` i64 [N, k], `distances` f64 [N, k] without the rows themselves; `start` f32 [N, 2], the first
    two principal components. `settings`: `perplexity`, `seed`. Returns f32 [N, 2].
    """
    report("preparing t-SNE", 0, 0, None)
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.initialization import jitter, rescale
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    index = PrecomputedNeighbors(arrays["indices"], arrays["distances"])
    affinities = PerplexityBasedNN(perplexity=settings["perplexity"], knn_index=index)
    done = 0

    def frame(_iteration: int, _error: float, embedding: NDArray[np.float64]) -> None:
        nonlocal done
        done += _TSNE_EVERY
        report("t-SNE", done, _TSNE_EARLY + _TSNE_LATE, np.asarray(embedding, np.float32))

    start = rescale(arrays["start"].astype(np.float64))
    # Points in a line, or on each other, would stay so.
    start = jitter(start, scale=0.01, random_state=settings["seed"])
    embedding = TSNE(
        early_exaggeration_iter=_TSNE_EARLY,
        n_iter=_TSNE_LATE,
        random_state=settings["seed"],
        callbacks=frame,
        callbacks_every_iters=_TSNE_EVERY,
    ).fit(affinities=affinities, initialization=start)
    return np.asarray(embedding, np.float32)


def umap(arrays: Arrays, settings: Mapping[str, Any], report: Report) -> FloatArray:
    """UMAP (McInnes, Healy & Melville 2018), cosine, of rows given by their neighbours.

    `arrays`: `features` f32 [N, D]; `indices` i64 and `distances` f64 [N, n_neighbors], each row's first neighbour
    being itself, or neither: then umap-learn finds them. `settings`: `n_neighbors`, `min_dist`, `seed`, and `remark`,
    added to the note. Returns f32 [N, 2].
    """
    report("preparing UMAP (the first time it is compiled, which takes a while)", 0, 0, None)
    from umap import UMAP

    _keep_compiled()
    _watch_epochs(report, "UMAP" + settings["remark"])
    known: tuple[Any, Any, Any] = (None, None, None)
    if "indices" in arrays:
        known = (arrays["indices"].astype(np.int32), arrays["distances"].astype(np.float32), None)
    reducer = UMAP(
        n_neighbors=settings["n_neighbors"],
        min_dist=settings["min_dist"],
        metric="cosine",
        random_state=settings["seed"],
        n_jobs=1,
        precomputed_knn=known,
    )
    return cast(FloatArray, reducer.fit_transform(arrays["features"]))


def _keep_compiled() -> None:
    # umap-learn caches some of its compiled functions on disk, but not those that take longest: 7 s at every start.
    import umap.layouts
    import umap.umap_
    from numba.core.dispatcher import Dispatcher

    for module in (umap.umap_, umap.layouts):
        for value in vars(module).values():
            if isinstance(value, Dispatcher):
                value.enable_caching()


def _watch_epochs(report: Report, note: str) -> None:
    # umap-learn has no callbacks. Its loop runs over `tqdm(range(n))` and changes the embedding in place, so a bar of
    # our own around it sees every epoch. This process does nothing else, so nobody else meets the change.
    import umap.layouts
    import umap.umap_

    optimise = umap.umap_.optimize_layout_euclidean

    def watched(embedding: FloatArray, *args: Any, **kwargs: Any) -> Any:
        def bar(epochs: Iterable[int], **_: Any) -> Iterator[int]:
            numbers = list(epochs)
            for epoch in numbers:
                yield epoch
                report(note, epoch + 1, len(numbers), embedding)

        umap.layouts.tqdm = bar
        return optimise(embedding, *args, **kwargs)

    umap.umap_.optimize_layout_euclidean = watched


LAYOUTS: dict[str, Callable[[Arrays, Mapping[str, Any], Report], FloatArray]] = {"tsne": tsne, "umap": umap}
