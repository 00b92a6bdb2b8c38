"""The film strip of one picture against a bare forward pass (the better of two layouts), in one run.

.venv/bin/python -m tests.benchmarks.bench_film_strip
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from torch import Tensor, nn

from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.payloads import Strip
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run
from tests.benchmarks.timing import print_table, take_turns


def contest(name: str, model: nn.Module, side: int, rounds: int) -> list[object]:
    """One row: stages, milliseconds of the bare pass and of the strips, and the ratios."""
    session = Session()
    session.adopt(model, Preprocess((side, side), side, "bilinear", (0.5,) * 3, (0.5,) * 3), name)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    image = image_from_array(pixels, "noise")
    x, _ = session.input(image)
    plain = x.contiguous()

    def bare(batch: Tensor) -> None:
        with torch.no_grad():
            session.model(batch)

    def strip(stages: str) -> Strip:
        outcome: list[Any] = []

        def drive() -> Iterator[Any]:
            run = Run("film-strip", image=image, settings=(("stages", stages),))
            outcome.append((yield from session.execute(run)))

        for _ in drive():
            pass
        strip: Strip = outcome[0].payload
        return strip

    seconds = take_turns(
        {
            "plain": lambda: bare(plain),
            "channels-last": lambda: bare(x),
            "resolutions": lambda: strip("resolutions"),
            "blocks": lambda: strip("blocks"),
        },
        rounds,
    )
    floor = min(seconds["plain"], seconds["channels-last"])
    few, many = (len(strip(stages).layers) for stages in ("resolutions", "blocks"))
    ratios = [seconds[stages] / floor for stages in ("resolutions", "blocks")]
    return [name, floor * 1e3, few, seconds["resolutions"] * 1e3, ratios[0], many, ratios[1]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    rows = [
        contest("ResNet-50 @224", torchvision.models.resnet50(weights=None), 224, rounds),
        contest("legacy_xception @299", timm.create_model("legacy_xception"), 299, rounds),
    ]
    head = ["network", "bare forward, ms", "stages", "film strip, ms", "ratio (bar ≤ 2.5)", "blocks", "their ratio"]
    print_table(head, rows)


if __name__ == "__main__":
    main()
