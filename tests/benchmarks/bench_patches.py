"""Max-activating patches of a layer over a folder, against an embedding of the same layer; and their memory.

    python tests/benchmarks/bench_patches.py [FOLDER] [--layer NAME=LAYER ...] [--threads N] [--rounds R]

The bare pass is `embedding.embed` of the same layer over the same folder with the same batch: decoding, the whole
network to the logits, averages over positions. The patches' pass ends at the layer, ranks, and then reads the photos
that are needed once more to cut them. Prints the ratio of the two measured in turns; the bar is 1.2. Memory is the
growth of the process's peak during the patches' run, in a process of its own, over one embedding pass before it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
from pathlib import Path

import torch
import torchvision

from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Result, Run, Target
from tests.benchmarks.timing import print_table, take_turns

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"
PREPROCESS = Preprocess((224, 224), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LAYERS = ["squeezenet1_0=features.12", "resnet18=layer2", "resnet50=layer4"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--layer", nargs="+", default=LAYERS, help="network=layer, with random weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for pair in arguments.layer:
        name, layer = pair.split("=")
        session = opened(name)
        node = session.info.find(layer)
        assert node is not None
        seconds = take_turns(
            {
                "embed": lambda session=session, layer=layer: embedding(session, arguments.folder, layer),
                "patches": lambda session=session, layer=layer: patches(session, arguments.folder, layer),
            },
            arguments.rounds,
        )
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            grown, kept = pool.apply(memory, (name, layer, arguments.folder, arguments.threads))
        ratio = seconds["patches"] / seconds["embed"]
        rows.append([name, layer, node.channels, seconds["embed"], seconds["patches"], ratio, grown, kept])
    head = ["network", "layer", "channels", "embed s", "patches s", "ratio (bar 1.2)", "peak grows MB", "patches MB"]
    print_table(head, rows)


def opened(name: str) -> Session:
    session = Session()
    session.adopt(torchvision.models.get_model(name, weights=None).eval(), PREPROCESS, name=name)
    return session


def embedding(session: Session, folder: Path, layer: str) -> None:
    """One bare pass."""
    for _ in embed(session, list_folder(folder), layer):
        pass


def patches(session: Session, folder: Path, layer: str) -> Result:
    """All channels' nine patches."""
    steps = session.execute(Run("patches", Target(layer), folder=str(folder)))
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        result: Result = stop.value
        return result


def memory(name: str, layer: str, folder: Path, threads: int) -> tuple[float, float]:
    """MB by which the process's peak grows over that of an embedding, and MB of the patches themselves."""
    torch.set_num_threads(threads)
    session = opened(name)
    embedding(session, folder, layer)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = patches(session, folder, layer)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    return grown, result.payload.images.nbytes / 1e6


if __name__ == "__main__":
    main()
