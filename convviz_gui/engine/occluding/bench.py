"""Making a network ready for many windows by the fastest way that gives the numbers of plain passes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.folding import folded
from convviz_gui.engine.network.passes import floating_type
from convviz_gui.engine.occluding.following import Following
from convviz_gui.engine.occluding.graph import NotFollowedError
from convviz_gui.engine.occluding.whole import Whole
from convviz_gui.engine.occluding.windows import Window, Windows, spread

MODES = ("auto", "reach", "whole")
TOLERANCE = 1e-4
"""Largest difference to a plain pass, relative to the largest logit, at which a faster way is taken."""
SPARES = 0.9
"""Above this part of the multiplications of whole passes, following a window is not worth the bookkeeping."""
KEPT_BYTES = 2 * 2**30
"""At most this much is kept of what layers gave."""
_BATCH = {"cpu": 8}
_BATCH_ELSEWHERE = 64
FOLLOWED_AT_ONCE = 4
"""As many times more windows suit the device where each is only followed: that is a small part of a pass."""
_BATCH_PIXELS = 400_000
"""Pixels of the input that are taken at once on a CPU at most; a graphics card takes eight times as many."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """A network ready for windows.

    Args:
        groups: windows that can be taken together, each group in an order that fills the map evenly.
        logits_behind: logits [n, K] behind some windows of the group of that number.
        batch: how many at a time.
        how: in words how it is done, and why so.
    """

    groups: Sequence[Sequence[Window]]
    logits_behind: Callable[[int, Sequence[Window]], Tensor]
    batch: int
    how: str

    def batches(self, wanted: set[Window]) -> Iterator[tuple[int, list[Window]]]:
        """What is wanted in batches with the number of their group, the groups in turn."""
        left = [[window for window in group if window in wanted] for group in self.groups]
        # Of one size: the last one of a group would else be all but empty.
        sizes = [math.ceil(len(group) / math.ceil(len(group) / self.batch)) if group else 0 for group in left]
        while any(left):
            for number, size in enumerate(sizes):
                if now := left[number][:size]:
                    left[number] = left[number][size:]
                    yield number, now


def default_batch(device: torch.device, size: tuple[int, int]) -> int:
    """How many windows at a time suit the device and an input of (H, W)."""
    on_cpu = device.type == "cpu"
    at_most = (_BATCH_PIXELS if on_cpu else 8 * _BATCH_PIXELS) // (size[0] * size[1])
    return max(1, min(_BATCH.get(device.type, _BATCH_ELSEWHERE), at_most))


def bench_for(
    model: nn.Module, x: Tensor, fill: Tensor, windows: Windows, mode: str, batch: int, followed: int
) -> Steps[Bench]:
    """Get ready by the way asked for, or by the faster one that gives the numbers of plain passes.

    Args:
        mode: one of `MODES`.
        batch: windows at a time by whole passes.
        followed: windows at a time where only what they reach is recomputed.

    Raises:
        EngineError: mode "reach" is asked for and cannot be had.
    """
    dtype = floating_type(model)
    if dtype is not None:
        x, fill = x.to(dtype), fill.to(dtype)
    # Following has more that could go wrong: borders on all sides.
    tried = _tried(windows)[: 2 if mode == "whole" else None]
    yield Update(0, 1, "passes to compare with")
    plain = Whole(model, x, fill, windows)
    truth = torch.cat([plain.logits_behind([window]) for window in tried])
    reason = "as asked for"
    if mode != "whole":
        yield Update(0, 1, "following the network")
        found = _following(model, x, fill, windows, followed, mode)
        if isinstance(found, Bench):
            yield Update(0, 1, "comparing with whole passes")
            if _agrees(found, tried, truth):
                return found
            found = "recomputing only what the patch reaches gave other numbers for this network"
        if mode == "reach":
            raise EngineError(f"Only whole passes work here: {found}", "Set the way (--mode) to auto")
        reason = found
    yield Update(0, 1, "folding batch norms")
    return _whole(model, x, fill, windows, batch, reason, tried, truth)


def _following(model: nn.Module, x: Tensor, fill: Tensor, windows: Windows, batch: int, mode: str) -> Bench | str:
    """Following each window, or why that is not done."""
    try:
        with torch.no_grad():
            following = Following(model, x, fill, windows)
    except NotFollowedError as refused:
        return f"this network {refused}, so that windows cannot be followed through it"
    except Exception as error:
        fault = fault_of(error)
        if fault is not None and fault.kind is not FaultKind.MEMORY:
            raise
        if fault is None:
            return f"this network could not be followed ({type(error).__name__})"
        forget(error)
        return "there is too little memory to keep what every layer gives"
    if following.kept_bytes > KEPT_BYTES:
        return "there is too little memory to keep what every layer gives"
    percent = f"{100 * following.part:.0f} %"
    if following.part > SPARES and mode == "auto":
        return f"following the patch would spare next to nothing here ({percent} of the multiplications would be left)"

    def behind(number: int, some: Sequence[Window]) -> Tensor:
        with torch.no_grad():
            return following.logits_behind(following.plans[number], some)

    how = f"recomputed only what the patch reaches: {percent} of the multiplications of whole passes"
    return Bench([spread(plan.windows) for plan in following.plans], behind, batch, how)


def _whole(
    model: nn.Module,
    x: Tensor,
    fill: Tensor,
    windows: Windows,
    batch: int,
    reason: str,
    tried: Sequence[Window],
    truth: Tensor,
) -> Bench:
    gh, gw = windows.grid
    groups = [spread([(row, col) for row in range(gh) for col in range(gw)])]
    with torch.no_grad():
        twin = folded(model, None, x)
    how = f"whole passes: {reason}"
    for network in (twin, model):
        bench = Bench(groups, _passing(Whole(network, x, fill, windows)), batch, how)
        if _agrees(bench, tried, truth):
            return bench
    alone = "; one window at a time, since others in a batch change what this network answers"
    return Bench(groups, _passing(Whole(model, x, fill, windows)), 1, how + alone)


def _passing(passes: Whole) -> Callable[[int, Sequence[Window]], Tensor]:
    return lambda _number, some: passes.logits_behind(some)


def _agrees(bench: Bench, tried: Sequence[Window], truth: Tensor) -> bool:
    """Whether windows taken together have the logits that plain passes gave, but for rounding."""
    allowed = TOLERANCE * float(truth.abs().max())
    if not math.isfinite(allowed):
        return True  # whatever is wrong with the numbers is said of the scores
    rows = {window: row for row, window in enumerate(tried)}
    try:
        for number, some in replace(bench, batch=max(2, min(bench.batch, len(tried)))).batches(set(tried)):
            found = bench.logits_behind(number, some)
            wanted = truth[[rows[window] for window in some]]
            if found.shape != wanted.shape or not float((found - wanted).abs().max()) <= allowed:
                return False
    except Exception as error:
        if fault_of(error) is not None:
            raise
        return False
    return True


def _tried(windows: Windows) -> list[Window]:
    """A few windows to compare on: corners, the middle, and a place between."""
    gh, gw = windows.grid
    places = [(0, 0), (gh // 2, gw // 2), (gh - 1, gw - 1), (gh // 4, gw - 1 - gw // 4)]
    return list(dict.fromkeys(places))
