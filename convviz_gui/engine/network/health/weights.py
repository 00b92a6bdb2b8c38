"""What the health report says of weights and statistics."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from convviz_gui.engine.faults import amount
from convviz_gui.engine.network.health.evidence import Check, Evidence, count, named
from convviz_gui.engine.types import Finding, Level, ModelInfo

LARGE = 200_000_000
"""Parameters from which on a network is slow enough on a CPU to be worth a word."""


def _double(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    if any(parameter.dtype == torch.float64 for parameter in evidence.module.parameters()):
        detail = "It computes in float64, which is slower and shows the same pictures"
        yield Finding("precision", Level.FACT, "The weights are float64", detail)


def _random(info: ModelInfo, _evidence: Evidence) -> Iterator[Finding]:
    if not info.trained:
        detail = "This network has learned nothing yet: pictures show what it is built like, not what it knows"
        yield Finding("weights", Level.WARNING, "Random weights", detail)


def _not_numbers(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    broken = [name for name, parameter in evidence.module.named_parameters() if not _finite(parameter)]
    # A buffer may hold an infinity on purpose, as masks do.
    broken += [name for name, buffer in evidence.module.named_buffers() if bool(torch.isnan(buffer).any())]
    if broken:
        title = f"NaN or infinite values in {count(len(broken), 'tensor')} of weights: {named(broken)}"
        detail = "What is computed behind them means nothing: choose an earlier checkpoint, its training diverged"
        yield Finding("nan", Level.WARNING, title, detail)


def _finite(tensor: Tensor) -> bool:
    # A sum reads the weights once and makes nothing of their size; finite values may still add up to infinity.
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _statistics(info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    norms = {name: module for name, module in evidence.module.named_modules() if isinstance(module, _BatchNorm)}
    without = [name for name, norm in norms.items() if norm.running_mean is None or norm.running_var is None]
    if without:
        title = f"{count(len(without), 'batch norm')} without statistics: {named(without)}"
        detail = "Each normalises by the pictures at hand: a picture's values depend on which others go with it"
        yield Finding("batch-norm", Level.WARNING, title, detail)
    fresh = [name for name, norm in norms.items() if _is_fresh(norm)]
    if fresh and info.trained:
        title = (
            f"{count(len(fresh), 'batch norm has', 'batch norms have')} the statistics they began with: {named(fresh)}"
        )
        detail = "Mean 0, variance 1: the weights seem to have come without them, and the network answers at random"
        yield Finding("batch-norm", Level.WARNING, title, detail)


def _is_fresh(norm: _BatchNorm) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    return mean is not None and variance is not None and not bool(mean.any()) and bool((variance == 1).all())


def _large(info: ModelInfo, _evidence: Evidence) -> Iterator[Finding]:
    if info.n_params >= LARGE:
        detail = f"They take {amount(4 * info.n_params)} of memory; on a CPU a pass may take seconds"
        yield Finding("large", Level.FACT, f"{info.n_params / 1e6:,.0f} million parameters", detail)


CHECKS: tuple[Check, ...] = (_not_numbers, _random, _statistics, _double, _large)
