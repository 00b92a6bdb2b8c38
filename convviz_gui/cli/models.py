"""`convviz models`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from convviz_gui.cli.terminal import DONE
from convviz_gui.engine.errors import EngineError


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--search", metavar="TEXT", default="", help="only those whose name contains TEXT")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_models)


def _models(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.opening.models import search_models

    entries = search_models(options.search)
    if options.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1))
    elif not entries:
        raise EngineError(f"No network's name contains {options.search!r}", "Try a shorter text, such as resnet")
    else:
        print("\n".join(entry.source for entry in entries))
    return DONE
