"""DeconvNet: a class, a channel or a unit projected back to the pixels."""

from __future__ import annotations

from convviz_gui.engine.attribution.backward_rules import Rule
from convviz_gui.engine.attribution.ruled_map import RuledMap
from convviz_gui.engine.method import register


@register
class DeconvNet(RuledMap):
    """The pattern that a class, a channel or one unit of it stands for, projected back to the pixels."""

    name = "deconvnet"
    title = "DeconvNet"
    rule = Rule.DECONVNET
    when_to_use = (
        "Take it for one unit of an early or middle layer of a network with max-pooling, as its authors did: "
        "what structure in the photo made that unit fire? Guided backprop gives cleaner pictures of the same."
    )
    how_to_read = (
        "The network is run backwards: filters turned round, max-pooling undone through the places where the maxima "
        "were, and at every ReLU only what is positive goes on, whether the unit was on or not. A channel's whole map "
        "starts with 1 at every position, a unit with 1 at its own."
    )
    how_it_misleads = (
        "Apart from the pooling's switches it hardly depends on the photo, and it barely reacts to random weights "
        "(Nie et al. 2018): as evidence for a class it is worth little. Without max-pooling it has no switches and "
        "turns to noise. Activation functions other than ReLU have no rule; the coverage says how many there are."
    )
    reference = "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014"
    known_to_fail_randomisation = (
        "DeconvNet is known to depend little on what was learned in the upper layers: it partly restores the photo "
        "(Nie et al. 2018)"
    )
