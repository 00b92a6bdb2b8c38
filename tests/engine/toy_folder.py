"""A folder of Toybox pictures on disk, one folder inside for every class."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from convviz_gui.engine.demo import toybox


def toy_folder(root: Path, count: int, seed: int, *, broken: str = "") -> Path:
    """Write `count` pictures into `root`; with `broken`, the name of a class, a file there that is none."""
    for number, sample in enumerate(toybox.samples(count, seed)):
        place = root / toybox.CLASSES[sample.label]
        place.mkdir(exist_ok=True)
        Image.fromarray(sample.pixels).save(place / f"{number}.png")
    if broken:
        (root / broken / "broken.png").write_bytes(b"no picture")
    return root
