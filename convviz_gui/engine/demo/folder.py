"""The latent view's data set: Toybox pictures in class folders, with wrong labels and oddities among them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .oddities import ODDITIES
from .toybox import CLASSES, draw

PER_CLASS = 50
WRONG_LABELS = 12
DEFAULT_SEED = 20

_SIZE = 128
_VERSION = 2
_MARKER = ".toybox"


@dataclass(frozen=True, slots=True)
class Planted:
    """What is hidden in the folder, as paths relative to it with forward slashes.

    Attributes:
        wrong: Pictures of one class filed under another.
        odd: Pictures of nothing that Toybox draws.
    """

    wrong: tuple[str, ...]
    odd: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One picture to draw: a Toybox label, or the index of an oddity."""

    path: str
    label: int
    oddity: int | None


def write_folder(target: Path, seed: int = DEFAULT_SEED) -> Planted:
    """Draw 600 pictures into ``target``, 50 for each class, unless the same folder is already there.

    The folder is drawn beside its place and renamed, so that it is there completely or not at all. Neither names, times
    nor metadata tell what was planted; it follows from the seed alone.

    Returns:
        The paths of the 12 wrong labels and 8 oddities.

    Raises:
        FileExistsError: ``target`` exists and was not written by this function.
        OSError: The disk is full or not writable; nothing is left behind.
    """
    entries = _plan(seed)
    signature = f"toybox {_VERSION} {seed}\n"
    if not _is_complete(target, signature, entries):
        if target.exists() and not _is_ours(target):
            raise FileExistsError(f"{target} exists and is no Toybox folder; choose another place or remove it.")
        _draw_beside(target, seed, signature, entries)
    return Planted(
        wrong=tuple(e.path for e in entries if e.oddity is None and CLASSES[e.label] != e.path.split("/")[0]),
        odd=tuple(e.path for e in entries if e.oddity is not None),
    )


def _plan(seed: int) -> list[_Entry]:
    rng = np.random.default_rng((seed, _VERSION))
    total = PER_CLASS * len(CLASSES)
    chosen = rng.permutation(total)[: WRONG_LABELS + len(ODDITIES)].tolist()
    wrong = set(chosen[:WRONG_LABELS])
    odd = {slot: k for k, slot in enumerate(chosen[WRONG_LABELS:])}
    entries = []
    for slot in range(total):
        folder, number = divmod(slot, PER_CLASS)
        turn = int(rng.integers(1, len(CLASSES)))
        label = (folder + turn) % len(CLASSES) if slot in wrong else folder
        name = CLASSES[folder]
        entries.append(_Entry(f"{name}/{name}-{number + 1:02d}.jpg", label, odd.get(slot)))
    return entries


def _is_complete(target: Path, signature: str, entries: list[_Entry]) -> bool:
    marker = target / _MARKER
    if not marker.is_file() or marker.read_bytes() != signature.encode():
        return False
    return all((target / entry.path).is_file() for entry in entries)


def _is_ours(target: Path) -> bool:
    marker = target / _MARKER
    return marker.is_file() and marker.read_bytes().startswith(b"toybox ")


def _draw_beside(target: Path, seed: int, signature: str, entries: list[_Entry]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
        fresh, old = Path(beside) / "fresh", Path(beside) / "old"
        for name in CLASSES:
            (fresh / name).mkdir(parents=True)
        for index, entry in enumerate(entries):
            _save(entry, np.random.default_rng((seed, _VERSION, index)), fresh / entry.path)
        (fresh / _MARKER).write_text(signature, encoding="utf-8")
        if target.exists():
            target.rename(old)
        fresh.rename(target)


def _save(entry: _Entry, rng: np.random.Generator, path: Path) -> None:
    pixels = draw(entry.label, rng, _SIZE).pixels if entry.oddity is None else ODDITIES[entry.oddity](rng, _SIZE)
    with path.open("wb") as file:
        Image.fromarray(pixels).save(file, format="JPEG", quality=95, subsampling=0)
