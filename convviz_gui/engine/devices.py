"""Which device the model runs on, in which precision, and what is left of a machine whose device has failed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import torch

from convviz_gui.engine.errors import EngineError, Problem, ProblemKind
from convviz_gui.engine.faults import DEVICE_NAMES

PRECISIONS: dict[str, torch.dtype | None] = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""What forward passes may compute in; None is the weights' own."""


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute: `name` as the user writes it ("cuda:1"), `torch` as PyTorch takes it."""

    name: str
    torch: torch.device

    @property
    def kind(self) -> str:
        """ "cpu", "cuda" or "mps"."""
        return self.name.partition(":")[0]


CPU = Device("cpu", torch.device("cpu"))

_lost: dict[str, Problem] = {}
"""Kinds of device that failed in this process. After an error CUDA refuses everything else that is asked of it."""


def machine() -> tuple[Device, ...]:
    """Every device PyTorch can use here, best first. Several GPUs are in CUDA's order, the fastest first."""
    found = []
    if "cuda" not in _lost and torch.cuda.is_available():
        count = torch.cuda.device_count()
        found += ["cuda"] if count == 1 else [f"cuda:{index}" for index in range(count)]
    if "mps" not in _lost and torch.backends.mps.is_available():
        found.append("mps")
    return (*(Device(name, torch.device(name)) for name in found), CPU)


def _usable() -> tuple[Device, ...]:
    return tuple(device for device in machine() if device.kind not in _lost)


def available() -> tuple[str, ...]:
    """Devices that can be chosen, best first: "cuda" (or "cuda:0", "cuda:1", … if several), "mps", "cpu"."""
    return tuple(device.name for device in _usable())


def resolve(name: str) -> Device:
    """The device of that name. "auto" is a GPU, of several the one with most free memory, else the CPU.

    Raises `EngineError` if this machine does not have it, or if it failed before.
    """
    here = _usable()
    if name == "auto":
        return _roomiest(here) if here[0].name.startswith("cuda:") else here[0]
    found = next((device for device in here if device.name == name), None)
    # One GPU is "cuda", and also the first of one; of several, "cuda" is the best.
    if found is None and name in ("cuda", "cuda:0") and here[0].kind == "cuda":
        found = _roomiest(here) if name == "cuda" else here[0]
    if found is None:
        raise _missing(name, [device.name for device in here])
    return found


def _missing(name: str, here: list[str]) -> EngineError:
    kind = name.partition(":")[0]
    choose = "Choose one of: auto, " + ", ".join(here)
    if kind in _lost:
        return EngineError(f"{_lost[kind].title}: it is not used again in this run of the program", choose)
    problem = unusable()
    if kind == "cuda" and problem is not None:
        return EngineError(problem.title, f"{problem.hint}. {choose}")
    return EngineError(f"This machine has no device {name!r}", choose)


# --------------------------------------------------------------------------------------------- what failed


def give_up(kind: str, problem: Problem) -> None:
    """Never touch that kind of device again: its driver would answer nothing but errors."""
    _lost.setdefault(kind, problem)


def lost() -> frozenset[str]:
    """Kinds of device that failed in this process."""
    return frozenset(_lost)


def unusable() -> Problem | None:
    """Why PyTorch cannot use the GPU that this machine seems to have; None if it can, or if there is none."""
    if torch.cuda.is_available() or not _has_nvidia():
        return None
    title = "This machine's GPU cannot be used"
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        hint = "This PyTorch is built for the CPU only: install one that is built for CUDA"
        return Problem(ProblemKind.RESOURCE, title, hint)
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        return _not_started(title, str(error))
    return None


def _not_started(title: str, reason: str) -> Problem:
    low = reason.lower()
    if "too old" in low or "insufficient" in low:
        return Problem(ProblemKind.RESOURCE, title, "Its driver is too old for this PyTorch: update the driver", reason)
    first = reason.strip().splitlines()[0].rstrip(".") if reason.strip() else "CUDA could not be started"
    return Problem(ProblemKind.RESOURCE, title, first, reason)


def _has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


# ------------------------------------------------------------------------------------------------ memory


def empty_caches() -> None:
    """Give back to the system what PyTorch keeps of the devices' memory for later; touches no device that failed."""
    # Does nothing where CUDA was never started.
    if "cuda" not in _lost:
        torch.cuda.empty_cache()
    if "mps" not in _lost and torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _roomiest(here: tuple[Device, ...]) -> Device:
    gpus = [device for device in here if device.kind == "cuda"]
    if len(gpus) < 2:
        return gpus[0]
    return gpus[roomiest([str(torch.cuda.get_device_properties(gpu.torch).uuid) for gpu in gpus], _ask_driver())]


def _ask_driver() -> str:
    # PyTorch would have to start CUDA on every GPU, which costs hundreds of megabytes of each, to ask it.
    query = ["nvidia-smi", "--query-gpu=uuid,memory.free", "--format=csv,noheader,nounits"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def roomiest(identities: list[str], table: str) -> int:
    """Which GPU has most free memory, by lines such as "GPU-5d3…, 23040" (MiB); the first if that cannot be told."""
    rows = [[cell.strip() for cell in line.split(",")] for line in table.splitlines()]
    free = {row[0].removeprefix("GPU-"): int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}
    known = [free.get(identity.removeprefix("GPU-"), -1) for identity in identities]
    return known.index(max(known))


# --------------------------------------------------------------------------------------------- precision


def checked_precision(precision: str, device: Device) -> str:
    """`precision` itself; raises `EngineError` if there is none of that name or the device cannot compute in it."""
    if precision not in PRECISIONS:
        raise EngineError(f"There is no precision {precision!r}", "Choose one of: " + ", ".join(PRECISIONS))
    dtype = PRECISIONS[precision]
    if dtype is not None and not _computes(device.torch, dtype):
        name = DEVICE_NAMES.get(device.kind, device.name)
        raise EngineError(f"The {name} cannot compute in {precision} here", "Choose float32")
    return precision


def _computes(device: torch.device, dtype: torch.dtype) -> bool:
    try:
        with torch.inference_mode():
            x = torch.zeros((1, 1, 4, 4), dtype=dtype, device=device)
            torch.nn.functional.conv2d(x, torch.zeros((1, 1, 3, 3), dtype=dtype, device=device))
    except (NotImplementedError, TypeError):
        return False
    except RuntimeError as error:
        # A device that fails for good is dealt with where the command is run.
        return "not implemented" not in str(error) and _raise(error)
    return True


def _raise(error: RuntimeError) -> bool:
    raise error
