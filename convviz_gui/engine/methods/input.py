"""What the network is given of a photo."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import NoParams
from convviz_gui.engine.payloads import Seen
from convviz_gui.engine.preprocess import as_colours
from convviz_gui.engine.session import Session, read_only
from convviz_gui.engine.types import Run, Score

MOST_SCORES = 4
"""Channels whose numbers stand beside the picture; the table has all of them."""


@register
class Input(Method[NoParams]):
    """The exact tensor that goes into the network, as a picture beside the photo it was made of."""

    name = "input"
    title = "What the model saw"
    category = Category.INPUT
    needs = frozenset({Need.IMAGE})
    live = True
    params = NoParams
    payload = Seen
    when_to_use = (
        "Look here first when predictions are worse than they should be: a wrong crop, wrong normalisation or swapped"
        " colours show before any other method has a chance to be right."
    )
    how_to_read = (
        "The photo is resized, cropped to the network's input size, and each channel has the mean of the training set "
        "taken away and is divided by its standard deviation. The picture is the tensor turned back into colours; the "
        "numbers under the cursor are the tensor's own. What lies outside the outlined crop the network never sees."
    )
    how_it_misleads = (
        "A picture that looks right need not be: with another network's mean and standard deviation, or red and blue "
        "swapped in training, the same picture stands for other numbers, and predictions get worse without a word. "
        "Look where the preprocessing came from."
    )
    reference = "Touvron et al., Fixing the train-test resolution discrepancy, NeurIPS 2019"

    def run(self, session: Session, request: Run, params: NoParams) -> Steps[Seen]:
        """Prepare the photo; the network does not run."""
        yield Update(0, 1, "preparing the photo")
        if request.image is None:
            raise EngineError("What the model saw needs a picture", "Open one (command line: --image FILE)")
        x, box = session.input(request.image)
        tensor = read_only(x[0])
        picture, clipped = as_colours(tensor, session.info.preprocess)
        return Seen(tensor, picture, box, clipped)

    def scores(self, payload: Seen) -> tuple[Score, ...]:
        """The range of each of the first channels, and what the picture cannot show."""
        help_text = "Smallest, mean and largest value of the input tensor"
        scores = []
        for i, channel in enumerate(payload.tensor[:MOST_SCORES]):
            mean = float(channel.mean(dtype=np.float64))
            text = " … ".join(f"{number:.3g}" for number in (channel.min(), mean, channel.max())).replace("-", "−")
            scores.append(Score(f"Channel {i}", mean, text, help_text))
        if payload.clipped:
            help_text = "Values of the tensor that no colour stands for; the tensor itself is not clipped"
            scores.append(Score("Clipped in the picture", payload.clipped, f"{payload.clipped:,}", help_text))
        return tuple(scores)
