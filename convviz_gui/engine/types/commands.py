"""What a session can be told, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.params import Settings, Spec
from convviz_gui.engine.payloads import Located, Payload, Skipped, Trust
from convviz_gui.engine.types.network import Candidates, ModelInfo, ModelSpec
from convviz_gui.engine.types.photos import ImageInput, Preprocess, PreprocessChange, Target


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A method as the window and the command line know it: texts and parameters, no code.

    `needs` holds members of `method.Need` by value: "image", "layer", "channels", "class", "folder", … `payload` is the
    name of the class of its results, by which the window finds the view.
    """

    name: str
    title: str
    category: str
    summary: str
    how_to_read: str
    how_it_misleads: str
    reference: str
    needs: frozenset[str]
    live: bool
    specs: tuple[Spec, ...]
    payload: str = ""
    when_to_use: str = ""
    known_to_fail_randomisation: str = ""
    needs_by: tuple[str, tuple[tuple[str, frozenset[str]], ...]] | None = None
    by_chance: bool = False

    def needs_with(self, settings: Settings) -> frozenset[str]:
        """What the method needs with these settings: `needs`, or what a parameter's value (`needs_by`) asks for."""
        if self.needs_by is None:
            return self.needs
        name, needs = self.needs_by
        return dict(needs).get(str(dict(settings).get(name)), self.needs)


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Open a network on a device: "auto", "cpu", "cuda", "cuda:1" or "mps".

    `precision` is "float32", "bfloat16" or "float16": what forward passes compute in. Attributions keep float32.
    `change` is made to the preprocessing that is found or that `spec` has; the outcome's spec has what comes of it.
    """

    spec: ModelSpec
    device: str = "auto"
    precision: str = "float32"
    change: PreprocessChange | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    """Which networks a weights file may be of; opens nothing."""

    weights: str


@dataclass(frozen=True, slots=True)
class Amend:
    """Give the open network another preprocessing or other class names (path as in `ModelSpec`); None keeps them.

    What was found comes back with `ModelInfo.found_preprocess`, and with "" as path.
    """

    preprocess: Preprocess | None = None
    class_names: str | None = None


@dataclass(frozen=True, slots=True)
class MoveModel:
    """Move the open network to another device or precision (as in `LoadModel`), keeping everything else."""

    device: str
    precision: str = "float32"


@dataclass(frozen=True, slots=True)
class Run:
    """Run a method. `settings` that are left out have their defaults.

    `folder` is the dataset: a folder, an archive, a table, or what `convviz embed` wrote. `splits` are further ones,
    looked through together with it, each a split of its own.
    """

    method: str
    target: Target = Target()
    image: ImageInput | None = None
    folder: str | None = None
    settings: Settings = ()
    seed: int = 0
    splits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A number worth saying beside a result: `text` is how it is written, `help` what it means."""

    label: str
    value: float
    text: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run with what is needed to repeat it. `settings` holds every parameter, defaults included.

    `precision` is what it was computed in: the model's, but float32 for attributions whatever that is. `trust` is what
    a `Check` of it came to, if there was one; `located`, pictures that were placed on its map.
    """

    run: Run
    payload: Payload
    settings: Settings
    model: ModelInfo
    seconds: float
    scores: tuple[Score, ...] = ()
    precision: str = "float32"
    trust: Trust | None = None
    located: tuple[Located, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Find out whether a result's map (`AttributionMap`) deserves belief; the outcome is the result with `trust`."""

    result: Result


@dataclass(frozen=True, slots=True)
class Reproject:
    """Project some of the `Points` of a result anew; the outcome is a result with those alone.

    `rows` are numbers in the result, in any order; the new places are moved, turned and scaled as a whole to lie as
    near the old ones as they can. `settings` are those of the method "latent"; those left out are the result's own.
    """

    result: Result
    rows: tuple[int, ...]
    settings: Settings = ()


@dataclass(frozen=True, slots=True)
class Locate:
    """Find where a picture belongs among the `Points` of a result; the outcome is a `Located`."""

    result: Result
    image: ImageInput


@dataclass(frozen=True, slots=True)
class Nearest:
    """Find the true neighbours of a row of a result's `Points` where they are not with it; the outcome is a `Located`.

    For directories of features that are too large to be in memory. `count` 0 is the number that the result was made
    with.
    """

    result: Result
    row: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Embed:
    """Write a dataset's features into a directory of Parquet, or what of them is missing there.

    `layer` None is what the classifier sees, `batch`, `rows_per_part` and `workers` 0 are chosen. `store` is "float16"
    or "float32". `engine` is "local" or "ray", `address` that of a Ray cluster, whose workers open the session's
    network on `device` and compute in `precision`. `words` is the command line, for the manifest.
    """

    folder: str
    out: str
    splits: tuple[str, ...] = ()
    layer: str | None = None
    batch: int = 0
    rows_per_part: int = 0
    store: str = "float16"
    thumbnails: bool = False
    engine: str = "local"
    workers: int = 0
    address: str | None = None
    device: str = "auto"
    precision: str = "float32"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A complete directory of features; of its `parts` so many were `found` there."""

    folder: str
    rows: int
    parts: int
    found: int
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """Write a result into a folder, all or nothing."""

    result: Result
    folder: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The files an `Export` wrote."""

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the engine can do; sent once, when it is up. `devices` lists what this machine has, best first.

    `device_problem` says why a GPU that is there cannot be used.
    """

    methods: tuple[MethodInfo, ...]
    devices: tuple[str, ...]
    device_problem: Problem | None = None


Command = LoadModel | Identify | Amend | MoveModel | Run | Check | Reproject | Locate | Nearest | Embed | Export
Outcome = ModelInfo | Candidates | Result | Located | Embedded | Exported
