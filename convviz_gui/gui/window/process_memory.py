"""How much memory this process holds, without a dependency."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


def resident_bytes() -> int | None:
    """Resident bytes of this process, GPU memory not counted; None where the system does not tell."""
    reader = _READERS.get(sys.platform)
    try:
        return reader() if reader is not None else None
    except (OSError, AttributeError, ValueError):
        return None


def _linux() -> int:
    import os

    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _mac() -> int:
    # The peak, not the present: macOS tells the present only through a C interface of its own.
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _windows() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of psapi.h."""

        _fields_ = [
            ("cb", ctypes.c_uint32),
            ("PageFaultCount", ctypes.c_uint32),
            *(
                (name, ctypes.c_size_t)
                for name in ("PeakWorkingSetSize", "WorkingSetSize", "a", "b", "c", "d", "e", "f")
            ),
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    windll = ctypes.windll  # type: ignore[attr-defined,unused-ignore]  # only there on Windows
    process = ctypes.c_void_p(windll.kernel32.GetCurrentProcess())
    if not windll.kernel32.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb):
        raise OSError("GetProcessMemoryInfo failed")
    return int(counters.WorkingSetSize)


_READERS: dict[str, Callable[[], int]] = {"linux": _linux, "darwin": _mac, "win32": _windows}
