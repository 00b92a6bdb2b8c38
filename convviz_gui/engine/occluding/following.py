"""Scores behind windows, computed anew only where a window reaches: exact, since all else is as it was.

Nakandala, Kumar & Papakonstantinou, Incremental and approximate inference for faster occlusion-based deep CNN
explanations, SIGMOD 2019; here only the exact part, for any network that can be recorded.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from convviz_gui.engine.occluding.extents import Changed, Extent, Region, region_of
from convviz_gui.engine.occluding.graph import Graph, Node, NotFollowedError, perform
from convviz_gui.engine.occluding.parts import Map, cut, from_rows, map_of, put_over, to_rows
from convviz_gui.engine.occluding.recording import recorded
from convviz_gui.engine.occluding.reusing import overwriting
from convviz_gui.engine.occluding.rules import Rule, rule_for
from convviz_gui.engine.occluding.simplifying import simplified
from convviz_gui.engine.occluding.windows import Window, Windows
from convviz_gui.engine.payloads import IntArray

WHOLE_FROM = 0.9
"""Part of a map from which on all of it is computed: the bookkeeping of parts would cost more than it spares."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How far parts are followed for some rows and columns of windows.

    `regions` is by value, of those that are kept as parts; `multiplications` for one window.
    """

    rows: IntArray
    cols: IntArray
    regions: Mapping[int, Region] = field(repr=False)
    multiplications: float

    def of(self, node: Node) -> Region | None:
        """Where a node's results are kept as parts; None if they are whole."""
        return next((self.regions[out] for out in node.outs if out is not None and out in self.regions), None)

    @property
    def windows(self) -> list[Window]:
        """All of them."""
        return [(int(row), int(col)) for row in self.rows for col in self.cols]


class Following:
    """A network ready to be followed on one picture.

    Args:
        model: in eval mode; it is left as it is.
        x: the picture f32 [1, C, H, W] as the network takes it.
        fill: [1, C, H, W], what windows show instead.
        windows: where they are.

    Raises:
        NotFollowedError: with the reason.
    """

    def __init__(self, model: nn.Module, x: Tensor, fill: Tensor, windows: Windows) -> None:
        self._x, self._fill, self._windows = x, fill, windows
        self._graph = simplified(recorded(model, x))
        self._last = self._graph.last_uses()
        self._rules, self._changed = _followed(self._graph, windows)
        if len(self._changed) < 2:
            first = self._graph.nodes[0].name if self._graph.nodes else "nothing"
            raise NotFollowedError(f"begins with an operation that is not followed ({first})")
        self._overwriting = overwriting(self._graph)
        self._work = [multiplications(node, self._graph) for node in self._graph.nodes]
        self.plans = self._planned()
        self._maps = self._kept()

    @property
    def part(self) -> float:
        """Multiplications as a part of those of whole passes, 0…1."""
        total = sum(plan.multiplications * len(plan.windows) for plan in self.plans)
        return total / max(1.0, sum(self._work) * math.prod(self._windows.grid))

    @property
    def kept_bytes(self) -> int:
        """Memory of the maps that parts are cut out of."""
        return sum(kept.rows.numel() * kept.rows.element_size() for kept in self._maps.values())

    # ------------------------------------------------------------------------------------------------ planning

    def _planned(self) -> list[Plan]:
        """Windows in groups whose parts are of one size: at the picture's edge they are smaller than in its middle."""
        best: list[Plan] = []
        least = math.inf
        for n in (1, 2, 3, 4):
            groups = [self._grouped(axis, n) for axis in (0, 1)]
            if max(map(len, groups)) < n:
                break
            plans = [self._plan(rows, cols) for rows in groups[0] for cols in groups[1]]
            work = sum(plan.multiplications * len(plan.windows) for plan in plans) * (1 + 0.003 * n * n)
            if work < least:
                best, least = plans, work
        return best

    def _grouped(self, axis: int, n: int) -> list[IntArray]:
        """Rows (or columns) of windows in at most `n` groups by how much they change."""
        extents = [changed.rows if axis == 0 else changed.cols for changed in self._changed.values()]
        lengths = np.sum([(extent.hi - extent.lo) / extent.size for extent in extents], axis=0)
        order = np.argsort(lengths, kind="stable").astype(np.int64)
        return [np.sort(group) for group in np.array_split(order, n) if len(group)]

    def _plan(self, rows: IntArray, cols: IntArray) -> Plan:
        regions: dict[int, Region] = {}
        work = 0.0
        for value in (self._graph.source,):
            regions[value] = region_of(self._changed[value], rows, cols)
        for node, rule, whole in zip(self._graph.nodes, self._rules, self._work, strict=True):
            part = 1.0
            if rule is not None and all(value in regions for value in node.refs()):
                region = region_of(rule.outs[0], rows, cols)
                share = region.height * region.width / math.prod(rule.outs[0].size)
                if share < WHOLE_FROM:
                    part = share
                    regions |= {out: region for out in node.outs if out is not None}
            work += whole * part
        return Plan(rows, cols, regions, work)

    def _kept(self) -> dict[tuple[int, float], Map]:
        """The maps that parts will be cut out of."""
        wanted: set[tuple[int, float]] = set()
        for plan in self.plans:
            for node, rule in zip(self._graph.nodes, self._rules, strict=True):
                region = plan.of(node)
                beyond = rule.sliding.beyond if rule is not None and rule.sliding and region is not None else 0.0
                for value in node.refs():
                    if value not in plan.regions:
                        continue
                    needed = rule.sliding.needed(region) if rule and rule.sliding and region else region
                    if needed is None or not plan.regions[value].same(needed, plan.rows, plan.cols):
                        wanted.add((value, beyond))
        return self._maps_of(wanted)

    def _maps_of(self, wanted: set[tuple[int, float]]) -> dict[tuple[int, float], Map]:
        values = {value for value, _ in wanted}
        found: dict[tuple[int, float], Map] = {}

        def keep(value: int, tensor: Tensor) -> None:
            if value in values:
                changed = self._changed[value]
                for number, beyond in wanted:
                    if number == value:
                        found[value, beyond] = map_of(tensor, changed.dims, changed.size, beyond)

        env = {self._graph.source: self._x}
        keep(self._graph.source, self._x)
        for at, node in enumerate(self._graph.nodes):
            results = perform(node, env.__getitem__, 1)
            for out, result in zip(node.outs, results, strict=False):
                if out is not None:
                    env[out] = result
                    keep(out, result)
            self._forget(env, at, node)
        self.logits = env[self._graph.result]
        return found

    def _forget(self, env: dict[int, Tensor], at: int, node: Node) -> None:
        for value in {*node.refs(), *(out for out in node.outs if out is not None)}:
            if self._last.get(value, -1) <= at:
                env.pop(value, None)

    # ------------------------------------------------------------------------------------------------- computing

    def logits_behind(self, plan: Plan, windows: Sequence[Window]) -> Tensor:
        """Logits [n, K] of the picture with each of these windows, which belong to one plan, filled."""
        batch = _Batch(plan, np.array([row for row, _ in windows]), np.array([col for _, col in windows]))
        env = {self._graph.source: self._occluded(batch)}
        for at, (node, rule) in enumerate(zip(self._graph.nodes, self._rules, strict=True)):
            region = plan.of(node)
            if at in self._overwriting:
                node = dataclasses.replace(node, call=self._overwriting[at])
            if rule is None or region is None:
                whole = {value: self._whole(env, value, batch) for value in dict.fromkeys(node.refs())}
                results: Sequence[Tensor] = perform(node, whole.__getitem__, batch.n)
            else:
                results = self._part(env, node, rule, region, batch)
            for out, result in zip(node.outs, results, strict=False):
                if out is not None:
                    env[out] = result
            self._forget(env, at, node)
        return self._whole(env, self._graph.result, batch)

    def _part(
        self, env: Mapping[int, Tensor], node: Node, rule: Rule, region: Region, batch: _Batch
    ) -> Sequence[Tensor]:
        needed = rule.sliding.needed(region) if rule.sliding else region
        beyond = rule.sliding.beyond if rule.sliding else 0.0
        parts = {value: self._cut(env, value, needed, beyond, batch) for value in dict.fromkeys(node.refs())}
        found = rule.compute(node, parts, region, batch.n)
        return list(found) if node.many else [found]

    def _whole(self, env: Mapping[int, Tensor], value: int, batch: _Batch) -> Tensor:
        """All of a value [n, ...]."""
        if value not in batch.plan.regions:
            return env[value]
        height, width = self._changed[value].size
        everything = Region(height, width, *(np.zeros(n, np.int64) for n in self._windows.grid))
        return self._cut(env, value, everything, 0.0, batch)

    def _cut(self, env: Mapping[int, Tensor], value: int, part: Region, beyond: float, batch: _Batch) -> Tensor:
        """A part of a value that is kept as a part."""
        place = batch.plan.regions[value]
        if place.same(part, batch.rows, batch.cols):
            return env[value]
        dims = self._changed[value].dims
        rows = cut(self._maps[value, beyond], part, batch.rows, batch.cols)
        put_over(rows, part, to_rows(env[value], dims), place, batch.rows, batch.cols)
        return from_rows(rows, dims, batch.n, part.height, part.width, self._rest(value))

    def _rest(self, value: int) -> list[int]:
        dims = self._changed[value].dims or ()
        shape = self._graph.shapes[value]
        return [side for axis, side in enumerate(shape) if axis and axis not in dims and isinstance(side, int)]

    def _occluded(self, batch: _Batch) -> Tensor:
        """The input's parts with the windows filled, [n, C, h, w]."""
        region = batch.plan.regions[self._graph.source]
        parts = torch.empty(
            (batch.n, self._x.shape[1], region.height, region.width), dtype=self._x.dtype, device=self._x.device
        ).contiguous(memory_format=torch.channels_last)
        for at, (row, col) in enumerate(zip(batch.rows.tolist(), batch.cols.tolist(), strict=True)):
            top, left = int(region.top[row]), int(region.left[col])
            parts[at] = self._x[0, :, top : top + region.height, left : left + region.width]
            down, along = self._windows.place((row, col))
            inner = slice(down.start - top, down.stop - top), slice(along.start - left, along.stop - left)
            parts[(at, slice(None), *inner)] = self._fill[0, :, down, along]
        return parts


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Windows taken together: `rows` and `cols` i64 [n] in the grid."""

    plan: Plan
    rows: IntArray
    cols: IntArray

    @property
    def n(self) -> int:
        return len(self.rows)


def _followed(graph: Graph, windows: Windows) -> tuple[list[Rule | None], dict[int, Changed]]:
    """Rules of the nodes that can be followed, and what windows change of each value up to there."""
    rows, cols = (Extent(*windows.span(axis), windows.size[axis]) for axis in (0, 1))
    changed = {graph.source: Changed(rows, cols)}
    rules = []
    for node in graph.nodes:
        rule = rule_for(node, graph, changed)
        rules.append(rule)
        if rule is not None:
            changed |= {out: what for out, what in zip(node.outs, rule.outs, strict=False) if out is not None}
    return rules, changed


def multiplications(node: Node, graph: Graph) -> float:
    """Of a convolution or a matrix product for one picture; 0 of anything else."""
    weight = {"convolution": 1, "addmm": 2, "mm": 1}.get(node.name)
    if weight is None or not isinstance(node.args[weight], Tensor) or node.outs[0] is None:
        return 0.0
    shape = [side if isinstance(side, int) else side.of(1) for side in graph.shapes[node.outs[0]]]
    per = node.args[weight].numel() if node.name == "convolution" else math.prod(node.args[weight].shape)
    return float(math.prod(shape[2:]) * per if node.name == "convolution" else shape[0] * per)
