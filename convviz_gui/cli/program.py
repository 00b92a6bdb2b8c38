"""The program: parse, do, and say in one line what went wrong."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from convviz_gui.cli.parser import command_parser
from convviz_gui.cli.terminal import DONE, OUR_BUG, STOPPED, YOUR_MISTAKE, say
from convviz_gui.engine.errors import Problem, ProblemKind, problem_from
from convviz_gui.processor import wait_asleep


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0 done, 2 the user's mistake, 1 our bug, 128 + number after a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Names of files and our own dots need not fit the terminal's encoding.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # A library's warning is no line for the user of a program.
    warnings.simplefilter("ignore")
    wait_asleep()
    try:
        with _stopping_by_signals():
            options = command_parser(words).parse_args(words)
            code = int(options.command(options, words))
            # What is buffered still may find the disk full, or nobody to read it.
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except KeyboardInterrupt as stop:
        # What there is to say of it is with it (`add_note`) where something stays.
        say(next(iter(getattr(stop, "__notes__", ())), "stopped; nothing was written"))
        return STOPPED + (stop.number if isinstance(stop, _Stop) else signal.SIGINT)
    except BrokenPipeError:
        # `convviz models | head`: nobody reads on.
        _drop_unwritable()
        return DONE
    except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
        _drop_unwritable()
        return _complain(problem_from(error))


class _Stop(KeyboardInterrupt):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def _stopping_by_signals() -> Iterator[None]:
    """While inside, the first signal that asks to end lets everything be tidied up, and further ones do not disturb."""
    wanted = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    stopped: list[_Stop] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        for other in taken:
            signal.signal(other, signal.SIG_IGN)
        stopped.append(_Stop(number))
        raise stopped[0]

    handlers = {number: signal.getsignal(number) for number in wanted}
    # What is ignored already (nohup) stays so; other threads than the first may not choose.
    ours = threading.current_thread() is threading.main_thread()
    taken = {number: handler for number, handler in handlers.items() if ours and handler not in (None, signal.SIG_IGN)}
    try:
        for number in taken:
            signal.signal(number, stop)
        yield
    except Exception:
        # numpy, interrupted while it is imported, makes an error of its own of it.
        if stopped:
            raise stopped[0] from None
        raise
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


def _drop_unwritable() -> None:
    """What is buffered for a stdout that takes nothing more would raise again at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(problem: Problem) -> int:
    say(str(problem))
    if problem.kind is not ProblemKind.BUG:
        return YOUR_MISTAKE
    if sys.stderr is not None:
        print(problem.detail, file=sys.stderr)
    return OUR_BUG
