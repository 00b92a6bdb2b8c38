"""Fourier mode against a plain PyTorch loop over the whole network, same transforms and batch, in one run.

.venv/bin/python -m tests.benchmarks.bench_fourier

The plain loop is how Lucid's ports are written: a hook on the layer, the whole network forward in torch's default
layout, Adam on the spectrum. Canvas and transforms are ours on both sides, so that what is compared is the network.
"""

from __future__ import annotations

import argparse
import copy
import itertools
from collections.abc import Iterator
from functools import partial

import timm
import torch
from torch import Tensor, nn

from convviz_gui.engine.optim.spectral import FourierCanvas
from convviz_gui.engine.optim.views import Moved
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.benchmarks.timing import print_table, take_turns

NETWORKS = (
    ("legacy_xception", "block3.rep.1", 299, 0.5, 0.5),
    ("resnet50", "layer2", 224, 0.45, 0.225),
    ("resnet50", "layer4", 224, 0.45, 0.225),
)


def plain(model: nn.Module, layer: str, preprocess: Preprocess, channels: range, size: int) -> Iterator[None]:
    """Pictures of some channels by the plain loop, a step at a time."""
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    canvas = FourierCanvas.start(0, [(channel, 0) for channel in channels], 3, size)
    leaf = nn.Parameter(canvas.leaf)
    optimiser = torch.optim.Adam([leaf], lr=0.05, maximize=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (preprocess.mean, preprocess.std))
    try:
        for step in itertools.count():
            seen.clear()
            optimiser.zero_grad()
            (view,) = Moved(0).views(step)
            model((view(canvas.pixels(leaf)) - mean) / std)
            seen[0][range(len(channels)), list(channels)].mean((1, 2)).sum().backward()
            optimiser.step()
            yield
    finally:
        handle.remove()


def ours(session: Session, layer: str, channels: range, steps: int, size: int) -> Iterator[None]:
    """The same by the method itself, a step at a time; getting the network ready is part of the first."""
    settings = (("steps", steps), ("size", size), ("batch", len(channels)))
    for update in session.execute(Run("filters-fourier", Target(layer, tuple(channels)), settings=settings)):
        if update.done:
            yield


def main() -> None:
    """Print the table: steps a second and how many times faster than the plain loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--only", default="", help="networks whose name or layer holds this")
    options = parser.parse_args()
    rows: list[list[object]] = []
    for name, layer, side, mean, std in (network for network in NETWORKS if options.only in " ".join(network[:2])):
        torch.manual_seed(0)
        model = timm.create_model(name).eval().requires_grad_(False)
        preprocess = Preprocess((side, side), side, "bicubic", (mean,) * 3, (std,) * 3)
        session = Session()
        session.adopt(copy.deepcopy(model), preprocess, name)
        channels = range(options.batch)
        contestants = {
            "plain": plain(model, layer, preprocess, channels, options.size),
            "ours": ours(session, layer, channels, options.steps + 2, options.size),
        }
        # A step each in turn, the first two unmeasured, so that a noisy machine disturbs both alike.
        taken = take_turns({who: partial(next, steps) for who, steps in contestants.items()}, options.steps, warmup=2)
        each = {who: 1 / seconds for who, seconds in taken.items()}
        rows.append([f"{name} {layer}", each["plain"], each["ours"], each["ours"] / each["plain"], "≥ 1.5"])
    print(f"{options.batch} channels at {options.size} px, {options.steps} steps, {torch.get_num_threads()} threads\n")
    print_table(["", "plain loop, steps a second", "ours", "times faster", "bar"], rows)


if __name__ == "__main__":
    main()
