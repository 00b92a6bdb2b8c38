"""Rankings against full sorts, and what is exported against what was decided."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from convviz_gui.engine.desk.queues import Queue, QueueKind, queue, ranked, standing_out
from convviz_gui.engine.desk.review_entries import Decision, Verdict
from convviz_gui.engine.desk.review_export import COLUMNS, FileList, write_cleaned, write_files, write_review
from convviz_gui.engine.desk.review_import import decisions_from
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Points

COUNT = 12


@pytest.fixture
def points() -> Points:
    rng = np.random.default_rng(3)
    return Points(
        layer="block5_relu",
        folder="/d",
        projection="pca",
        paths=tuple(f"/d/{'cat' if row % 2 else 'dog'}/{row}, “x”.jpg" for row in range(COUNT)),
        labels=tuple("cat" if row % 2 else "dog" for row in range(COUNT)),
        splits=tuple("train" if row < 8 else "test" for row in range(COUNT)),
        features=np.zeros((COUNT, 2), np.float32),
        xy=np.zeros((COUNT, 2), np.float32),
        logits=rng.normal(size=(COUNT, 3)).astype(np.float32),
        outlier=np.array([1, 1, 2, 1, 1, 1, 9, 1, 1.5, 1.2, np.nan, 1], np.float32),
        neighbours=np.zeros((COUNT, 0), np.int64),
        suspects=np.linspace(0, 1, COUNT, dtype=np.float32),
        suggested=("bird",) * COUNT,
        duplicates=np.array([[0, 1], [0, 2], [1, 2], [3, 9], [8, 11]]),
        duplicate_distance=np.array([0, 0, 0, 0.1, 0.2], np.float32),
        digests=tuple(f"d{row}" for row in range(COUNT)),
    )


@pytest.mark.parametrize("most", [0, 1, 5, 40, 1000])
def test_the_head_of_a_ranking_is_that_of_a_full_sort(most: int) -> None:
    rng = np.random.default_rng(most)
    for scores in (rng.normal(size=300), rng.integers(0, 4, 300), np.full(300, 2.0)):
        scores = scores.astype(np.float32)
        scores[rng.integers(0, 300, 20)] = np.nan
        scores[rng.integers(0, 300, 3)] = np.inf
        wanted = [row for row in np.argsort(-scores, kind="stable").tolist() if not np.isnan(scores[row])]
        assert ranked(scores, most).tolist() == wanted[:most]


def test_each_ranking_is_of_its_score(points: Points) -> None:
    outliers = queue(points, QueueKind.OUTLIERS, 3)
    assert (outliers.rows.tolist(), outliers.total, outliers.scores.tolist()) == ([6, 2, 8], 11, [9, 2, 1.5])
    suspects = queue(points, QueueKind.SUSPECTS, 2)
    assert (suspects.rows.tolist(), suspects.total, suspects.remarkable) == ([11, 10], 12, 6)
    assert queue(points, QueueKind.ALL, 5).rows.tolist() == [0, 1, 2, 3, 4]
    assert queue(points, QueueKind.REVIEWED, 5, np.array([3, 7])).rows.tolist() == [3, 7]


def test_outliers_stand_out_beyond_three_spreads() -> None:
    scores = np.concatenate([np.random.default_rng(1).normal(size=9990), np.full(10, 50.0)]).astype(np.float32)
    assert 10 + 4 <= standing_out(scores, QueueKind.OUTLIERS) <= 10 + 40  # 13.5 of 9990 are expected
    assert standing_out(np.ones(50, np.float32), QueueKind.OUTLIERS) == 0


def test_duplicates_come_in_order_and_leaks_are_those_between_splits(points: Points) -> None:
    def pairs(found: Queue) -> list[tuple[int, int]]:
        return list(zip(found.partners.tolist(), found.rows.tolist(), strict=True))

    assert pairs(queue(points, QueueKind.DUPLICATES, 3)) == [(0, 1), (0, 2), (1, 2)]
    leaks = queue(points, QueueKind.LEAKS, 9)
    # The one in the training split is the one to decide about.
    assert (pairs(leaks), leaks.total) == ([(9, 3)], 1)
    assert leaks.scores.tolist() == pytest.approx([0.1])


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        (QueueKind.SUSPECTS, {"suspects": np.zeros(0, np.float32), "labels": ("",) * COUNT}, "No labels"),
        (QueueKind.SUSPECTS, {"suspects": np.zeros(0, np.float32)}, "two labels"),
        (QueueKind.AMBIGUOUS, {"final": False}, "Not known yet"),
        (QueueKind.OUTLIERS, {"outlier": np.full(COUNT, np.nan, np.float32)}, "too few"),
        (QueueKind.LEAKS, {"splits": ()}, "No splits"),
        (QueueKind.LEAKS, {"splits": ("train",) * COUNT}, "No splits"),
        (QueueKind.LEAKS, {"duplicates": np.array([[0, 1]])}, "in two splits"),
        (QueueKind.DUPLICATES, {"duplicates": np.zeros((0, 2), np.int64)}, "alike"),
        (QueueKind.REVIEWED, {}, "Nothing is decided"),
    ],
)
def test_an_empty_list_says_why(points: Points, kind: QueueKind, changes: dict[str, object], word: str) -> None:
    found = queue(dataclasses.replace(points, **changes), kind, 10)  # type: ignore[arg-type]
    assert not len(found.rows)
    assert word in found.why


DECISIONS = {
    1: Decision(Verdict.EXCLUDE, note='a "note", with\nlines'),
    4: Decision(Verdict.RELABEL, "wolf, grey"),
    5: Decision(Verdict.KEEP),
    6: Decision(note="hm"),
}


def test_the_table_says_everything(points: Points, tmp_path: Path) -> None:
    assert write_review(tmp_path / "all.csv", points, DECISIONS, lambda index: f"class {index}") == COUNT
    with (tmp_path / "all.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["path"] for row in rows] == list(points.paths)
    assert [(row["decision"], row["new_label"], row["note"]) for row in rows[4:7]] == [
        ("relabel", "wolf, grey", ""),
        ("keep", "", ""),
        ("", "", "hm"),
    ]
    assert rows[1]["note"] == 'a "note", with\nlines'
    assert [row["duplicate_of"] for row in rows[:4]] == ["", points.paths[0], points.paths[0], ""]
    assert (rows[10]["outlier"], rows[6]["outlier"], rows[11]["suspect"]) == ("", "9", "1")
    odds = np.exp(points.logits.astype(np.float64))
    odds /= odds.sum(axis=1, keepdims=True)
    assert [row["prediction"] for row in rows] == [f"class {one}" for one in odds.argmax(axis=1)]
    assert [float(row["probability"]) for row in rows] == pytest.approx(odds.max(axis=1), rel=1e-5)


def test_the_cleaned_table_has_the_new_labels_and_no_excluded_picture(points: Points, tmp_path: Path) -> None:
    assert write_cleaned(tmp_path / "clean.csv", points, DECISIONS) == COUNT - 1
    with (tmp_path / "clean.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["path", "label", "split"]
    labels = [DECISIONS[row].label if row == 4 else points.labels[row] for row in range(COUNT)]
    wanted = list(map(list, zip(points.paths, labels, points.splits, strict=True)))
    del wanted[1]
    assert rows == wanted


def test_lists_of_files(points: Points, tmp_path: Path) -> None:
    def listed(which: FileList) -> list[str]:
        count = write_files(tmp_path / "files.txt", points, DECISIONS, which)
        lines = (tmp_path / "files.txt").read_text(encoding="utf-8").splitlines()
        assert len(lines) == count
        return lines

    assert listed(FileList.EXCLUDED) == [points.paths[1]]
    assert listed(FileList.KEPT) == [points.paths[5]]
    assert listed(FileList.RELABELLED) == [f"{points.paths[4]}\twolf, grey"]
    assert listed(FileList.REMAINING) == [path for row, path in enumerate(points.paths) if row != 1]
    assert listed(FileList.UNDECIDED) == [path for row, path in enumerate(points.paths) if row not in (1, 4, 5)]


def test_a_name_with_a_line_break_is_refused_in_a_list_and_the_old_list_stays(points: Points, tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_text("old")
    broken = dataclasses.replace(points, paths=(*points.paths[:-1], "/d/cat/a\nb.jpg"))
    with pytest.raises(EngineError, match="line break"):
        write_files(tmp_path / "files.txt", broken, DECISIONS, FileList.REMAINING)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("files.txt", "old")]


def test_an_exported_table_is_imported_again(points: Points, tmp_path: Path) -> None:
    write_review(tmp_path / "all.csv", points, DECISIONS)
    found = decisions_from(tmp_path / "all.csv", ("/d",), points.paths, points.digests)
    assert found == [(points.paths[row], f"d{row}", decision) for row, decision in DECISIONS.items()]
    # Of a copy elsewhere the contents tell which picture is meant.
    elsewhere = decisions_from(tmp_path / "all.csv", ("/e",), ["/e/1", "/e/5"], ["d1", "d5"])
    assert elsewhere == [("/e/1", "d1", DECISIONS[1]), ("/e/5", "d5", DECISIONS[5])]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"path,label\na,b\n", "no column named 'decision'"),
        (b"path,decision\n/d/cat/1.jpg,perhaps\n", "line 2: 'perhaps' is no decision"),
        (b"path,decision\n/d/cat/1.jpg,relabel\n", "lacks its new label"),
        (b"path,decision\n/x/y.jpg,keep\n", "none of these pictures"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "no column named 'path'"),
    ],
)
def test_a_table_that_is_no_review_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(EngineError, match=words):
        decisions_from(tmp_path / "t.csv", ("/d",), ["/d/cat/1.jpg"])
