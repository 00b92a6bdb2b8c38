"""What a transfer check says, in words: the best layer, by how much, and whether that is more than chance."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import FloatArray, Judged, Transfer

_Z = 1.959964


def measure(judged: Judged, *, balanced: bool) -> tuple[FloatArray, FloatArray]:
    """What rows are compared by, f32 [R] 0…1, and its 95 % interval f32 [R, 2]."""
    return (judged.balanced, judged.balanced_interval) if balanced else (judged.accuracy, judged.interval)


def guessing(transfer: Transfer, *, balanced: bool) -> float:
    """What always saying the commonest label comes to."""
    return 1 / len(transfer.labels) if balanced else transfer.majority


def best_row(transfer: Transfer, *, balanced: bool) -> int:
    """The row of the layer with the best linear probe, the earliest of equals; 0 while there is none."""
    values = measure(transfer.probe, balanced=balanced)[0][1:]
    return 1 + int(values.argmax()) if len(values) else 0


def lead(transfer: Transfer, one: int, other: int, *, balanced: bool) -> tuple[float, float]:
    """By how much the probe of one row is better than that of another, and half of that difference's 95 % interval.

    The same pictures are told by both, so what counts is where they differ (a paired comparison).
    """
    weights = np.ones(len(transfer.classes))
    if balanced:
        counts = np.bincount(transfer.classes)
        weights = len(weights) / (np.count_nonzero(counts) * counts[transfer.classes])
    right = transfer.probe.right
    difference = weights * (right[one].astype(np.float64) - right[other])
    return float(difference.mean()), float(_Z * difference.std() / np.sqrt(max(len(difference), 1)))


def part(value: float) -> str:
    """0.873 → "87 %", 0.9973 → "99.7 %"."""
    return f"{100 * value:.1f} %" if 0.95 <= value < 1 or 0 < value < 0.05 else f"{100 * value:.0f} %"


def give_or_take(interval: FloatArray) -> str:
    """Half of an interval in percentage points: "± 2"."""
    half = 50 * float(interval[1] - interval[0])
    return f"± {half:.0f}" if half >= 1 else f"± {half:.1f}"


def verdict(transfer: Transfer) -> str:
    """The best layer in sentences, and how far it is ahead."""
    balanced = transfer.uneven
    best = best_row(transfer, balanced=balanced)
    if not best:
        return ""
    values, intervals = measure(transfer.probe, balanced=balanced)
    kind = "balanced accuracy" if balanced else "accuracy"
    which = "Best layer for this data" if transfer.final else "Best of the layers judged so far"
    said = [
        f"{which}: {transfer.names[best]}, {part(float(values[best]))} "
        f"{give_or_take(intervals[best])} {kind} by linear probe."
    ]
    said += _others(transfer, best, values, balanced=balanced)
    ahead, chance = lead(transfer, best, 0, balanced=balanced)
    guess = part(guessing(transfer, balanced=balanced))
    if ahead <= chance:
        said.append(f"That is no better than raw pixels ({part(float(values[0]))}): the layers tell nothing here.")
    else:
        said.append(f"Raw pixels come to {part(float(values[0]))}, always saying one label to {guess}.")
    return " ".join(said)


def _others(transfer: Transfer, best: int, values: FloatArray, *, balanced: bool) -> list[str]:
    rows = [row for row in range(1, len(values)) if row != best]
    alike = [row for row in rows if np.subtract(*lead(transfer, best, row, balanced=balanced)) <= 0]
    if alike:
        first = alike[0]
        more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
        verb = "are" if len(alike) > 1 else "is"
        return [
            f"{transfer.names[first]} ({part(float(values[first]))}){more} {verb} as good, as far as "
            f"{len(transfer.paths):,} pictures can tell."
        ]
    if rows:
        next_best = max(rows, key=lambda row: float(values[row]))
        ahead = 100 * float(values[best] - values[next_best])
        points = f"{ahead:.0f}" if ahead >= 1.5 else f"{ahead:.1f}"
        return [f"The next, {transfer.names[next_best]}, is {points} points behind."]
    return []
