"""What can be set of a map of a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.folder_pass import batch_param
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.projections.plan import PROJECTIONS, Plan


@dataclass(frozen=True)
class LatentParams(Params):
    """Which projection, and how neighbours are counted."""

    projection: str = param(
        "umap",
        "Projection",
        "UMAP and t-SNE show groups, PCA the directions of largest variance. PCA is instant.",
        choices=PROJECTIONS,
    )
    neighbours: int = param(
        12, "Neighbours", "True nearest neighbours listed for each picture, and averaged for its outlier score.", lo=1
    )
    umap_neighbours: int = param(
        15,
        "UMAP neighbours",
        "Small values show fine structure, large ones the whole.",
        lo=2,
        hi=200,
        when=("projection", ("umap",)),
    )
    min_dist: float = param(
        0.1,
        "UMAP distance",
        "How tightly points may be packed; only looks change.",
        lo=0.0,
        hi=1.0,
        when=("projection", ("umap",)),
    )
    perplexity: float = param(
        0.0,
        "t-SNE perplexity",
        "How many neighbours each point has; 0 is min(30, (n − 1)/3).",
        lo=0.0,
        hi=500.0,
        when=("projection", ("tsne",)),
    )
    mirrored: bool = param(
        False,
        "Mirrored duplicates",
        "Whether a picture mirrored left to right counts as a near-duplicate of the other.",
        advanced=True,
    )
    batch: int = batch_param()
    layers: str = param(
        "",
        "Layers in one pass",
        "Further layers whose features are taken in the same pass and kept, so that their maps come at once: ids with "
        'commas between them, "spread", "every stage" or "all".',
        advanced=True,
    )
    only: str = param(
        "",
        "Only these rows",
        "Numbers of pictures in the whole, like 0,3,8-15: after the whole map these are projected on their own and "
        "laid where they were. The map's selection sets it.",
        advanced=True,
    )

    def plan(self, seed: int) -> Plan:
        """The projection they ask for."""
        return Plan(self.projection, seed, self.perplexity, self.umap_neighbours, self.min_dist)
