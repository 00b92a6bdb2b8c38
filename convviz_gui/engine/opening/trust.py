"""Python files that hold a network: what they are called, and what a user trusts who opens one. No torch."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path

from convviz_gui.engine.errors import EngineError

_SOURCE = re.compile(r"(?P<file>.+\.pyw?)(?::(?P<factory>[^:/\\]*))?", re.IGNORECASE | re.DOTALL)


def is_own_code(source: str) -> bool:
    r"""Whether a model's source is a Python file: "net.py:build", "C:\nets\net.py:build", or "net.py" alone."""
    return _SOURCE.fullmatch(source) is not None


def split_own_code(source: str) -> tuple[Path, str]:
    """The file and the name of what builds the network in it, "" if there is none; see `is_own_code`."""
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise EngineError(f"{source!r} is not a Python file with a network", "Write it as FILE.py:FACTORY")
    return Path(found["file"]), (found["factory"] or "").strip()


def read_own_code(path: str | Path) -> tuple[bytes, str]:
    """The bytes of a Python file and their SHA-256 in hexadecimal; runs nothing.

    Raises:
        EngineError: there is no such file, or it cannot be read.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # reading a pipe would wait for ever
            kind = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
            raise EngineError(f"{path} is {kind}, not a Python file", "Choose the file that defines the network")
        code = path.read_bytes()
    except FileNotFoundError:
        raise EngineError(f"There is no Python file {str(path)!r}", "Check the path") from None
    except (OSError, ValueError) as error:
        raise EngineError(f"{path.name} cannot be read ({error})", "Check its permissions") from None
    return code, hashlib.sha256(code).hexdigest()


def own_code_digest(path: str | Path) -> str:
    """SHA-256 of a Python file in hexadecimal: what `ModelSpec.trusted` has to be. Raises as `read_own_code`."""
    return read_own_code(path)[1]
