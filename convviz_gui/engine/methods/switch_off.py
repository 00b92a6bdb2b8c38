"""Switch channels off, or turn them up, and see the predictions move."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.layer_maps import layer_maps
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.classes import check_scores, chosen_class, probabilities
from convviz_gui.engine.network.hooks import Visit
from convviz_gui.engine.network.intervening import (
    MEAN,
    SCALE,
    averaged,
    caveats,
    channel_axis,
    logits_with,
    scaled,
)
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Switched, frozen
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import LayerNode, ModelInfo, Run, Score

Edits = dict[str, tuple[int, ...]]
FORM = 'Write them like "conv2:3,5; conv4:0-7"'


@dataclass(frozen=True)
class SwitchOffParams(Params):
    """What is done to the channels, and which others it is done to besides."""

    how: str = param(
        SCALE,
        "What is done",
        "scale: every value of the channel is multiplied by the factor. mean: every value is replaced by the channel's "
        "mean over the positions, which keeps how much there is of it and takes away where",
        choices=(SCALE, MEAN),
    )
    factor: float = param(
        0.0,
        "Factor",
        "0 switches off, 1 changes nothing, 2 doubles, −1 turns the sign",
        lo=-2.0,
        hi=4.0,
        when=("how", (SCALE,)),
    )
    also: str = param(
        "", "Switched off too", "Channels of other layers, changed in the same pass, like conv2:3,5; conv4:0-7"
    )


@register
class SwitchOff(Method[SwitchOffParams]):
    """What the network says of this photo without some of its channels."""

    name = "switch-off"
    title = "Switch off"
    category = Category.SWITCH_OFF
    needs = frozenset({Need.IMAGE, Need.LAYER, Need.CHANNEL, Need.CLASS})
    live = True
    lower_precision = True
    params = SwitchOffParams
    payload = Switched
    when_to_use = (
        "Take it to ask whether the prediction needs what a channel found: maps show what goes together with a class, "
        "this shows what happens without. What a channel is needed for in general, the ablation table tells."
    )
    how_to_read = (
        "The bars are the classes before and after. A class that falls needs the channel; one that rises was held down "
        "by it, or only takes the place of the one that fell: probabilities add up to 1, so look at the logits. Off "
        "means 0 in the layer's output, before whatever follows it."
    )
    how_it_misleads = (
        "The network has never seen a channel held at 0: what it says then is an answer to an input that photos do not "
        "make. Where another channel does the same work, nothing changes, though both are used. A normalisation behind "
        "the layer turns 0 into a constant of its own. One photo shows what this photo needs."
    )
    reference = (
        "Zhou, Bau, Sun & Torralba, Revisiting the Importance of Individual Units in CNNs via Ablation, "
        "arXiv:1806.02891, 2018; Bau et al., Understanding the Role of Individual Units, PNAS 2020"
    )

    def run(self, session: Session, request: Run, params: SwitchOffParams) -> Steps[Switched]:
        """Two forward passes, one of them with the channels changed."""
        yield Update(0, 2, "forward pass")
        assert request.image is not None
        edits = _edits(session, request, params)
        x, box = session.input(request.image)
        with session.computing():
            before = logits_with(session.model, x, {})
        class_index = chosen_class(before, request.target.class_index)
        check_scores(before, class_index)
        yield Update(1, 2, "forward pass with the channels changed")
        means: dict[str, list[Tensor]] = {}
        visits = {layer: _visit(session.layer(layer), channels, params, means) for layer, channels in edits.items()}
        x, box = session.input(request.image)
        with session.computing():
            after = logits_with(session.model, x, visits)
        check_scores(after, class_index, "once these channels are changed")
        notes = [note for layer in edits for note in caveats(session.info, session.layer(layer))]
        old, new = (np.concatenate([read_only(means[layer][i]) for layer in edits]) for i in (0, 1))
        return Switched(
            edits=tuple(edits.items()),
            how=params.how,
            factor=params.factor,
            class_index=class_index,
            logits=read_only(before[0]),
            logits_after=read_only(after[0]),
            probabilities=read_only(probabilities(before)[0]),
            probabilities_after=read_only(probabilities(after)[0]),
            before=frozen(old),
            after=frozen(new),
            box=box,
            notes=tuple(dict.fromkeys(notes)) if params.how == SCALE else (),
        )

    def scores(self, payload: Switched) -> tuple[Score, ...]:
        """How the class in question moved, and whether another is the top one now."""
        index = payload.class_index
        change = float(payload.probabilities_after[index]) - float(payload.probabilities[index])
        text = f"{100 * change:+.2f} points".replace("-", "−")
        moved = Score("Change", change, text, "Of the probability of the class in question, in percentage points")
        if payload.probabilities.argmax() == payload.probabilities_after.argmax():
            return (moved,)
        return moved, Score("Top class", 1.0, "another", "The class with the largest probability is another one now")


def _edits(session: Session, request: Run, params: SwitchOffParams) -> Edits:
    """Which channels of which layers, in order of asking; each layer once."""
    target = request.target
    layer = target.layer or session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    channel_axis(node)
    if target.channels is None:
        # The one that has most to say of this photo, so that there is something to see.
        chosen: tuple[int, ...] = (int(layer_maps(session, request.image, layer).mean.argmax()),)
    else:
        chosen = target.channels
    edits: Edits = {node.id: chosen}
    for more, channels in _read(params.also, session).items():
        edits[more] = tuple(dict.fromkeys((*edits.get(more, ()), *channels)))
    if params.how == MEAN:
        _check_positions(edits, session.info)
    return edits


def _read(text: str, session: Session) -> Edits:
    """The layers and channels in "conv2:3,5; conv4:0-7"."""
    found: Edits = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        layer, colon, channels = part.rpartition(":")
        if not colon or not layer.strip():
            raise EngineError(f"{part!r} does not name channels of a layer", FORM)
        node = session.layer(layer.strip())
        channel_axis(node)
        parsed = parse_channels(channels, node.channels)
        assert parsed is not None
        found[node.id] = tuple(dict.fromkeys((*found.get(node.id, ()), *parsed)))
    return found


def _check_positions(edits: Mapping[str, tuple[int, ...]], info: ModelInfo) -> None:
    for layer in edits:
        node = info.find(layer)
        if node is not None and not node.is_map:
            raise EngineError(
                f"Layer {layer!r} gives a vector: its channels have no positions to take the mean of",
                "Multiply them by a factor instead (--how scale)",
            )


def _visit(
    node: LayerNode, channels: tuple[int, ...], params: SwitchOffParams, means: dict[str, list[Tensor]]
) -> Visit:
    """Changes the channels, and notes their means before and after."""
    change = averaged if params.how == MEAN else functools.partial(scaled, factor=params.factor)

    def visit(output: Tensor) -> Tensor:
        changed = change(output, channel_axis(node), channels)
        means[node.id] = [_means(tensor, node)[list(channels)] for tensor in (output, changed)]
        return changed

    return visit


def _means(output: Tensor, node: LayerNode) -> Tensor:
    """Each channel's mean over the positions, f32 [C]."""
    maps = channels_first(output, node)[0].float()
    return maps.flatten(1).mean(dim=1) if maps.ndim > 1 else maps
