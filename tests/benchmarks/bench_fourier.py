"""Fourier mode against a plain PyTorch loop over the whole network, same transforms and batch, in one run.

.venv/bin/python -m tests.benchmarks.bench_fourier

The plain loop is how Lucid's ports are written: a hook on the layer, the whole network forward in torch's default
layout, Adam on the spectrum. Canvas and transforms are ours on both sides, so that what is compared is the network.
"""

from __future__ import annotations

import argparse
import copy

import timm
import torch
from torch import Tensor, nn

from convviz_gui.engine.optim.canvas import Entrance
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


def plain(model: nn.Module, layer: str, preprocess: Preprocess, channels: range, steps: int, size: int) -> Tensor:
    """Pictures [B, 3, size, size] of some channels by the plain loop."""
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    canvas = FourierCanvas.start(0, [(channel, 0) for channel in channels], 3, size)
    leaf = nn.Parameter(canvas.leaf)
    optimiser = torch.optim.Adam([leaf], lr=0.05, maximize=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (preprocess.mean, preprocess.std))
    for step in range(steps):
        seen.clear()
        optimiser.zero_grad()
        (view,) = Moved(0).views(step)
        model((view(canvas.pixels(leaf)) - mean) / std)
        loss = seen[0][range(len(channels)), list(channels)].mean((1, 2)).sum()
        loss.backward()
        optimiser.step()
    handle.remove()
    return canvas.pixels(leaf.detach())


def main() -> None:
    """Print the table: steps a second and how many times faster than the plain loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="networks whose name holds this")
    options = parser.parse_args()
    rows: list[list[object]] = []
    for name, layer, side, mean, std in (network for network in NETWORKS if options.only in " ".join(network[:2])):
        torch.manual_seed(0)
        model = timm.create_model(name).eval().requires_grad_(False)
        preprocess = Preprocess((side, side), side, "bicubic", (mean,) * 3, (std,) * 3)
        assert Entrance(preprocess, torch.device("cpu")).n_colours == 3
        session = Session()
        session.adopt(copy.deepcopy(model), preprocess, name)
        seconds = _seconds(session, model, layer, options)
        each = {who: options.steps * options.batch / taken for who, taken in seconds.items()}
        rows.append([f"{name} {layer}", each["plain"], each["ours"], each["ours"] / each["plain"], "≥ 1.5"])
    print(f"{options.batch} channels at {options.size} px, {options.steps} steps, {torch.get_num_threads()} threads\n")
    print_table(["", "plain loop, pictures·steps a second", "ours", "times faster", "bar"], rows)


def _seconds(session: Session, model: nn.Module, layer: str, options: argparse.Namespace) -> dict[str, float]:
    channels = range(options.batch)
    settings = (("steps", options.steps), ("size", options.size), ("batch", options.batch))
    run = Run("filters-fourier", Target(layer, tuple(channels)), settings=settings)
    preprocess = session.info.preprocess

    def ours() -> None:
        # With everything that it takes: trying and folding the network, looking for starts.
        for _ in session.execute(run):
            pass

    return take_turns(
        {"plain": lambda: plain(model, layer, preprocess, channels, options.steps, options.size), "ours": ours},
        options.rounds,
    )


if __name__ == "__main__":
    main()
