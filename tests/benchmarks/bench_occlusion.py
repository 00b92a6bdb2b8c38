"""Occlusion 32/16 on legacy_xception @299 against Captum and against bare passes, all in one run.

.venv/bin/python -m tests.benchmarks.bench_occlusion [--fraction 0.1] [--threads 2] [--batches 4 8 16]

Random weights, float32. Captum takes 16 windows at an evaluation and the network in its plain layout, as one calls it;
the floor is as many bare passes as there are windows, at the best of some batch sizes, channels-last and folded. Ours
are whole commands: preparing, and comparing with plain passes, are included. With `--fraction` all compute that part of
the windows only and their times are scaled up, to try it quickly. `--cpu` counts processor time, for a busy
machine (with OMP_WAIT_POLICY=PASSIVE, or waiting counts too). The bars: whole passes ≥ 2.5 ×, reach ≥ 4 × as fast as
Captum.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import timm
import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.network.folding import folded
from convviz_gui.engine.payloads import Occlusion as Occluded
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Preprocess, Run
from tests.benchmarks.timing import print_table

PATCH, STRIDE, AT_ONCE = 32, 16, 16
CLOCKS = {False: time.perf_counter, True: time.process_time}
clock = CLOCKS[False]
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    began = clock()
    found = work()
    return clock() - began, found


def ours(session: Session, picture: ImageInput, mode: str, part: float) -> tuple[float, Occluded]:
    """Seconds of the whole command, and the map; with a part of the windows, the time of the others is added."""
    run = Run("occlusion", image=picture, settings=(("mode", mode),))
    began = ready = now = clock()
    newest: Any = None
    steps = session.execute(run)
    for update in steps:
        now = clock()
        if not update.done:
            ready = now
        elif update.preview is not None:
            newest = update.preview()
            if update.done >= part * update.total:
                break
    steps.close()
    return ready - began + (now - ready) * newest.done.size / int(newest.done.sum()), newest


def floor(model: nn.Module, x: Tensor, batches: Sequence[int], n: int) -> tuple[float, int]:
    """Seconds of a window by bare passes over about `n` pictures, at the best of some batch sizes, and which it was."""
    rates = {}
    with torch.no_grad():
        twin = folded(model, None, x)
        for batch in batches:
            pictures = x.repeat(batch, 1, 1, 1).contiguous(memory_format=torch.channels_last)
            twin(pictures)
            rounds = math.ceil(n / batch)
            rates[batch] = timed(lambda rounds=rounds, pictures=pictures: [twin(pictures) for _ in range(rounds)])[0]
            rates[batch] /= rounds * batch
    best = min(rates, key=rates.__getitem__)
    return rates[best], best


def captum(model: nn.Module, x: Tensor, index: int, part: float) -> tuple[float, np.ndarray | None]:
    """Seconds of a window, and the map; with a part of the windows the topmost ones, and no map."""
    side = x.shape[2]
    rows = math.ceil((side - PATCH) / STRIDE) + 1
    kept = max(1, round(part * rows))
    height = side if kept == rows else (kept - 1) * STRIDE + PATCH

    def score(top: Tensor) -> Tensor:
        return model(torch.cat([top, x[:, :, height:].expand(len(top), -1, -1, -1)], 2))[:, index]

    window, steps = (x.shape[1], PATCH, PATCH), (x.shape[1], STRIDE, STRIDE)
    with torch.no_grad():
        seconds, found = timed(
            lambda: Occlusion(score).attribute(
                x[:, :, :height], window, steps, baselines=0, perturbations_per_eval=AT_ONCE
            )
        )
    return seconds / (kept * rows), found[0, 0].numpy() if kept == rows else None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="legacy_xception")
    parser.add_argument("--fraction", type=float, default=1.0, help="part of the windows to compute")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--cpu", action="store_true", help="processor time")
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16])
    options = parser.parse_args()
    global clock
    clock = CLOCKS[options.cpu]
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    plain = timm.create_model(options.model).eval().requires_grad_(False)
    side = plain.default_cfg["input_size"][1]
    session = Session()
    session.adopt(copy.deepcopy(plain), Preprocess((side, side), side, "bilinear", (0.5,) * 3, (0.5,) * 3), "bench")
    picture = image_from_array(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8), "noise")
    x = session.input(picture)[0]
    results = {mode: ours(session, picture, mode, options.fraction) for mode in ("reach", "whole")}
    payload = results["whole"][1]
    n = payload.drop.size
    print(f"{options.model} @{side}, {n} windows, torch {torch.__version__}, {torch.get_num_threads()} threads")
    bare, best = floor(session.model, x, options.batches, max(1, round(options.fraction * n)))
    theirs, heat = captum(plain, x.contiguous(), payload.class_index, options.fraction)
    rows: list[list[object]] = [["Captum", theirs * n, 1.0, f"{AT_ONCE} an evaluation"]]
    for mode, (seconds, found) in results.items():
        rows.append([f"ours, {mode}", seconds, theirs * n / seconds, found.how])
    rows.append(["bare passes", bare * n, theirs / bare, f"{best} at a time, channels-last, folded"])
    print_table(["what", "seconds", "× as fast as Captum", "how"], rows)
    if heat is not None:
        for mode, (_, found) in results.items():
            apart = np.abs(found.heat - heat).max()
            print(f"{mode}: apart from Captum by {apart:.1e}, {apart / np.abs(heat).max():.1e} of its largest value, "
                  f"{apart / abs(found.score):.1e} of the score")  # fmt: skip


if __name__ == "__main__":
    main()
