"""Book mode on legacy_xception against the chapter's loop (one filter at a time, whole network), in one run.

.venv/bin/python -m tests.benchmarks.bench_filters
"""

from __future__ import annotations

import argparse
import copy
import itertools

import timm
import torch
from torch import Tensor, nn

from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.benchmarks.timing import print_table, take_turns

LAYER = "block3.rep.1"
SIDE = 299
STEPS = 30
SIZE = 200


def chapter(model: nn.Module, channel: int) -> Tensor:
    """One filter as the chapter does it: a hook on the layer, the whole network forward, the layer's loss backward."""
    seen: list[Tensor] = []
    handle = model.get_submodule(LAYER).register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    picture = torch.rand(1, 3, SIZE, SIZE) * 0.2 + 0.4
    for _ in range(STEPS):
        seen.clear()
        picture = picture.detach().requires_grad_(True)
        model(picture * 2 - 1)
        loss = seen[0][0, channel, 2:-2, 2:-2].mean()
        (gradient,) = torch.autograd.grad(loss, picture)
        picture = picture + 10 * gradient / gradient.norm()
    handle.remove()
    return picture.detach()


def main() -> None:
    """Print the table: seconds a filter and how many times faster than the chapter's loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filters", type=int, default=64, help="filters of one run of ours")
    parser.add_argument("--reference", type=int, default=4, help="filters of one run of the chapter's loop")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.manual_seed(0)
    plain = timm.create_model("legacy_xception").eval().requires_grad_(False)
    session = Session()
    session.adopt(copy.deepcopy(plain), Preprocess((SIDE, SIDE), 333, "bicubic", (0.5,) * 3, (0.5,) * 3), "xception")
    channels = itertools.cycle(range(options.reference))

    def ours(precision: str) -> None:
        target = Target(LAYER, tuple(range(options.filters)))
        for _ in session.execute(Run("filters", target, settings=(("precision", precision),))):
            pass

    # The chapter's filters take time one after the other, so one at a time may stand for all of them.
    contestants = {f"chapter {i}": lambda: chapter(plain, next(channels)) for i in range(options.reference)}
    seconds = take_turns(
        contestants | {"float32": lambda: ours("float32"), "bfloat16": lambda: ours("bfloat16")}, options.rounds
    )
    floor = sum(seconds[name] for name in contestants) / options.reference
    rows: list[list[object]] = [["the chapter's loop", floor, 1.0, ""]]
    for precision, bar in (("float32", "≥ 2.5"), ("bfloat16", "≥ 6")):
        each = seconds[precision] / options.filters
        rows.append([f"ours, {precision}", each, floor / each, bar])
    print(f"{options.filters} filters of {LAYER}, {STEPS} steps, {SIZE} px, {torch.get_num_threads()} threads\n")
    print_table(["", "s a filter", "times faster", "bar"], rows)


if __name__ == "__main__":
    main()
