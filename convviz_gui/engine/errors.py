"""How things go wrong, in words. Text only: nothing here keeps a traceback, and so its tensors, alive."""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass
from enum import StrEnum

from convviz_gui.engine.faults import Fault, FaultKind, device_words, fault_of, memory_words, unsupported_words


class ProblemKind(StrEnum):
    """Whose move it is: the user's, the machine's, or ours."""

    USER = "user"
    RESOURCE = "resource"
    BUG = "bug"


class EngineError(Exception):
    """Something the user can mend.

    Args:
        title: one sentence saying what is wrong, without a final full stop.
        hint: one sentence saying what to do about it.
        kind: `ProblemKind.USER` unless the machine (memory, disk, device) is at fault.
    """

    def __init__(self, title: str, hint: str = "", kind: ProblemKind = ProblemKind.USER) -> None:
        title, hint = one_line(title), one_line(hint)
        super().__init__(title, hint)
        self.title = title
        self.hint = hint
        self.kind = kind
        self.detail = ""

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else f"{self.title}."


def one_line(text: str) -> str:
    """With what steers terminals, turns lines round or breaks them written out: names of files may hold all of it."""
    if text.isprintable():
        return text
    kept = (letter if letter.isprintable() or letter in _KEPT else ascii(letter)[1:-1] for letter in text)
    return "".join(kept).replace("\n", " ")


_KEPT = "\n\xa0\u2009\u200b\u202f"
"""Not printable to Python, and harmless: narrow spaces and places where a line may break."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What crosses the thread line instead of an exception: a sentence, a remedy and details to copy."""

    kind: ProblemKind
    title: str
    hint: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else f"{self.title}."


_DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


def is_disk_full(error: BaseException) -> bool:
    """True for an `OSError` that says that no more can be written."""
    return isinstance(error, OSError) and error.errno in _DISK_FULL


def problem_from(error: BaseException) -> Problem:
    """Turn any exception into a `Problem`; the detail is the formatted traceback."""
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, EngineError):
        return Problem(error.kind, error.title, error.hint, error.detail or detail)
    if is_disk_full(error):
        return Problem(
            ProblemKind.RESOURCE,
            "The disk is full or a limit on file sizes is reached, so nothing was written",
            "Free some space or choose another folder, then try again",
            detail,
        )
    if isinstance(error, OSError) and error.filename:
        return Problem(
            ProblemKind.USER,
            f"{error.filename}: {error.strerror or error}",
            "Check that the path exists and that you may use it",
            detail,
        )
    if isinstance(error, SystemExit):
        return Problem(
            ProblemKind.USER,
            "The network's code ends the program instead of returning (SystemExit)",
            "Take sys.exit() and the like out of it, and open it again",
            detail,
        )
    fault = fault_of(error)
    if fault is not None:
        return _refusal(error, fault, detail)
    if _in_the_network(error):
        return Problem(
            ProblemKind.USER,
            f"The network failed on what it was given ({type(error).__name__}: {_first_line(error)})",
            "It may take one picture at a time only: set the method's batch to 1 if it has one (--batch), or correct "
            "the network's code",
            detail,
        )
    return Problem(
        ProblemKind.BUG,
        f"Something went wrong inside ConvViz ({type(error).__name__}: {_first_line(error)})",
        "Please report it with the details",
        detail,
    )


def _refusal(error: BaseException, fault: Fault, detail: str) -> Problem:
    match fault.kind:
        case FaultKind.MEMORY:
            smaller = "Choose fewer channels or images, or a smaller picture or batch"
            title = memory_words(error, fault.device)
            hint = smaller if fault.device == "cpu" else f"{smaller}, or compute on the CPU"
        case FaultKind.DEVICE:
            title, hint = device_words(error, fault.device)
        case FaultKind.UNSUPPORTED:
            title, hint = unsupported_words(error, fault.device)
    return Problem(ProblemKind.RESOURCE, title, hint, detail)


def _in_the_network(error: BaseException) -> bool:
    """True if it arose in a forward pass, and in the network's own code or torch's rather than in a hook of ours."""
    names = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    innermost = next((name for name in reversed(names) if name.split(".")[0] != "torch" and name != _FUNCTIONS), "")
    ours = innermost.startswith("convviz_gui.") and innermost != _FORWARD
    return _FORWARD in names and not ours


_FORWARD = "convviz_gui.engine.network.passes"
_FUNCTIONS = "convviz_gui.engine.network.functional"
"""Where networks are run, and where the functions that they call pass through."""


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return one_line(text.splitlines()[0][:200]) if text else type(error).__name__
