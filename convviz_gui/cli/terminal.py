"""What the commands share: exit codes, the line that says something, and a parser that complains in one sentence."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from convviz_gui.engine.errors import EngineError, one_line

DONE, OUR_BUG, YOUR_MISTAKE = 0, 1, 2
STOPPED = 128
"""Plus the number of the signal that stopped it: 130 for Ctrl+C."""


class Parser(argparse.ArgumentParser):
    """argparse's, with errors as `EngineError`."""

    def error(self, message: str) -> NoReturn:
        """One line with a remedy instead of argparse's several."""
        raise EngineError(message[:1].upper() + message[1:], f"See: {self.prog} --help")


def say(text: str) -> None:
    """One line on stderr, unless that is closed."""
    if sys.stderr is not None:
        print(f"convviz: {one_line(' '.join(text.split()))}", file=sys.stderr)


def name(text: str) -> str:
    """The type of options that name something.

    An unset variable of a shell must not mean the current folder; a manifest can hold Unicode only.
    """
    if not text:
        raise argparse.ArgumentTypeError("an empty text names nothing")
    shown = text.encode("utf-8", "replace").decode()
    if shown != text:
        raise argparse.ArgumentTypeError(f"{shown!r} is not valid Unicode: rename it first")
    return text
