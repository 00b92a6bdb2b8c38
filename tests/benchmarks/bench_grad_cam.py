"""Grad-CAM of one picture against a bare forward pass and against pytorch-grad-cam, in one run.

.venv/bin/python -m tests.benchmarks.bench_grad_cam
"""

from __future__ import annotations

import argparse
import copy

import numpy as np
import timm
import torch
import torchvision
from torch import Tensor, nn

from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run
from tests.benchmarks.timing import print_table, take_turns


def contest(name: str, model: nn.Module, side: int, peer_layer: str, rounds: int) -> list[object]:
    """One row: seconds of the bare pass (the better of two layouts), of ours, of the peer, and the ratios."""
    from pytorch_grad_cam import GradCAM

    session = Session()
    session.adopt(model, Preprocess((side, side), side, "bilinear", (0.5,) * 3, (0.5,) * 3), name)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    run = Run("grad-cam", image=image_from_array(pixels, "noise"))
    x, _ = session.input(run.image)
    plain = x.contiguous()

    def bare(batch: Tensor) -> None:
        with torch.no_grad():
            session.model(batch)

    def ours() -> None:
        for _ in session.execute(run):
            pass

    # The peer sets hooks and needs parameters that require gradients, so it has a model of its own.
    other = copy.deepcopy(session.model).requires_grad_(True).to(memory_format=torch.contiguous_format)
    with GradCAM(other, [other.get_submodule(peer_layer)]) as cam:
        seconds = take_turns(
            {
                "plain": lambda: bare(plain),
                "channels-last": lambda: bare(x),
                "ours": ours,
                "peer": lambda: cam(plain, None),
            },
            rounds,
        )
    floor = min(seconds["plain"], seconds["channels-last"])
    return [name, floor * 1e3, seconds["ours"] * 1e3, seconds["ours"] / floor, seconds["peer"] / floor]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    rows = [
        contest("ResNet-50 @224", torchvision.models.resnet50(weights=None), 224, "layer4", rounds),
        contest("legacy_xception @299", timm.create_model("legacy_xception"), 299, "act4", rounds),
    ]
    print_table(["network", "bare forward, ms", "Grad-CAM, ms", "ratio (bar ≤ 1.15)", "pytorch-grad-cam's ratio"], rows)


if __name__ == "__main__":
    main()
