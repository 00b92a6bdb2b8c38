"""Ablation by variants that share the part before the layer, against whole passes, in one run.

    python tests/benchmarks/bench_ablation.py [NETWORK ...]      (torchvision names; default resnet18 squeezenet1_0)

For a layer a third, two thirds and almost all of the way through each network: seconds for 64 channels of one picture,
and the ratio. Where the variants cannot be shared the two are the same.
"""

from __future__ import annotations

import sys
import time

import torch
import torchvision

from convviz_gui.engine.network.layers import noise
from convviz_gui.engine.network.variants import Variants
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess

SIZE = Preprocess((224, 224), 224, "bilinear", (0.5,) * 3, (0.25,) * 3)
CHANNELS = list(range(64))


def seconds(session: Session, variants: Variants, x: torch.Tensor, at_once: int) -> float:
    """The better of two rounds."""
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        for first in range(0, len(CHANNELS), at_once):
            variants.logits(session.model, x, CHANNELS[first : first + at_once])
        best = min(best, time.perf_counter() - began)
    return best


def main(names: list[str]) -> None:
    """Print a line for each layer."""
    for name in names:
        session = Session()
        info = session.adopt(torchvision.models.get_model(name, weights=None).eval(), SIZE, name)
        x = noise((3, 224, 224), session.device)
        maps = [node for node in info.layers() if node.id and node.is_map and (node.channels or 0) >= len(CHANNELS)]
        for part in (1 / 3, 2 / 3, 0.95):
            node = maps[int(part * (len(maps) - 1))]
            shared, whole = Variants(node), Variants(node)
            shared.logits(session.model, x, CHANNELS[:2])
            whole.shared = False
            at_once = shared.suiting(info, session.device)
            took = seconds(session, shared, x, at_once), seconds(session, whole, x, 8)
            how = "shared" if shared.shared else "cannot be shared"
            print(f"{name:16} {node.id:24} {took[0]:6.2f} s  {took[1]:6.2f} s whole  ×{took[1] / took[0]:.2f}  {how}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["resnet18", "squeezenet1_0"])
