"""What code may set for the whole process, put back behind it: a training script's wishes are not this program's."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import backends


def _set_num_threads(number: int) -> None:
    # Setting even the number that there is starts a pool of threads, which outlives the engine's own.
    if torch.get_num_threads() != number:
        torch.set_num_threads(number)


_PLAIN: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.get_num_threads, _set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (Path.cwd, os.chdir),
)
"""How each setting is read and written."""

_ROUNDING: tuple[Any, ...] = (
    backends,
    backends.cudnn,
    backends.cudnn.conv,  # type: ignore[attr-defined]
    backends.cudnn.rnn,
    backends.cuda.matmul,
    backends.mkldnn,
    backends.mkldnn.matmul,  # type: ignore[attr-defined]
    backends.mkldnn.conv,  # type: ignore[attr-defined]
    backends.mkldnn.rnn,  # type: ignore[attr-defined]
)
"""What has an `fp32_precision`, those first whose word is passed on to others."""

_CUDNN = ("enabled", "benchmark", "deterministic")


@contextmanager
def settings_kept() -> Iterator[None]:
    """Random states, PyTorch's settings and the working directory are afterwards what they were."""
    plain = [read() for read, _ in _PLAIN]
    cudnn = [getattr(backends.cudnn, name) for name in _CUDNN]
    device = torch.get_default_device()
    with torch.random.fork_rng(devices=[]), _rounding_kept():
        try:
            yield
        finally:
            for (_, write), value in zip(_PLAIN, plain, strict=True):
                write(value)
            for name, value in zip(_CUDNN, cudnn, strict=True):
                setattr(backends.cudnn, name, value)
            if torch.get_default_device() != device:
                torch.set_default_device(device if device.type != "cpu" else None)


@contextmanager
def _rounding_kept() -> Iterator[None]:
    """How float32 is rounded in matrix products and convolutions. PyTorch keeps it twice, in an older and a newer form.

    Where the two disagree, reading the older one raises, and would go on raising: so both are put back.
    """
    older = None
    with suppress(RuntimeError):
        older = torch.get_float32_matmul_precision(), backends.cudnn.allow_tf32
    newer = [place.fp32_precision for place in _ROUNDING]
    try:
        yield
    finally:
        if older is not None:
            torch.set_float32_matmul_precision(older[0])
            backends.cudnn.allow_tf32 = older[1]
        for place, value in zip(_ROUNDING, newer, strict=True):
            place.fp32_precision = value
