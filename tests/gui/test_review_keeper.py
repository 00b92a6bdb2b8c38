"""Decisions by row, when what was asked for in another thread comes late."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.payloads import Points
from convviz_gui.gui.desk import review_keeper
from convviz_gui.gui.desk.review_keeper import ReviewKeeper


def dataset(folder: Path, labels: tuple[str, ...]) -> Points:
    n = len(labels)
    none = np.zeros((n, 0), np.float32)
    return Points(
        layer="fc",
        folder=str(folder),
        projection="pca",
        paths=tuple(str(folder / f"{row}.png") for row in range(n)),
        labels=labels,
        features=none,
        xy=np.zeros((n, 2), np.float32),
        logits=none,
        outlier=np.zeros(0, np.float32),
        neighbours=np.zeros((n, 0), np.int64),
        digests=tuple(f"{folder.name} {row}" for row in range(n)),
    )


@pytest.fixture
def keepers(qapp: QApplication) -> Iterator[tuple[ReviewKeeper, ReviewKeeper]]:
    made = ReviewKeeper(qapp), ReviewKeeper(qapp)
    yield made
    for keeper in made:
        keeper.close()
        keeper.deleteLater()


def test_what_is_decided_while_another_windows_decisions_are_matched_stays_shown(
    keepers: tuple[ReviewKeeper, ReviewKeeper], tmp_path: Path, qtbot: QtBot
) -> None:
    mine, theirs = keepers
    points = dataset(tmp_path, ("cat", "dog") * 6)
    for keeper in keepers:
        keeper.show(points)
    qtbot.waitUntil(lambda: mine.ready and theirs.ready)
    theirs.decide([5], Verdict.EXCLUDE)
    qtbot.waitUntil(lambda: theirs.words == "Saved")
    assert mine.book is not None
    # The second time more is known of the same pictures, and that comes between question and answer.
    meanwhile = [lambda: mine.show(dataclasses.replace(points)), lambda: mine.decide([9], Verdict.KEEP)]
    mine.book.grown.connect(lambda: meanwhile.pop()())
    mine.decide([1], Verdict.KEEP)
    qtbot.waitUntil(lambda: mine.words == "Saved" and mine.decision(5) == Decision(Verdict.EXCLUDE))
    assert mine.verdicts[[1, 5, 9]].tolist() == [1, 3, 1]
    theirs.decide([6], Verdict.EXCLUDE)
    qtbot.waitUntil(lambda: theirs.words == "Saved")
    mine.decide([2], Verdict.KEEP)
    qtbot.waitUntil(lambda: mine.decision(6) == Decision(Verdict.EXCLUDE))


def test_labels_of_a_dataset_that_is_gone_are_not_offered(
    keepers: tuple[ReviewKeeper, ReviewKeeper], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keepers[0]
    monkeypatch.setattr(review_keeper, "_FEW", 10)
    keeper.show(dataset(tmp_path / "large", tuple(f"old {row}" for row in range(40))))
    keeper.show(dataset(tmp_path / "small", ("new",) * 4))
    with qtbot.waitCallback() as done:
        keeper.clerk.do(lambda: None, done)
    assert keeper.labels == ("new",)
