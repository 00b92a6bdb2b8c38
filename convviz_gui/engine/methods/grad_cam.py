"""Grad-CAM: where the evidence for a class comes from."""

from __future__ import annotations

from convviz_gui.engine.attribution.class_map import ClassMap, Evidence
from convviz_gui.engine.attribution.grad_cam_map import weighted_map
from convviz_gui.engine.attribution.gradient_map import GradientMap, strongest
from convviz_gui.engine.method import register
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.types import Score


@register
class GradCam(GradientMap):
    """Where in the photo the network found evidence for a class."""

    name = "grad-cam"
    title = "Grad-CAM"
    when_to_use = (
        "Take it to see in one look which part of the photo speaks for a class: cheap, works on nearly every network,"
        " and passes the randomisation test. For sharp edges look at a pixel map, for earlier layers at LayerCAM."
    )
    how_to_read = (
        "Each channel of the layer is weighted by how much the class's score grows with it, then all are added: "
        "warm places speak for the class. The default layer is the last one that still has places."
    )
    how_it_misleads = (
        "The map is as coarse as the layer, so edges mean nothing. It shows evidence for the class, not the thing "
        "itself, and only the positive part. In layers far from the end the weights average away what matters."
    )
    reference = "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017"

    def map_of(self, found: Evidence) -> ClassMap:
        """Σ over channels of (mean over positions of the gradient) × the channel's map."""
        return weighted_map(found)

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How strong the evidence is, in the layer's own units."""
        return (strongest(payload, "The raw map's maximum, in logits per unit of the layer"),)
