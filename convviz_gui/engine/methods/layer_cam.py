"""LayerCAM: a class map that keeps its meaning, and its fineness, in early layers."""

from __future__ import annotations

from convviz_gui.engine.attribution.class_map import ClassMap, Evidence
from convviz_gui.engine.attribution.gradient_map import GradientMap
from convviz_gui.engine.method import register


@register
class LayerCam(GradientMap):
    """Where each place of a layer, by itself, helps the class: fine maps from early layers too."""

    name = "layer-cam"
    title = "LayerCAM"
    when_to_use = (
        "Take it for a finer map than Grad-CAM's, at a layer well before the last. At the last layers take Grad-CAM, "
        "which also counts what speaks against the class."
    )
    how_to_read = (
        "Each place of each channel is weighted by its own gradient, where that is positive, then channels are added. "
        "Since nothing is averaged over places, early layers give fine maps: choose one in the layer tree."
    )
    how_it_misleads = (
        "What speaks against the class is left out, so maps of different classes look alike. In early layers "
        "strong edges light up whatever the class is: fine detail is not yet evidence."
    )
    reference = "Jiang et al., LayerCAM: Exploring Hierarchical Class Activation Maps for Localization, TIP 2021"

    def map_of(self, found: Evidence) -> ClassMap:
        """Σ over channels of relu(gradient) × activation, at every position."""
        return found.summed(found.gradient.relu() * found.maps)
