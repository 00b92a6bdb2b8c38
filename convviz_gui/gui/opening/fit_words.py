"""How well a weights file fits a network, in words."""

from __future__ import annotations

from convviz_gui.engine.types import Candidate
from convviz_gui.gui.look import words

NAMED = 3
"""Tensors named in a sentence; the others are counted."""


def short(candidate: Candidate) -> str:
    """For the list: "fits completely", "97 % fits: 2 tensors missing, 4 of another shape"."""
    if candidate.fits:
        return "fits completely"
    parts = (
        (len(candidate.missing), "missing"),
        (len(candidate.unexpected), "unknown to it"),
        (len(candidate.mismatched), "of another shape"),
    )
    counts = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"{words.percent(_below_whole(candidate.score))} fits: {counts}"


def _below_whole(score: float) -> float:
    # A hundred per cent is a word for what fits completely.
    return min(score, 0.99)


def sentences(candidate: Candidate) -> str:
    """Which layers do not fit, what was expected and what was found."""
    if candidate.fits:
        return "Every tensor of the file has its place in the network, and every place its tensor."
    said = []
    if candidate.mismatched:
        named = [
            f"{name}: expected {_shape(expected)}, found {_shape(found)}"
            for name, expected, found in candidate.mismatched[:NAMED]
        ]
        said.append(f"Of another shape: {_and_more('; '.join(named), len(candidate.mismatched))}.")
    if candidate.missing:
        said.append(f"Missing in the file: {_and_more(', '.join(candidate.missing[:NAMED]), len(candidate.missing))}.")
    if candidate.unexpected:
        named_extra = ", ".join(candidate.unexpected[:NAMED])
        said.append(f"Unknown to the network: {_and_more(named_extra, len(candidate.unexpected))}.")
    return "\n".join(said)


def partial(candidate: Candidate) -> str:
    """What a partial load would leave: "Load what fits, leave the rest random (4 tensors)"."""
    left = len(candidate.missing) + len(candidate.mismatched)
    tensors = "tensor" if left == 1 else "tensors"
    if not left:
        return f"Load what fits, leave out what the network does not know ({len(candidate.unexpected):,})"
    return f"Load what fits, leave the rest random ({left:,} {tensors})"


def _and_more(text: str, number: int) -> str:
    return f"{text} and {number - NAMED:,} more" if number > NAMED else text


def _shape(dims: tuple[int, ...]) -> str:
    return words.shape(dims) if dims else "a single number"
