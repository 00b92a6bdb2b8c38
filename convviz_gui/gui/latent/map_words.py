"""What a map of points may be taken for, in words. No Qt."""

from __future__ import annotations

import math

from convviz_gui.engine.payloads import Points

_PROJECTIONS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}

_POOR = 0.85

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
    return f"{kind} of {points.layer} · {pictures} · {dims:,} dimensions"


def projection_name(name: str) -> str:
    """As the field writes it."""
    return _PROJECTIONS.get(name, name)


def verdict(points: Points) -> str:
    """How far the map is to be trusted: the number, what it says of this map, and what no such map shows."""
    limits = _LIMITS.get(points.projection, "distances between far groups mean little")
    trust = points.trustworthiness
    if not points.final:
        return "Not finished: points may still move, so nothing is to be read from it yet."
    if math.isnan(trust):
        return f"Trustworthiness is not defined for so few pictures; {limits}."
    return f"Trustworthiness {trust:.2f}: {_grade(trust)}; {limits}."


def _grade(trust: float) -> str:
    if trust >= 0.95:
        return "nearly all neighbours on this map are true neighbours"
    if trust >= _POOR:
        return "most neighbours on this map are true neighbours"
    return "many neighbours on this map are not true neighbours, so go by the list below"


def is_poor(points: Points) -> bool:
    """True if the map should come with a warning."""
    return points.final and points.trustworthiness < _POOR
