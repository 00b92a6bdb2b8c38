"""Trustworthiness and seconds of our t-SNE and UMAP, against the plain libraries with the same parameters.

    python tests/benchmarks/bench_projections.py [FOLDER] [--weights FILE]

Seconds include the start of our child process; the plain libraries are imported already. Run it twice: the first run
of UMAP on a machine compiles it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from openTSNE import TSNE
from openTSNE.initialization import jitter, rescale
from umap import UMAP

from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.latent.embedding import Embedding, embed
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.projections.plan import Plan, project
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec
from tests.engine.test_distortion import measured

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "photos")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights" / "squeezenet1_0_imagenet.safetensors")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(arguments.weights)), "cpu")))
    layer = session.info.penultimate_layer
    assert layer is not None
    found: Embedding = finish(embed(session, list_folder(arguments.folder), layer))
    features = found.features
    perplexity = min(30.0, (len(features) - 1) / 3)

    def plain_tsne(seed: int) -> Any:
        return TSNE(perplexity=perplexity, neighbors="exact", random_state=seed).fit(features.astype(np.float64))

    def plain_tsne_from_ours(seed: int) -> Any:
        start = jitter(rescale(pca(features).astype(np.float64)), scale=0.01, random_state=seed)
        plain = TSNE(perplexity=perplexity, neighbors="exact", random_state=seed, initialization=start)
        return plain.fit(features.astype(np.float64))

    def plain_umap(seed: int) -> Any:
        return UMAP(metric="cosine", random_state=seed, n_jobs=1).fit_transform(features)

    def ours(projection: str) -> Callable[[int], Any]:
        return lambda seed: finish(project(features, pca(features), Plan(projection, seed)))

    print(f"{len(features)} pictures, {features.shape[1]} features, seeds 0 to {arguments.seeds - 1}")
    print(f"{'':<23} {'trust':>7} {'± sd':>7} {'lowest':>7} {'seconds':>8}")
    for name, make in (
        ("t-SNE ours", ours("tsne")),
        ("t-SNE plain, our start", plain_tsne_from_ours),
        ("t-SNE plain", plain_tsne),
        ("UMAP ours", ours("umap")),
        ("UMAP plain", plain_umap),
    ):
        row(name, features, make, arguments.seeds)


def row(name: str, features: Any, make: Callable[[int], Any], seeds: int) -> None:
    """Print one line of the table: trustworthiness over the seeds, and the last one's time."""
    found, took = [], []
    for seed in range(seeds):
        began = time.perf_counter()
        xy = np.asarray(make(seed), np.float32)
        took.append(time.perf_counter() - began)
        found.append(measured(features, xy, 12).trustworthiness)
    print(f"{name:<23} {np.mean(found):>7.4f} {np.std(found):>7.4f} {min(found):>7.4f} {took[-1]:>8.2f}")


def finish(steps: Generator[Any, None, Any]) -> Any:
    """What a generator returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


if __name__ == "__main__":
    main()
