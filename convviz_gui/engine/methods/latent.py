"""Latent space: the pictures of a folder as points, near each other where the network finds them alike."""

from __future__ import annotations

from dataclasses import replace

from convviz_gui.engine.datasets import finding
from convviz_gui.engine.desk.duplicates import duplicate_score, find_duplicates
from convviz_gui.engine.desk.label_scores import label_scores
from convviz_gui.engine.desk.suspects import label_news
from convviz_gui.engine.desk.transfer_layers import chosen_layers
from convviz_gui.engine.embedded.opened import is_large
from convviz_gui.engine.embedded.source import (
    embedding_of,
    large_scores,
    map_of_large,
    opened_source,
    origin_of,
    source_scores,
)
from convviz_gui.engine.latent.chosen import chosen_layer
from convviz_gui.engine.latent.distortion import measure_distortion
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from convviz_gui.engine.latent.frames import showing
from convviz_gui.engine.latent.growing import Growing
from convviz_gui.engine.latent.measures import distortion_scores, said_of
from convviz_gui.engine.latent.neighbours import nearest, outlier_scores
from convviz_gui.engine.latent.params import LatentParams
from convviz_gui.engine.latent.reproject import projected_again
from convviz_gui.engine.latent.rows import parse_rows
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.projections.plan import project
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import Run, Score

# Spans of the run's progress, roughly by the time that each stage takes.
_EMBED, _SEARCH, _COPIES, _PROJECT = (0, 600), (600, 640), (640, 660), (660, 940)
_MEASURE, _LABELS = (940, 980), (980, 1000)


@register
class Latent(Method[LatentParams]):
    """Every picture of a folder as a point: near each other are those that the network finds alike."""

    name = "latent"
    title = "Latent space"
    category = Category.LATENT
    needs = frozenset({Need.FOLDER, Need.LAYER})
    lower_precision = True
    by_chance = True
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
        "the plot; outliers are far from all of their neighbours. Label suspects are pictures whose neighbours, and a "
        "linear probe that was fitted without them, speak for another label than their own. Near-duplicates are told "
        "by their pixels, not by the network."
    )
    how_it_misleads = (
        "A plane cannot keep the distances of hundreds of dimensions. In t-SNE and UMAP the sizes of groups and the "
        "distances between them mean little, and noise can look like groups; other parameters give another picture. "
        "Trustworthiness tells how many neighbours on the plot are true ones: click a point to see its own. A suspect "
        "is a question, not a verdict: where the layer cannot tell two labels apart, right ones are suspected, too. "
        "Near-duplicates that are cut by more than a tenth, turned or drawn over are not found."
    )
    reference = (
        "McInnes, Healy & Melville, UMAP, 2018; van der Maaten & Hinton, Visualizing Data using t-SNE, JMLR 2008; "
        "Venna & Kaski, Neighborhood preservation in nonlinear projection methods, ICANN 2001; Northcutt, Jiang & "
        "Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 2021"
    )

    def run(self, session: Session, request: Run, params: LatentParams) -> Steps[Points]:
        """Embed the folder, find true neighbours, project, and measure what the projection distorts."""
        assert request.folder is not None
        opened = opened_source(request)
        if opened is not None and is_large(opened):
            return (yield from map_of_large(opened, request, params.neighbours))
        listing = yield from finding(request)
        plan = params.plan(request.seed)
        plan.check(len(listing.paths))
        yield Update(0, TOTAL, f"{len(listing.paths)} pictures")

        if opened is not None:
            found = yield from stage(embedding_of(opened), _EMBED)
        else:
            growing = Growing(request, params.projection, listing)
            layer = chosen_layer(session, request)
            layers = (layer, *(chosen_layers(session, params.layers) if params.layers.strip() else ()))
            read = embed_layers_cached(session, listing, layers, params.batch, growing.points)
            found = (yield from stage(read, _EMBED))[layer]
        neighbours = yield from stage(nearest(found.features, params.neighbours), _SEARCH)
        copies = yield from stage(find_duplicates(found.fingerprints, neighbours.indices, params.mirrored), _COPIES)
        components = pca(found.features, 3)
        points = Points(
            layer=found.layer,
            folder=request.folder,
            others=request.splits,
            projection=params.projection,
            paths=found.paths,
            labels=found.labels,
            splits=listing.splits_of(found.rows),
            columns=listing.columns_of(found.rows),
            features=found.features,
            xy=components[:, :2],
            xyz=components if params.projection == "pca" else components[:0],
            logits=found.logits,
            outlier=outlier_scores(neighbours),
            neighbours=neighbours.indices,
            skipped=found.skipped,
            digests=found.digests,
            duplicates=copies.pairs,
            duplicate_distance=copies.distances,
            note=found.note,
            final=False,
            reduced_to=found.reduced_to,
            origin=origin_of(opened) if opened is not None else None,
        )
        xy = yield from stage(showing(points, project(points.features, points.xy, plan)), _PROJECT)
        near = min(params.neighbours, (len(xy) - 1) // 2)
        distortion = yield from stage(measure_distortion(found.features, xy, neighbours, near), _MEASURE)
        judged = label_news(found.features, neighbours.indices, found.labels, found.digests, request.seed)
        news = yield from stage(judged, _LABELS)
        points = replace(
            points,
            xy=xy,
            final=True,
            suspects=news.suspects,
            suggested=news.suggested,
            ambiguity=news.ambiguity,
            **said_of(distortion),
        )
        if params.only:
            points = yield from projected_again(
                points, parse_rows(params.only, len(points.paths)), plan, params.neighbours
            )
        return points

    def scores(self, payload: Points) -> tuple[Score, ...]:
        """How far the plot is to be believed, and how many pictures it shows."""
        n, left_out = len(payload.paths), len(payload.skipped)
        distortion = large_scores(payload) if not len(payload.features) else distortion_scores(payload)
        scores = [
            *distortion,
            *source_scores(payload),
            Score("Pictures", n, str(n), "Pictures read and shown as points."),
        ]
        if len(payload.features):
            scores += [*label_scores(payload), duplicate_score(payload)]
        if left_out:
            scores.append(Score("Left out", left_out, str(left_out), "Files that could not be read."))
        if payload.reduced_to:
            text = "Memory was too small for the batch asked for; the points are the same but for rounding."
            scores.append(Score("Batch", payload.reduced_to, f"reduced to {payload.reduced_to}", text))
        if payload.note:
            scores.append(Score("Kept features", 0.0, "not kept", f"{payload.note}. The numbers are not affected."))
        return tuple(scores)
