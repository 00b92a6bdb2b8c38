"""Census: dead, sparse and duplicate channels of every layer over a folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.datasets import finding
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.method import Category, Method, Need, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import Census, FloatArray, IntArray, Skipped, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import TOTAL, stage
from convviz_gui.engine.types import LayerNode, ModelInfo, Run, Score
from convviz_gui.engine.units.likeness import FEWEST, earlier_twins
from convviz_gui.engine.units.scan import scan
from convviz_gui.engine.units.statistics import FolderStatistics, Responses

# Spans of the run's progress, roughly by the time that each stage takes.
_SCAN, _COMPARE = (0, 950), (950, TOTAL)

_PASSING_ON = ("Flatten", "Dropout", "Dropout2d", "Identity", "DropPath")
"""Outside training these make nothing: what the layer before them is, they are."""
RESPONSE_BYTES = 192_000_000
"""Of all channels' responses together, by which duplicates are found: it decides how many pictures judge likeness."""


@dataclass(frozen=True)
class CensusParams(Params):
    """What counts as sparse and as a duplicate."""

    sparse: float = param(
        5.0, "Sparse below", "A channel is sparse if it fires on fewer pictures than this.", lo=0.0, hi=100.0, unit="%"
    )
    alike: float = param(
        0.99,
        "Duplicate from",
        "A channel is a duplicate if its responses to the pictures correlate at least so much with an earlier one's.",
        lo=0.0,
        hi=1.0,
    )
    batch: int = batch_param()


@register
class CensusMethod(Method[CensusParams]):
    """Which channels of the network never answer to these pictures, hardly ever, or exactly like another one."""

    name = "census"
    title = "Census of channels"
    category = Category.UNITS
    needs = frozenset({Need.FOLDER})
    lower_precision = True
    params = CensusParams
    payload = Census
    when_to_use = (
        "Take it to find channels that could be pruned, or training that went wrong. What a single channel answers to, "
        "the patches tell you."
    )
    how_to_read = (
        "Every picture goes through the network once, and every channel of every layer is watched. A channel fires in "
        "a picture if any position is above 0, where the layer has no negative values there, as after a ReLU; "
        "elsewhere if it is above 1 % of the layer's largest value in that picture. Dead: it fires in no picture. "
        "Sparse: in fewer than the share chosen. Duplicate: its averages over each picture correlate with those of an "
        "earlier channel of the layer. Look at layers after a ReLU first."
    )
    how_it_misleads = (
        "Dead means dead on these pictures: a channel for boats is dead in a folder of cats. Before a ReLU nearly "
        "every channel fires. Duplicates are judged by one average for each picture: two channels may be alike in it "
        "and answer at different places, and with few pictures some pairs agree by chance. Sparse channels are often "
        "the most telling ones, not waste."
    )
    reference = (
        "Zhou, Sun, Bau & Torralba, Revisiting the Importance of Individual Units in CNNs, 2018; Lu, Shin, Su & "
        "Karniadakis, Dying ReLU and Initialization, 2019"
    )

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs layers with channels."""
        return "" if _layers(info) else "No layer of this network gives maps or a vector"

    def run(self, session: Session, request: Run, params: CensusParams) -> Steps[Census]:
        """One pass for all layers; then channels are compared within each layer."""
        if request.folder is None:
            raise EngineError("A census needs a folder of pictures", "Open one (command line: --folder DIR)")
        nodes = _layers(session.info)
        if not nodes:
            raise EngineError("No layer of this network gives maps or a vector", "Open another network")
        listing = yield from finding(request)
        total = len(listing.paths)
        yield Update(0, TOTAL, f"{total} pictures, {len(nodes)} layers")
        most = max(FEWEST, RESPONSE_BYTES // (4 * sum(node.channels or 0 for node in nodes)))
        precision = session.info.precision
        kept = {node.id: FolderStatistics(node.id, positions=False, precision=precision) for node in nodes}
        responses = {node.id: Responses(total, most) for node in nodes}
        tally = _Tally(request.folder, nodes, kept, params)
        accumulators = {node.id: [kept[node.id], responses[node.id]] for node in nodes}
        passed = yield from stage(scan(session, listing, accumulators, params.batch, tally.census), _SCAN)
        twins, judged = yield from stage(_compared(responses, kept, params.alike), _COMPARE, tally.census)
        return tally.census(twins, judged, passed.skipped, passed.reduced_to)

    def scores(self, payload: Census) -> tuple[Score, ...]:
        """What was counted."""
        n, left_out = payload.n_pictures, len(payload.skipped)
        dead = int(payload.dead.sum())
        scores = [
            Score("Pictures", n, str(n), "Pictures read, each counted once."),
            Score("Dead", dead, f"{dead} of {len(payload.dead)} channels", "Channels that fire in no picture."),
        ]
        if payload.n_judged == 0:
            text = f"Fewer than {FEWEST} pictures cannot tell whether channels are alike."
            scores.append(Score("Duplicates", float("nan"), "not judged", text))
        elif payload.n_judged < n:
            text = "Memory bounds how many pictures, spread evenly over the folder, are compared by."
            scores.append(Score("Duplicates", payload.n_judged, f"judged by {payload.n_judged} pictures", text))
        if left_out:
            scores.append(Score("Left out", left_out, str(left_out), "Files that could not be read."))
        if payload.reduced_to:
            text = "Memory was too small for the batch asked for; the numbers are the same."
            scores.append(Score("Batch", payload.reduced_to, f"reduced to {payload.reduced_to}", text))
        return tuple(scores)


Twins = dict[str, tuple[IntArray, FloatArray]]
"""What `earlier_twins` found in each layer."""


def _compared(
    responses: dict[str, Responses], kept: dict[str, FolderStatistics], alike: float
) -> Steps[tuple[Twins, int]]:
    """Each layer's channels compared with each other, and by how many pictures; 0 if these were too few."""
    twins: Twins = {}
    judged = 0
    for done, (layer, response) in enumerate(responses.items()):
        yield Update(done, len(responses), f"comparing the channels of {layer}")
        table = response.table()
        judged = len(table)
        twins[layer] = earlier_twins(table, alike, kept[layer].firing > 0)
    return twins, judged if judged >= FEWEST else 0


def _layers(info: ModelInfo) -> list[LayerNode]:
    return [node for node in info.layers() if node.id and node.channels and node.kind not in _PASSING_ON]


@dataclass(frozen=True)
class _Tally:
    """The statistics of all layers, as they grow, put into one payload."""

    folder: str
    nodes: list[LayerNode]
    kept: dict[str, FolderStatistics]
    params: CensusParams

    def census(
        self,
        twins: Twins | None = None,
        judged: int = 0,
        skipped: tuple[Skipped, ...] = (),
        reduced_to: int = 0,
    ) -> Census:
        nodes = self._different()
        statistics = [self.kept[node.id] for node in nodes]
        firing = np.concatenate([one.firing for one in statistics])
        sparse_below = self.params.sparse / 100
        counts = [len(one.firing) for one in statistics]
        if twins is None:
            twin, similarity = np.full(len(firing), -1, np.int64), np.zeros(len(firing), np.float32)
        else:
            twin = np.concatenate([twins[node.id][0] for node in nodes])
            similarity = np.concatenate([twins[node.id][1] for node in nodes])
        return Census(
            folder=self.folder,
            layers=tuple(node.id for node in nodes),
            kinds=tuple(node.kind for node in nodes),
            rectified=frozen(np.array([one.rectified for one in statistics])),
            first=frozen(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)),
            peak=frozen(np.concatenate([one.peak for one in statistics])),
            mean=frozen(np.concatenate([one.mean for one in statistics])),
            firing=frozen(firing),
            dead=frozen(firing == 0),
            sparse=frozen((firing > 0) & (firing < sparse_below)),
            twin=frozen(twin),
            similarity=frozen(similarity),
            n_pictures=statistics[0].n_pictures,
            n_judged=judged,
            sparse_below=sparse_below,
            alike_from=self.params.alike,
            skipped=skipped,
            final=twins is not None,
            reduced_to=reduced_to,
        )

    def _different(self) -> list[LayerNode]:
        """Layers but for those that only pass on what the one before them gave, as blocks do with their last layer."""
        chosen: list[LayerNode] = []
        for node in self.nodes:
            if not chosen or not _same(self.kept[chosen[-1].id], self.kept[node.id]):
                chosen.append(node)
        return chosen


def _same(one: FolderStatistics, other: FolderStatistics) -> bool:
    return np.array_equal(one.peak, other.peak) and np.array_equal(one.mean, other.mean)
