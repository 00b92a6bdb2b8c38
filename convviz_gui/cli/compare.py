"""`convviz compare A B`."""

from __future__ import annotations

import argparse
from pathlib import Path

from convviz_gui.cli.terminal import DONE, name, say
from convviz_gui.engine.errors import EngineError

_LOCKS = {"auto": None, "locked": True, "own": False}


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("a", metavar="DIR_A", type=name, help="a result's folder, as convviz run writes it")
    parser.add_argument("b", metavar="DIR_B", type=name, help="the other's")
    parser.add_argument(
        "--channel", metavar="N[,M]", help="row of the channel, tile or kernel: of both, or of A and of B"
    )
    parser.add_argument(
        "--scale",
        metavar="RULE",
        choices=sorted(_LOCKS),
        default="auto",
        help="locked (one for both), own (each by its own maximum) or auto (locked where the units agree)",
    )
    parser.add_argument("--out", metavar="DIR", type=name, required=True, help="the folder to write into")
    parser.add_argument("--json", action="store_true", help="print the manifest")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace, words: list[str]) -> int:
    from convviz_gui.engine.compare.comparison import compare
    from convviz_gui.engine.compare.reading import read_side
    from convviz_gui.engine.compare.report import write_comparison

    items = _items(options.channel)
    sides = [read_side(folder, item) for folder, item in zip((options.a, options.b), items, strict=True)]
    found = compare(sides[0], sides[1], _LOCKS[options.scale])
    command = ["convviz", *words]
    written = write_comparison(found, options.out, command)
    for sentence in (*found.caveats, *([f"No difference: {found.reason}."] if found.reason else [])):
        say(sentence)
    if options.json:
        print(Path(written.files[-1]).read_text(encoding="utf-8"), end="")
    else:
        print(f"Wrote {len(written.files)} files to {options.out}")
    return DONE


def _items(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        raise EngineError(f"A channel (--channel) cannot be {text!r}", "Give one number from 0, or two like 3,5")
    return int(parts[0]), int(parts[-1])
