"""The pictures under File ▸ Samples: Toybox, drawn by our own code, and two photographs that scikit-learn brings."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import ImageInput

TOYBOX_CLASSES = (
    "cat", "dog", "car", "truck", "sailboat", "house", "tree", "mushroom", "fish", "butterfly", "flower", "umbrella",
)  # fmt: skip
"""Toybox's classes by index, written here too so that the menu need not import the drawing code."""

PHOTOGRAPHS = ("china", "flower")

START = ("cat", 3)
"""The picture the window opens with: a class and the seed it is drawn from."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture on offer: its title, how to make it, and the Python that makes it."""

    title: str
    make: Callable[[], ImageInput]
    source: str


def toybox(kind: str, seed: int) -> Sample:
    """The Toybox picture of class `kind` drawn from `seed`."""
    title = f"{kind} {seed} (Toybox)"

    def make() -> ImageInput:
        import numpy as np

        from convviz_gui.engine.demo.toybox import draw
        from convviz_gui.engine.images import image_from_array

        label = TOYBOX_CLASSES.index(kind)
        return image_from_array(draw(label, np.random.default_rng((seed, label))).pixels, title)

    label = TOYBOX_CLASSES.index(kind)
    source = (
        "import numpy as np\n"
        "from convviz_gui.engine.demo.toybox import draw\n"
        "from convviz_gui.engine.images import image_from_array\n"
        f"photo = image_from_array(draw({label}, np.random.default_rng(({seed}, {label}))).pixels, {title!r})"
    )
    return Sample(title, make, source)


def photograph(name: str) -> Sample:
    """One of scikit-learn's two photographs, found without importing scikit-learn, which is slow."""

    def make() -> ImageInput:
        from convviz_gui.engine.images import load_image

        return load_image(photograph_path(name))

    return Sample(f"{name} (photograph)", make, "")


def photograph_path(name: str) -> Path:
    """Where scikit-learn keeps the photograph; raises `EngineError` if scikit-learn is missing."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise EngineError("The sample photographs come with scikit-learn, which is missing", "Install scikit-learn")
    return Path(package.origin).parent / "datasets" / "images" / f"{name}.jpg"


def demo_folder() -> str:
    """Draw the demo's folder of 600 pictures where the user's data lives, unless it is there; return its path.

    Raises `EngineError` if something else has its place, OSError if it cannot be written.
    """
    from convviz_gui import paths
    from convviz_gui.engine.demo.folder import write_folder

    target = paths.data_dir() / "toybox"
    try:
        write_folder(target)
    except FileExistsError:
        raise EngineError(f"{target} is in the way of the demo's pictures", "Rename or remove it") from None
    return str(target)
