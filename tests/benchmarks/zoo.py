"""Every classification network of torchvision and the smallest of every family of timm, looked through.

.venv/bin/python -m tests.benchmarks.zoo                   # all of them: hours on two cores; what is done is kept
.venv/bin/python -m tests.benchmarks.zoo --only timm:resnet10t torchvision:alexnet
.venv/bin/python -m tests.benchmarks.zoo --again           # those that failed, once more

Writes docs/zoo.md. Each network gets random weights and the smallest pictures it takes, in a process that is replaced
now and then, so that one network's end is not everybody's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.benchmarks.zoo_page import write_page

SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 288, 299, 331, 384, 448, 512)
VIT_SIDE = 224
TASKS_PER_PROCESS = 12
N_CLASSES = 1000
"""For families of encoders, which come without a head."""


def main() -> None:
    """Look through the networks that are not done yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these networks, done or not")
    parser.add_argument("--again", action="store_true", help="also those that failed")
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "convviz-zoo", help="what is done")
    parser.add_argument("--out", type=Path, default=Path("docs/zoo.md"))
    options = parser.parse_args()
    options.kept.mkdir(parents=True, exist_ok=True)
    kept = options.kept / "results.json"
    results: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else {}
    names = options.only or list(everything(options.kept / "smallest.json"))
    todo = [name for name in names if options.only or _open(results.get(name), options.again)]
    for done, (name, found) in enumerate(look(todo, _pictures(options.kept)), 1):
        results[name] = found
        kept.write_text(json.dumps(results, indent=1))
        print(f"{done}/{len(todo)} {name}: {found['fault'] or 'fine'} ({found['seconds']:.0f} s)", flush=True)
    write_page(results, options.out)


def _open(result: dict[str, Any] | None, again: bool) -> bool:
    return result is None or (again and bool(result["fault"]))


def _pictures(folder: Path) -> Path:
    """A folder of three pictures of noise."""
    from PIL import Image

    from tests.engine.tiny import noise_picture

    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    for seed in range(3):
        Image.fromarray(noise_picture(300, 340, seed).pixels).save(place / f"{seed}.png")
    return place


# ------------------------------------------------------------------------------------------------ which networks


def everything(kept: Path) -> Iterator[str]:
    """The names of all networks of the sweep; the search for the smallest of a family is done once."""
    from torchvision import models

    if not kept.exists():
        kept.write_text(json.dumps(smallest(), indent=1))
    yield from json.loads(kept.read_text())
    yield from (f"torchvision:{name}" for name in models.list_models(models))


def smallest() -> list[str]:
    """The network with the fewest parameters of every family of timm, those with a head first."""
    import timm

    chosen = []
    for family in timm.list_modules():
        counts = [(count, name) for name in timm.list_models(module=family) if (count := _count(name)) is not None]
        chosen.append("timm:" + min(counts)[1])
        print(family, chosen[-1], flush=True)
    return chosen


def _count(name: str) -> tuple[bool, int] | None:
    """Whether a network lacks a head, and its number of parameters; None if it cannot be built."""
    import timm
    import torch

    for device in ("meta", "cpu"):
        try:
            with torch.device(device):
                module = timm.create_model(name)
        except Exception:  # noqa: BLE001 - some networks compute with values while they are built
            continue
        return not getattr(module, "num_classes", 1), sum(parameter.numel() for parameter in module.parameters())
    return None


# ------------------------------------------------------------------------------------------------- looking through


def look(names: list[str], pictures: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each network showed, one process after the other."""
    left = list(names)
    while left:
        chunk, left = left[:TASKS_PER_PROCESS], left[TASKS_PER_PROCESS:]
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            for place, name in enumerate(chunk):
                began = time.monotonic()
                try:
                    found = pool.submit(look_at, name, str(pictures)).result()
                except BrokenExecutor:
                    found = {"fault": "the process ended: out of memory, or a crash in a library"}
                    left = chunk[place + 1 :] + left
                    chunk = []
                yield name, found | {"seconds": time.monotonic() - began}
                if not chunk:
                    break


def look_at(name: str, pictures: str) -> dict[str, Any]:
    """Build one network and look through it, in this process."""
    import torch

    from tests.engine.zoo_checks import awake, in_words, look_through, opened

    torch.manual_seed(0)
    torch.set_num_threads(1)
    try:
        module, own, params = build(name)
        side = smallest_side(module, own)
        seen = look_through(opened(awake(module), side, name), Path(pictures))
    except Exception as error:  # noqa: BLE001 - the sweep reports whatever a network does
        return {"fault": in_words(error)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"fault": "; ".join(seen.faults), "params": params, "peak": peak, **dataclasses.asdict(seen)}


def build(name: str) -> tuple[Any, tuple[int, ...], int]:
    """A network with random weights, the sides to try, and its number of parameters."""
    library, _, architecture = name.partition(":")
    module, own = (_torchvision if library == "torchvision" else _timm)(architecture)
    return module.eval(), own, sum(parameter.numel() for parameter in module.parameters())


def _torchvision(name: str) -> tuple[Any, tuple[int, ...]]:
    from torchvision import models

    if name.startswith("vit_"):  # built for one size, whichever
        return models.get_model(name, weights=None, image_size=VIT_SIDE), (VIT_SIDE,)
    from convviz_gui.engine.zoo import torchvision_zoo

    architecture = torchvision_zoo.architecture(name)
    return architecture.build(None, None), (*SIDES, architecture.preprocess.size[0])


def _timm(name: str) -> tuple[Any, tuple[int, ...]]:
    import timm

    module = timm.create_model(name)
    if not getattr(module, "num_classes", 1):
        module = timm.create_model(name, num_classes=N_CLASSES)
    config = module.pretrained_cfg
    own = config["input_size"][-1]
    return module, (own,) if config.get("fixed_input_size") else (*SIDES, own)


def smallest_side(module: Any, sides: tuple[int, ...]) -> int:
    """The first of the sides whose pictures the network takes; raises what the last one raised."""
    import torch

    for side in sides:
        try:
            with torch.no_grad():
                module(torch.zeros(1, 3, side, side))
        except (RuntimeError, AssertionError, ValueError):
            if side == sides[-1]:
                raise
        else:
            return side
    raise ValueError("no side to try")


if __name__ == "__main__":
    main()
