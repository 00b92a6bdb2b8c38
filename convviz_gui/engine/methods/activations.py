"""Intermediate activations of one layer."""

from __future__ import annotations

from convviz_gui.engine.layer_maps import layer_maps
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Maps
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Run


@register
class Activations(Method[NoParams]):
    """Every channel of a layer, answering to this photo: bright where it found what it looks for."""

    name = "activations"
    title = "Activations"
    category = Category.ACTIVATIONS
    needs = frozenset({Need.IMAGE, Need.LAYER})
    live = True
    lower_precision = True
    params = NoParams
    payload = Maps
    when_to_use = (
        "Take it first: it shows what each layer keeps of a photo, at once and without any choice. To ask why the "
        "network decided as it did take a class map; to ask what a channel looks for in general, take the filters or "
        "the patches."
    )
    how_to_read = (
        "Each tile is one channel. Early layers answer to edges and colours and keep most of the picture; deeper ones "
        "to parts and things, and fewer of them answer at all. Scaling per channel shows the pattern in each tile; "
        "scaling per layer makes tiles comparable. The number under the cursor is the raw value."
    )
    how_it_misleads = (
        "Scaled per channel, a channel that hardly responds looks as lively as the strongest one: look at its maximum. "
        "A single channel seldom stands for a single thing, and one photo shows only what this photo contains."
    )
    reference = "Zeiler & Fergus 2014; Chollet, Deep Learning with Python, “Interpreting what ConvNets learn”"

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Maps]:
        """One forward pass that ends at the layer."""
        yield Update(0, 1, "forward pass")
        return layer_maps(session, request.image, request.target.layer)
