"""Images a second of folder embedding, against a bare batched forward pass on tensors in memory; then what is kept.

    python tests/benchmarks/bench_embedding.py [FOLDER] [--threads N] [--repeats R] [--kept N]

Prints the ratio of medians; the bar is 0.85. Then the cost of six layers against one, by the same pass, and how long N
(10,000) kept pictures with 512 features and 1,000 logits take to be there again, from the listing to the arrays: the
bar is 1.5 s. What is kept goes into a folder of its own.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torchvision
from PIL import Image

from convviz_gui.engine.datasets import Listing, list_folder
from convviz_gui.engine.images import load_pixels
from convviz_gui.engine.latent.embedding import embed, embed_layers
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from convviz_gui.engine.opening.trust import own_code_digest
from convviz_gui.engine.preprocess import prepare
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Preprocess

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"
PREPROCESS = Preprocess((227, 227), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--kept", type=int, default=10_000)
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
    bare(session.model, x, 8)
    for batch in arguments.batches:
        compare(session, listing, x, batch, arguments.repeats)
    sweep(session, listing, arguments.batches[0])
    with tempfile.TemporaryDirectory() as home:
        os.environ["CONVVIZ_HOME"] = home
        reopening(Path(home), arguments.kept)


def compare(session: Session, listing: Listing, x: torch.Tensor, batch: int, repeats: int) -> None:
    """Medians of `repeats` rounds in turns. Floors: the network as torchvision gives it, and as the session keeps it.

    Of each floor the batch size with the best median counts.
    """
    default = copy.deepcopy(session.model).to(memory_format=torch.contiguous_format)
    floors: dict[tuple[str, int], list[Spent]] = {
        (name, size): [] for name in ("torch's default layout", "channels-last") for size in (8, 16, 32)
    }
    whole: list[Spent] = []
    for _ in range(repeats):
        for (name, size), rounds in floors.items():
            model, given = (session.model, x) if name == "channels-last" else (default, x.contiguous())
            rounds.append(bare(model, given, size))
        whole.append(embedding(session, listing, batch))
    print(f"embedding in batches of {batch}: {_told(whole, len(x))}")
    for wanted in ("torch's default layout", "channels-last"):
        size, rounds = min(
            ((size, rounds) for (name, size), rounds in floors.items() if name == wanted),
            key=lambda of: statistics.median(spent.wall for spent in of[1]),
        )
        ratio = statistics.median(spent.wall for spent in rounds) / statistics.median(spent.wall for spent in whole)
        print(f"bare, {wanted}, batches of {size}: {_told(rounds, len(x))}; embedding is {ratio:.2f} times as fast")


def _told(rounds: list[Spent], count: int) -> str:
    rate = statistics.median(count / spent.wall for spent in rounds)
    work = statistics.median(1000 * spent.work / count for spent in rounds)
    return f"{rate:.1f} pictures/s, {work:.1f} ms of processor time each"


class Spent(NamedTuple):
    """Seconds by the clock, and of all cores."""

    wall: float
    work: float


def bare(model: torch.nn.Module, x: torch.Tensor, batch: int) -> Spent:
    """Tensors in memory through the network."""
    began, busy = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        for part in x.split(batch):
            model(part)
    return Spent(time.perf_counter() - began, time.process_time() - busy)


def embedding(session: Session, listing: Listing, batch: int) -> Spent:
    """From files to features."""
    layer = session.info.penultimate_layer
    assert layer is not None
    began, busy = time.perf_counter(), time.process_time()
    for _ in embed(session, listing, layer, batch):
        pass
    return Spent(time.perf_counter() - began, time.process_time() - busy)


def sweep(session: Session, listing: Listing, batch: int) -> None:
    """Six layers from one pass, and one."""
    layers = [node.id for node in session.info.layers() if node.id and node.is_map]
    several = layers[:: max(1, len(layers) // 6)][:6]
    took = {}
    for chosen in (several[-1:], several, several[-1:], several):
        began = time.perf_counter()
        for _ in embed_layers(session, listing, chosen, batch):
            pass
        took[len(chosen)] = min(took.get(len(chosen), 1e9), time.perf_counter() - began)
    print(f"{len(several)} layers take {took[len(several)] / took[1]:.2f} times one")


NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 512, 8, 8)
        self.head = nn.Linear(512, 1000)
    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))
def build():
    torch.manual_seed(0)
    return Net()
"""


def reopening(home: Path, count: int) -> None:
    """Seconds until kept pictures are there again, in a session that has never seen them."""
    (home / "net.py").write_text(NET)
    rng = np.random.default_rng(0)
    for index in range(count):
        folder = home / "pictures" / f"{index // 1000}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{index}.png")
    time.sleep(3)  # a file that was changed just now is read again to be sure
    for name in ("first time", "reopened", "reopened"):
        session = opened(home / "net.py")
        began = time.perf_counter()
        listing = list_folder(home / "pictures")
        listed = time.perf_counter() - began
        for _ in embed_layers_cached(session, listing, ("body",), 64):
            pass
        print(f"{name}: {count} pictures in {time.perf_counter() - began:.2f} s, {listed:.2f} s of it for the listing")


def opened(path: Path) -> Session:
    """The network in that file."""
    session = Session()
    preprocess = Preprocess((8, 8), 8, "bilinear", (0.5,) * 3, (0.2,) * 3)
    for _ in session.execute(
        LoadModel(ModelSpec(f"{path}:build", trusted=own_code_digest(path), preprocess=preprocess), "cpu")
    ):
        pass
    return session


if __name__ == "__main__":
    main()
