"""Similar pictures: those of a folder that are nearest to one picture in a layer's space."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.datasets import finding
from convviz_gui.engine.embedded.opened import is_large
from convviz_gui.engine.embedded.source import embedding_of, opened_source, origin_of
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import batch_param, check_finite
from convviz_gui.engine.latent.chosen import chosen_layer
from convviz_gui.engine.latent.embedding import Embedding, rows_of
from convviz_gui.engine.latent.embedding_cache import embed_cached
from convviz_gui.engine.latent.neighbours import nearest_to
from convviz_gui.engine.latent.whose import is_same
from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import FloatArray, Retrieval, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import ImageInput, Run, Score

_EMBED, _SEARCH = (0, 900), (910, 1000)


@dataclass(frozen=True)
class RetrieveParams(Params):
    """How many, and what near means."""

    k: int = param(12, "Pictures", "How many of the most similar pictures are shown.", lo=1, hi=1000)
    metric: str = param(
        "cosine",
        "Distance",
        "Cosine compares which features answer, whatever their strength; Euclidean compares their strength, too.",
        choices=("cosine", "euclidean"),
    )
    itself: bool = param(
        False, "The picture itself", "Whether a picture of the folder finds itself, at distance 0.", advanced=True
    )
    batch: int = batch_param()


@register
class Retrieve(Method[RetrieveParams]):
    """The pictures of a folder that the network finds most like this one."""

    name = "retrieve"
    title = "Similar pictures"
    category = Category.LATENT
    needs = frozenset({Need.IMAGE, Need.FOLDER, Need.LAYER})
    lower_precision = True
    params = RetrieveParams
    payload = Retrieval
    when_to_use = (
        "Take it to ask what the network holds to be like one picture: to find its copies, to see why it was taken for "
        "another class, or to compare what early and late layers call alike."
    )
    how_to_read = (
        "A picture's features are the layer's output, averaged over positions; the search is exact, in the full space. "
        "Nearest comes first. Early layers find the same colours and textures, late ones the same things. Neighbours "
        "of other labels than the picture's own tell what the network mixes up, or that a label is wrong."
    )
    how_it_misleads = (
        "There is always a nearest picture, however unlike: look at the distances, and how fast they grow. The average "
        "over positions forgets where things are. Distances of different layers cannot be compared, nor cosine with "
        "Euclidean ones."
    )
    reference = "Babenko, Slesarev, Chigorin & Lempitsky, Neural Codes for Image Retrieval, ECCV 2014"

    def run(self, session: Session, request: Run, params: RetrieveParams) -> Steps[Retrieval]:
        """Embed the folder, unless that is known, and the picture, and find its neighbours."""
        image = request.image
        assert image is not None
        assert request.folder is not None
        found = yield from _embedding(session, request, params.batch)
        row = _row(found.paths, image)
        yield Update(_EMBED[1], TOTAL, "forward pass")
        features, logits = (
            (found.features[row : row + 1], found.logits[row : row + 1])
            if row >= 0
            else _embedded(session, image, found.layer)
        )
        leave_out = row >= 0 and not params.itself
        near = yield from stage(nearest_to(features, found.features, params.k + leave_out, params.metric), _SEARCH)
        kept = np.flatnonzero(near.indices[0] != row)[: params.k] if leave_out else np.arange(near.indices.shape[1])
        indices = near.indices[0, kept]
        labels = tuple(found.labels[i] for i in indices.tolist())
        return Retrieval(
            name=image.name,
            path=image.path,
            layer=found.layer,
            folder=request.folder,
            metric=params.metric,
            paths=tuple(found.paths[i] for i in indices.tolist()),
            labels=labels,
            indices=frozen(indices),
            distances=frozen(near.distances[0, kept]),
            similarity=frozen(_cosines(features[0], found.features[indices])),
            predictions=frozen(_tops(found, indices.tolist())),
            total=len(found.paths),
            row=row,
            label=found.labels[row] if row >= 0 else "",
            prediction=int(top_classes(logits)[0]),
            votes=tuple(Counter(filter(None, labels)).most_common()),
            skipped=found.skipped,
            reduced_to=found.reduced_to,
        )

    def scores(self, payload: Retrieval) -> tuple[Score, ...]:
        """How near the nearest is, and whether labels agree."""
        k = len(payload.paths)
        scores = []
        if k:
            nearest = float(payload.distances[0])
            scores.append(
                Score("Nearest", nearest, f"{nearest:.4g}", f"Distance of the most similar picture ({payload.metric}).")
            )
        if payload.label:
            text = f"{payload.agreeing} of {k}"
            scores.append(Score("Same label", payload.agreeing, text, f"Neighbours labelled {payload.label}, too."))
        elif payload.votes:
            label, count = payload.votes[0]
            scores.append(Score("Most have", count, f"{label}, {count} of {k}", "The label that most neighbours have."))
        scores.append(Score("Pictures", payload.total, str(payload.total), "Pictures that were searched."))
        if payload.skipped:
            left_out = len(payload.skipped)
            scores.append(Score("Left out", left_out, str(left_out), "Files that could not be read."))
        return tuple(scores)


def _embedding(session: Session, request: Run, batch: int) -> Steps[Embedding]:
    """The folder's features, or those of a directory that `convviz embed` wrote."""
    opened = opened_source(request)
    if opened is None:
        layer = chosen_layer(session, request)
        listing = yield from finding(request)
        yield Update(0, TOTAL, f"{len(listing.paths)} pictures")
        return (yield from stage(embed_cached(session, listing, layer, batch), _EMBED))
    said = opened.manifest.description
    if not is_same(origin_of(opened), session.info):
        raise EngineError(
            f"{request.folder} holds features of {said.model}, not of the network that is open", "Open that network"
        )
    if request.target.layer not in (None, said.layer):
        raise EngineError(f"{request.folder} holds features of the layer {said.layer!r} only", "Choose that layer")
    if is_large(opened):
        raise EngineError(
            f"{request.folder} is too large to be held in memory", "Open it as a map: a point shows its neighbours"
        )
    return (yield from stage(embedding_of(opened), _EMBED))


def _row(paths: Sequence[str], image: ImageInput) -> int:
    """The picture's place among `paths`, or −1."""
    if image.path is None:
        return -1
    path = os.path.normpath(image.path)
    return next((row for row, known in enumerate(paths) if known == path), -1)


def _embedded(session: Session, image: ImageInput, layer: str) -> tuple[FloatArray, FloatArray]:
    """Features f32 [1, D] and logits f32 [1, K], computed as those of the folder were."""
    features, logits = rows_of(session, (layer,), session.input(image)[0])
    check_finite(features[layer], layer, (image.name,), session.info.precision)
    return features[layer], logits


def _tops(found: Embedding, rows: list[int]) -> NDArray[np.int64]:
    tops: NDArray[np.int64] = np.asarray(top_classes(found.logits[rows]), np.int64)
    return tops


def _cosines(point: FloatArray, others: FloatArray) -> NDArray[np.float64]:
    """Cosines f64 [k] of the angles between a point [D] and others [k, D]; 0 where one of them is 0."""
    here, there = point.astype(np.float64), others.astype(np.float64)
    lengths = np.linalg.norm(here) * np.linalg.norm(there, axis=1)
    cosines: NDArray[np.float64] = np.clip((there @ here) / np.where(lengths > 0, lengths, 1.0), -1.0, 1.0)
    return cosines
