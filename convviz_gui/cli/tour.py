"""`convviz tour`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from convviz_gui.cli.terminal import STOPPED, name


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--out", metavar="DIR", type=name, required=True, help="the folder to write into")
    parser.set_defaults(command=_tour)


def _tour(options: argparse.Namespace, _words: list[str]) -> int:
    # A process of its own: the command line imports no Qt.
    out = str(Path(options.out))
    with subprocess.Popen([sys.executable, "-m", "convviz_gui.tour", "--out", out]) as tour:
        try:
            code = tour.wait()
        except KeyboardInterrupt:
            tour.terminate()
            raise
    return code if code >= 0 else STOPPED - code
