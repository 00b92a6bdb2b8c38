"""Finding a dataset's pictures: a folder, the same as a zip archive, the same as a table, and their signatures.

    python -m tests.benchmarks.bench_listing [--pictures 10000] [--classes 100]

The files are empty: listing opens none of them. Bars: 10,000 pictures in well under 0.5 s, a million in time and memory
that grow no faster than their number. Each listing runs in a process of its own, whose peak memory is printed less that
of a listing of one picture.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import re
import tempfile
import time
import zipfile
from pathlib import Path

from convviz_gui.engine import files
from convviz_gui.engine.datasets import list_dataset


def _measured(source: str, results: multiprocessing.SimpleQueue[tuple[int, float, float, float]]) -> None:
    begin = time.perf_counter()
    listing = list_dataset(source)
    listed = time.perf_counter()
    for path in listing.paths:
        files.signature(path)
    signed = time.perf_counter()
    results.put((len(listing.paths), listed - begin, signed - listed, _peak()))


def _peak() -> float:
    """MB; `ru_maxrss` would be the parent's. NaN where there is no /proc."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else math.nan


def measure(source: str) -> tuple[int, float, float, float]:
    """Pictures, seconds of the listing, seconds of all signatures, peak MB of the process."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.SimpleQueue[tuple[int, float, float, float]] = context.SimpleQueue()
    child = context.Process(target=_measured, args=(source, results))
    child.start()
    found = results.get()
    child.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        names = [f"class {n % options.classes}/{n}.jpg" for n in range(options.pictures)]
        for number in range(options.classes):
            (top / "folder" / f"class {number}").mkdir(parents=True)
        for name in names:
            (top / "folder" / name).touch()
        with zipfile.ZipFile(top / "archive.zip", "w") as file:
            for name in names:
                file.writestr(name, b"")
        rows = (f"folder/{name},{name.split('/')[0]},train,{at}\n" for at, name in enumerate(names))
        (top / "table.csv").write_text("path,label,split,score\n" + "".join(rows))
        (top / "one").mkdir()
        (top / "one" / "1.jpg").touch()
        base = measure(str(top / "one"))[3]
        for name in ("folder", "archive.zip", "table.csv"):
            n, listing, signatures, peak = measure(str(top / name))
            print(f"{name:12} {n:9,}  listed {listing:7.3f} s  signatures {signatures:7.3f} s  +{peak - base:6.0f} MB")


if __name__ == "__main__":
    main()
