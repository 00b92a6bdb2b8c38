"""`convviz embed`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import shlex
from pathlib import Path

from convviz_gui.cli.model_options import add_model_options, load_command
from convviz_gui.cli.terminal import DONE, name, say
from convviz_gui.engine.errors import EngineError

ENGINES = ("local", "ray")
_STORES = ("float16", "float32")


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "sources", metavar="SRC", type=name, nargs="+", help="a folder, archive or table; with several, each is a split"
    )
    add_model_options(parser)
    parser.add_argument("--layer", metavar="ID", type=name, help="a layer; else what the classifier sees")
    parser.add_argument(
        "--out", metavar="DIR", type=name, required=True, help="the directory to write, or to go on with"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, default="local", help="this process, or Ray: a cluster, or all of this machine"
    )
    parser.add_argument("--batch", metavar="N", type=_count, default=0, help="pictures at once; 0 is what suits")
    parser.add_argument("--rows-per-part", metavar="N", type=_count, default=0, help="pictures in a file; 0 is chosen")
    parser.add_argument("--store", choices=_STORES, default="float16", help="how features and logits are kept")
    parser.add_argument("--thumbnails", action="store_true", help="keep small JPEGs: for where the pictures are not")
    parser.add_argument("--workers", metavar="N", type=_count, default=0, help="ray: networks at work; 0: one per GPU")
    parser.add_argument("--address", metavar="A", help="ray: the cluster's, or auto; else RAY_ADDRESS, else start one")
    parser.set_defaults(command=_embed)


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give 0 or more")
    return int(text)


def _embed(options: argparse.Namespace, words: list[str]) -> int:
    # Said before the network is opened, which may be a download.
    if options.engine == "ray" and importlib.util.find_spec("ray") is None:
        raise EngineError("Ray is not installed", "Install it with: pip install 'convviz-gui[cluster]'")
    if options.engine == "local" and (options.workers or options.address):
        raise EngineError("--workers and --address are Ray's", "Add --engine ray, or leave them out")
    from convviz_gui.engine.console import Console
    from convviz_gui.engine.datasets import check_apart
    from convviz_gui.engine.types import Embed

    check_apart(options.sources, options.out, pictures=False)
    load = load_command(options)
    command = Embed(
        folder=options.sources[0],
        out=options.out,
        splits=tuple(options.sources[1:]),
        layer=options.layer,
        batch=options.batch,
        rows_per_part=options.rows_per_part,
        store=options.store,
        thumbnails=options.thumbnails,
        engine=options.engine,
        workers=options.workers,
        address=options.address,
        device=load.device,
        precision=load.precision,
        words=shlex.join(["convviz", *words]),
    )
    if options.engine == "ray":
        # Here it is only looked at: graphics cards are the workers'.
        load = dataclasses.replace(load, device="cpu", precision="float32")
    console = Console()
    console.open(load)
    try:
        made = console.embed(command)
    except KeyboardInterrupt as stop:
        if (Path(options.out) / "unfinished.json").exists():
            stop.add_note(f"stopped; start the same command again to go on with {options.out}")
        raise
    for item in made.skipped:
        say(f"left out {item.path}: {item.reason}")
    if options.json:
        print(json.dumps(dataclasses.asdict(made), indent=1))
    elif made.found == made.parts:
        print(f"Nothing to do: {options.out} holds these {made.rows} pictures")
    else:
        went_on = f", {made.found} of them were there" if made.found else ""
        parts = "1 part" if made.parts == 1 else f"{made.parts} parts"
        print(f"Wrote {made.rows} pictures in {parts} to {options.out}{went_on}")
    return DONE
