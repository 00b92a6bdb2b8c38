"""Guided backpropagation: the parts of the photo that excite, traced back through excited units alone."""

from __future__ import annotations

from convviz_gui.engine.attribution.backward_rules import Rule
from convviz_gui.engine.attribution.ruled_map import RuledMap
from convviz_gui.engine.method import register


@register
class GuidedBackprop(RuledMap):
    """The edges and textures that excite a class, a channel or one unit of it."""

    name = "guided-backprop"
    title = "Guided backprop"
    rule = Rule.GUIDED
    when_to_use = (
        "Take it to see in fine detail what in this photo one channel or unit responds to. "
        "Do not take it as evidence for a class: look at Grad-CAM, Integrated Gradients or occlusion for that."
    )
    how_to_read = (
        "The gradient goes back to the pixels, but at every ReLU only where the unit was on and the gradient positive. "
        "What is left are structures that excite. Drawn as colours around grey, it is the classic picture."
    )
    how_it_misleads = (
        "It looks sharp and convincing and says little of the class: put random weights into the network and the "
        "picture barely changes (Adebayo et al. 2018). It mostly restores edges of the photo, which it would do for "
        "any class. Activation functions other than ReLU have no rule; the coverage says how many there are."
    )
    reference = "Springenberg et al., Striving for Simplicity: The All Convolutional Net, ICLR workshop 2015"
    known_to_fail_randomisation = (
        "Guided backprop is known to change little when the weights of the upper layers are random: it partly restores "
        "the photo, whatever was learned (Adebayo et al. 2018; Nie et al. 2018)"
    )
