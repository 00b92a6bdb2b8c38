"""A transfer check's rows as they are judged, put into one payload."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.desk.answers import by_neighbours, by_probe
from convviz_gui.engine.desk.exam import Exam, judged, set_exam
from convviz_gui.engine.desk.folds import classes_in, groups_of, same_rows
from convviz_gui.engine.desk.out_of_fold import Fitted
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.embedding import Embedding
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import RAW_PIXELS, BoolArray, FloatArray, IntArray, Transfer, frozen
from convviz_gui.engine.stages import as_one
from convviz_gui.engine.types import Run


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """How rows are judged: neighbours that vote, their distance, folds, and whether splits count."""

    neighbours: int
    metric: str
    folds: int
    by_split: bool


class TransferTable:
    """Rows as they are judged, put into one payload."""

    def __init__(self, request: Run, plan: TransferPlan, listing: Listing, first: Embedding, read: BoolArray) -> None:
        self._request, self._plan, self._listing, self._first = request, plan, listing, first
        # A file may be readable at one time and not at another.
        self._kept = [place for place, row in enumerate(first.rows) if read[row]]
        self.rows = [first.rows[place] for place in self._kept]
        self._layers: list[str] = []
        self._sizes: list[int] = []
        self._fitted: list[Fitted] = []
        self.answers: list[tuple[IntArray, IntArray]] = []
        self._exam: Exam | None = None

    def features(self, found: Embedding) -> FloatArray:
        """A layer's features of the pictures that are in the table."""
        if found.rows != self._first.rows:
            raise EngineError("The pictures changed while they were read", "Run it again")
        return found.features if len(self._kept) == len(found.rows) else found.features[self._kept]

    def judge(self, layer: str, features: FloatArray) -> Steps[None]:
        """Add a row; the first is of raw pixels, by which copies of a picture are found where digests are not known."""
        if self._exam is None:
            self._exam = self._set(features)
        plan, name = self._plan, layer or RAW_PIXELS
        voting = by_neighbours(features, self._exam, plan.neighbours, plan.metric)
        neighbours = yield from as_one(voting, 0, 2, f"neighbours by {name}")
        probe, fitted = yield from as_one(by_probe(features, self._exam), 1, 2, f"linear probe of {name}")
        self._layers += [layer] if layer else []
        self._sizes.append(features.shape[1])
        self._fitted.append(fitted)
        self.answers.append((neighbours, probe))
        yield Update(2, 2, f"linear probe of {name}", self.transfer)

    def _set(self, pixels: FloatArray) -> Exam:
        labels = [self._listing.labels[row] for row in self.rows]
        digests = [self._first.digests[place] for place in self._kept] if any(self._first.digests) else []
        groups = groups_of(digests, len(labels)) if digests else same_rows(pixels)
        splits = self._listing.splits_of(self.rows)
        plan, seed = self._plan, self._request.seed
        return set_exam(classes_in(labels), groups, splits, seed, plan.folds, by_split=plan.by_split)

    def transfer(self, *, final: bool = False) -> Transfer:
        """What is known so far."""
        exam, first = self._exam, self._first
        assert exam is not None
        assert self._request.folder is not None
        rows = exam.rows.tolist()
        return Transfer(
            folder=self._request.folder,
            others=self._request.splits,
            layers=tuple(self._layers),
            labels=exam.classes.names,
            paths=tuple(self._listing.paths[self.rows[row]] for row in rows),
            classes=frozen(exam.codes[exam.rows]),
            sizes=frozen(np.array(self._sizes, np.int64)),
            knn=judged(exam, [neighbours for neighbours, _ in self.answers]),
            probe=judged(exam, [probe for _, probe in self.answers]),
            strength=frozen(np.array([fitted.strengths for fitted in self._fitted], np.float32)),
            exact=frozen(np.array([fitted.exact for fitted in self._fitted], np.bool_)),
            majority=exam.majority,
            neighbours=self._plan.neighbours,
            metric=self._plan.metric,
            scored_by=exam.how,
            notes=exam.notes,
            skipped=first.skipped,
            final=final,
            reduced_to=first.reduced_to,
        )
