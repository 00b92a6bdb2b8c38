"""Transfer check: how well a dataset's labels can be told by what each layer gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from convviz_gui.engine.datasets import Listing, listing_of
from convviz_gui.engine.desk.exam import refusal
from convviz_gui.engine.desk.folds import classes_in
from convviz_gui.engine.desk.raw_pixels import raw_pixels
from convviz_gui.engine.desk.transfer_layers import chosen_layers, in_passes
from convviz_gui.engine.desk.transfer_table import TransferPlan, TransferTable
from convviz_gui.engine.desk.transfer_words import best_row, give_or_take, measure, part, verdict
from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.latent.embedding import Embedding
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from convviz_gui.engine.latent.neighbours import METRICS
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Transfer
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import Run, Score

_PIXELS = (0, 150)
_BYTES = 2**30
"""Of features that are held at once: more layers than that take several passes over the pictures."""


@dataclass(frozen=True)
class TransferParams(Params):
    """Which layers, and how labels are told by them."""

    layers: str = param(
        "spread",
        "Layers",
        "spread: up to seven stages and what the classifier looks at. every stage: all of them. all: every layer. "
        "Or layers by their ids, with commas between them.",
    )
    pictures: int = param(
        10_000,
        "At most",
        "Pictures that are looked at, evenly spread over the dataset; 0 takes all of them. Ten thousand tell a "
        "difference of one per cent.",
        lo=0,
    )
    neighbours: int = param(10, "Neighbours", "How many nearest pictures vote on a picture's label.", lo=1, hi=1000)
    metric: str = param(
        METRICS[0], "Distance", "euclidean, as on the map, or cosine, which leaves the length out.", choices=METRICS
    )
    folds: int = param(
        5,
        "Folds",
        "Parts that each picture is judged without: more take longer and leave more to learn from.",
        lo=2,
        hi=20,
    )
    by_split: bool = param(
        True,
        "Use splits",
        "Learn from the split train and score on test (or val), if the dataset has them; else, and if off, folds.",
    )
    batch: int = batch_param()


@register
class TransferCheck(Method[TransferParams]):
    """Which layer tells the labels of this dataset best, and whether the network helps at all."""

    name = "transfer"
    title = "Transfer check"
    category = Category.LATENT
    needs = frozenset({Need.FOLDER})
    lower_precision = True
    by_chance = True
    params = TransferParams
    payload = Transfer
    when_to_use = (
        "Take it before building on a network: it says which layer's features to take for your labels, and what a "
        "linear classifier on them will come to."
    )
    how_to_read = (
        "For each layer two simple ways of telling a picture's label from the layer's output, averaged over positions: "
        "the vote of its nearest pictures, and a linear probe (logistic regression on standardised features). Both "
        "are scored on pictures that they have not learned from. Bars are 95 % intervals. Dashed lines are what the "
        "same comes to without a network: raw pixels (16 × 16), and always saying the commonest label. Where the probe "
        "is far above the neighbours, the layer knows the labels but mixes them with other things."
    )
    how_it_misleads = (
        "It speaks of these pictures: with few of them intervals are wide, and the best of many layers is best partly "
        "by luck. Pictures taken in a row, or of one object, are in several folds and make it look too good: give "
        "splits then. With uneven labels go by balanced accuracy. Averaging over positions hides what is only told by "
        "where things are. A network trained on these very pictures does well by memory. Fine-tuning may end elsewhere."
    )
    reference = (
        "Alain & Bengio, Understanding intermediate layers using linear classifier probes, 2016; Kornblith, Shlens & "
        "Le, Do Better ImageNet Models Transfer Better?, CVPR 2019; Wilson, Probable inference, JASA 1927"
    )

    def run(self, session: Session, request: Run, params: TransferParams) -> Steps[Transfer]:
        """Pixels, then layers in one pass (several, where memory asks for it), each judged as soon as it is there."""
        listing = _thinned(listing_of(request), params.pictures)
        layers = chosen_layers(session, params.layers)
        if (problem := refusal(classes_in(listing.labels))) is not None:
            raise problem
        yield Update(0, TOTAL, f"{len(listing.paths)} pictures, {len(layers)} layers")
        pixels, read = yield from stage(raw_pixels(listing, session.info.preprocess), _PIXELS)
        plan = TransferPlan(params.neighbours, params.metric, params.folds, params.by_split)
        passes = in_passes(session.info, layers, len(listing.paths), _BYTES)
        table: TransferTable | None = None
        share = (TOTAL - _PIXELS[1]) // len(passes)
        for number, some in enumerate(passes):
            begin = _PIXELS[1] + number * share
            middle = begin + share // 2
            preview = table.transfer if table is not None and table.answers else None
            embedding = embed_layers_cached(session, listing, some, params.batch)
            found = yield from stage(embedding, (begin, middle), preview)
            if table is None:
                table = TransferTable(request, plan, listing, next(iter(found.values())), read)
                yield from stage(table.judge("", pixels[table.rows]), (middle, middle))
            each = max((begin + share - middle) // len(found), 1)
            for place, layer in enumerate(_different(found, keep="," in params.layers)):
                span = (min(middle + place * each, TOTAL), min(middle + (place + 1) * each, TOTAL))
                judging = table.judge(layer, table.features(found[layer]))
                yield from stage(judging, span, table.transfer if table.answers else None)
        assert table is not None
        return table.transfer(final=True)

    def scores(self, payload: Transfer) -> tuple[Score, ...]:
        """The best layer, and what it is held against."""
        balanced = payload.uneven
        best = best_row(payload, balanced=balanced)
        if not best:
            return ()
        values, intervals = measure(payload.probe, balanced=balanced)
        text = f"{payload.names[best]}, {part(float(values[best]))} {give_or_take(intervals[best])}"
        scored = f"{len(payload.paths):,}"
        notes = "".join(f" {note}." for note in payload.notes)
        return (
            Score("Best layer", float(values[best]), text, verdict(payload)),
            Score("Pictures", len(payload.paths), scored, f"Pictures scored, {payload.scored_by}.{notes}"),
            *([Score("Left out", n, str(n), "Files that could not be read.")] if (n := len(payload.skipped)) else []),
        )


def _thinned(listing: Listing, most: int) -> Listing:
    n = len(listing.paths)
    if not most or n <= most:
        return listing
    rows = [index * n // most for index in range(most)]
    return replace(
        listing,
        paths=tuple(listing.paths[row] for row in rows),
        labels=tuple(listing.labels[row] for row in rows),
        splits=listing.splits_of(rows),
        columns=listing.columns_of(rows),
    )


def _different(found: dict[str, Embedding], *, keep: bool) -> list[str]:
    """The layers but those that the next one only passes on; a network's pooling gives what its last maps do."""
    layers = list(found)
    return [
        layer
        for layer, after in zip(layers, [*layers[1:], None], strict=True)
        if keep or after is None or not np.array_equal(found[layer].features, found[after].features)
    ]
