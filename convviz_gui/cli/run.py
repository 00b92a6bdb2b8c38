"""`convviz run METHOD`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from convviz_gui.cli.model_options import add_model_options, load_command
from convviz_gui.cli.terminal import DONE, Parser, name, say
from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.params import Settings, Spec, When

if TYPE_CHECKING:
    from convviz_gui.engine.types import MethodInfo


def add(run: argparse.ArgumentParser) -> None:
    """Its options, those of every method among them."""
    from convviz_gui.engine.method import methods

    choices = run.add_subparsers(metavar="METHOD", required=True, parser_class=Parser, dest="method")
    for method_name, method in methods().items():
        info = method.info()
        parser = choices.add_parser(method_name, help=info.title, description=info.summary, epilog=info.reference)
        add_model_options(parser, precision="--precision" not in {spec.flag for spec in info.specs})
        parser.add_argument(
            "--image", metavar="FILE", type=name, nargs="+", action="extend", default=[], help="pictures"
        )
        parser.add_argument(
            "--folder",
            metavar="DIR",
            type=name,
            nargs="+",
            action="extend",
            default=[],
            help="a folder, .zip or .csv file of pictures; sub-folders are labels; with several, each is a split",
        )
        parser.add_argument("--layer", metavar="ID", type=name, help="a layer as `convviz layers` lists it")
        parser.add_argument(
            "--channels", "--channel", metavar="LIST", help="like 7, or 0,3,8-15, or 'first 64', or all"
        )
        parser.add_argument(
            "--class", metavar="N", dest="class_index", type=int, help="class index; else the top class"
        )
        parser.add_argument(
            "--against", metavar="N", type=int, help="a second class: explain the difference of the two scores"
        )
        parser.add_argument("--unit", metavar="Y,X", help="row and column of one position of the layer's maps")
        parser.add_argument("--trust-check", action="store_true", help="for maps: find out whether they deserve belief")
        chance = (
            "same seed, same result" if info.by_chance else "for --trust-check alone: nothing else is left to chance"
        )
        parser.add_argument("--seed", metavar="N", type=int, default=0, help=chance)
        parser.add_argument("--out", metavar="DIR", type=name, required=True, help="the folder to write into")
        for spec in info.specs:
            _add_setting(parser, spec)
        parser.set_defaults(command=_run, info=info)


def _add_setting(parser: argparse.ArgumentParser, spec: Spec) -> None:
    unit = f" {spec.unit}" if spec.unit else ""
    only = f"only with {_condition(spec.when)}; " if spec.when is not None else ""
    text = f"{spec.label}: {spec.help} ({only}{spec.accepts()}; default {spec.default}{unit})".replace("%", "%%")
    parser.add_argument(spec.flag, metavar="VALUE", dest=f"setting_{spec.name}", help=text)


def _condition(when: When) -> str:
    """As it is typed: `--projection umap`, `--diversity 2…16`."""
    name, values = when
    written = " or ".join(map(str, values)) if len(values) < 4 else f"{values[0]}…{values[-1]}"
    return f"--{name.replace('_', '-')} {written}"


def _run(options: argparse.Namespace, words: list[str]) -> int:
    from convviz_gui.engine.console import Console, Order
    from convviz_gui.engine.datasets import check_apart

    info: MethodInfo = options.info
    order = Order(
        method=info.name,
        settings=_settings(info, options),
        layer=options.layer,
        class_index=options.class_index,
        channels=options.channels,
        images=tuple(options.image),
        folder=next(iter(options.folder), None),
        splits=tuple(options.folder[1:]),
        seed=options.seed,
        against=options.against,
        unit=_unit(options.unit),
        trust_check=options.trust_check,
    )
    if order.channels is not None:
        parse_channels(order.channels)
    # Said before the network is opened, which may be a download.
    check_apart(options.folder, options.out)
    console = Console()
    console.open(load_command(options))
    facts = console.run(info, order, options.out, ["convviz", *words])
    for item in facts["skipped"]:
        say(f"left out {item['path']}: {item['reason']}")
    print(json.dumps(facts, indent=1) if options.json else f"Wrote {len(facts['files']) + 1} files to {options.out}")
    return DONE


def _unit(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise EngineError(f"A unit (--unit) cannot be {text!r}", "Give its row and column from 0, like 3,5")
    return int(parts[0]), int(parts[1])


def _settings(info: MethodInfo, options: argparse.Namespace) -> Settings:
    written = {spec.name: getattr(options, f"setting_{spec.name}") for spec in info.specs}
    return tuple((spec.name, spec.parse(written[spec.name])) for spec in info.specs if written[spec.name] is not None)
