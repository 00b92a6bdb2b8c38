"""The commands there are; each is a file beside this one."""

from __future__ import annotations

import convviz_gui
from convviz_gui.cli import layers, models, run, tour
from convviz_gui.cli.terminal import Parser


def command_parser(words: list[str]) -> Parser:
    """The parser of a command line; `words` are what it will parse."""
    parser = Parser(prog="convviz", description="Look inside trained image networks, from the command line.")
    parser.add_argument("--version", action="version", version=f"ConvViz {convviz_gui.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    models.add(commands.add_parser("models", help="list the networks that can be opened"))
    layers.add(commands.add_parser("layers", help="list a network's layers"))
    running = commands.add_parser("run", help="run a method and write its result into a folder")
    # Only `run` needs the methods, and with them torch.
    run.add(running, complete=words[:1] == ["run"])
    tour.add(commands.add_parser("tour", help="drive the window through every tab on the demo, saving pictures"))
    return parser
