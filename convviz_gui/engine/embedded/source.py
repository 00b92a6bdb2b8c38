"""A directory of features as a dataset: its pictures, its features where they fit into memory, and its map."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.embedded.components import components_on_disk, read_components
from convviz_gui.engine.embedded.lazy import Texts
from convviz_gui.engine.embedded.manifest import is_embedded
from convviz_gui.engine.embedded.opened import MOST_ROWS, Opened, is_large, open_embedded
from convviz_gui.engine.embedded.parts import blobs
from convviz_gui.engine.embedded.search import nearest_on_disk
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.distortion import measure_distortion
from convviz_gui.engine.latent.embedding import Embedding
from convviz_gui.engine.latent.neighbours import nearest, nearest_to
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray, Located, Origin, Points, frozen
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import Nearest, Run, Score

SAMPLE = 4_000
"""Rows by which the map of a large directory is judged."""
_COMPONENTS, _MEASURE = (50, 900), (900, 1000)
_NO_FLOATS = frozen(np.zeros(0, np.float32))


def opened_source(request: Run) -> Opened | None:
    """The directory of features that a run is about, or None if it is about pictures. Raises as `open_embedded`."""
    if request.folder is None or not any(map(is_embedded, (request.folder, *request.splits))):
        return None
    if request.splits:
        raise EngineError(
            "A directory of features is opened alone", "Give all sources to convviz embed: each becomes a split of one"
        )
    return open_embedded(request.folder)


def origin_of(opened: Opened) -> Origin:
    """Whose features they are."""
    said = opened.manifest.description
    return Origin(
        model=said.model,
        source=said.source,
        weights=said.weights,
        trained=said.trained,
        digest=said.digest,
        n_classes=said.n_classes,
        preprocess=said.preprocess,
        precision=said.precision,
        store=said.store,
        class_names=said.class_names,
        whole=not is_large(opened),
    )


def embedding_of(opened: Opened) -> Steps[Embedding]:
    """All of a directory's rows, as if its pictures had just been through the network. Yields after each row group."""
    said, n = opened.manifest.description, len(opened)
    table = opened.table("path", "label", "digest", "fingerprint")
    features = np.empty((n, said.dimension), np.float32)
    logits = np.empty((n, said.n_classes), np.float32)
    for column, target in (("features", features), ("logits", logits)):
        for start, values in opened.vectors(column):
            target[start : start + len(values)] = values
            if not np.isfinite(target[start : start + len(values)]).all():
                title = f"{opened.folder} holds {column} that are no numbers, from row {start:,} on"
                raise EngineError(title, "Write it anew with convviz embed")
            yield Update(start + len(values), n, "reading features")
    return Embedding(
        layer=said.layer,
        paths=tuple(table.column("path").to_pylist()),
        labels=tuple(table.column("label").to_pylist()),
        features=frozen(features),
        logits=frozen(logits),
        skipped=opened.manifest.skipped,
        rows=tuple(range(n)),
        digests=tuple(table.column("digest").to_pylist()),
        fingerprints=blobs(table.column("fingerprint")),
    )


def map_of_large(opened: Opened, request: Run, k: int) -> Steps[Points]:
    """The map of a directory that is too large for memory: its principal components, judged by a sample of its rows.

    Paths and labels stay columns, features and logits stay on disk; neighbours are found one by one (`Nearest`).
    """
    yield Update(0, TOTAL, f"{len(opened):,} pictures")
    points = _bare(opened, str(request.folder), k)
    scores = read_components(opened)
    if scores is None:
        scores = yield from stage(components_on_disk(opened), _COMPONENTS)
    points = replace(points, xy=frozen(scores[:, :2]), xyz=scores)
    yield Update(_MEASURE[0], TOTAL, "judging the map", lambda: points)
    trust, continuity = yield from stage(_judged(opened, points.xy, k), _MEASURE, lambda: points)
    return replace(points, trustworthiness=trust, continuity=continuity, final=True)


def _bare(opened: Opened, folder: str, k: int) -> Points:
    said = opened.manifest.description
    table = opened.table("path", "label", "split", "prediction", "probability")
    splits = Texts(table.column("split"))
    return Points(
        layer=said.layer,
        folder=folder,
        projection="pca",
        paths=Texts(table.column("path")),
        labels=Texts(table.column("label")),
        splits=splits if any(table.column("split").unique().to_pylist()) else (),
        features=frozen(np.zeros((0, said.dimension), np.float32)),
        xy=_NO_FLOATS,
        logits=frozen(np.zeros((0, said.n_classes), np.float32)),
        prediction=frozen(table.column("prediction").to_numpy().astype(np.int64)),
        probability=frozen(table.column("probability").to_numpy().astype(np.float32)),
        outlier=_NO_FLOATS,
        neighbours=frozen(np.zeros((0, k), np.int64)),
        skipped=opened.manifest.skipped,
        origin=origin_of(opened),
        final=False,
    )


def _judged(opened: Opened, xy: FloatArray, k: int) -> Steps[tuple[float, float]]:
    """Trustworthiness and continuity of a sample, always the same, among its own rows."""
    n = len(opened)
    rows = np.sort(np.random.default_rng(0).choice(n, min(SAMPLE, n), replace=False))
    features = np.empty((len(rows), opened.manifest.description.dimension), np.float32)
    for start, values in opened.vectors():
        here = slice(*np.searchsorted(rows, (start, start + len(values))))
        features[here] = values[rows[here] - start]
        yield Update(start + len(values), 2 * n, "reading a sample")
    near = min(k, (len(rows) - 1) // 2)
    known = yield from stage(nearest(frozen(features), near), (TOTAL // 2, 3 * TOTAL // 4))
    found = yield from stage(measure_distortion(features, xy[rows], known, near), (3 * TOTAL // 4, TOTAL))
    return found.trustworthiness, found.continuity


def large_scores(points: Points) -> tuple[Score, ...]:
    """What is to be said of the map of a large directory."""
    n = len(points.paths)
    of = f"Of {SAMPLE:,} of the pictures, among themselves: all of them would take hours."
    return (
        *(
            Score(label, value, "undefined" if math.isnan(value) else f"{value:.2f}", f"{what} {of}")
            for label, value, what in (
                ("Trustworthiness", points.trustworthiness, "How far neighbours on the plot are true neighbours."),
                ("Continuity", points.continuity, "How far true neighbours are neighbours on the plot."),
            )
        ),
        Score(
            "Principal components",
            n,
            "2",
            f"t-SNE and UMAP are for up to {MOST_ROWS:,} pictures: the plot shows the directions of largest variance, "
            "whatever projection is chosen. Neighbours are found for the picture that you choose.",
        ),
    )


def source_scores(points: Points) -> tuple[Score, ...]:
    """Whose features they are, where a directory brought them."""
    origin = points.origin
    if origin is None:
        return ()
    text = (
        f"Written by convviz embed: layer {points.layer!r} of {origin.model} ({origin.weights}), computed in "
        f"{origin.precision}, kept as {origin.store}. Predictions and names of classes are that network's, whichever "
        "is open."
    )
    return (Score("Features of", float("nan"), origin.model, text),)


@dataclass(frozen=True, slots=True)
class _Wanted:
    points: Points
    row: int
    count: int


def nearest_of(command: Nearest) -> Steps[Located]:
    """Carry out a `Nearest`: exact, Euclidean, in one pass over the directory.

    Raises:
        EngineError: the result holds no such row, or its directory has changed meanwhile.
    """
    wanted = _checked(command)
    points, row = wanted.points, wanted.row
    if len(points.features):
        rows, distances = yield from _in_memory(points, row, wanted.count)
        logits = points.logits[row]
    else:
        opened = open_embedded(points.folder)
        if len(opened) != len(points.paths) or points.origin != origin_of(opened):
            raise EngineError(f"{points.folder} has changed since it was opened", "Open it again")
        query = opened.rows([row])[0]
        logits = opened.rows([row], "logits")[0]
        rows, distances = yield from nearest_on_disk(opened, query, wanted.count, leave_out=row)
    path = points.paths[row]
    return Located(
        name=Path(path).name,
        digest="",
        path=path,
        layer=points.layer,
        xy=frozen(points.xy[row]),
        neighbours=frozen(rows),
        distances=frozen(distances),
        outlier=float(distances.mean()) if len(distances) else math.nan,
        logits=frozen(logits),
    )


def _checked(command: Nearest) -> _Wanted:
    points = command.result.payload
    if not isinstance(points, Points) or not 0 <= command.row < len(points.paths):
        raise EngineError("There is no such picture on the map", "Choose another")
    set_before = dict(command.result.settings).get("neighbours", 12)
    count = command.count or (int(set_before) if isinstance(set_before, (int, float)) else 12)
    return _Wanted(points, command.row, max(1, min(count, len(points.paths) - 1)))


def _in_memory(points: Points, row: int, count: int) -> Steps[tuple[IntArray, NDArray[np.float64]]]:
    known = yield from nearest_to(points.features[row : row + 1], points.features, count + 1)
    others = known.indices[0] != row
    return known.indices[0][others][:count], known.distances[0][others][:count]
