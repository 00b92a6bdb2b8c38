"""Point and ask: which channels fire at a place of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.asking import SORTS, Answers, Sight, answers_at, asked
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.fields import Point, extent_of, point_of
from convviz_gui.engine.layer_maps import layer_maps
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.hooks import Visit, visiting
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Asked, FloatArray
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import LayerNode, Run, Score

THIS, EVERY = "this layer", "every layer"
OF_EACH = 3
"""Channels shown of each layer where all are asked."""


@dataclass(frozen=True)
class AskParams(Params):
    """How channels are ordered, and how many are listed."""

    sort: str = param(
        "contrast",
        "Order by",
        "contrast: how far the value is above the channel's mean in this photo, in its standard deviations, so that "
        "channels that fire everywhere come last. share: of the channel's largest value. value: the raw value",
        choices=SORTS,
    )
    layers: str = param(
        THIS,
        "Layers",
        f"Ask the chosen layer, or every layer with maps: {OF_EACH} channels of each, from the first layer to the last",
        choices=(THIS, EVERY),
    )
    top: int = param(
        24, "Channels", "How many channels of the layer are listed", lo=1, hi=4096, when=("layers", (THIS,))
    )
    point: str = param(
        "",
        "Point",
        "The place as x,y in the photo's pixels, instead of a row and a column of the layer's maps; empty takes those",
        advanced=True,
    )


@register
class Ask(Method[AskParams]):
    """The channels that fire at one place of the photo, and what each sees of it there."""

    name = "ask"
    title = "Point and ask"
    category = Category.ACTIVATIONS
    needs = frozenset({Need.IMAGE, Need.LAYER, Need.PLACE})
    live = True
    lower_precision = True
    params = AskParams
    payload = Asked
    when_to_use = (
        "Take it when something in the photo makes you ask what the network sees in it: from a place to the channels "
        "that answer there. From a channel to its places lead the activations; whether it matters, switching it off."
    )
    how_to_read = (
        "Click a place in the photo. Listed are the channels that answer there, the box is what that position of the "
        "layer sees of the photo: nothing outside of it can change the value. Contrast compares a channel with itself: "
        "3 means three standard deviations above its own mean, so it fires here rather than everywhere."
    )
    how_it_misleads = (
        "The box is all that could matter; what did matter is often a small part in its middle. A large value says "
        "that a channel fires, not that the prediction needs it: switch it off to see. Near the photo's edge channels "
        "may answer to the padding. Raw values of different channels, and of different layers, are on different scales."
    )
    reference = (
        "Zeiler & Fergus 2014; Olah et al., The Building Blocks of Interpretability, Distill, 2018; receptive fields "
        "as in Araujo, Norris & Sim, Distill, 2019"
    )

    def run(self, session: Session, request: Run, params: AskParams) -> Steps[Asked]:
        """One forward pass to the layer, or through the network where every layer is asked."""
        yield Update(0, 1, "forward pass")
        maps = layer_maps(session, request.image, request.target.layer)
        node = session.layer(maps.layer)
        assert request.image is not None
        sight = Sight(maps.box, request.image.pixels.shape[:2], session.info.preprocess.size)
        point = _point(params.point, maps.box) or _of_unit(request.target.unit, node, maps.maps)
        if params.layers == EVERY:
            found = _everywhere(session, request, point)
            if not found:
                raise EngineError("No layer of this network has maps to ask", "Ask one layer alone (--layers)")
            rows = [(answers, answers.order(params.sort)[:OF_EACH]) for answers in found]
            return asked(rows, point, params.sort, sight, "")
        answers = answers_at(node, maps.maps, point)
        return asked([(answers, answers.order(params.sort)[: params.top])], point, params.sort, sight, node.id)

    def scores(self, payload: Asked) -> tuple[Score, ...]:
        """How many channels answer here more than anywhere else."""
        if not payload.layer:
            return ()
        here = int(np.count_nonzero(payload.contrast >= 2))
        help_text = "Channels listed whose value here is two standard deviations or more above their own mean"
        return (Score("Fire here", here, f"{here} of {len(payload.channels)} listed", help_text),)


def _point(text: str, box: FloatArray) -> Point | None:
    """A place written as x,y in the photo's pixels, as (u, v) of the crop; None if there is none."""
    if not text.strip():
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        hint = "Give its x and y in the photo's pixels, like 120,64"
        raise EngineError(f"A point cannot be {text!r}", hint) from None
    left, top, width, height = (float(number) for number in box)
    u, v = (x - left) / width, (y - top) / height
    if not (0 <= u < 1 and 0 <= v < 1):
        raise EngineError(
            f"The point {x:g},{y:g} is outside of what the network sees of the photo",
            f"x goes from {left:g} to {left + width:g}, y from {top:g} to {top + height:g}",
        )
    return u, v


def _of_unit(unit: tuple[int, int] | None, node: LayerNode, maps: FloatArray) -> Point:
    """The middle of a position, by default of the map's own middle."""
    height, width = maps.shape[1:]
    if unit is None:
        return 0.5, 0.5
    if not (0 <= unit[0] < height and 0 <= unit[1] < width):
        raise EngineError(
            f"Layer {node.id!r} has no position {unit[0]},{unit[1]}",
            f"Its rows go from 0 to {height - 1}, its columns from 0 to {width - 1}",
        )
    return point_of(unit, (height, width))


def _everywhere(session: Session, request: Run, point: Point) -> list[Answers]:
    """What every innermost layer with maps says at a point, in order of execution."""
    assert request.image is not None
    x, _ = session.input(request.image)
    found: dict[str, Answers] = {}

    def visit_for(node: LayerNode) -> Visit:
        def visit(output: Tensor) -> None:
            found[node.id] = answers_at(node, read_only(channels_first(output, node)[0]), point)

        return visit

    visits = {node.id: visit_for(node) for node in session.info.layers() if _is_innermost_map(node)}
    with torch.no_grad(), session.computing(), visiting(session.model, visits):
        forward(session.model, x)
    return list(found.values())


def _is_innermost_map(node: LayerNode) -> bool:
    inside = any(child.depth is not None for child in node.children)
    return bool(node.id) and extent_of(node) != (1, 1) and not inside
