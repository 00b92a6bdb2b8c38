"""Adding up what switching off channels does to the pictures of a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.network.classes import class_scores, probabilities
from convviz_gui.engine.payloads import Ablation, FloatArray, IntArray, Skipped, frozen


class Tally:
    """Sums over pictures for n channels; a `payload` of what there is can be made at any time.

    Args:
        blank: the payload before any picture; `empty` gives the arrays for it.
    """

    def __init__(self, blank: Ablation) -> None:
        n = len(blank.channels)
        self._blank = blank
        self._skipped = list(blank.skipped)
        self.seen = 0
        self._labelled = 0
        self._right_before = 0
        self._right = np.zeros(n, np.int64)
        self._flips = np.zeros(n, np.int64)
        self._logit = np.zeros(n, np.float64)
        self._probability = np.zeros(n, np.float64)
        self._by_class: dict[int, tuple[int, NDArray[np.float64]]] = {}
        self._how = ""

    @staticmethod
    def empty(n: int) -> dict[str, Any]:
        """The arrays of a payload before any picture."""
        zeros: FloatArray = frozen(np.zeros(n, np.float32))
        none: IntArray = frozen(np.zeros(n, np.int64))
        return {
            "accuracy": zeros,
            "logit_change": zeros,
            "probability_change": zeros,
            "flips": none,
            "hurt_class": frozen(np.full(n, -1, np.int64)),
            "hurt_change": zeros,
        }

    def skip(self, skipped: Skipped) -> None:
        """Note a picture that could not be read."""
        self._skipped.append(skipped)

    def add(self, before: Tensor, after: Tensor, truth: int, how: str) -> None:
        """Take a picture.

        Args:
            before: logits [1, K] of the unchanged network, on the host.
            after: logits [n, K], a row for each channel.
            truth: the class of its label, or −1.
            how: in words how they were computed.
        """
        scores, changed = (class_scores(logits).double().numpy() for logits in (before, after))
        odds, changed_odds = (probabilities(logits.double()).numpy() for logits in (before, after))
        top = int(scores[0].argmax())
        followed = top if self._blank.class_index is None else self._blank.class_index
        own = truth if truth >= 0 else top
        tops = changed.argmax(1)
        self.seen += 1
        self._how = how
        self._flips += tops != top
        self._logit += changed[:, followed] - scores[0, followed]
        self._probability += changed_odds[:, followed] - odds[0, followed]
        if truth >= 0:
            self._labelled += 1
            self._right_before += top == truth
            self._right += tops == truth
        count, lost = self._by_class.get(own, (0, np.zeros(len(after))))
        self._by_class[own] = count + 1, lost + changed_odds[:, own] - odds[0, own]

    def payload(self) -> Ablation:
        """A frozen copy of the means so far."""
        seen = max(self.seen, 1)
        accuracy = self._right / self._labelled if self._labelled else 1 - self._flips / seen
        hurt_class, hurt_change = self._hurt()
        return replace(
            self._blank,
            channels=frozen(self._blank.channels),
            accuracy=frozen(accuracy.astype(np.float32)),
            logit_change=frozen((self._logit / seen).astype(np.float32)),
            probability_change=frozen((self._probability / seen).astype(np.float32)),
            flips=frozen(self._flips.copy()),
            hurt_class=frozen(hurt_class),
            hurt_change=frozen(hurt_change),
            accuracy_before=self._right_before / self._labelled if self._labelled else 1.0,
            pictures=self.seen,
            labelled=self._labelled,
            how=self._how,
            skipped=tuple(self._skipped),
        )

    def _hurt(self) -> tuple[IntArray, FloatArray]:
        """The class that each channel's absence costs most, and how much."""
        classes = sorted(self._by_class)
        if not classes:
            return self._blank.hurt_class.copy(), self._blank.hurt_change.copy()
        means = np.stack([lost / count for count, lost in (self._by_class[index] for index in classes)])
        worst, change = means.argmin(0), means.min(0)
        hurt = change < 0
        return (
            np.where(hurt, np.array(classes, np.int64)[worst], -1),
            np.where(hurt, change, 0).astype(np.float32),
        )
