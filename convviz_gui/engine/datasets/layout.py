"""What the folders around pictures mean: splits, classes, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

SPLIT_NAMES = frozenset({"train", "training", "trainval", "val", "valid", "validation", "dev", "test", "testing"})
"""Names of folders, letter case aside, that are splits where all of a level's folders have such names."""


def labels_and_splits(folders: Sequence[str], *, strip: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A label and a split for each picture from its folder inside the dataset ("train/cat", "" at the top).

    A level whose folders are all called like splits is one of splits, if there are several or if there are folders in
    them; what is below is the label, and what is above, if it is the same for all, is dropped. Else the label is the
    whole path and there are no splits, (); with `strip` without the folders that are the same for all pictures, as
    archives have them, but a dataset of a single class keeps its name.
    """
    parts = {folder: folder.split("/") if folder else [] for folder in set(folders)}
    common = _common(list(parts.values()))
    for depth in range(common + 1):
        if _are_splits(list(parts.values()), depth):
            label = {folder: "/".join(names[depth + 1 :]) for folder, names in parts.items()}
            split = {folder: names[depth] if len(names) > depth else "" for folder, names in parts.items()}
            return tuple(label[folder] for folder in folders), tuple(split[folder] for folder in folders)
    if not strip or not common:
        return tuple(folders), ()
    if len(parts) == 1:
        common -= 1
    label = {folder: "/".join(names[common:]) for folder, names in parts.items()}
    return tuple(label[folder] for folder in folders), ()


def _common(paths: list[list[str]]) -> int:
    """How many leading folders all have in common."""
    shortest, longest = min(paths), max(paths)
    return next((at for at, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), len(shortest))


def _are_splits(paths: list[list[str]], depth: int) -> bool:
    tops = {names[depth] for names in paths if len(names) > depth}
    if not tops or not all(name.casefold() in SPLIT_NAMES for name in tops):
        return False
    # A few pictures beside two splits or more change nothing; beside a single folder they make it a class.
    return len(tops) > 1 or (
        all(len(names) > depth for names in paths) and any(len(names) > depth + 1 for names in paths)
    )
