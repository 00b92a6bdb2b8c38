"""Who is learned from and who is asked, and what the answers come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.desk.folds import Classes, deal
from convviz_gui.engine.desk.out_of_fold import Split, splits_of
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray, Judged, frozen

TRAINING = ("train", "training")
TESTING = (("test", "testing"), ("val", "valid", "validation", "dev"))
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Exam:
    """Splits of N pictures, whose rows asked about have labels that are learned from and no copy among the learned.

    `codes` i64 [N], −1 for none; `rows` i64 [S], all that are asked about, ascending; `tuned` cuts each
    split's learned rows once more, to choose the probe's penalty by, so that no scored picture has a say in it. `how`
    and `notes` say in words what is done and what is left out.
    """

    classes: Classes = field(repr=False)
    codes: IntArray = field(repr=False)
    splits: list[Split] = field(repr=False)
    tuned: list[Split] = field(repr=False)
    rows: IntArray = field(repr=False)
    how: str
    notes: tuple[str, ...]

    @property
    def majority(self) -> float:
        """What saying the label that is commonest among the learned comes to, 0…1."""
        right = 0
        for split in self.splits:
            commonest = np.bincount(self.codes[split.learned]).argmax()
            right += int((self.codes[split.asked] == commonest).sum())
        return right / len(self.rows)


def set_exam(
    classes: Classes, groups: IntArray, splits: Sequence[str], seed: int, folds: int, *, by_split: bool
) -> Exam:
    """Learn from the training split and ask about the test split (or validation), if there are both and `by_split`.

    Else, cross-validation over stratified `folds`. `groups` i64 [N]: pictures with the same number are copies of one
    another. Raises `EngineError` if no picture can be asked about.
    """
    codes = classes.codes
    trained = np.isin([name.casefold() for name in splits], TRAINING) if by_split and len(splits) else None
    tested = _tested(splits) if trained is not None and trained.any() else None
    if trained is not None and tested is not None:
        found = [Split(np.flatnonzero(trained & (codes >= 0)), np.flatnonzero(tested & (codes >= 0)))]
        names = [splits[int(np.flatnonzero(part)[0])] for part in (trained, tested)]
        how = f"learned from the split {names[0]!r} ({len(found[0].learned):,} pictures), scored on {names[1]!r}"
        outside = int(((codes >= 0) & ~trained & ~tested).sum())
    else:
        found, outside = splits_of(deal(codes, groups, seed, folds)), 0
        how = f"cross-validated in {len(found)} folds"
    return _fair(classes, groups, found, seed, how, outside)


def _tested(splits: Sequence[str]) -> BoolArray | None:
    for names in TESTING:
        found: BoolArray = np.isin([name.casefold() for name in splits], names)
        if found.any():
            return found
    return None


def _fair(classes: Classes, groups: IntArray, splits: list[Split], seed: int, how: str, outside: int) -> Exam:
    codes, fair, strange, copies = classes.codes, [], 0, 0
    for split in splits:
        copied = np.isin(groups[split.asked], groups[split.learned])
        known = np.isin(codes[split.asked], codes[split.learned])
        copies += int(copied.sum())
        strange += int((~known & ~copied).sum())
        fair.append(Split(split.learned, split.asked[known & ~copied]))
    rows = np.sort(np.concatenate([split.asked for split in fair])) if fair else np.zeros(0, np.int64)
    learned = {int(code) for split in fair for code in np.unique(codes[split.learned])}
    if not len(rows) or len(learned) < 2:
        raise EngineError(
            "No two labels have enough different pictures to learn from some and ask about others",
            "Each label needs two different pictures, in the training split one",
        )
    unlabelled = int((codes < 0).sum())
    said = (
        (unlabelled, "without a label"),
        (strange, "whose label no picture that is learned from has"),
        (copies, "of which a copy is learned from"),
        (outside, "in neither of the two splits"),
    )
    notes = tuple(f"{count:,} picture{'s' * (count > 1)} {why}: not scored" for count, why in said if count)
    tuned = [_held_out(codes, groups, split.learned, seed) for split in fair]
    return Exam(classes, codes, fair, tuned, rows, how, notes)


def _held_out(codes: IntArray, groups: IntArray, learned: IntArray, seed: int) -> Split:
    """A fifth of the learned rows to be asked about, the others to be learned from."""
    some = np.full(len(codes), -1, np.int64)
    some[learned] = codes[learned]
    parts = splits_of(deal(some, groups, seed))
    return parts[0] if parts else Split(learned, learned)


def refusal(classes: Classes) -> EngineError | None:
    """Why labels like these cannot be told apart by anyone, known before a picture is opened."""
    if not classes.names:
        return EngineError(
            "No picture has a label, so there is nothing to tell", "Sort the pictures into sub-folders, one per label"
        )
    if len(classes.names) == 1:
        return EngineError(
            f"All labels are the same ({classes.names[0]!r}), so there is nothing to tell apart",
            "Open a folder with at least two labels",
        )
    if classes.counts.max() < 2:
        return EngineError(
            "No two pictures have the same label, so nothing can be learned of one from another",
            "Each label needs two pictures or more",
        )
    return None


def judged(exam: Exam, answers: Sequence[IntArray]) -> Judged:
    """What R rows of `answers`, classes i64 [N], come to."""
    truth = exam.codes[exam.rows]
    right = np.array([answer[exam.rows] == truth for answer in answers]).reshape(len(answers), len(truth))
    place = np.full(len(exam.codes), -1, np.int64)
    place[exam.rows] = np.arange(len(exam.rows))
    folds = [right[:, place[split.asked]] for split in exam.splits]
    accuracy, counts = right.mean(1), np.bincount(truth, minlength=len(exam.classes.names))
    there = counts > 0
    hits = np.array([np.bincount(truth[row], minlength=len(counts)) for row in right]).reshape(len(right), len(counts))
    hits, counts = hits[:, there], counts[there]
    balanced = (hits / counts).mean(1)
    # Smoothed, so that a label of which all are told does not count as certain (Agresti & Coull, 1998).
    smooth = (hits + 1) / (counts + 2)
    spread = _Z * np.sqrt((smooth * (1 - smooth) / counts).sum(1)) / len(counts)
    ends = np.clip(np.stack([balanced - spread, balanced + spread], 1), 0, 1)
    by_fold = np.array([part.mean(1) if part.shape[1] else np.full(len(right), np.nan) for part in folds]).T
    return Judged(
        accuracy=frozen(accuracy.astype(np.float32)),
        interval=frozen(wilson(accuracy, len(truth)).astype(np.float32)),
        balanced=frozen(balanced.astype(np.float32)),
        balanced_interval=frozen(ends.astype(np.float32)),
        folds=frozen(by_fold.astype(np.float32)),
        right=frozen(right),
    )


def wilson(part: FloatArray, n: int) -> FloatArray:
    """The 95 % interval [R, 2] of a probability of which the part [R] of n trials is known (Wilson, 1927)."""
    middle = (part + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(part * (1 - part) / n + _Z**2 / (4 * n**2))
    ends: FloatArray = np.clip(np.stack([middle - half, middle + half], 1), 0, 1)
    return ends
