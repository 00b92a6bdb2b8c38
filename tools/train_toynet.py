"""Train ToyNet on freshly drawn Toybox pictures and write its weights, batch normalisation folded in.

The shipped weights came from ``python tools/train_toynet.py`` with the default options. Pictures, initial weights and
their order follow from the seed; the last digits depend on the processor and on torch's version.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from convviz_gui.engine.demo.toybox import CLASSES, draw
from convviz_gui.engine.demo.toynet import MEAN, STD, build_toynet

_HELD_OUT_SEED = 1_000_003
_AHEAD = 6


def main() -> None:
    """Train, fold, measure on 2,000 held-out pictures, save."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = build_toynet(batch_norm=True).to(memory_format=torch.channels_last)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        _train(model, options, pool)
        plain = fold(model)
        accuracy = _accuracy(plain, pool, 2000)
    print(f"accuracy on 2,000 held-out pictures: {accuracy:.4f}", flush=True)
    metadata = {
        "format": "pt",
        "network": "toynet",
        "classes": " ".join(CLASSES),
        "seed": str(options.seed),
        "steps": str(options.steps),
        "batch": str(options.batch),
        "accuracy": f"{accuracy:.4f}",
    }
    tensors = {name: value.contiguous() for name, value in plain.state_dict().items()}
    _write(options.out, save(tensors, metadata))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sparsity", type=float, default=0.02, help="weight of the activity penalty")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--out", type=Path, default=root / "resources" / "toynet.safetensors")
    return parser.parse_args()


def _train(model: nn.Sequential, options: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, options.steps, pct_start=0.15)
    model.train()
    started = time.perf_counter()
    correct = 0.0
    for step, (x, y) in enumerate(_batches(pool, options.steps, options.batch, options.seed), start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            logits, activity = _forward(model, x)
        loss = F.cross_entropy(logits.float(), y) + options.sparsity * activity
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        correct += 0.02 * (float((logits.argmax(1) == y).float().mean()) - correct)
        if step % 50 == 0:
            rate = step * options.batch / (time.perf_counter() - started)
            print(f"step {step} loss {float(loss.detach()):.4f} correct {correct:.4f} {rate:.0f}/s", flush=True)


def _forward(model: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits, and the mean activity of the ReLUs weighted by depth, which makes deep layers sparse."""
    activity = x.new_zeros(())
    for name, layer in model.named_children():
        x = layer(x)
        if "relu" in name:
            depth = int(name[len("block")])
            activity = activity + x.float().mean() * (depth - 1) / 4
    return x, activity


def _batches(pool: ProcessPoolExecutor, steps: int, batch: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    waiting: list[Future[tuple[NDArray[np.uint8], NDArray[np.int64]]]] = []
    for step in range(steps + _AHEAD):
        if step < steps:
            waiting.append(pool.submit(_draw_batch, seed, step, batch))
        if step >= _AHEAD:
            pixels, labels = waiting.pop(0).result()
            yield _preprocess(pixels), torch.from_numpy(labels)


def _draw_batch(seed: int, step: int, batch: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    rng = np.random.default_rng((seed, step, 77))
    labels = rng.integers(0, len(CLASSES), batch)
    return np.stack([draw(int(label), rng).pixels for label in labels]), labels


def _preprocess(pixels: NDArray[np.uint8]) -> Tensor:
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return ((x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]).contiguous(
        memory_format=torch.channels_last
    )


def fold(model: nn.Sequential) -> nn.Sequential:
    """The plain network that computes what ``model`` computes in evaluation mode."""
    model.eval()
    plain = build_toynet().eval()
    layers = dict(plain.named_children())
    children = dict(model.named_children())
    for name, layer in children.items():
        if isinstance(layer, nn.Conv2d):
            norm = children[name.replace("conv", "bn")]
            assert isinstance(norm, nn.BatchNorm2d)
            layers[name].load_state_dict(fuse_conv_bn_eval(layer, norm).state_dict())
        elif isinstance(layer, nn.Linear):
            layers[name].load_state_dict(layer.state_dict())
    return plain


@torch.no_grad()
def _accuracy(model: nn.Sequential, pool: ProcessPoolExecutor, count: int) -> float:
    hits = 0
    for x, y in _batches(pool, count // 50, 50, _HELD_OUT_SEED):
        hits += int((model(x).argmax(1) == y).sum())
    return hits / count


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


if __name__ == "__main__":
    main()
