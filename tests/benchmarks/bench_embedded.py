"""A directory of a million rows: how it opens, what it takes of memory, and how fast neighbours are found.

    python tests/benchmarks/bench_embedded.py [--rows 1000000] [--width 512] [--keep DIR]

Writes a synthetic directory (about 1.1 GB for a million rows of 512, deleted afterwards unless kept), and opens it in a
process of its own, so that memory is counted from the start. Bars of the issue: first picture ≤ 1.5 s, memory ≤ 400 MB
above the data; neighbours of one picture among a million × 512 in about 2 s on two cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from convviz_gui.engine.desk.fingerprint import LENGTH
from convviz_gui.engine.embedded.components import components_on_disk, write_components
from convviz_gui.engine.embedded.directory import finish
from convviz_gui.engine.embedded.manifest import Description, Manifest, Part
from convviz_gui.engine.embedded.opened import opened_of
from convviz_gui.engine.embedded.parts import Rows, write_part
from convviz_gui.engine.types import Preprocess

CLASSES, LABELS = 100, 100
PREPROCESS = Preprocess((224, 224), 256, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def write(folder: Path, rows: int, width: int, *, per_part: int = 15_625, components: bool = True) -> Manifest:
    """A directory as `convviz embed` writes it, of points around `LABELS` centres."""
    folder.mkdir(parents=True, exist_ok=True)
    described = Description(
        "synthetic", "synthetic", "none", False, "0" * 64, "pool", PREPROCESS, "float32", "float16", width, CLASSES
    )
    chance = np.random.default_rng(0)
    centres = chance.standard_normal((LABELS, width), np.float32)
    parts: list[Part] = []
    for number, start in enumerate(range(0, rows, per_part)):
        n = min(per_part, rows - start)
        labels = np.arange(start, start + n) * LABELS // rows
        features = centres[labels] + chance.standard_normal((n, width), np.float32)
        logits = chance.standard_normal((n, CLASSES), np.float32)
        paths = [f"/data/synthetic/class {label:03d}/picture {start + i:08d}.jpg" for i, label in enumerate(labels)]
        part = Rows(
            ids=[path[16:] for path in paths],
            paths=paths,
            labels=[f"class {label:03d}" for label in labels],
            splits=[""] * n,
            digests=[f"{start + i:032x}" for i in range(n)],
            fingerprints=np.zeros((n, LENGTH), np.uint8),
            features=features.astype(np.float16),
            logits=logits.astype(np.float16),
            prediction=labels.astype(np.int64) % CLASSES,
            probability=np.full(n, 0.5, np.float32),
        )
        parts.append(write_part(folder, number, "synthetic", described, part, []))
    made = Manifest(described, ("/data/synthetic",), per_part, len(parts), "", tuple(parts))
    if components:
        made = replace(
            made, map=write_components(opened_of(folder, made), _driven(components_on_disk(opened_of(folder, made))))
        )
    finish(folder, made)
    return made


def _driven(steps):  # type: ignore[no-untyped-def]
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def measure(folder: Path) -> None:
    """In a fresh process: print the figures as JSON."""
    import torch

    from convviz_gui.engine.embedded.opened import open_embedded
    from convviz_gui.engine.embedded.search import nearest_on_disk
    from convviz_gui.engine.embedded.source import map_of_large
    from convviz_gui.engine.types import Run

    torch.randn(64, 64) @ torch.randn(64, 64)
    before = _memory("VmRSS")
    began = time.perf_counter()
    opened = open_embedded(folder)
    steps = map_of_large(opened, Run("latent", folder=str(folder)), 12)
    first = None
    while first is None:
        update = next(steps)
        first = update.preview() if update.preview else None
    facts = {"rows": len(opened), "seconds to the first picture": time.perf_counter() - began}
    facts["MB above start at the first picture"] = _memory("VmRSS") - before
    points = _driven(steps)
    facts["seconds to the judged map"] = time.perf_counter() - began
    facts["MB above start, at the most"] = _memory("VmHWM") - before
    facts["MB above start, afterwards"] = _memory("VmRSS") - before
    times = []
    for row in np.linspace(0, len(opened) - 1, 4).astype(int).tolist():
        began = time.perf_counter()
        query = opened.rows([row])[0]
        rows, _ = _driven(nearest_on_disk(opened, query, 12, leave_out=row))
        times.append(time.perf_counter() - began)
        assert len(rows) == 12
        _ = points.paths[int(rows[0])]
    facts["seconds to 12 neighbours"] = min(times[1:])
    facts["MB above start, at the most, with neighbours"] = _memory("VmHWM") - before
    print(json.dumps(facts, indent=1))


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def main() -> None:
    """Write, measure in another process, delete."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--measure", type=Path)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    folder = options.keep or Path(tempfile.mkdtemp(prefix="bench-embedded-"))
    try:
        if not (folder / "manifest.json").exists():
            began = time.perf_counter()
            write(folder, options.rows, options.width)
            print(f"written in {time.perf_counter() - began:.0f} s")
        subprocess.run([sys.executable, __file__, "--measure", str(folder)], check=True)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
