"""The commands there are; each is a file beside this one."""

from __future__ import annotations

import importlib

import convviz_gui
from convviz_gui.cli.terminal import Parser

COMMANDS = {
    "models": "list the networks that can be opened",
    "layers": "list a network's layers",
    "run": "run a method and write its result into a folder",
    "embed": "write a dataset's features into a directory of Parquet, on one machine or a cluster",
    "compare": "put two results beside each other, on one scale",
    "review": "decide about the pictures of a dataset, and export what was decided",
    "cache": "say what is kept of features on the disk, or remove it",
    "tour": "drive the window through every tab on the demo, saving pictures",
}
"""The modules beside this one that are commands, and what each does."""


def command_parser(words: list[str]) -> Parser:
    """The parser of a command line; `words` are what it will parse."""
    parser = Parser(prog="convviz", description="Look inside trained image networks, from the command line.")
    parser.add_argument("--version", action="version", version=f"ConvViz {convviz_gui.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose)
        # The others are not even imported: listing networks must not wait for torch, or for numpy.
        if words[:1] == [name]:
            importlib.import_module(f"convviz_gui.cli.{name}").add(command)
    return parser
