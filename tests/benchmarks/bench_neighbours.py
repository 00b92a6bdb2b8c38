"""Exact nearest neighbours against a bare blocked matrix product with topk, in one run.

    python tests/benchmarks/bench_neighbours.py [--rows 60000] [--width 512] [--k 12] [--repeats 1]

Prints seconds of the clock and of the processor for both, and their ratios; the bar is 1.3 at 60,000 × 512 on 2 cores.
The floor is the fastest of several block sizes; it finds Euclidean neighbours in float32 and proves nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from convviz_gui.engine.latent.neighbours import METRICS, nearest

_BLOCKS = (256, 1024, 2048)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--blocks", type=int, nargs="+", default=_BLOCKS)
    arguments = parser.parse_args()
    features = _points(arguments.rows, arguments.width)
    print(f"{arguments.rows} × {arguments.width}, k = {arguments.k}, {torch.get_num_threads()} threads")
    for _ in range(arguments.repeats):
        floors = [_timed(lambda block=block: _bare(features, arguments.k, block)) for block in arguments.blocks]
        floor = min(floors)
        print(f"bare      {floor[0]:7.2f} s  {floor[1]:7.2f} s of processor")
        for metric in METRICS:
            clock, processor = _timed(lambda metric=metric: list(nearest(features, arguments.k, metric)))
            ratios = f"{clock / floor[0]:.2f} {processor / floor[1]:.2f}"
            print(f"{metric:<9} {clock:7.2f} s  {processor:7.2f} s of processor  ratios {ratios}")


def _points(rows: int, width: int) -> np.ndarray:
    """Groups of different sizes, as networks make them, none below 0."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(100, width))
    return np.maximum(centres[rng.integers(0, 100, rows)] + rng.normal(size=(rows, width)), 0).astype(np.float32)


def _bare(features: np.ndarray, k: int, block: int) -> None:
    points = torch.from_numpy(features)
    squares = points.square().sum(1)
    for part in points.split(block):
        torch.addmm(squares, part, points.T, alpha=-2).topk(k + 1, dim=1, largest=False)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    main()
