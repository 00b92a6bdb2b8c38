"""The health report: what is worth knowing of a network before its pictures are believed."""

from __future__ import annotations

import dataclasses

from convviz_gui.engine.method import methods
from convviz_gui.engine.network.health import answers, structure, weights
from convviz_gui.engine.network.health.evidence import Check, Evidence
from convviz_gui.engine.types import Finding, Level, ModelInfo

__all__ = ["Evidence", "with_report"]

_CHECKS: tuple[Check, ...] = (*weights.CHECKS, *answers.CHECKS, *structure.CHECKS)
_ORDER = tuple(reversed(Level))
"""Warnings first."""


def with_report(info: ModelInfo, evidence: Evidence, earlier: tuple[Finding, ...]) -> ModelInfo:
    """`info` with its `health` and `cannot`. `earlier` are the findings of the door that the network came in by."""
    found = [*earlier, *(finding for check in _CHECKS for finding in check(info, evidence))]
    ordered = tuple(sorted(dict.fromkeys(found), key=lambda finding: _ORDER.index(finding.level)))
    info = dataclasses.replace(info, health=ordered)
    reasons = ((name, method.applies(info)) for name, method in methods().items())
    return dataclasses.replace(info, cannot=tuple((name, reason) for name, reason in reasons if reason))
