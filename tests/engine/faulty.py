"""Faults on purpose: a second device that is none, and forward passes that fail as a real device makes them fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from convviz_gui.engine import devices
from convviz_gui.engine.devices import CPU, Device

FULL = (
    "CUDA out of memory. Tried to allocate 2.30 GiB. GPU 0 has a total capacity of 23.69 GiB of which 812.44 MiB is "
    "free. Including non-PyTorch memory, this process has 22.00 GiB memory in use."
)
LOST = (
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported at some "
    "other API call, so the stacktrace below might be incorrect.\n"
)


def out_of_memory() -> Exception:
    return torch.OutOfMemoryError(FULL)


def device_lost() -> Exception:
    return torch.AcceleratorError(LOST)


def pretend_gpu(monkeypatch: pytest.MonkeyPatch, behind: str = "cpu") -> None:
    """For the rest of the test this machine has a "cuda", which is the device `behind` by another name."""
    monkeypatch.setattr(devices, "_lost", {})
    monkeypatch.setattr(devices, "machine", lambda: (Device("cuda", torch.device(behind)), CPU))


@contextmanager
def failing(
    make: Callable[[], Exception], at: int = 1, times: int = 1, when: Callable[[Any], bool] = lambda _inputs: True
) -> Iterator[list[int]]:
    """While inside, convolutions raise what `make` makes: the one that counts `at` and the `times` − 1 after it.

    Only those count whose inputs `when` holds of. The list that is given fills with the counts at which they failed.
    """
    count = 0
    failed: list[int] = []

    def hook(module: nn.Module, inputs: Any) -> None:
        nonlocal count
        if isinstance(module, nn.Conv2d) and when(inputs):
            count += 1
            if at <= count < at + times:
                failed.append(count)
                raise make()

    handle = register_module_forward_pre_hook(hook)
    try:
        yield failed
    finally:
        handle.remove()
