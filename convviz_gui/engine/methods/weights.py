"""The weights of a layer: first-layer filters in colour, any layer's kernels in grey."""

from __future__ import annotations

import numpy as np
import torch

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.kernels import layers_with_kernels, read_kernels
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import FloatArray, IntArray, Kernels, frozen
from convviz_gui.engine.preprocess import colour_order
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import LayerNode, ModelInfo, Run, Score

ALIKE = 0.95
"""|cosine| from which two filters are near-duplicates."""
BLANK = 1e-3
"""Part of the largest norm up to which a filter is blank."""
MOST_PAIRS = 100_000
"""Pairs that are listed: 4,096 filters that are all alike would have eight million."""
_ROWS = 1024


@register
class Weights(Method[NoParams]):
    """The layer's filters themselves: what each of its channels multiplies its input by."""

    name = "weights"
    title = "Weights"
    category = Category.FILTERS
    needs = frozenset({Need.LAYER})
    live = True
    params = NoParams
    payload = Kernels
    when_to_use = (
        "Take it for the first layer, whose filters are little pictures, and to see whether training went well: "
        "smooth edges and colours are a good sign, noise and blanks are not. For deeper layers take the synthetic "
        "pictures or the patches."
    )
    how_to_read = (
        "Filters that see the picture itself are shown in colour: grey is 0, and a filter answers most to a patch that "
        "looks like its tile. Oriented edges and colour blobs are what trained networks have there. Deeper kernels "
        "are shown in grey, one slice for each input channel: light is above 0, dark below. Near-duplicates have a "
        f"|cosine| of at least {ALIKE}; those with a minus are each other's negative. Blank filters have a norm of at "
        f"most {BLANK:g} of the largest."
    )
    how_it_misleads = (
        "Scaled per filter, a tiny filter looks as strong as any: compare the norms, or scale all alike. A batch norm "
        "behind the layer scales every channel anew, so a small norm need not mean a weak channel. Slices of deep "
        "kernels multiply channels whose meaning is not seen here; they can seldom be read by eye."
    )
    reference = "Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep CNNs, 2012"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs a layer with parameters."""
        return super().applies(info) or ("" if info.n_params else "This network has no weights")

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Kernels]:
        """Read them, and compare every filter with every other."""
        yield Update(0, 1, "reading weights")
        node, first = _node(session, request)
        channels, size = session.info.preprocess.channels, session.info.preprocess.size
        x = session.to_device(torch.zeros(1, channels, *size))
        read = read_kernels(session.model, x, node.id)
        weights: FloatArray = read_only(read.weights)
        _check(weights, node)
        flat = weights.reshape(len(weights), -1)
        norms = np.sqrt(np.einsum("nc,nc->n", flat, flat, dtype=np.float64)).astype(np.float32)
        blank = norms <= BLANK * norms.max()
        pairs, similarity, total = near_duplicates(flat, norms, blank)
        return Kernels(
            layer=node.id,
            kind=node.kind,
            weights=weights,
            norms=frozen(norms),
            blank=frozen(blank),
            duplicates=frozen(pairs),
            similarity=frozen(similarity),
            n_duplicates=total,
            groups=read.groups,
            colours=_colours(weights, read.groups, node, session.info, first=first),
            how=read.how,
        )

    def scores(self, payload: Kernels) -> tuple[Score, ...]:
        """How many are blank or alike."""
        n, blank, pairs = len(payload.weights), int(payload.blank.sum()), payload.n_duplicates
        scores = [
            Score("Blank", blank, f"{blank} of {n}", f"Filters whose norm is at most {BLANK:g} of the largest."),
            Score("Near-duplicates", pairs, f"{pairs} pairs", f"Pairs whose |cosine| is at least {ALIKE}."),
        ]
        if pairs > len(payload.duplicates):
            listed = f"the {len(payload.duplicates)} most alike"
            scores.append(Score("Listed", len(payload.duplicates), listed, "The others are counted only."))
        if payload.how:
            scores.append(Score("Read", float("nan"), payload.how, "How the weights were read."))
        return tuple(scores)


def near_duplicates(flat: FloatArray, norms: FloatArray, blank: object) -> tuple[IntArray, FloatArray, int]:
    """Pairs i64 [M, 2] of N filters f32 [N, D] with |cosine| ≥ `ALIKE`, the most alike first; cosines; their number.

    Blank filters are left out; so are all of a single weight, which are multiples of each other whatever they do.
    """
    empty = np.zeros((0, 2), np.int64), np.zeros(0, np.float32), 0
    if flat.shape[1] == 1:
        return empty
    unit = flat / np.where(norms > 0, norms, 1)[:, None]
    unit[np.asarray(blank)] = 0
    pairs, cosines, total = *empty[:2], 0
    for start in range(0, len(unit), _ROWS):
        products = unit[start : start + _ROWS] @ unit[start:].T
        rows, columns = np.nonzero(np.triu(np.abs(products) >= ALIKE, 1))
        total += len(rows)
        pairs = np.concatenate([pairs, np.stack([rows, columns], axis=1) + start])
        cosines = np.concatenate([cosines, products[rows, columns]])
        order = np.argsort(-np.abs(cosines), kind="stable")[:MOST_PAIRS]
        pairs, cosines = pairs[order], cosines[order]
    return pairs, np.clip(cosines, -1, 1), total


def _node(session: Session, request: Run) -> tuple[LayerNode, bool]:
    """The layer asked for, or the first, and whether it is the first that has weights."""
    known = layers_with_kernels(session.model, session.info)
    if not known:
        raise EngineError("No layer of this network has weights in the form of filters", "Open another network")
    if request.target.layer is None:
        return known[0], True
    node = session.layer(request.target.layer)
    if node.id not in [one.id for one in known]:
        depth = node.depth or 0
        near = min(known, key=lambda one: (abs((one.depth or 0) - depth), (one.depth or 0) > depth))
        raise EngineError(
            f"Layer {node.id!r} ({node.kind}) has no filters of its own", f"The nearest that has is {near.id!r}"
        )
    return node, node.id == known[0].id


def _check(weights: FloatArray, node: LayerNode) -> None:
    if not weights.size:
        raise EngineError(f"Layer {node.id!r} has no weights at all", "Choose another layer")
    if not np.isfinite(weights).all():
        raise EngineError(
            f"The weights of {node.id!r} are not all finite numbers", "Choose another layer, or check the weights file"
        )


def _colours(weights: FloatArray, groups: int, node: LayerNode, info: ModelInfo, *, first: bool) -> tuple[int, ...]:
    """Which input channels are red, green and blue, if the layer sees the picture itself."""
    channels = weights.shape[1]
    if groups != 1 or channels != info.preprocess.channels:
        return ()
    field = node.receptive_field
    if weights.shape[2:] == (1, 1) and node.is_vector:
        return ()
    # What was made of the picture by another layer has a larger field than the kernel, unless kernels are 1×1.
    if not first and (field is None or weights.shape[2:] == (1, 1) or field.size != weights.shape[2:]):
        return ()
    order = colour_order(info.preprocess)
    if channels == 1:
        return (0, 0, 0)
    return tuple(order.index(colour) if colour in order else -1 for colour in range(3))
