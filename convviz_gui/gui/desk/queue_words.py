"""The desk's lists in words."""

from __future__ import annotations

from dataclasses import dataclass

from convviz_gui.engine.desk.queues import Queue, QueueKind


@dataclass(frozen=True, slots=True)
class Words:
    """A list's name, what its order means, and what heads its scores."""

    title: str
    about: str
    score: str = ""
    score_tip: str = ""


WORDS: dict[QueueKind, Words] = {
    QueueKind.SUSPECTS: Words(
        "Label suspects",
        "Likeliest wrong label first: neighbours and a classifier that has not seen the picture name another label.",
        "Suspicion",
        "0…1: how surely neighbours and the classifier contradict the label. A hard picture looks like a wrong label.",
    ),
    QueueKind.OUTLIERS: Words(
        "Outliers",
        "Farthest from its neighbours first. Rare is not wrong: look before you exclude.",
        "Distance",
        "Mean distance to the nearest neighbours, in the layer's own units",
    ),
    QueueKind.DUPLICATES: Words(
        "Near-duplicates",
        "The same picture twice, the likest pair first. X excludes the framed one, S frames the other, K keeps both.",
        "Likeness",
        "The same pixels, or how far two fingerprints are apart",
    ),
    QueueKind.LEAKS: Words(
        "Leaks across splits",
        "The same picture in two splits: tests with it flatter the network. The training one is framed; S swaps.",
        "Likeness",
        "The same pixels, or how far two fingerprints are apart",
    ),
    QueueKind.AMBIGUOUS: Words(
        "Ambiguous",
        "Neighbours of many labels first: several things in one picture, or labels that overlap.",
        "Ambiguity",
        "0…1: how evenly the neighbours' labels are spread",
    ),
    QueueKind.SELECTED: Words(
        "Selected on the map", "What a rectangle or a lasso holds; Ctrl+A and a key decide it all."
    ),
    QueueKind.ALL: Words("All pictures", "In the dataset's order."),
    QueueKind.REVIEWED: Words("Reviewed", "What is decided or noted so far."),
}
"""In the order in which they are offered."""

LEAST, MOST = 24, 200


def first_length(queue: Queue) -> int:
    """How many rows a list has at first: those that stand out, within reason."""
    return min(max(queue.remarkable, LEAST), MOST)


def progress(queue: Queue, shown: int, reviewed: int) -> str:
    """ "24 of 600, 3 reviewed"."""
    length = f"{shown:,}" if shown == queue.total else f"{shown:,} of {queue.total:,}"
    noun = "pair" if len(queue.partners) else "picture"
    return f"{length} {noun}{'' if shown == queue.total == 1 else 's'}, {reviewed:,} reviewed"
