"""XGrad-CAM: Grad-CAM with weights that add up to the score as well as they can."""

from __future__ import annotations

from convviz_gui.engine.attribution.class_map import ClassMap, Evidence
from convviz_gui.engine.attribution.gradient_map import GradientMap
from convviz_gui.engine.method import register


@register
class XGradCam(GradientMap):
    """Where the evidence for a class comes from, each channel weighted where it is active."""

    name = "xgrad-cam"
    title = "XGrad-CAM"
    when_to_use = (
        "Take it as a second opinion beside Grad-CAM at layers that are not pooled right away, where it keeps closer "
        "to the score. Behind global average pooling it says the same."
    )
    how_to_read = (
        "As Grad-CAM, but a channel's gradient is averaged over the places where the channel is active, not over all: "
        "the map then adds up to activation × gradient. Warm places speak for the class."
    )
    how_it_misleads = (
        "It is as coarse as the layer, so edges mean nothing. The weights divide by a channel's sum: where a layer "
        "has negative values that cancel, a single channel can take over the map. Behind average pooling it is "
        "the same as Grad-CAM."
    )
    reference = "Fu et al., Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs, BMVC 2020"

    def map_of(self, found: Evidence) -> ClassMap:
        """Σ over channels of (Σ over positions of g·A / ΣA) × the channel's map; where ΣA is 0, the weight is."""
        total = found.maps.sum(dim=(2, 3), keepdim=True)
        slopes = (found.gradient * found.maps).sum(dim=(2, 3), keepdim=True)
        return found.summed((slopes / total).where(total != 0, 0) * found.maps)
