"""What the health report says of what goes in, what comes out, and the gradients between."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from convviz_gui.engine.network.health.evidence import Check, Evidence, count
from convviz_gui.engine.types import NO_GRADIENT, NO_GRADIENT_TO_LAYERS, NO_GRADIENT_TO_MAPS, Finding, Level, ModelInfo


def _input(info: ModelInfo, _evidence: Evidence) -> Iterator[Finding]:
    channels, preprocess = info.preprocess.channels, info.preprocess
    if channels == 1:
        detail = "Photos are turned grey before they go in"
        yield Finding("input-channels", Level.HANDLED, "1 input channel", detail)
    elif channels == 2:
        taken = "blue and green" if preprocess.channel_order == "bgr" else "red and green"
        detail = f"They get the {taken} of a photo: make sure that this is what the network was trained with"
        yield Finding("input-channels", Level.WARNING, "2 input channels", detail)
    elif channels > 3:
        which = "4th gets its" if channels == 4 else f"4th to {channels}th get their"
        detail = f"A photo has three: the {which} mean, which is 0 in the tensor"
        yield Finding("input-channels", Level.HANDLED, f"{channels} input channels", detail)
    if channels >= 3 and preprocess.channel_order == "bgr":
        yield Finding("channel-order", Level.FACT, "Colours go in as blue, green, red", "Pictures are shown as usual")


def _single_logit(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    if evidence.trace.n_logits == 1:
        detail = "It is the score of class 1, its negative that of class 0; its sigmoid is the probability of class 1"
        yield Finding("single-logit", Level.HANDLED, "A single logit tells two classes apart", detail)


def _scores(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    logits = evidence.trace.logits
    if logits is None:
        return
    if not bool(torch.isfinite(logits).all()):
        what = "NaN" if bool(torch.isnan(logits).any()) else "infinite"
        detail = "The weights are damaged, or values grow beyond all bounds on the way"
        yield Finding("dead-output", Level.WARNING, f"The class scores are {what} for a picture of noise", detail)
    elif len(logits) > 1 and bool((logits == logits[0]).all()):
        detail = "No class can be told from another; a head that is all zeros, as before training, does that"
        yield Finding("dead-output", Level.WARNING, "The class scores are the same for every class", detail)


def _gradients(info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    if evidence.trace.differentiable:
        return
    calls = [call for call in evidence.trace.calls if call.shape is not None and call.path]
    without = sum(not call.differentiable for call in calls)
    title = "The class scores do not depend differentiably on the picture"
    detail = f"{without:,} of {count(len(calls), 'layer')} run without gradients: pixels cannot be asked for their part"
    if evidence.failure:
        detail = f"The network fails where gradients are recorded: {evidence.failure}"
    yield Finding(NO_GRADIENT, Level.WARNING, title, detail)
    if info.default_map_layer is not None and not evidence.maps_depend:
        title = f"Nor do they on the maps of {info.default_map_layer!r}"
        yield Finding(NO_GRADIENT_TO_MAPS, Level.WARNING, title, "Grad-CAM cannot look there")
    if without == len(calls):
        title = "No layer depends differentiably on the picture"
        yield Finding(NO_GRADIENT_TO_LAYERS, Level.WARNING, title, "No picture can be grown for any filter")


CHECKS: tuple[Check, ...] = (_scores, _gradients, _input, _single_logit)
