"""Made-up points of a latent space, with their pictures on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from convviz_gui.engine.payloads import Points
from convviz_gui.engine.types import LayerNode, ModelInfo, ModelSpec, Preprocess

CLASSES = ("cat", "dog", "car", "tree")
MISTAKEN = 12
"""The picture labelled cat and predicted dog."""


def coloured_pictures(
    root: Path, count: int, classes: tuple[str, ...] = CLASSES, size: tuple[int, int] = (40, 30)
) -> tuple[str, ...]:
    """Write `count` pictures, width × height, of one colour each, the classes in turn; returns their paths."""
    paths = []
    for row in range(count):
        place = row % len(classes)
        path = root / classes[place] / f"{row:02d}.png"
        path.parent.mkdir(exist_ok=True)
        level = row * (240 // count)
        Image.new("RGB", size, (level, 255 - level, 60 * place)).save(path)
        paths.append(str(path))
    return tuple(paths)


def clusters(root: Path, count: int, seed: int, odd: int | None = None) -> Points:
    """`count` pictures in a cluster for each of `CLASSES`, `MISTAKEN` among them; `odd` lies far from all others."""
    rng = np.random.default_rng(seed)
    group = np.arange(count) % len(CLASSES)
    features = (3 * rng.normal(size=(4, 16))[group] + 0.3 * rng.normal(size=(count, 16))).astype(np.float32)
    if odd is not None:
        features[odd] += 5.0
    logits = (8.0 * np.eye(4)[group]).astype(np.float32)
    logits[MISTAKEN] = [0, 8, 0, 0]
    distance = distances(features)
    return Points(
        layer="block5_relu",
        folder=str(root),
        projection="umap",
        paths=coloured_pictures(root, count),
        labels=tuple(CLASSES[place] for place in group),
        features=features,
        xy=(10 * rng.normal(size=(4, 2))[group] + rng.normal(size=(count, 2))).astype(np.float32),
        logits=logits,
        outlier=np.sort(distance, axis=1)[:, :12].mean(axis=1).astype(np.float32),
        neighbours=np.argsort(distance, axis=1)[:, :12],
        trustworthiness=0.93,
    )


def distances(values: np.ndarray) -> np.ndarray:
    """From each row to each other; infinite to itself."""
    apart: np.ndarray = np.linalg.norm(values[:, None] - values[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart


def network(classes: tuple[str, ...] = CLASSES) -> ModelInfo:
    """A network of which only the classes matter."""
    preprocess = Preprocess((32, 32), 32, "bilinear", (0.0,) * 3, (1.0,) * 3)
    n = len(classes)
    root = LayerNode("", "net", "Net", (n,), n, 1, 0)
    return ModelInfo(ModelSpec(), "Net", "made up", True, "0", 1, "cpu", preprocess, classes, n, root, None, None)
