"""Staging folders that a killed process left behind: told from living ones, and removed by the next that writes there.

Whoever stages holds a lock on the folder, which ends with the process, however it ends. A lock may be seen by one
machine alone (Lustre's `localflock`, some network file systems), so that each removes only what it has made itself.
Where there are no locks, on Windows and some network file systems, nothing is removed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
from contextlib import suppress
from pathlib import Path


def staging_name() -> str:
    """A name for a new staging folder, hidden and never used before."""
    return f"{_prefix()}{secrets.token_hex(8)}"


def hold(staging: Path) -> int | None:
    """Lock a staging folder for as long as this process lives, or until the descriptor is closed; None without locks.

    To be called before anybody else may `sweep`: under the lock that the folder around it is written with.
    """
    return _locked(staging)


def sweep(folder: Path) -> None:
    """Remove the staging folders in `folder` that this machine has made and whose process is gone; raises nothing."""
    ours = re.compile(re.escape(_prefix()) + "[0-9a-f]{16}")
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if ours.fullmatch(path.name)]:
            with suppress(OSError):
                _remove_if_left(path)


def _prefix() -> str:
    return f".convviz-{hashlib.sha256(platform.node().encode()).hexdigest()[:8]}-"


def _remove_if_left(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        return
    handle = _locked(path)
    if handle is None:
        return
    try:
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(handle)


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of a folder; None if another holds it, or if there are no locks here."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
