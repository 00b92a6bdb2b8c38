"""How much of the computer's memory this process may still take."""

from __future__ import annotations

import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_memory() -> tuple[float, float] | None:
    """(free, total) bytes: the machine's, or those of the narrowest limit set for this process. None off Linux."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        limits = [limit for limit in (_machine(), _container(), _process()) if limit is not None]
    except (OSError, ValueError, KeyError):
        return None
    return min(limits, default=None)


def _machine() -> tuple[float, float] | None:
    facts = _table(Path("/proc/meminfo"))
    return facts["MemAvailable"], facts["MemTotal"]


def _container() -> tuple[float, float] | None:
    limit, used = _CGROUP / "memory.max", _CGROUP / "memory.current"
    if not limit.is_file() or not used.is_file() or (text := limit.read_text().strip()) == "max":
        return None
    return max(0.0, float(text) - float(used.read_text())), float(text)


def _process() -> tuple[float, float] | None:
    # Not on Windows.
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    used = _table(Path("/proc/self/status"))["VmSize"]
    return max(0.0, limit - used), float(limit)


def _table(path: Path) -> dict[str, float]:
    """Lines such as "MemTotal: 16 kB", in bytes."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0].rstrip(":"): float(row[1]) * 1024 for row in rows if len(row) == 3 and row[2] == "kB"}
