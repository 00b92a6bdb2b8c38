"""Two ways of telling a picture's label from features: by its nearest neighbours, and by a linear probe."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.desk.exam import Exam
from convviz_gui.engine.desk.out_of_fold import Fitted, probabilities
from convviz_gui.engine.latent.neighbours import nearest_to
from convviz_gui.engine.method import Steps
from convviz_gui.engine.payloads import FloatArray, IntArray

_BLOCK_ELEMENTS = 4_000_000


def by_neighbours(features: FloatArray, exam: Exam, k: int, metric: str) -> Steps[IntArray]:
    """The label that most of the k nearest pictures learned from have, i64 [N], −1 where nobody was asked.

    Of labels with equally many votes the one that comes first in the dataset.
    """
    told = np.full(len(features), -1, np.int64)
    n_classes = len(exam.classes.names)
    for split in exam.splits:
        if not len(split.asked):
            continue
        near = yield from nearest_to(features[split.asked], features[split.learned], k, metric)
        voices = exam.codes[split.learned][near.indices]
        block = max(1, _BLOCK_ELEMENTS // n_classes)
        for start in range(0, len(voices), block):
            part = voices[start : start + block]
            votes = np.zeros((len(part), n_classes), np.int32)
            np.add.at(votes, (np.arange(len(part))[:, None], part), 1)
            told[split.asked[start : start + block]] = votes.argmax(1)
    return told


def by_probe(features: FloatArray, exam: Exam) -> Steps[tuple[IntArray, Fitted]]:
    """The label that a linear probe holds likeliest, i64 [N], −1 where nobody was asked, and how it was made."""
    told = np.full(len(features), -1, np.int64)

    def take(rows: IntArray, said: FloatArray) -> None:
        told[rows] = said.argmax(1)

    n_classes = len(exam.classes.names)
    fitted = yield from probabilities(features, exam.codes, n_classes, exam.splits, exam.tuned, take)
    return told, fitted
