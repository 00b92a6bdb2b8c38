"""A dataset and its review together, for the command line: decide, undo, import and export at once on the disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from convviz_gui.engine.datasets import Listing, list_dataset
from convviz_gui.engine.desk.review import Review, Wanted
from convviz_gui.engine.desk.review_entries import Decision
from convviz_gui.engine.desk.review_journal import Journal, journal_path, sources_of
from convviz_gui.engine.desk.review_matching import match
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import FloatArray, IntArray, Points, frozen


class ReviewDesk:
    """The pictures of a dataset as `points`, and what is decided about them.

    Args:
        folder, others: the dataset, as `list_dataset` takes it.
        result: the folder of a result of `convviz run latent` on it, for rankings and predictions; or None.

    Raises:
        EngineError: the dataset or the result cannot be read, or a newer ConvViz wrote the review.
        OSError: the journal cannot be read.
    """

    def __init__(self, folder: str, others: Sequence[str] = (), result: str | None = None) -> None:
        self.sources = sources_of(folder, others)
        listing = list_dataset(folder, others)
        self.points = _points(listing, folder, tuple(others), Path(result) if result is not None else None)
        self.journal = Journal(journal_path(self.sources), self.sources)
        contents = self.journal.open()
        self.remark = contents.remark
        self.review = Review(contents)
        self._rows = {path: row for row, path in enumerate(self.points.paths)}

    def decisions(self) -> dict[int, Decision]:
        """Row → decision, of every picture about which something is decided or noted."""
        records = self.review.records
        rows = match(records, self.points.paths, self.points.digests).rows
        return {row: records[path].decision for path, row in rows.items() if records[path].decision}

    def row(self, name: str) -> int:
        """The row of a picture named by its path, or by its path inside the dataset. Raises `EngineError`."""
        for candidate in (Path(name).absolute(), *(Path(source) / name for source in self.sources)):
            if (row := self._rows.get(os.path.normpath(candidate))) is not None:
                return row
        raise EngineError(f"{name} is no picture of {self.sources[0]}", "Give its path as `convviz review --list` does")

    def wanted(self, row: int, decision: Decision) -> Wanted:
        """A decision about a row, as a review takes it."""
        digests = self.points.digests
        return self.points.paths[row], digests[row] if row < len(digests) else "", decision

    def decide(self, wanted: Iterable[Wanted]) -> int:
        """Decide in one step and save it; returns how many pictures' decisions changed."""
        step = self.review.decide(wanted)
        self.save()
        return len(step.changes) if step is not None else 0

    def save(self) -> None:
        """Put everything on the disk. Raises `OSError` or `EngineError` if that cannot be done."""
        pending = self.review.pending
        if pending:
            self.review.absorb(self.journal.exchange(self.review.saved, pending), len(pending))


def _points(listing: Listing, folder: str, others: tuple[str, ...], result: Path | None) -> Points:
    count = len(listing.paths)
    bare = Points(
        layer="",
        folder=folder,
        others=others,
        projection="",
        paths=listing.paths,
        labels=listing.labels,
        splits=listing.splits,
        features=_floats((count, 0)),
        xy=_floats((count, 2)),
        logits=_floats((count, 0)),
        outlier=_floats((0,)),
        neighbours=frozen(np.zeros((count, 0), np.int64)),
    )
    return bare if result is None else _with_result(bare, result)


def _with_result(bare: Points, folder: Path) -> Points:
    """What a result knows of the pictures that are in the dataset now; NaN and "" for those it has not seen."""
    found = _load(folder)
    theirs = {str(path): row for row, path in enumerate(found["paths"].tolist())}
    rows = np.array([theirs.get(path, -1) for path in bare.paths], np.int64)
    if (rows < 0).all():
        raise EngineError(
            f"The result in {folder} is about other pictures", "Give one of `convviz run latent` on these"
        )
    here = {their: row for row, their in enumerate(rows.tolist()) if their >= 0}
    pairs = [
        ((here[a], here[b]), near)
        for (a, b), near in zip(
            found.get("duplicates", np.zeros((0, 2), np.int64)).tolist(),
            found.get("duplicate_distance", np.zeros(0)).tolist(),
            strict=False,
        )
        if a in here and b in here
    ]

    def numbers(name: str) -> FloatArray:
        values = found.get(name)
        known = values is not None and len(values) == len(theirs)
        return _taken(values, rows) if values is not None and known else getattr(bare, name)

    suggested = found.get("suggested", np.zeros(0, np.str_)).tolist()
    return replace(
        bare,
        outlier=numbers("outlier"),
        suspects=numbers("suspects"),
        ambiguity=numbers("ambiguity"),
        logits=numbers("logits"),
        suggested=tuple(suggested[row] if 0 <= row < len(suggested) else "" for row in rows.tolist()),
        duplicates=frozen(np.array([pair for pair, _ in pairs], np.int64).reshape(-1, 2)),
        duplicate_distance=frozen(np.array([near for _, near in pairs], np.float32)),
    )


def _load(folder: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    path = folder / "data.npz" if folder.is_dir() else folder
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files if name not in ("features", "xy", "xyz")}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or "it is no result, or damaged"
        raise EngineError(
            f"Cannot read {path}: {why}", "Give the folder that `convviz run latent --out` wrote"
        ) from None
    if not {"paths", "outlier"} <= set(found):
        raise EngineError(f"{path} holds no latent space", "Give the folder that `convviz run latent --out` wrote")
    return found


def _taken(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], rows: IntArray) -> FloatArray:
    made = values.astype(np.float32)[np.maximum(rows, 0)]
    made[rows < 0] = np.nan
    return frozen(made)


def _floats(shape: tuple[int, ...]) -> FloatArray:
    return frozen(np.zeros(shape, np.float32))
