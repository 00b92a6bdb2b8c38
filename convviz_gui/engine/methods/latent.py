"""Latent space: the pictures of a folder as points, near each other where the network finds them alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from convviz_gui.engine.datasets import listing_of
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.latent.distortion import trustworthiness
from convviz_gui.engine.latent.embedding_cache import embed_cached
from convviz_gui.engine.latent.neighbours import nearest, outlier_scores
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import FloatArray, Points
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.projections.plan import PROJECTIONS, TITLES, Plan, project
from convviz_gui.engine.projections.process import Frame
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import Run, Score

# Spans of the run's progress, roughly by the time that each stage takes.
_EMBED, _SEARCH, _PROJECT, _MEASURE = (0, 600), (600, 650), (650, 950), (950, 1000)


@dataclass(frozen=True)
class LatentParams(Params):
    """Which projection, and how neighbours are counted."""

    projection: str = param(
        "umap",
        "Projection",
        "UMAP and t-SNE show groups, PCA the directions of largest variance. PCA is instant.",
        choices=PROJECTIONS,
    )
    neighbours: int = param(
        12, "Neighbours", "True nearest neighbours listed for each picture, and averaged for its outlier score.", lo=1
    )
    umap_neighbours: int = param(
        15, "UMAP neighbours", "UMAP: small values show fine structure, large ones the whole.", lo=2, hi=200
    )
    min_dist: float = param(
        0.1, "UMAP distance", "UMAP: how tightly points may be packed; only looks change.", lo=0.0, hi=1.0
    )
    perplexity: float = param(
        0.0, "t-SNE perplexity", "t-SNE: how many neighbours each point has; 0 is min(30, (n − 1)/3).", lo=0.0, hi=500.0
    )
    batch: int = batch_param()


@register
class Latent(Method[LatentParams]):
    """Every picture of a folder as a point: near each other are those that the network finds alike."""

    name = "latent"
    title = "Latent space"
    category = Category.LATENT
    needs = frozenset({Need.FOLDER, Need.LAYER})
    lower_precision = True
    params = LatentParams
    payload = Points
    when_to_use = (
        "Take it to see how the network sorts a whole folder: classes it confuses, labels that look wrong, pictures "
        "unlike all others. About a single photo it says little; the maps do."
    )
    how_to_read = (
        "A picture's features are the layer's output, averaged over positions; the default is what the classifier "
        "sees. Groups are pictures alike to the network, whatever their labels; a point of another colour inside a "
        "group may be labelled wrongly. Neighbours, distances and outliers are computed in the full space, never on "
        "the plot; outliers are far from all of their neighbours."
    )
    how_it_misleads = (
        "A plane cannot keep the distances of hundreds of dimensions. In t-SNE and UMAP the sizes of groups and the "
        "distances between them mean little, and noise can look like groups; other parameters give another picture. "
        "Trustworthiness tells how many neighbours on the plot are true ones: click a point to see its own."
    )
    reference = (
        "McInnes, Healy & Melville, UMAP, 2018; van der Maaten & Hinton, Visualizing Data using t-SNE, JMLR 2008; "
        "Venna & Kaski, Neighborhood preservation in nonlinear projection methods, ICANN 2001"
    )

    def run(self, session: Session, request: Run, params: LatentParams) -> Steps[Points]:
        """Embed the folder, find true neighbours, project, and measure what the projection distorts."""
        layer = _layer(session, request)
        assert request.folder is not None
        listing = listing_of(request)
        plan = Plan(params.projection, request.seed, params.perplexity, params.umap_neighbours, params.min_dist)
        plan.check(len(listing.paths))
        yield Update(0, TOTAL, f"{len(listing.paths)} pictures")

        found = yield from stage(embed_cached(session, listing, layer, params.batch), _EMBED)
        neighbours = yield from stage(nearest(found.features, params.neighbours), _SEARCH)
        flat = pca(found.features)
        points = Points(
            layer=found.layer,
            folder=request.folder,
            others=request.splits,
            projection=params.projection,
            paths=found.paths,
            labels=found.labels,
            features=found.features,
            xy=flat,
            logits=found.logits,
            outlier=outlier_scores(neighbours),
            neighbours=neighbours.indices,
            skipped=found.skipped,
            final=False,
            reduced_to=found.reduced_to,
        )
        xy = yield from _projected(points, plan)
        near = min(params.neighbours, (len(xy) - 1) // 2)
        trust = yield from stage(trustworthiness(found.features, xy, near), _MEASURE)
        return replace(points, xy=xy, trustworthiness=trust, final=True)

    def scores(self, payload: Points) -> tuple[Score, ...]:
        """How far the plot is to be believed, and how many pictures it shows."""
        n, left_out = len(payload.paths), len(payload.skipped)
        scores = [_trust(payload), Score("Pictures", n, str(n), "Pictures read and shown as points.")]
        if left_out:
            scores.append(Score("Left out", left_out, str(left_out), "Files that could not be read."))
        if payload.reduced_to:
            text = "Memory was too small for the batch asked for; the points are the same but for rounding."
            scores.append(Score("Batch", payload.reduced_to, f"reduced to {payload.reduced_to}", text))
        return tuple(scores)


def _layer(session: Session, request: Run) -> str:
    wanted = request.target.layer
    if wanted is not None:
        # "fc@input" names what goes into a layer; the tree has only layers.
        return wanted if "@" in wanted else session.layer(wanted).id
    if session.info.penultimate_layer is None:
        raise EngineError("It cannot be told what this network's classifier looks at", "Choose a layer (--layer ID)")
    return session.info.penultimate_layer


def _projected(points: Points, plan: Plan) -> Steps[FloatArray]:
    """Frames as updates that show the newest; until the first, the principal components."""
    return (yield from stage(_updates(points, project(points.features, points.xy, plan)), _PROJECT))


def _updates(points: Points, frames: Generator[Frame, None, FloatArray]) -> Steps[FloatArray]:
    try:
        while True:
            frame = next(frames)
            if frame.xy is not None:
                points = replace(points, xy=frame.xy)
            yield Update(frame.done, frame.total, frame.note, _showing(points))
    except StopIteration as stop:
        xy: FloatArray = stop.value
        return xy
    finally:
        frames.close()


def _showing(points: Points) -> Callable[[], Points]:
    return lambda: points


def _trust(points: Points) -> Score:
    k = min(points.neighbours.shape[1], (len(points.paths) - 1) // 2)
    title, value = TITLES.get(points.projection, points.projection), points.trustworthiness
    if math.isnan(value):
        return Score("Trustworthiness", value, "undefined", "There are too few different pictures to tell.")
    if value >= 0.95:
        verdict = "Nearly all neighbours on the plot are true ones"
    elif value >= 0.85:
        verdict = "Most neighbours on the plot are true ones"
    else:
        verdict = "Many neighbours on the plot are false"
    return Score(
        "Trustworthiness",
        value,
        f"{value:.2f}",
        f"{verdict}. How many of each point's {k} neighbours on the {title} plot are true neighbours in the full "
        "space, those that are far away there counting most. 1 is perfect, about 0.5 is chance; go by the list of true "
        "neighbours.",
    )
