"""Pixel maps as payloads: what is drawn of an attribution, what it needs, and what is said of it."""

from __future__ import annotations

import math

from torch import Tensor

from convviz_gui.engine.attribution.backward_rules import in_words
from convviz_gui.engine.attribution.source import Traced
from convviz_gui.engine.method import Need
from convviz_gui.engine.payloads import Coverage, FloatArray, PixelMap
from convviz_gui.engine.session import read_only
from convviz_gui.engine.types import NO_GRADIENT, ModelInfo, Score

SOURCES = frozenset({Need.IMAGE, Need.SOURCE, Need.AGAINST})
"""What methods need that trace back a class or a channel."""
CLASSES = frozenset({Need.IMAGE, Need.CLASS, Need.AGAINST})


def pixel_map(
    attribution: Tensor,
    box: FloatArray,
    found: Traced,
    *,
    signed: bool,
    coverage: Coverage | None = None,
    completeness_gap: float = math.nan,
) -> PixelMap:
    """The payload for an attribution [1, C, H, W]: its heat is the sum over the colours if `signed`, else max |.|."""
    values = attribution[0].float()
    heat = values.sum(dim=0) if signed else values.abs().amax(dim=0)
    channel = found.channel
    return PixelMap(
        attribution=read_only(values),
        heat=read_only(heat),
        box=box,
        logits=read_only(found.logits[0]),
        score=float(found.value),
        signed=signed,
        class_index=found.score.index if found.score is not None else None,
        against=found.score.against if found.score is not None else None,
        layer=channel.node.id if channel is not None else None,
        channel=channel.channel if channel is not None else None,
        unit=channel.unit if channel is not None else None,
        completeness_gap=completeness_gap,
        coverage=coverage,
    )


def no_gradient(info: ModelInfo) -> str:
    """Why a network has no gradient at its input, or ""."""
    return "The class scores do not depend differentiably on the picture" if info.has(NO_GRADIENT) else ""


def no_relu(info: ModelInfo) -> str:
    """Why the rules for ReLUs have nothing to work on in a network, or ""."""
    known = dict(info.activation_functions)
    if "ReLU" in known or "scripted part" in known:
        return ""
    if not known:
        return "This network has no ReLU, the only activation function that the rule is defined for"
    return f"This network has no ReLU, and the rule is not defined for {', '.join(known)}"


def pixel_scores(found: PixelMap) -> tuple[Score, ...]:
    """What is worth saying of a pixel map in numbers."""
    what, help_ = "Logit", "The class's score before softmax"
    if found.against is not None:
        what, help_ = "Difference of logits", "The score of the class minus that of the one it is held against"
    if found.channel is not None:
        what = "Activation" if found.unit is not None else "Sum of activations"
        help_ = "What is traced back: the layer's own value"
    scores = [Score(what, found.score, _written(found.score), help_)]
    if not math.isnan(found.completeness_gap):
        gap = found.completeness_gap
        text = "How far the sum of the map is off the score's rise from the baseline, as a part of it. More steps: less"
        scores.append(Score("Completeness gap", gap, f"{100 * gap:+.2g} %", text))
    if (coverage := found.coverage) is not None:
        part = coverage.handled / coverage.total if coverage.total else 1.0
        scores.append(Score("Coverage", part, in_words(coverage), "Activation functions that the rule was applied to"))
    return tuple(scores)


def _written(number: float) -> str:
    """Four figures, and all of those before the point."""
    return f"{number:,.0f}" if abs(number) >= 1e4 else f"{number:.4g}"
