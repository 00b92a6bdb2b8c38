"""CAM: the class map that the network itself adds up."""

from __future__ import annotations

from convviz_gui.engine.attribution.class_map import ClassMap, heat_of, noise_of, picture_of
from convviz_gui.engine.attribution.gradient_map import strongest
from convviz_gui.engine.attribution.score import score_for
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.pooled_head import pooled_maps
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score

_INSTEAD = "Take Grad-CAM: it works on any network with maps, and is the same map as CAM where that applies"


@register
class Cam(Method[NoParams]):
    """Every place's own share of the class's score, exactly as the network adds it up."""

    name = "cam"
    title = "CAM"
    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.CLASS, Need.AGAINST})
    live = True
    params = NoParams
    payload = Heat
    when_to_use = (
        "Take it wherever it applies: nothing is estimated, the map's mean and the bias are the class's score. Other "
        "networks, and other layers, need Grad-CAM."
    )
    how_to_read = (
        "The classifier's weights for the class times the last maps, place by place. Behind global average pooling the "
        "score is the mean of this map, plus a bias: warm places raise it, cold ones lower it, by just that much. "
        "In networks like SqueezeNet a ReLU cuts off what is below the bias before the mean is taken."
    )
    how_it_misleads = (
        "It is as coarse as the last layer, whose places each see much of the photo or all of it: a warm place need "
        "not lie on what it was warmed by. A class's map ignores what its rivals get there; take one class against "
        "another to see what decided."
    )
    reference = "Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016"

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """Only for class scores that are linear in maps averaged over all places."""
        if info.pooled_head is None:
            return (
                "CAM needs class scores made by one linear layer and global average pooling, and here they are not: "
                "take Grad-CAM, which works without"
            )
        return super().applies(info)

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Heat]:
        """One forward pass."""
        yield Update(0, 1, "forward pass")
        x, box = session.input(picture_of(request.image, self.title))
        head = session.info.pooled_head
        if head is None:
            raise EngineError(self.applies(session.info), _INSTEAD)
        node = session.layer(head.layer)
        asked = request.target.layer
        if asked is not None and session.layer(asked).id != node.id:
            raise EngineError(
                f"CAM looks at the maps of {node.id!r} alone, which are what the classes are told by",
                f"Leave the layer out, or take Grad-CAM for {asked!r}",
            )
        read = pooled_maps(session.model, x, node, head)
        score = score_for(read.logits, request.target)
        # Both are linear: the weights of a class, or of the difference of two, are its score of the weights.
        parts = score.of(read.weight.T)[None, :, None, None] * read.maps
        found = ClassMap(node.id, parts.sum(dim=1, keepdim=True), noise_of(parts), read.logits, score)
        return heat_of(found, (x.shape[2], x.shape[3]), box)

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """The strongest place, and what the map adds up to."""
        mean = float(payload.raw.mean())
        meaning = "The raw map's mean: the class's logit but for the bias (and for a ReLU, as in SqueezeNet)"
        return (
            strongest(payload, "The raw map's maximum: that place's logit without the bias"),
            Score("Mean", mean, f"{mean:.3g}", meaning),
        )
