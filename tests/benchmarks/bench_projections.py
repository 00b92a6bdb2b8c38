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
    arguments = parser.parse_args()
    session = Session()
    finish(session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(arguments.weights)), "cpu")))
    layer = session.info.penultimate_layer
    assert layer is not None
    found: Embedding = finish(embed(session, list_folder(arguments.folder), layer))
    features = found.features
    perplexity = min(30.0, (len(features) - 1) / 3)

    def plain_tsne() -> Any:
        return TSNE(perplexity=perplexity, neighbors="exact", random_state=0).fit(features.astype(np.float64))

    def plain_umap() -> Any:
        return UMAP(metric="cosine", random_state=0, n_jobs=1).fit_transform(features)

    print(f"{len(features)} pictures, {features.shape[1]} features")
    print(f"{'':<12} {'trust':>7} {'seconds':>8}")
    row("t-SNE ours", features, lambda: finish(project(features, pca(features), Plan("tsne"))))
    row("t-SNE plain", features, plain_tsne)
    row("UMAP ours", features, lambda: finish(project(features, pca(features), Plan("umap"))))
    row("UMAP plain", features, plain_umap)


def row(name: str, features: Any, make: Callable[[], Any]) -> None:
    """Print one line of the table."""
    began = time.perf_counter()
    xy = np.asarray(make(), np.float32)
    seconds = time.perf_counter() - began
    print(f"{name:<12} {measured(features, xy, 12).trustworthiness:>7.4f} {seconds:>8.2f}")


def finish(steps: Generator[Any, None, Any]) -> Any:
    """What a generator returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


if __name__ == "__main__":
    main()
