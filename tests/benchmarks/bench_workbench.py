"""A dataset from files to a map, every stage timed: CIFAR-10's test pictures with SqueezeNet, straight from the zip.

.venv/bin/python -m tests.benchmarks.bench_workbench [SOURCE] [--projection umap] [--seed 0]

The first row of each stage is from an empty cache, the second from what that left: the program opened anew. Reopening's
bar: all stages that come before the projection, 10,000 cached pictures, ≤ 1.5 s for those of reading.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
WEIGHTS = SHARED / "weights" / "squeezenet1_0_imagenet.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path, default=SHARED / "cifar10-test.zip")
    parser.add_argument("--projection", default="umap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        once(options)
        return
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-m", "tests.benchmarks.bench_workbench", str(options.source), "--once"]
        words += ["--projection", options.projection, "--seed", str(options.seed)]
        for title in ("from an empty cache", "from the cache, in a new process"):
            print(f"\n{options.source.name}, {title}", flush=True)
            subprocess.run(words, env=os.environ | {"CONVVIZ_HOME": home}, check=True)


def once(options: argparse.Namespace) -> None:
    """One run, its stages told apart by what the updates say."""
    from convviz_gui.engine.payloads import Points
    from convviz_gui.engine.session import Session
    from convviz_gui.engine.types import LoadModel, ModelSpec, Run

    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(WEIGHTS)), "cpu")):
        pass
    began = last = time.perf_counter()
    spent: dict[str, float] = {}
    run = Run("latent", folder=str(options.source), settings=(("projection", options.projection),), seed=options.seed)
    steps = session.execute(run)
    while True:
        try:
            update = next(steps)
        except StopIteration as stop:
            result = stop.value
            break
        now = time.perf_counter()
        # An update says what was done since the one before.
        name = re.sub(r"[\d,./]+", "#", update.note).strip()
        spent[name] = spent.get(name, 0.0) + now - last
        last = now
    spent["after the last update"] = time.perf_counter() - last
    points = result.payload
    assert isinstance(points, Points)
    for name, seconds in spent.items():
        print(f"{seconds:8.2f} s  {name}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{time.perf_counter() - began:8.2f} s  in all; {len(points.paths)} pictures, peak memory {memory:.2f} GB")
    print("; ".join(f"{score.label} {score.text}" for score in result.scores))


if __name__ == "__main__":
    main()
