"""The film strip: Grad-CAM of all stages from one forward and one backward pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from convviz_gui.engine.attribution.class_map import NO_MAPS, Evidence, no_gradient_map, picture_of
from convviz_gui.engine.attribution.grad_cam_map import weighted_map
from convviz_gui.engine.attribution.score import score_for
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.hooks import gradients_of
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.network.stage_outputs import logits_and_outputs
from convviz_gui.engine.network.stages import blocks, resolutions, spread
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Strip, frozen
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import LayerNode, ModelInfo, Run, Score

_CHOICES = {"resolutions": resolutions, "blocks": blocks}


@dataclass(frozen=True)
class FilmStripParams(Params):
    """Which layers are shown."""

    stages: str = param(
        "resolutions",
        "Stages",
        "resolutions: the last layer at each size of the maps. blocks: every block of the network; taken, too, where "
        "there are fewer than three sizes, as in a ViT.",
        choices=tuple(_CHOICES),
    )
    most: int = param(
        12, "At most", "More stages than this are thinned out evenly; the first and the last stay.", lo=1, hi=64
    )


@register
class FilmStrip(Method[FilmStripParams]):
    """How the evidence for a class gathers, stage by stage, from the first layers to the last."""

    name = "film-strip"
    title = "Film strip"
    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.CLASS, Need.AGAINST})
    live = True
    params = FilmStripParams
    payload = Strip
    when_to_use = (
        "Take it to choose a layer for a class map, or to see where in the network a thing becomes evidence. "
        "For one layer in full take Grad-CAM: it is the same map."
    )
    how_to_read = (
        "Each picture is Grad-CAM at one layer, all for the same class, from shallow to deep. Maps grow coarser and "
        "gather on what the class is told by. Each has a scale of its own: compare where it is warm, not how warm."
    )
    how_it_misleads = (
        "In early layers a channel is an edge or a colour, and its mean gradient says little: warm places there are "
        "seldom evidence. Scaling each map by its own maximum makes a faint map look as sure as a strong one; "
        "the numbers below tell."
    )
    reference = "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, and class scores that depend differentiably on them."""
        return no_gradient_map(info) or super().applies(info)

    def run(self, session: Session, request: Run, params: FilmStripParams) -> Steps[Strip]:
        """One forward pass and a backward pass that ends at the first stage."""
        yield Update(0, 1, "forward and backward pass")
        x, box = session.input(picture_of(request.image, self.title))
        nodes = {node.id: node for node in spread(_CHOICES[params.stages](session.info), params.most)}
        if not nodes:
            raise EngineError(NO_MAPS, f"{self.title} needs a convolutional network")
        logits, outputs = logits_and_outputs(session.model, x, list(nodes))
        score = score_for(logits, request.target)
        gradients = gradients_of(score.of(logits)[0], list(outputs.values()))
        maps, shown = [], []
        for (layer, output), gradient in zip(outputs.items(), gradients, strict=True):
            # Behind a part that runs without gradients; Grad-CAM refuses such layers.
            if gradient is not None:
                found, slopes = (channels_first(tensor, nodes[layer]) for tensor in (output.detach(), gradient))
                maps.append(weighted_map(Evidence(layer, found, slopes, logits.detach(), score)))
                shown.append(maps[-1].shown((x.shape[2], x.shape[3])))
        if not maps:
            raise EngineError(
                f"The class scores do not depend differentiably on any of {', '.join(nodes)}",
                "A part of this network that runs without gradients cannot be looked through",
            )
        return Strip(
            layers=tuple(each.layer for each in maps),
            class_index=score.index,
            raw=tuple(read_only(each.raw[0, 0]) for each in maps),
            heat=read_only(torch.cat([heat for heat, _ in shown])[:, 0]),
            positive=frozen(np.array([positive for _, positive in shown])),
            fields=frozen(np.array([_field(nodes[each.layer]) for each in maps], np.float32)),
            box=box,
            logits=read_only(logits[0]),
            against=score.against,
        )

    def scores(self, payload: Strip) -> tuple[Score, ...]:
        """How many stages there are, and at how many of them something speaks for the class."""
        n, told = len(payload.layers), int(payload.positive.sum())
        text = f"{n}" if told == n else f"{told} of {n}"
        return (Score("Stages", told, text, "Layers at which something in the photo speaks for the class"),)


def _field(node: LayerNode) -> tuple[int, int]:
    """Height and width of a layer's receptive field in pixels of the input, 0 if nobody can tell."""
    return node.receptive_field.size if node.receptive_field is not None else (0, 0)
