"""Grad-CAM's map, for every method that needs one (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from torch import Tensor

from convviz_gui.engine.attribution.class_map import ClassMap, Evidence, evidence_at, layer_with_maps
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Target


def grad_cam(session: Session, x: Tensor, layer: str | None, target: Target) -> ClassMap:
    """Grad-CAM of a preprocessed picture `x` [1, C, H, W] at a layer, by default the last one with places.

    The result's `raw` [1, 1, h, w] is signed; `shown((H, W))` gives what is drawn of it, in 0…1. The class is that of
    `target`, by default the top one. Raises `EngineError` as `layer_with_maps` and `evidence_at` do.
    """
    return weighted_map(evidence_at(session, x, layer_with_maps(session, layer, "Grad-CAM"), target))


def weighted_map(found: Evidence) -> ClassMap:
    """Grad-CAM of what was found at a layer: each channel weighted by its mean gradient over positions, then summed."""
    return found.summed(found.gradient.mean(dim=(2, 3), keepdim=True) * found.maps)
