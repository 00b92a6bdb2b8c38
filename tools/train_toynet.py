"""Train ToyNet on freshly drawn Toybox pictures and write its weights, batch normalisation folded in.

The shipped weights came from ``python tools/train_toynet.py`` with the default options. Pictures, initial weights and
their order follow from the seed; the last digits depend on the processor and on torch's version.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from convviz_gui.engine.demo.backgrounds import background
from convviz_gui.engine.demo.toybox import CLASSES, Sample, draw, samples
from convviz_gui.engine.demo.toynet import MEAN, STD, build_toynet

_HELD_OUT_SEED = 1_000_003
_AHEAD = 6
_DENSITY_WEIGHTS = {"block3": 0.25, "block4": 0.6, "block5": 1.6}


def main() -> None:
    """Train, fold, measure on 2,000 held-out pictures, save."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = build_toynet(batch_norm=True).to(memory_format=torch.channels_last)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        _train(model, options, pool)
    plain = fold(model)
    accuracy = _accuracy(plain, 2000)
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
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sparsity", type=float, default=0.25, help="weight of the penalty on dense activations")
    parser.add_argument("--overlap", type=float, default=1.0, help="weight of the penalty on shared evidence")
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
            logits, density = _forward(model, x)
        loss = F.cross_entropy(logits.float(), y) + options.sparsity * density + options.overlap * _overlap(model)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        correct += 0.02 * (float((logits.argmax(1) == y).float().mean()) - correct)
        if step % 50 == 0:
            rate = step * options.batch / (time.perf_counter() - started)
            print(f"step {step} loss {float(loss.detach()):.4f} correct {correct:.4f} {rate:.0f}/s", flush=True)


def _forward(model: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits, and how densely the ReLUs of blocks 3 to 5 answer, deeper ones counting more.

    Density is, per channel, the mean over the root mean square (1 is constant, 0 is sparse, whatever the scale); a
    quarter of the batch is enough to estimate it.
    """
    density = x.new_zeros(())
    for name, layer in model.named_children():
        x = layer(x)
        weight = _DENSITY_WEIGHTS.get(name.split("_")[0])
        if "relu" in name and weight is not None:
            answers = x[::4].float()
            ratio = answers.mean((0, 2, 3)) / (answers.square().mean((0, 2, 3)) + 1e-4).sqrt()
            density = density + weight * ratio.mean()
    return x, density


def _overlap(model: nn.Sequential) -> Tensor:
    """How much of their positive evidence the classes share: squared cosines of the classifier's positive weights.

    It leads cat and dog to rest on the ears, which only one of them has, rather than on the face that both have.
    """
    evidence = F.normalize(model.get_submodule("classifier").get_parameter("weight").relu(), dim=1)
    return (evidence @ evidence.T).square().triu(1).sum() / len(CLASSES)


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
    return np.stack([_partly_hidden(draw(int(label), rng), rng) for label in labels]), labels


def _partly_hidden(sample: Sample, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Half of the pictures lose a patch of the thing to another backdrop: every part must be evidence by itself."""
    if rng.random() < 0.5:
        return sample.pixels
    rows, columns = np.flatnonzero(sample.mask.any(axis=1)), np.flatnonzero(sample.mask.any(axis=0))
    side = round(float(rng.uniform(0.35, 0.65)) * max(np.ptp(rows), np.ptp(columns)))
    top, left = (int(rng.integers(span[0], span[-1] + 1)) - side // 2 for span in (rows, columns))
    top, left = max(top, 0), max(left, 0)
    hidden = np.s_[top : top + side, left : left + side]
    if sample.ears is not None and sample.ears[hidden].sum() > 0.1 * sample.ears.sum():
        return sample.pixels
    pixels = sample.pixels.copy()
    patch = np.clip(background(rng, side), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    pixels[hidden] = patch[: pixels.shape[0] - top, : pixels.shape[1] - left]
    return pixels


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
def _accuracy(model: nn.Sequential, count: int) -> float:
    hits = 0
    fresh = samples(count, _HELD_OUT_SEED)
    while batch := list(islice(fresh, 50)):
        logits = model(_preprocess(np.stack([s.pixels for s in batch])))
        hits += int((logits.argmax(1) == torch.tensor([s.label for s in batch])).sum())
    return hits / count


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if __name__ == "__main__":
    main()
