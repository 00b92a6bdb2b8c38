"""Weights files with flipped, cut, repeated and inserted bytes: each is read or refused in a sentence, in bounded time.

.venv/bin/python -m tests.benchmarks.fuzz_weights [--rounds 2000] [--seed 0]

Half of the archives are damaged inside their pickle and put together anew, so that their checksums are right. Ends with
1 at the first file that raises anything else, which is left where it says; a crash of the whole process leaves it too.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.recognition import identify


def originals(folder: Path) -> dict[str, bytes]:
    """A small network's weights in every form that is read."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5))
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    whole = {
        "state_dict": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "classes": ["a", "b"],
        "x": (1, 2),
    }
    save_file(network.state_dict(), folder / "a.safetensors", {"classes": '["a", "b"]'})
    torch.save(whole, folder / "b.pth")
    torch.save(whole, folder / "c.pth", _use_new_zipfile_serialization=False)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to four random changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(max(len(changed), 1))
        match chance.randrange(5):
            case 0 if changed:
                changed[min(place, len(changed) - 1)] ^= 1 << chance.randrange(8)
            case 1 if changed:
                changed[min(place, len(changed) - 1)] = chance.choice(b"\x00\xff()tbRcQ\x85\x86.h}]us0123")
            case 2:
                changed[place:place] = chance.randbytes(chance.randint(1, 9))
            case 3:
                changed[place:place] = changed[place : place + chance.randint(1, 40)]
            case _:
                del changed[place : place + chance.choice((1, 4, 1000))]
    return bytes(changed)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """An archive whose pickle alone is changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, damaged(content, chance) if name.endswith("data.pkl") else content)
    return made.getvalue()


def main() -> int:
    """Make `--rounds` files and read them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="fuzz_weights_"))
    files = originals(folder)
    outcomes = {"read": 0, "refused": 0}
    slowest = 0.0
    for _ in range(options.rounds):
        name = chance.choice(list(files))
        inside = name == "b.pth" and chance.random() < 0.5
        path = folder / name
        path.write_bytes((damaged_inside if inside else damaged)(files[name], chance))
        start = time.monotonic()
        try:
            list(identify(path))
            outcomes["read"] += 1
        except EngineError:
            outcomes["refused"] += 1
        except BaseException:  # noqa: BLE001 - whatever it is, it was found
            traceback.print_exc()
            print(f"not a sentence: {path}", file=sys.stderr)
            return 1
        slowest = max(slowest, time.monotonic() - start)
    print(f"{options.rounds} files, {outcomes['read']} read, {outcomes['refused']} refused; slowest {slowest:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
