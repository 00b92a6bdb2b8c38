"""Time of judging labels, beside one pass of a bare matrix product over the same features.

python -m tests.benchmarks.bench_probe [N] [D] [K]; by default 10,000 × 512 features with 10 labels. There is no bar:
six fits and the choice of a penalty take some hundreds of passes, and never more than `probe.WORK` each.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from convviz_gui.engine.desk.suspects import label_news
from convviz_gui.engine.latent.neighbours import nearest
from tests.engine.test_neighbours import finish


def main() -> None:
    n, width, k = (int(word) for word in (*sys.argv[1:], *("10000", "512", "10")[len(sys.argv) - 1 :]))
    rng = np.random.default_rng(0)
    codes = rng.integers(0, k, n)
    x = (0.15 * rng.normal(size=(k, width))[codes] + rng.normal(size=(n, width))).astype(np.float32)
    near = finish(nearest(x, 12))
    began = time.perf_counter()
    for _ in range(5):
        torch.from_numpy(x) @ torch.ones(width, k)
    bare = (time.perf_counter() - began) / 5
    began = time.perf_counter()
    news = finish(label_news(x, near.indices, [f"label {code}" for code in codes]))
    took = time.perf_counter() - began
    told = sum(map(bool, news.suggested))
    print(
        f"{n:,} × {width}, {k} labels: {took:.1f} s, {took / bare:,.0f} bare products; {told:,} other labels suggested"
    )


if __name__ == "__main__":
    main()
