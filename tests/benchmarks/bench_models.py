"""The index of networks: read, searched, compared with the caches; and `convviz models` as a whole.

.venv/bin/python -m tests.benchmarks.bench_models [--repeats 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from convviz_gui.engine.zoo import index
from tests.benchmarks.timing import print_table

IMPORT = "from convviz_gui.engine.zoo import index; index.entries()"
LIST = "import sys; from convviz_gui.cli import main; sys.exit(main(['models', '--json']))"


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median of `repeats` runs after one that is not counted."""
    took = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


def process(code: str) -> Callable[[], object]:
    """A fresh Python that runs `code`."""
    return lambda: subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)


def read_anew() -> None:
    """The index, as at the first time."""
    index.entries.cache_clear()
    index.entries()


def main() -> None:
    """Print the table of medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    rows = [
        ["Python alone, start to end", process("pass"), ""],
        ["… that reads the index", process(IMPORT), ""],
        ["`convviz models --json`, start to end", process(LIST), "≤ 200"],
        ["reading the index", read_anew, "≤ 50"],
        ["searching it, `resnet50 apache`", lambda: index.search("resnet50 apache"), ""],
        ["what is on this machine already", index.downloaded, ""],
    ]
    print_table(
        ["what", "milliseconds (median)", "bar"],
        [[what, 1000 * seconds(work, repeats), bar] for what, work, bar in rows],
    )


if __name__ == "__main__":
    main()
