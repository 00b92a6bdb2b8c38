"""Images a second of folder embedding, against a bare batched forward pass on tensors in memory.

    python tests/benchmarks/bench_embedding.py [FOLDER] [--threads N] [--repeats R]

Prints the ratio measured in this run; the bar is 0.75. The floor is the best of several batch sizes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
import torchvision

from convviz_gui.engine.datasets import Listing, list_folder
from convviz_gui.engine.images import load_pixels
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.preprocess import prepare
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"
PREPROCESS = Preprocess((227, 227), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[8])
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    listing = list_folder(arguments.folder)
    session = Session()
    session.adopt(torchvision.models.squeezenet1_0(), PREPROCESS, name="squeezenet1_0")
    crops = np.stack([prepare(load_pixels(path), PREPROCESS)[0] for path in listing.paths])
    x = torch.from_numpy(crops).contiguous(memory_format=torch.channels_last)
    print(f"{len(x)} pictures, {torch.get_num_threads()} threads")
    print(f"{'batch':>6} {'bare 1/s':>9} {'embed 1/s':>10} {'ratio':>6}")
    for batch in arguments.batches:
        pairs = [(bare(session, x), embedding(session, listing, batch)) for _ in range(arguments.repeats)]
        floor = max(pair[0] for pair in pairs)
        rate = max(pair[1] for pair in pairs)
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        print(f"{batch:>6} {floor:>9.1f} {rate:>10.1f} {ratio:>6.2f}")


def bare(session: Session, x: torch.Tensor) -> float:
    """Images a second of the fastest batch size."""
    return max(_bare(session, x, batch) for batch in (8, 16, 32))


def _bare(session: Session, x: torch.Tensor, batch: int) -> float:
    with torch.inference_mode():
        session.model(x[:batch])
        began = time.perf_counter()
        for part in x.split(batch):
            session.model(part)
    return len(x) / (time.perf_counter() - began)


def embedding(session: Session, listing: Listing, batch: int) -> float:
    """Images a second from files to features."""
    layer = session.info.penultimate_layer
    assert layer is not None
    began = time.perf_counter()
    for _ in embed(session, listing, layer, batch):
        pass
    return len(listing.paths) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
