"""EigenCAM: the strongest pattern of a layer, whatever the class."""

from __future__ import annotations

import torch
from torch import Tensor

from convviz_gui.engine.attribution.class_map import (
    NO_MAPS,
    ClassMap,
    check_finite,
    heat_of,
    layer_with_maps,
    noise_of,
    picture_of,
)
from convviz_gui.engine.attribution.gradient_map import strongest
from convviz_gui.engine.attribution.score import score_for
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.hooks import features_and_logits
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@register
class EigenCam(Method[NoParams]):
    """The strongest pattern in a layer's answer to the photo: what stands out, whatever the class."""

    name = "eigen-cam"
    title = "EigenCAM"
    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.LAYER})
    live = True
    params = NoParams
    payload = Heat
    when_to_use = (
        "Take it where there are no gradients, or to ask what a layer notices before any class is asked about. "
        "To ask why the network names a class take Grad-CAM: EigenCAM cannot say."
    )
    how_to_read = (
        "A layer's channels are reduced to their first principal component over the places: the one pattern that says "
        "most about how places differ. Warm places have more of it than the average place. Its sign is chosen so that "
        "it grows with the mean activation."
    )
    how_it_misleads = (
        "It is the same map for every class: it shows what stands out, and says nothing of why the network decided as "
        "it did. With two things in the photo it may show either. Where the first component explains little of the "
        "layer, the map is a small part of the truth, and a sign chosen by a weak correlation may be the wrong one."
    )
    reference = "Muhammad & Yeasin, Eigen-CAM: Class Activation Map using Principal Components, IJCNN 2020"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, and nothing else."""
        return NO_MAPS if info.default_map_layer is None else super().applies(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Heat]:
        """One forward pass, and the principal component of the layer's maps."""
        yield Update(0, 1, "forward pass and principal component")
        x, box = session.input(picture_of(request.image, self.title))
        node = layer_with_maps(session, request.target.layer, self.title)
        output, logits = features_and_logits(session.model, x, node.id)
        maps = channels_first(output, node)
        check_finite(maps, node.id)
        parts = principal_parts(maps)
        # The class is only named beside the map.
        score = score_for(logits, request.target)
        found = ClassMap(node.id, parts.sum(dim=1, keepdim=True), noise_of(parts), logits, score)
        return heat_of(found, (x.shape[2], x.shape[3]), box, of_class=False)

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How far the pattern reaches above the average place."""
        return (
            strongest(
                payload, "The raw map's maximum, in the layer's units; the average place has 0", "Strongest place"
            ),
        )


def principal_parts(maps: Tensor) -> Tensor:
    """What each channel adds to the projection on the first principal component; f64 [1, C, h, w] on the host.

    `maps` [1, C, h, w]: places are the samples, channels the variables, each less its mean over places. The sum over
    channels correlates with the mean over channels of the maps by at least 0.
    """
    rows = maps[0].detach().cpu().double().flatten(1).T
    centred = rows - rows.mean(dim=0)
    parts = centred * _first_direction(centred)
    pattern = parts.sum(dim=1)
    if float(pattern @ centred.mean(dim=1)) < 0:
        parts = -parts
    return parts.T.reshape(1, *maps.shape[1:])


def _first_direction(centred: Tensor) -> Tensor:
    """The first right singular vector [C] of [N, C], or zeros if all is 0; by the smaller of the two Gram matrices."""
    if centred.shape[0] >= centred.shape[1]:
        direction: Tensor = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -1]
        return direction
    along: Tensor = torch.linalg.eigh(centred @ centred.T).eigenvectors[:, -1] @ centred
    length = along.norm()
    return along / length if float(length) > 0 else along
