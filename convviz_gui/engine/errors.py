"""How things go wrong, in words. Text only: nothing here keeps a traceback, and so its tensors, alive."""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass
from enum import StrEnum


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
        super().__init__(title, hint)
        self.title = title
        self.hint = hint
        self.kind = kind
        self.detail = ""

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else f"{self.title}."


@dataclass(frozen=True, slots=True)
class Problem:
    """What crosses the thread line instead of an exception: a sentence, a remedy and details to copy."""

    kind: ProblemKind
    title: str
    hint: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else f"{self.title}."


_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How torch says it of a graphics card, and of the CPU on Unix and on Windows; its error there is a RuntimeError."""

_DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


def problem_from(error: BaseException) -> Problem:
    """Turn any exception into a `Problem`; the detail is the formatted traceback."""
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, EngineError):
        return Problem(error.kind, error.title, error.hint, error.detail or detail)
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
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
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY):
        return Problem(
            ProblemKind.RESOURCE,
            f"Not enough memory: {_first_line(error).rpartition('DefaultCPUAllocator: ')[2]}",
            "Choose fewer channels or images, a smaller picture, or the CPU",
            detail,
        )
    return Problem(
        ProblemKind.BUG,
        f"Something went wrong inside ConvViz ({type(error).__name__}: {_first_line(error)})",
        "Please report it with the details",
        detail,
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
