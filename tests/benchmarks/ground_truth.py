"""Every map method against the truth that Toybox was drawn with, and the checks of its maps: one Markdown table.

    python -m tests.benchmarks.ground_truth [--pictures 48] [--checked 12] [--photos 6] [--only grad-cam,saliency]

Toybox, ToyNet (the demo), fresh pictures, for each method with its defaults:

- **pointing**: of the pictures recognised rightly, how often the map's highest value lies inside the drawn thing (Zhang
  et al. 2016). By chance: the thing's share of the picture.
- **ears**: for cats and dogs, the map for one against the other (for the one alone where a method takes no second
  class): share of the positive evidence on the ears over their share of the picture. By chance: 1.
- **deletion**, **insertion**: area under the curve less the mean of the random orders', for the checked pictures.
  Deletion should be below 0, insertion above.
- **stays**: mean SSIM with shuffled weights; 1 is a map that does not react.
- **verdicts**: good / mixed / bad / unknown.

The last columns again for photographs and the real SqueezeNet, where the data beside the repository are there. At the
end two maps that explain nothing: they must lose. Progress goes to stderr; the whole takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convviz_gui.engine.demo.toybox import CLASSES, Sample, samples
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import image_from_array, load_image
from convviz_gui.engine.method import Method, methods
from convviz_gui.engine.payloads import MAP_NAMES, AttributionMap, FloatArray, Trust, TrustLevel
from convviz_gui.engine.session import Session
from convviz_gui.engine.trust.verdict import staying
from convviz_gui.engine.types import Check, ImageInput, LoadModel, ModelSpec, Result, Run, Target
from tests.engine.bad_maps import BAD, bad_maps

SEED = 4_040
CAT, DOG = CLASSES.index("cat"), CLASSES.index("dog")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass
class Tally:
    """What the maps of one method came to."""

    pointing: list[bool] = field(default_factory=list)
    ears: list[float] = field(default_factory=list)
    toys: list[Trust] = field(default_factory=list)
    photos: list[Trust] = field(default_factory=list)
    alone: bool = False
    """True if the ears were asked for without the second class."""


def map_methods() -> dict[str, type[Method[Any]]]:
    """Every method that makes a map which says why, the bad ones last if they are known to the session."""
    bad = {kind.name for kind in BAD}
    found = {name: kind for name, kind in methods().items() if kind.payload.__name__ in MAP_NAMES}
    return dict(sorted(found.items(), key=lambda item: (item[0] in bad, item[0])))


def done(steps: Any) -> Any:
    """Take a command through its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def demo() -> Session:
    """A session with ToyNet."""
    session = Session()
    done(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    return session


def points_inside(found: AttributionMap, sample: Sample) -> bool:
    """Whether the map's highest value lies inside the drawn thing."""
    return bool(sample.mask[np.unravel_index(int(found.heat.argmax()), found.heat.shape)])


def ears_factor(heat: FloatArray, sample: Sample) -> float:
    """The ears' share of the positive evidence over their share of the picture; 0 without any."""
    assert sample.ears is not None
    positive = np.maximum(heat, 0).astype(np.float64)
    total = float(positive.sum())
    return float(positive[sample.ears].sum()) / total / float(sample.ears.mean()) if total > 0 else 0.0


def toybox_tally(session: Session, name: str, drawn: Sequence[Sample], n_checked: int) -> Tally:
    """Pointing and ears of one method on Toybox, and the checks of the first `n_checked` pictures."""
    tally = Tally(alone="against" not in methods()[name].info().needs)
    for number, sample in enumerate(drawn):
        image = image_from_array(sample.pixels, f"toy {number}")
        result = run(session, Run(name, Target(class_index=sample.label), image, seed=number))
        logits = result.payload.logits
        if int(logits.argmax()) != sample.label:
            continue
        tally.pointing.append(points_inside(result.payload, sample))
        if sample.ears is not None:
            other = None if tally.alone else CAT + DOG - sample.label
            target = Target(class_index=sample.label, against=other)
            heat = run(session, Run(name, target, image, seed=number)).payload.heat
            tally.ears.append(ears_factor(heat, sample))
        if len(tally.toys) < n_checked:
            tally.toys.append(checked(session, result))
    return tally


def run(session: Session, request: Run) -> Any:
    """The result of a run."""
    return done(session.execute(request))


def checked(session: Session, result: Result) -> Trust:
    """What the check of a result comes to."""
    trust = done(session.execute(Check(result))).trust
    assert isinstance(trust, Trust)
    return trust


def photographs(n: int) -> Iterator[ImageInput]:
    """`n` photographs, spread over the folders."""
    paths = sorted(DATA.glob("photos/*/*"))
    for i in range(n):
        yield load_image(str(paths[(2 * i + 1) * len(paths) // (2 * n)]))


def squeezenet() -> Session | None:
    """A session with the real SqueezeNet, or None where its weights are not there."""
    weights = DATA / "weights" / "squeezenet1_0_imagenet.safetensors"
    if not weights.is_file():
        return None
    session = Session()
    done(session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", weights=str(weights)), "cpu")))
    return session


def table(tallies: dict[str, Tally], drawn: Sequence[Sample]) -> str:
    """The Markdown table."""
    head = ["method", "pointing", "ears", "deletion", "insertion", "stays", "verdicts"]
    with_photos = any(tally.photos for tally in tallies.values())
    if with_photos:
        head += ["photos: deletion", "insertion", "stays", "verdicts"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    area = float(np.mean([sample.mask.mean() for sample in drawn]))
    chance = ["chance", f"{100 * area:.0f} %", "1.0", "0", "0", "", ""]
    rows.append(chance + [""] * (len(head) - len(chance)))
    for name, tally in tallies.items():
        ears = f"{np.mean(tally.ears):.1f}{'°' if tally.alone else ''}" if tally.ears else ""
        pointing = f"{100 * np.mean(tally.pointing):.0f} %" if tally.pointing else ""
        row = [f"`{name}`", pointing, ears, *_trusts(tally.toys)]
        rows.append(row + (_trusts(tally.photos) if with_photos else []))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if any(tally.alone for tally in tallies.values()):
        lines += ["", "° for the one class alone: the method takes no second one."]
    return "\n".join(lines)


def _trusts(trusts: Sequence[Trust]) -> list[str]:
    if not trusts:
        return [""] * 4
    measured = [trust for trust in trusts if len(trust.fractions)]
    gone, back = ([_beyond_chance(trust, way) for trust in measured] for way in ("deletion", "insertion"))
    stays = [staying(trust.ssim) for trust in measured if len(trust.ssim)]
    counts = [sum(trust.level is level for trust in trusts) for level in TrustLevel]
    numbers = [f"{np.mean(values):+.2f}".replace("-", "−") if values else "" for values in (gone, back)]
    return [*numbers, f"{np.mean(stays):.2f}" if stays else "", " / ".join(map(str, counts))]


def _beyond_chance(trust: Trust, way: str) -> float:
    """The area under the map's curve less the mean of the random orders'."""
    curves: list[FloatArray] = [getattr(trust, way), *getattr(trust, f"random_{way}")]
    own, *random = (float(np.trapezoid(curve.astype(np.float64), trust.fractions)) for curve in curves)
    return own - float(np.mean(random))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=48, help="Toybox pictures for pointing and ears")
    parser.add_argument("--checked", type=int, default=12, help="of these, how many maps of each method are checked")
    parser.add_argument("--photos", type=int, default=6, help="photographs whose maps are checked with SqueezeNet")
    parser.add_argument("--only", default="", help="names of methods, with commas between them")
    options = parser.parse_args()
    torch.set_num_threads(2)
    drawn = list(samples(options.pictures, SEED))
    with bad_maps():
        wanted = options.only.split(",") if options.only else list(map_methods())
        toynet = demo()
        tallies = {}
        for name in wanted:
            began = time.monotonic()
            tallies[name] = toybox_tally(toynet, name, drawn, options.checked)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        real = squeezenet() if options.photos else None
        if real is not None:
            for image in photographs(options.photos):
                for name in wanted:
                    try:
                        tallies[name].photos.append(checked(real, run(real, Run(name, image=image))))
                    except EngineError as error:
                        print(f"<!-- {name}, {image.name}: {error} -->")
        print(table(tallies, drawn))


if __name__ == "__main__":
    main()
