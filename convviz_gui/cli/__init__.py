"""The command line: everything the window can do, without one. Its options and files are a contract (docs/cli.md)."""

from convviz_gui.cli.program import main

__all__ = ["main"]
