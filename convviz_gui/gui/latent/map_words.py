"""What a map of points may be taken for, in words. No Qt."""

from __future__ import annotations

import math

from convviz_gui.engine.payloads import Points
from convviz_gui.gui.look.words import percent

_PROJECTIONS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}

_GOOD, _POOR = 0.95, 0.85
_WHOLE = 1e-3

_LIMITS = {
    "pca": "what lies outside these two directions is not seen, so far points can look near",
    "tsne": "the sizes of groups and the distances between them mean little",
    "umap": "distances between far groups mean little",
}


def title(points: Points) -> str:
    """Projection, layer, number of pictures and of dimensions."""
    kind = projection_name(points.projection)
    count, dims = len(points.paths), points.features.shape[-1]
    pictures = "1 picture" if count == 1 else f"{count:,} pictures"
    if points.expected:
        return f"Reading: {count:,} of {points.expected:,} pictures · {points.layer}"
    return f"{kind} of {points.layer} · {pictures} · {dims:,} dimensions"


def projection_name(name: str) -> str:
    """As the field writes it."""
    return _PROJECTIONS.get(name, name)


def verdict(points: Points) -> str:
    """How far the map is to be trusted: the numbers, what they say of this map, and what no such map shows."""
    limits = _LIMITS.get(points.projection, "distances between far groups mean little")
    trust, continuity = points.trustworthiness, points.continuity
    if points.expected:
        return "Still reading: two principal components of the pictures so far. Neighbours and scores come at the end."
    if not points.final:
        return "Not finished: points may still move, so nothing is to be read from it yet."
    if math.isnan(trust):
        return f"Trustworthiness is not defined for so few pictures; {limits}."
    told = f"Trustworthiness {trust:.2f}: {_grade(trust)}"
    if not math.isnan(continuity):
        told += f". Continuity {continuity:.2f}: {_kept(continuity)}"
    return f"{told}; {limits}."


def _grade(trust: float) -> str:
    if trust >= _GOOD:
        return "nearly all neighbours on this map are true neighbours"
    if trust >= _POOR:
        return "most neighbours on this map are true neighbours"
    return "many neighbours on this map are not true neighbours, so go by the list below"


def _kept(continuity: float) -> str:
    if continuity >= _GOOD:
        return "nearly all true neighbours are near each other on it"
    if continuity >= _POOR:
        return "most true neighbours are near each other on it"
    return "many true neighbours are torn apart on it"


def kept(part: float, count: int) -> str:
    """How many of a picture's true neighbours are near it on the map, in words, or "" where that is not known."""
    if math.isnan(part) or not count:
        return ""
    number = part * count
    if abs(number - round(number)) < _WHOLE:
        return f"Neighbours kept on the map: {round(number)} of {count} ({percent(part)})"
    return f"Neighbours kept on the map: {percent(part)}"


def is_poor(points: Points) -> bool:
    """True if the map should come with a warning: it shows many false neighbours, or tears many true ones apart."""
    return points.final and min(points.trustworthiness, points.continuity, key=_or_one) < _POOR


def _or_one(number: float) -> float:
    return 1.0 if math.isnan(number) else number
