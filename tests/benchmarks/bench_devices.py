"""The engine on each of this machine's devices: ratios to bare passes there, images a second, copies, precisions.

.venv/bin/python -m tests.benchmarks.bench_devices [--device cuda] [--pictures 263] [--rounds 20] [--smoke]

Prints Markdown tables for docs/benchmarks.md. `--smoke` runs everything once on small pictures, to see that it runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor

from convviz_gui.engine import devices
from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Command, MoveModel, Preprocess, Run, Target
from tests.benchmarks.timing import print_table, take_turns

FILTERS = 32


def finish(session: Session, command: Command) -> None:
    """Take a command through all its steps."""
    for _ in session.execute(command):
        pass


def waiting(device: torch.device, work: Callable[[], object]) -> Callable[[], None]:
    """The same work, over only when the device is done: a GPU answers before it has begun."""

    def done() -> None:
        work()
        if device.type != "cpu":
            torch.accelerator.synchronize()

    return done


def opened(device: str, side: int) -> Session:
    """ResNet-50 with random weights on the device."""
    torch.manual_seed(0)
    session = Session()
    network = torchvision.models.resnet50(weights=None)
    session.adopt(network, Preprocess((side, side), side, "bilinear", (0.5,) * 3, (0.5,) * 3), "resnet50", (), device)
    return session


def photo(side: int, seed: int = 0) -> np.ndarray:
    """Noise u8 [side, side, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def passes(device: str, side: int, rounds: int) -> list[list[object]]:
    """Activations, overview and Grad-CAM of one picture against a bare forward pass on the same device."""
    session = opened(device, side)
    run = Run("grad-cam", image=image_from_array(photo(side), "noise"))
    x, _ = session.input(run.image)

    def bare() -> None:
        with torch.no_grad():
            session.model(x)

    def activations() -> None:
        session.maps_cache.clear()
        finish(session, Run("activations", Target("layer3"), run.image))

    contestants = {
        "bare": bare,
        "activations": activations,
        "overview": lambda: finish(session, Run("overview", image=run.image)),
        "grad-cam": lambda: finish(session, run),
    }
    seconds = take_turns({name: waiting(session.device, work) for name, work in contestants.items()}, rounds, warmup=3)
    return [
        [device, name, seconds[name] * 1e3, seconds[name] / seconds["bare"]]
        for name in ("bare", "activations", "overview", "grad-cam")
    ]


def filters(device: str, size: int, rounds: int) -> list[list[object]]:
    """Seconds a filter, in both precisions that the method offers."""
    session, rows = opened(device, 224), []
    for precision in ("float32", "bfloat16"):
        settings = (("precision", precision), ("size", size), ("crop", size // 8), ("steps", 30 if size > 100 else 2))
        run = Run("filters", Target("layer2", tuple(range(FILTERS if size > 100 else 2))), settings=settings)
        seconds = take_turns({precision: waiting(session.device, lambda run=run: finish(session, run))}, rounds)
        n = len(run.target.channels or ())
        rows.append([device, precision, seconds[precision] / n])
    return rows


def embedding(device: str, side: int, pictures: int, rounds: int) -> list[list[object]]:
    """Images a second from JPEG files to features, in each precision, beside a bare pass on tensors that are there."""
    rows: list[list[object]] = []
    session = opened(device, side)
    layer = session.info.penultimate_layer
    assert layer is not None
    with tempfile.TemporaryDirectory() as folder:
        for index in range(pictures):
            Image.fromarray(photo(side, index)).save(Path(folder) / f"{index:04}.jpg")
        listing = list_folder(folder)
        for precision in devices.PRECISIONS:
            try:
                finish(session, MoveModel(device, precision))
            except EngineError as error:
                rows.append([device, precision, str(error), "", ""])
                continue
            for batch in (8, 64):
                x = session.to_device(torch.randn(batch, 3, side, side))
                contestants = {
                    "bare": waiting(session.device, lambda x=x: _bare(session, x)),
                    "embed": waiting(session.device, lambda batch=batch: list(embed(session, listing, layer, batch))),
                }
                seconds = take_turns(contestants, rounds)
                rates = batch / seconds["bare"], pictures / seconds["embed"]
                rows.append([device, precision, batch, *rates, rates[1] / rates[0]])
    return rows


def _bare(session: Session, x: Tensor) -> None:
    with torch.no_grad(), session.computing():
        session.model(x)


def copies(device: str, rounds: int) -> list[list[object]]:
    """GB/s of a batch's crops from the host to the device, from ordinary and from pinned memory."""
    place = devices.resolve(device).torch
    shape, rows = (64, 224, 224, 3), []
    sources = {"ordinary": torch.zeros(shape, dtype=torch.uint8)}
    if place.type == "cuda":
        sources["pinned"] = torch.zeros(shape, dtype=torch.uint8, pin_memory=True)
    for name, source in sources.items():
        work = waiting(place, lambda source=source: source.to(place, non_blocking=True, copy=True))
        seconds = statistics.median(take_turns({name: work}, 3 * rounds, warmup=3).values())
        rows.append([device, name, source.numel() / seconds / 1e9])
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", action="append", help="which devices; all there are")
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--smoke", action="store_true", help="everything once, small")
    options = parser.parse_args()
    side, size, rounds, pictures = 224, 200, options.rounds, options.pictures
    if options.smoke:
        side, size, rounds, pictures = 64, 64, 1, 10
    names = options.device or list(devices.available())
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; ResNet-50 @{side}, random weights")
    for name in names:
        place = devices.resolve(name).torch
        if place.type == "cuda":
            print(f"{name}: {torch.cuda.get_device_name(place)}")
    few = max(1, rounds // 7)
    print_table(
        ["device", "one picture", "ms", "ratio to bare"], [row for d in names for row in passes(d, side, rounds)]
    )
    print_table(["device", "filters of layer2", "s a filter"], [row for d in names for row in filters(d, size, few)])
    head = ["device", "precision", "batch", "bare, images/s", "embedding, images/s", "ratio"]
    print_table(head, [row for d in names for row in embedding(d, side, pictures, few)])
    print_table(["device", "host memory", "GB/s to the device"], [row for d in names for row in copies(d, rounds)])


if __name__ == "__main__":
    main()
