"""The open network: where it came from, its layers, and what was found on opening it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from convviz_gui.engine.types.photos import Preprocess


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which network to open, and how.

    Args:
        source: "demo", "torchvision:NAME", "timm:NAME", "FILE.py:FACTORY", or "" for the network that `weights` are of.
        weights: path of a weights file.
        pretrained: take the weights that the library publishes.
        trusted: SHA-256 of the Python file that the user trusts; code runs only if the file still has it.
        partial: load what fits of `weights` and leave the rest random.
        class_names: path of a text or JSON file, or of a dataset's folder, whose names replace the network's.
        preprocess: replaces what is found from the network.
    """

    source: str = "demo"
    weights: str | None = None
    pretrained: bool = False
    trusted: str | None = None
    partial: bool = False
    class_names: str | None = None
    preprocess: Preprocess | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that a weights file may be of.

    `score` is the fraction 0…1 of all tensors, the network's and the file's, that fit by name and shape; the class
    count and the input channels are taken from the file. `mismatched` holds (name, expected shape, shape found).
    """

    model: str
    score: float
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()

    @property
    def fits(self) -> bool:
        """True if every tensor fits."""
        return not (self.missing or self.unexpected or self.mismatched)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a weights file may be of, best first; `n_classes` as its head's shape tells, or None."""

    weights: str
    candidates: tuple[Candidate, ...]
    n_classes: int | None = None


class Level(StrEnum):
    """How much a finding matters."""

    FACT = "fact"
    HANDLED = "handled"
    WARNING = "warning"


NO_GRADIENT = "no-gradient"
"""The kind of the finding that the class scores do not depend differentiably on the picture."""
NO_GRADIENT_TO_MAPS = "no-gradient-to-maps"
"""… that they do not depend differentiably on the layer where Grad-CAM looks by default either."""
NO_GRADIENT_TO_LAYERS = "no-gradient-to-layers"
"""… that no layer depends differentiably on the picture."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the health report: `title` what was found, `detail` what was done about it or what it means.

    `kind` is a stable word for programs: "wrappers", "in-place", "functional", "reused", "frozen", "batch-norm", "nan",
    "single-logit", "layout", "input-channels", "precision", "never-ran", "no-gradient", "preprocessing", "weights", …
    """

    kind: str
    level: Level
    title: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The pixels of the input that a map's position (i, j) sees, which are those outside which nothing changes it.

    Rows from start[0] + i·stride[0], size[0] of them (where that is no whole number, those from the next one on), and
    columns alike. Nothing is cut at the picture's edge: a field may begin above it and end below it. Where positions
    see fields of slightly different size or place (the pixels of an enlarged map, the places of an attention window),
    it is the smallest that holds every position's.

    Args:
        gated: True if the whole picture scales or shifts whole channels besides (squeeze and excitation, norms taken
            over places); that is not counted.
        whole: True if every position sees the whole picture, as after global pooling or attention. `size` is the
            picture's then, `stride` and `start` are 0. A stride of 0 without it: every position sees the same part.
    """

    size: tuple[int, int]
    stride: tuple[float, float]
    start: tuple[float, float]
    gated: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class TokenGrid:
    """Where the picture's places are in a sequence of tokens: `height`×`width`, row by row, after `before` others."""

    before: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class LayerNode:
    """One layer (a module, or one call of a reused module) and the layers inside it.

    Args:
        id: dotted module path, with "#2" for the second call of a reused module; "" for the whole network.
        kind: the module's class name.
        shape: of its output without the batch axis, or None if it never ran or returned no tensor.
        channels: of maps, vectors and tokens that have a `grid`; None for anything else, such as other tokens or a
            block that works on windows.
        n_params: parameters inside it, children included.
        depth: its place in the order in which layers finish, from 0; None if it never ran.
        channels_last: True if `shape` is [h, w, C], as inside Swin, and not [C, h, w].
        receptive_field: of a map's positions, a vector's or token's elements. None if elements differ in no regular
            way (tokens that each see their own patch) or nobody can tell (an operation of unknown kind).
        grid: for tokens [N, C] that are places of the picture: how they make maps.
    """

    id: str
    name: str
    kind: str
    shape: tuple[int, ...] | None
    channels: int | None
    n_params: int
    depth: int | None
    children: tuple[LayerNode, ...] = ()
    channels_last: bool = False
    receptive_field: ReceptiveField | None = None
    grid: TokenGrid | None = None

    def walk(self) -> Iterator[LayerNode]:
        """This node and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_map(self) -> bool:
        """True if the output is a stack of maps, [C, h, w] or [h, w, C], or tokens that make one."""
        return self.extent is not None

    @property
    def extent(self) -> tuple[int, int] | None:
        """Height and width of the maps, None for other outputs."""
        if self.grid is not None:
            return self.grid.height, self.grid.width
        if self.channels is None or self.shape is None or len(self.shape) != 3:
            return None
        height, width = self.shape[:2] if self.channels_last else self.shape[1:]
        return height, width

    @property
    def is_vector(self) -> bool:
        """True if the output is a vector [C]."""
        return self.channels is not None and self.shape is not None and len(self.shape) == 1


@dataclass(frozen=True, slots=True)
class PooledHead:
    """Class scores that are one linear layer, or 1×1 convolution, and an average over all places: what CAM needs.

    Args:
        layer: the last layer with maps of the size that the classifier is about.
        classifier: the id of that linear layer or convolution.
        pooled: True if the average comes before the classifier, False if it comes behind it, as in SqueezeNet.
        rectified: True if a ReLU is between the classifier and the average.
    """

    layer: str
    classifier: str
    pooled: bool = True
    rectified: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Everything the outside knows of the open network.

    `weights` says in words where the weights came from ("random weights", a file's name, "IMAGENET1K_V1"), and what of
    it was left out; `trained` is False for random weights. `class_names` has K entries or none. `health` is what was
    found on opening. `cannot` holds (method, reason) for methods that do not apply. `found_preprocess` is what was
    found from the network where `preprocess` is an edited one, else None. `pooled_head` is None for a network whose
    class scores are not linear in maps averaged over all places. `activation_functions` are those between the picture
    and the class scores as (name, number), ("ReLU", 17), wherever gradients get through.
    """

    spec: ModelSpec
    name: str
    weights: str
    trained: bool
    digest: str
    n_params: int
    device: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    n_classes: int
    root: LayerNode
    default_map_layer: str | None
    penultimate_layer: str | None
    notes: tuple[str, ...] = ()
    health: tuple[Finding, ...] = ()
    cannot: tuple[tuple[str, str], ...] = ()
    precision: str = "float32"
    found_preprocess: Preprocess | None = None
    pooled_head: PooledHead | None = None
    activation_functions: tuple[tuple[str, int], ...] = ()

    def layers(self) -> tuple[LayerNode, ...]:
        """Every layer that ran, in order of execution."""
        ran = [node for node in self.root.walk() if node.depth is not None]
        return tuple(sorted(ran, key=lambda node: node.depth or 0))

    @property
    def default_layer(self) -> str | None:
        """Where to look at first: the last maps of some extent, else what the classifier sees, else the last output."""
        if self.default_map_layer is not None:
            return self.default_map_layer
        shown = [node.id for node in self.layers() if node.id and node.channels]
        if self.penultimate_layer in shown:
            return self.penultimate_layer
        return shown[-1] if shown else None

    def has(self, kind: str) -> bool:
        """True if the health report has a finding of that kind."""
        return any(finding.kind == kind for finding in self.health)

    def find(self, layer_id: str) -> LayerNode | None:
        """The layer with that id, or None."""
        return next((node for node in self.root.walk() if node.id == layer_id), None)

    def class_name(self, index: int) -> str:
        """The class's name, or "class 12" where the library has none."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"
