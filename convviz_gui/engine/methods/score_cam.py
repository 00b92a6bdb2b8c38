"""Score-CAM: a class map without gradients, by showing the network what each channel sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

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
from convviz_gui.engine.attribution.score import ClassScore, score_for
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.network.hooks import features_and_logits, logits_of
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import FloatArray, Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score

_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64


@dataclass(frozen=True)
class ScoreCamParams(Params):
    """How many masked pictures at once."""

    batch: int = param(
        0,
        "Batch",
        "Masked pictures that go through the network at once: 0 takes 8 on a processor, 64 on a graphics card. Where "
        "memory is too small, fewer are taken.",
        lo=0,
        hi=1024,
        advanced=True,
    )


@register
class ScoreCam(Method[ScoreCamParams]):
    """Where the evidence for a class is, found by showing the network only what each channel marks."""

    name = "score-cam"
    title = "Score-CAM"
    category = Category.CLASS_MAPS
    needs = frozenset({Need.IMAGE, Need.LAYER, Need.CLASS, Need.AGAINST})
    params = ScoreCamParams
    payload = Heat
    when_to_use = (
        "Take it where gradients are missing or not to be trusted, and there is time: one forward pass for each "
        "channel. Grad-CAM answers the same question at once."
    )
    how_to_read = (
        "Each channel's map is laid over the photo as a mask; the class's score for what is left says how much the "
        "channel counts (softmax over channels). Warm places lie under channels that keep the class alive. "
        "The strongest channels are tried first, so the picture settles early."
    )
    how_it_misleads = (
        "Channels are weighted by a softmax of logits: a few can take it all, or on an unsure network all "
        "count alike and the map is just the mean activation. Masked photos are unlike any the network was trained "
        "on. All weights are positive, so nothing can speak against the class."
    )
    reference = "Wang et al., Score-CAM: Score-Weighted Visual Explanations for CNNs, CVPR Workshops 2020"
    check_stages = 4

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs maps, and nothing else."""
        return NO_MAPS if info.default_map_layer is None else super().applies(info)

    def run(self, session: Session, request: Run, params: ScoreCamParams) -> Steps[Heat]:
        """One forward pass for the maps, then one for each channel."""
        image = picture_of(request.image, self.title)
        yield Update(0, 1, "forward pass")
        node = layer_with_maps(session, request.target.layer, self.title)
        x, box = session.input(image)
        output, logits = features_and_logits(session.model, x, node.id)
        score = score_for(logits, request.target)
        trial = _Trial(node.id, channels_first(output, node)[0].cpu(), logits.cpu(), score, box)
        del output, x
        size = params.batch or _BATCH.get(session.device.type, _BATCH_ELSEWHERE)
        while trial.waiting:
            yield Update(
                trial.n_done,
                len(trial.maps),
                f"masking by channels: {trial.n_done} of {len(trial.maps)}",
                trial.heat if trial.n_done else None,
            )
            # Asked for at each step: the network may have moved in between.
            x, _ = session.input(image)
            if not _tried(trial, session, x, size):
                size = max(1, size // 2)
                session.free_memory()
        return trial.heat()

    def scores(self, payload: Heat) -> tuple[Score, ...]:
        """How strong the mean activation under the telling channels is."""
        return (strongest(payload, "The raw map's maximum, in the layer's units"),)


class _Trial:
    """Channels that were tried and those that wait. Everything is on the host; `maps` [C, h, w].

    Raises `EngineError` for maps that are not finite.
    """

    def __init__(self, layer: str, maps: Tensor, logits: Tensor, score: ClassScore, box: FloatArray) -> None:
        check_finite(maps, layer)
        self.layer, self.maps, self.logits, self.score, self.box = layer, maps, logits, score, box
        self.size = (0, 0)
        self.scores = torch.full((len(maps),), -torch.inf, dtype=torch.float64)
        spans = maps.amax(dim=(1, 2)) - maps.amin(dim=(1, 2))
        order = spans.argsort(descending=True, stable=True)
        self.waiting = [[int(channel)] for channel in order if spans[channel] > 0]
        # A channel that is the same everywhere masks all: one pass tells of all of those.
        flat = [int(channel) for channel in order if not spans[channel] > 0]
        self.waiting += [flat] if flat else []
        self.n_done = 0

    def masks(self, groups: list[list[int]], like: Tensor) -> Tensor:
        """Masks [N, 1, H, W] in 0…1 of the first channel of each group, on the device of `like` [1, C, H, W]."""
        maps = self.maps[[group[0] for group in groups]].to(like.device, like.dtype)
        grown = F.interpolate(maps[:, None], like.shape[2:], mode="bilinear", align_corners=False)
        low, high = grown.amin(dim=(2, 3), keepdim=True), grown.amax(dim=(2, 3), keepdim=True)
        return ((grown - low) / (high - low)).where(high > low, 0)

    def note(self, groups: list[list[int]], scores: Tensor, size: tuple[int, int]) -> None:
        """Take down the scores [N] of the first groups that wait."""
        for group, value in zip(groups, scores.tolist(), strict=True):
            self.scores[group] = value
            self.n_done += len(group)
        del self.waiting[: len(groups)]
        self.size = size

    def heat(self) -> Heat:
        """The map of what was tried so far; channels that wait have no weight."""
        parts = self.scores.softmax(dim=0).to(self.maps.dtype)[None, :, None, None] * self.maps[None]
        found = ClassMap(self.layer, parts.sum(dim=1, keepdim=True), noise_of(parts), self.logits, self.score)
        return heat_of(found, self.size, self.box)


def _tried(trial: _Trial, session: Session, x: Tensor, size: int) -> bool:
    """Try the next channels, so many at once; False if memory is too small for them."""
    groups = trial.waiting[:size]
    try:
        with torch.no_grad():
            batch = (x * trial.masks(groups, x)).contiguous(memory_format=torch.channels_last)
            logits = logits_of(forward(session.model, batch))
    except Exception as error:
        fault = fault_of(error)
        if len(groups) == 1 or fault is None or fault.kind is not FaultKind.MEMORY:
            raise
        forget(error)
        return False
    if len(logits) != len(groups):
        raise EngineError(
            f"This network gives {len(logits)} answers to {len(groups)} pictures", "Try pictures one by one: --batch 1"
        )
    scores = trial.score.of(logits).cpu()
    if not bool(torch.isfinite(scores).all()):
        raise EngineError("The network's output is not finite for a masked photo", "Check its weights")
    trial.note(groups, scores, (x.shape[2], x.shape[3]))
    return True
