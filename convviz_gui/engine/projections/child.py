"""The child process: reads one request from stdin, answers with frames on stdout, and dies with its parent."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import BinaryIO

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.projections.messages import read_message, write_message

FRAME_INTERVAL = 0.033
"""Seconds between frames: a screen shows no more."""


def main() -> None:
    """Answer the request; a failure goes to stderr as a traceback."""
    replies = _private_stdout()
    request = read_message(sys.stdin.buffer)
    if request is None:
        return
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        # The window and the network come first.
        os.nice(5)
    from convviz_gui.engine.projections.layouts import LAYOUTS

    xy = LAYOUTS[request.facts["projection"]](request.arrays, request.facts, _Reporter(replies))
    write_message(replies, {"final": True}, {"xy": xy})


def _private_stdout() -> BinaryIO:
    """The pipe to the parent; what libraries print goes to stderr instead."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _die_with_parent() -> None:
    # Nothing more is ever sent: this returns when the parent closes the pipe or is gone. Not through `sys.stdin`,
    # whose lock a thread must not hold while the interpreter shuts down.
    os.read(0, 1)
    os._exit(1)


class _Reporter:
    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._sent = 0.0

    def __call__(self, note: str, done: int, total: int, xy: FloatArray | None) -> None:
        now = time.monotonic()
        if xy is None or now - self._sent >= FRAME_INTERVAL:
            self._sent = now
            facts = {"note": note, "done": done, "total": total}
            write_message(self._replies, facts, {} if xy is None else {"xy": xy})


if __name__ == "__main__":
    main()
