"""What the machine refuses: memory, or the device itself. Told by the words of many libraries; no torch is imported.

PyTorch's own classes do not tell the two apart (a full GPU is an `OutOfMemoryError`, an `AcceleratorError` or a plain
`RuntimeError`, by the library that noticed first), so what an error says decides.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from convviz_gui.engine.host_memory import available_memory


class FaultKind(StrEnum):
    """What was refused.

    `MEMORY`: there was too little; a smaller job works. `DEVICE`: the device failed, and with CUDA nothing in its
    memory can be read again while the process lives. `UNSUPPORTED`: the device is well but cannot do this.
    """

    MEMORY = "memory"
    DEVICE = "device"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Fault:
    """What was refused, and by which kind of device: "cpu", "cuda" or "mps"."""

    kind: FaultKind
    device: str


DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}

_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "could not allocate",
    "_alloc_failed",
    "bad_alloc",
)
"""CUDA, MPS and XPU; the CPU on Unix and on Windows; oneDNN; cuBLAS and cuDNN; the C++ library."""

_CUDA_FAILED = (
    "cuda error",
    "cuda driver error",
    "cuda runtime error",
    "cudnn error",
    "cudnn_status_",
    "cublas_status_",
    "cusolver error",
    "cufft error",
    "unable to find an engine to execute",
)
_MPS_FAILED = ("mps backend", "mpsgraph", "mtlcommandbuffer", "command buffer execution failed")
_UNSUPPORTED = ("not currently implemented for the", "not implemented for 'half'", "not implemented for 'bfloat16'")
_LEFT_BEHIND = ("expected all tensors to be on the same device", "and weight type (", "to be on same device")
"""Tensors that the network keeps in plain attributes do not move with it."""


def fault_of(error: BaseException) -> Fault | None:
    """What the machine refused, if that is what `error`, or an error it arose from, is about; else None."""
    return next((fault for link in _chain(error) if (fault := _one(link)) is not None), None)


def _one(error: BaseException) -> Fault | None:
    if isinstance(error, MemoryError):
        return Fault(FaultKind.MEMORY, "cpu")
    if not isinstance(error, RuntimeError):
        return None
    text = str(error).lower()
    device = _device(text)
    if type(error).__name__ == "OutOfMemoryError" or any(words in text for words in _NO_MEMORY):
        return Fault(FaultKind.MEMORY, device or "cpu")
    if device is not None and any(words in text for words in _LEFT_BEHIND):
        return Fault(FaultKind.UNSUPPORTED, device)
    if any(words in text for words in _UNSUPPORTED):
        return Fault(FaultKind.UNSUPPORTED, device or "cpu")
    failed = type(error).__name__ == "AcceleratorError" or any(words in text for words in (*_CUDA_FAILED, *_MPS_FAILED))
    return Fault(FaultKind.DEVICE, device or "cuda") if failed else None


def _device(text: str) -> str | None:
    if re.search(r"cuda|cudnn|cublas|cusolver|cufft|\bgpu \d|unable to find an engine", text):
        return "cuda"
    return "mps" if re.search(r"\bmps|mtlcommand|command buffer execution", text) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it arose from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def forget(error: BaseException) -> None:
    """Free what the functions that `error` went through were working on: their variables hold tensors, often large."""
    for link in _chain(error):
        traceback.clear_frames(link.__traceback__)
        link.__traceback__ = None


# ------------------------------------------------------------------------------------------------- in words


def memory_words(error: BaseException, device: str) -> str:
    """ "Not enough memory on the GPU: 2.3 GB asked for, 0.8 of 24 GB free", as far as it can be told."""
    text = next((str(link) for link in _chain(error) if _one(link) is not None), "")
    asked = _asked(text)
    there = available_memory() if device == "cpu" else _there(text, device)
    parts = [f"{amount(asked)} asked for"] if asked is not None else []
    if there is not None:
        free, total = there
        parts.append(f"{amount(free)} of {amount(total)} free")
    place = "" if device == "cpu" else f" on the {DEVICE_NAMES[device]}"
    return f"Not enough memory{place}" + (": " + ", ".join(parts) if parts else "")


def device_words(error: BaseException, device: str) -> tuple[str, str]:
    """A sentence that says how the device failed, and a remedy."""
    name = DEVICE_NAMES.get(device, device)
    text = next((str(link) for link in _chain(error) if _one(link) is not None), str(error))
    low = text.lower()
    again = f"The network computes on the CPU; start ConvViz again to use the {name}"
    if "no kernel image" in low or "invalid device function" in low:
        return (
            f"This PyTorch is not built for the {name} in this machine",
            "The network computes on the CPU; install a PyTorch build that supports it, then start ConvViz again",
        )
    if "driver" in low and ("too old" in low or "insufficient" in low):
        return (
            f"The {name}'s driver is too old for this PyTorch",
            "The network computes on the CPU; update the driver, then start ConvViz again",
        )
    return f"The {name} failed: {_reason(text)}", again


def unsupported_words(error: BaseException, device: str) -> tuple[str, str]:
    """A sentence that says what the device cannot do, and a remedy."""
    name = DEVICE_NAMES.get(device, device)
    if device == "cpu":
        return f"The {name} cannot compute this in lower precision", "Choose float32 or bfloat16"
    if any(words in str(error).lower() for words in _LEFT_BEHIND):
        return (
            f"This network keeps tensors that do not move to the {name} with it",
            "Choose the CPU as the device, or register them as buffers in the network's code",
        )
    operator = re.search(r"operator '([^']+)'", str(error))
    what = operator.group(1) if operator else "something this network needs"
    return f"The {name} cannot compute {what}", "Choose the CPU as the device"


def amount(size: float) -> str:
    """Bytes in the largest unit that leaves a number above 1, to two digits: 812440000 → "812 MB"."""
    for unit, scale in (("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            value = size / scale
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{size:.0f} bytes"


_UNITS = {"bytes": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50}
# MPS writes the same units by shorter names.
_UNITS |= {unit.replace("i", ""): size for unit, size in _UNITS.items() if unit.endswith("ib")}
_AMOUNT = r"([\d.]+) ?([kKMGTP]?i?B|bytes)"


def _asked(text: str) -> float | None:
    return _found(rf"(?:tried|unable) to allocate {_AMOUNT}", text)


def _there(text: str, device: str) -> tuple[float, float] | None:
    """(free, total) bytes of the device, as its allocator told them."""
    if device == "mps":
        limit = _found(rf"max allowed: {_AMOUNT}", text)
        used = [_found(rf"{what}: {_AMOUNT}", text) for what in ("MPS allocated", "other allocations")]
        return None if limit is None else (max(0.0, limit - sum(part or 0.0 for part in used)), limit)
    total, free = _found(rf"total capacity of {_AMOUNT}", text), _found(rf"of which {_AMOUNT} is free", text)
    return None if total is None or free is None else (free, total)


def _found(pattern: str, text: str) -> float | None:
    match = re.search(pattern, text, re.IGNORECASE)
    return float(match[1]) * _UNITS[match[2].lower()] if match else None


def _reason(text: str) -> str:
    """What the library says went wrong, without its advice: "an illegal memory access was encountered"."""
    first = text.strip().splitlines()[0] if text.strip() else "it gave no reason"
    first = re.sub(r"^.*?(?:CUDA|cuDNN|driver) error:\s*", "", first)
    return first.rstrip(".")[:160] or "it gave no reason"
