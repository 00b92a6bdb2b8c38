"""Grad-CAM++: Grad-CAM that counts how often a thing is there."""

from __future__ import annotations

from convviz_gui.engine.attribution.class_map import ClassMap, Evidence
from convviz_gui.engine.attribution.gradient_map import GradientMap
from convviz_gui.engine.method import register


@register
class GradCamPlusPlus(GradientMap):
    """Where the evidence for a class comes from, all of it when the thing is there more than once."""

    name = "grad-cam-pp"
    title = "Grad-CAM++"
    when_to_use = (
        "Take it when the thing is in the photo several times, or small, and Grad-CAM marks only part of it. To tell "
        "two classes apart take Grad-CAM, which also counts what speaks against."
    )
    how_to_read = (
        "As Grad-CAM, but a channel's weight sums only the places where it helps the class, each by its share, so that "
        "a small second cat counts as much as a large first one. Warm places speak for the class."
    )
    how_it_misleads = (
        "It never counts what speaks against the class, so maps of different classes look alike. The formula is made "
        "for layers behind a ReLU: where a layer has negative values, its weights can grow beyond measure. "
        "It is as coarse as the layer. Its shares assume a score of exp(logit), and change if all logits are scaled."
    )
    reference = (
        "Chattopadhay et al., Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks, WACV 2018"
    )

    def map_of(self, found: Evidence) -> ClassMap:
        """Σ over channels of (Σ over positions of α·relu(g)) × the channel's map, α = g² / (2g² + g³·ΣA).

        With the score exp(logit), whose own factor is the same everywhere and left out (equations 10 and 19).
        """
        gradient, maps = found.gradient, found.maps
        # α without its common factor g²; it counts only where g is above 0.
        share = 1 / (2 + gradient * maps.sum(dim=(2, 3), keepdim=True))
        weights = (share * gradient).where(gradient > 0, 0).sum(dim=(2, 3), keepdim=True)
        return found.summed(weights * maps)
