"""Which device the model runs on."""

from __future__ import annotations

import torch

from convviz_gui.engine.errors import EngineError


def available() -> tuple[str, ...]:
    """Devices of this machine, best first: "cuda" (or "cuda:0", "cuda:1", … if several), "mps", "cpu"."""
    found = []
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        found += ["cuda"] if count == 1 else [f"cuda:{index}" for index in range(count)]
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def resolve(name: str) -> torch.device:
    """The device of that name; "auto" is the best one. Raises `EngineError` if this machine does not have it."""
    here = available()
    if name == "auto":
        return torch.device(here[0])
    if name in here or (name == "cuda" and here[0].startswith("cuda")):
        return torch.device(name)
    if name == "cuda:0" and "cuda" in here:
        return torch.device("cuda")
    raise EngineError(f"This machine has no device {name!r}", "Choose one of: auto, " + ", ".join(here))
