"""Memory of the engine over many pictures and many networks: it has to stay flat.

    .venv/bin/python -m tests.benchmarks.soak [--pictures 200] [--networks 50]

Each round opens a picture, looks at the overview, five layers and the class map. Prints the resident memory as it goes.
"""

from __future__ import annotations

import argparse
import gc

import numpy as np

from convviz_gui.engine.demo import toybox
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Command, LoadModel, ModelSpec, Run, Target
from convviz_gui.gui.window.process_memory import resident_bytes
from tests.benchmarks.timing import print_table


def do(session: Session, command: Command) -> None:
    """Carry out a command to its end."""
    for _ in session.execute(command):
        pass


def look(session: Session, seed: int) -> None:
    """What a user does with one picture."""
    image = image_from_array(next(iter(toybox.samples(1, seed))).pixels, f"{seed}")
    do(session, Run("overview", image=image))
    layers = [node.id for node in session.info.layers() if node.is_map]
    for place in np.linspace(0, len(layers) - 1, 5):
        do(session, Run("activations", Target(layers[int(place)]), image))
    do(session, Run("grad-cam", image=image))


def mib() -> float:
    """Resident memory in MiB, after collecting garbage."""
    gc.collect()
    return (resident_bytes() or 0) / 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--networks", type=int, default=50)
    options = parser.parse_args()
    session = Session()
    rows: list[list[object]] = []
    do(session, LoadModel(ModelSpec("torchvision:squeezenet1_0"), "cpu"))
    for i in range(options.pictures):
        look(session, i)
        if i + 1 in (20, *(options.pictures * part // 4 for part in (1, 2, 3, 4))):
            rows.append([f"picture {i + 1}", mib()])
    sources = ("demo", "torchvision:squeezenet1_0", "torchvision:resnet18", "torchvision:mobilenet_v3_small")
    for i in range(options.networks):
        do(session, LoadModel(ModelSpec(sources[i % len(sources)]), "cpu"))
        look(session, i)
        if i + 1 in (8, options.networks // 2, options.networks):
            rows.append([f"network {i + 1}", mib()])
    print_table(["after", "resident, MiB"], rows)


if __name__ == "__main__":
    main()
