"""The health report in words: one line for the header, and the whole as text to copy."""

from __future__ import annotations

from collections.abc import Mapping

from convviz_gui.engine.types import Finding, Level, ModelInfo
from convviz_gui.gui.look import words

LEVELS = {Level.WARNING: "Warning", Level.HANDLED: "Handled", Level.FACT: "Note"}
"""What a level is called."""


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Warnings first, then what was handled, then facts."""
    order = (Level.WARNING, Level.HANDLED, Level.FACT)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.level)))


def summary(info: ModelInfo) -> str:
    """ "2 warnings · 5 notes", "2 warnings · 1 method ruled out", "Nothing to remark": what there is room for."""
    warnings = sum(finding.level is Level.WARNING for finding in info.health)
    notes = len(info.health) - warnings
    ruled_out = f"{_counted(len(info.cannot), 'method')} ruled out" if info.cannot else ""
    parts = [_counted(warnings, "warning"), ruled_out or _counted(notes, "note")]
    return " · ".join(part for part in parts if part) or "Nothing to remark"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}" if number else ""


def heading(info: ModelInfo) -> str:
    """What is open, in one line of plain facts."""
    height, width = info.preprocess.size
    facts = [
        info.weights,
        f"{words.count(info.n_params)} parameters",
        f"{info.n_classes:,} classes" if info.n_classes != 1 else "1 class",
        f"{width} × {height} pixels",
        info.precision,
    ]
    return " · ".join(facts)


def report(info: ModelInfo, titles: Mapping[str, str]) -> str:
    """The whole report as plain text; `titles` are the methods' by name."""
    lines = [info.name, heading(info), ""]
    for finding in in_order(info.health):
        lines.append(f"{LEVELS[finding.level]}: {finding.title}")
        if finding.detail:
            lines.append(f"    {finding.detail}")
    if not info.health:
        lines.append("Nothing to remark.")
    cannot = dict(info.cannot)
    applies = [title for name, title in titles.items() if name not in cannot]
    if applies:
        lines += ["", f"Methods that apply: {', '.join(applies)}"]
    for name, reason in info.cannot:
        lines.append(f"Does not apply: {titles.get(name, name)}: {reason}")
    return "\n".join(lines) + "\n"
