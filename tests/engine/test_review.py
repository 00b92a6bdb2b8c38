"""The review: what is decided survives crashes, full disks, other windows and newer programs, and can be undone."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convviz_gui.engine.desk import review_history, review_journal
from convviz_gui.engine.desk.review import Review
from convviz_gui.engine.desk.review_entries import Base, Decision, Step, Undo, Verdict, from_line, to_line
from convviz_gui.engine.desk.review_history import History, compacted
from convviz_gui.engine.desk.review_import import decisions_from
from convviz_gui.engine.desk.review_journal import Journal, journal_path, read_journal, sources_of
from convviz_gui.engine.desk.review_matching import adopted, match
from convviz_gui.engine.errors import EngineError

KEEP, EXCLUDE = Decision(Verdict.KEEP), Decision(Verdict.EXCLUDE)
SOURCES = ("/photos",)


def relabel(label: str, note: str = "") -> Decision:
    return Decision(Verdict.RELABEL, label, note)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Window:
    """A review and its journal, as a window or the command line puts them together."""

    def __init__(self, sources: tuple[str, ...] = SOURCES) -> None:
        self.journal = Journal(journal_path(sources), sources)
        self.contents = self.journal.open()
        self.review = Review(self.contents)

    def save(self) -> None:
        pending = self.review.pending
        self.review.absorb(self.journal.exchange(self.review.saved, pending), len(pending))

    def decide(self, *wanted: tuple[str, Decision]) -> None:
        self.review.decide((path, "", decision) for path, decision in wanted)
        self.save()

    def seen(self) -> dict[str, Decision]:
        return {path: record.decision for path, record in self.review.records.items() if record.decision}


def reopened() -> dict[str, Decision]:
    return Window().seen()


# ------------------------------------------------------------------------------------- decisions and undo


def test_what_is_decided_is_there_after_reopening() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", relabel("dog", "it barks, “loudly”\nalways")), ("/photos/b.jpg", EXCLUDE))
    window.decide(("/photos/b.jpg", KEEP.with_note("no")))
    assert reopened() == {
        "/photos/a.jpg": relabel("dog", "it barks, “loudly”\nalways"),
        "/photos/b.jpg": Decision(Verdict.KEEP, "", "no"),
    }


def test_nothing_is_written_before_anything_is_decided() -> None:
    window = Window()
    assert window.review.decide([("/photos/a.jpg", "", Decision())]) is None
    assert not window.journal.path.exists()


def test_a_relabelling_has_a_label_and_nothing_else_has() -> None:
    for verdict, label in ((Verdict.RELABEL, ""), (Verdict.KEEP, "cat")):
        with pytest.raises(ValueError, match="label"):
            Decision(verdict, label)


@pytest.mark.parametrize("seed", range(6))
def test_undo_and_redo_are_those_of_a_stack_whenever_it_is_reopened(seed: int) -> None:
    """Against a model that keeps a copy of everything after every step."""
    rng = random.Random(seed)
    states: list[dict[str, Decision]] = [{}]
    place = 0
    window = Window()
    options = [Decision(), KEEP, EXCLUDE, relabel("cat"), relabel("dog", "sure"), Decision(note="hm")]
    for _ in range(120):
        action = rng.random()
        if action < 0.5:
            picked = rng.sample([f"/photos/{name}.jpg" for name in "abcdef"], rng.randint(1, 3))
            wanted = [(path, "", rng.choice(options)) for path in picked]
            if window.review.decide(wanted) is not None:
                new = states[place] | {path: decision for path, _, decision in wanted}
                states[place + 1 :] = [{path: decision for path, decision in new.items() if decision}]
                place += 1
        elif action < 0.72:
            assert (window.review.undo() is not None) == (place > 0)
            place = max(place - 1, 0)
        elif action < 0.9:
            assert (window.review.redo() is not None) == (place < len(states) - 1)
            place = min(place + 1, len(states) - 1)
        else:
            window.save()
            window = Window()
        if rng.random() < 0.5:
            window.save()
        assert window.seen() == states[place]
        assert (window.review.can_undo(), window.review.can_redo()) == (place > 0, place < len(states) - 1)


def test_a_journal_written_anew_is_shorter_and_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_journal, "_WASTE", 5)
    window = Window()
    for number in range(20):
        window.decide((f"/photos/{number}.jpg", KEEP))
        window.review.undo()
        window.review.redo()
    window.review.undo()
    window.save()
    before = window.journal.path.read_bytes()
    again = Window()
    assert len(window.journal.path.read_bytes()) < len(before)
    assert again.seen() == window.seen()
    assert again.review.redo() is not None
    for _ in range(20):
        assert again.review.undo() is not None
    assert (again.seen(), again.review.undo()) == ({}, None)
    # The window that was open all the while notices, and loses nothing.
    window.decide(("/photos/new.jpg", EXCLUDE))
    assert reopened() == window.seen()


def test_steps_of_long_ago_become_plain_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_history, "UNDOABLE", 3)
    review = Review()
    for number in range(8):
        review.decide([(f"/photos/{number}.jpg", "d", KEEP)])
    review.undo()
    short = compacted(list(review.pending))
    assert [type(entry) for entry in short] == [Base, Step, Step, Step, Step, Undo]
    history = History(short)
    assert list(history.records) == [f"/photos/{number}.jpg" for number in range(8)]
    assert (len(history.done), len(history.undone)) == (3, 1)
    assert compacted(short) == short


# ---------------------------------------------------------------------------------------------- crashes


WRITER = """
import sys
sys.path[:0] = sys.argv[1:2]
from tests.engine.test_review import KEEP, Window
window = Window()
for number in range(100_000):
    window.decide((f"/photos/{number:06d}.jpg", KEEP))
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [5, 37])
def test_a_killed_process_has_saved_all_that_it_said_it_had(after: int) -> None:
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen([sys.executable, "-c", WRITER, root], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= after:
                break
        time.sleep(0.003)
        process.send_signal(signal.SIGKILL)
        told = [after, *map(int, filter(str.strip, process.stdout))]
    window = Window()
    kept = sorted(window.seen())
    # All that was told is there, and at most the one step that was under way besides; no lock is left behind.
    assert len(kept) in (told[-1] + 1, told[-1] + 2)
    assert kept == [f"/photos/{number:06d}.jpg" for number in range(len(kept))]
    window.decide(("/photos/x.jpg", EXCLUDE))
    assert len(reopened()) == len(kept) + 1


def test_a_torn_line_is_told_and_costs_itself_alone() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    window.decide(("/photos/b.jpg", EXCLUDE))
    whole = window.journal.path.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(start + 1, len(whole) - 2, 7):
        window.journal.path.write_bytes(whole[:cut])
        again = Window()
        assert again.seen() == {"/photos/a.jpg": KEEP}
        assert "is lost" in again.contents.remark
        again.decide(("/photos/c.jpg", KEEP))
        assert reopened() == {"/photos/a.jpg": KEEP, "/photos/c.jpg": KEEP}


def test_a_last_line_that_lacks_its_end_is_whole() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    window.journal.path.write_bytes(window.journal.path.read_bytes().rstrip(b"\n"))
    again = Window()
    assert (again.seen(), again.contents.remark) == ({"/photos/a.jpg": KEEP}, "")
    again.decide(("/photos/b.jpg", KEEP))
    assert reopened() == {"/photos/a.jpg": KEEP, "/photos/b.jpg": KEEP}


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 40,
        b"{}",
        b'{"step":"x","by":"y","at":"","do":[["/photos/z.jpg"]]}',
        b'{"step":1}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
def test_damaged_lines_are_put_aside_and_told(damage: bytes) -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    window.decide(("/photos/b.jpg", EXCLUDE))
    head, first, second = window.journal.path.read_bytes().splitlines(keepends=True)
    window.journal.path.write_bytes(head + first + damage + b"\n" + second)
    again = Window()
    assert again.seen() == {"/photos/a.jpg": KEEP, "/photos/b.jpg": EXCLUDE}
    assert "put aside" in again.contents.remark
    aside = window.journal.path.with_suffix(".damaged")
    assert aside.read_bytes() == damage + b"\n"
    assert damage not in window.journal.path.read_bytes().splitlines()
    assert Window().contents.remark == ""


def test_a_lost_first_line_loses_no_decision() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    head, first = window.journal.path.read_bytes().splitlines(keepends=True)
    window.journal.path.write_bytes(head[9:] + first)
    assert reopened() == {"/photos/a.jpg": KEEP}
    assert json.loads(window.journal.path.read_bytes().splitlines()[0])["convviz-review"] == 1


def test_the_journal_of_a_newer_program_is_left_as_it_is() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    newer = window.journal.path.read_bytes().replace(b'"convviz-review": 1', b'"convviz-review": 2') + b'{"magic":1}\n'
    window.journal.path.write_bytes(newer)
    with pytest.raises(EngineError, match="newer ConvViz"):
        Window()
    # Neither does a window that was open before it came write into it.
    window.journal._generation = "older"
    with pytest.raises(EngineError, match="newer ConvViz"):
        window.decide(("/photos/b.jpg", KEEP))
    assert window.journal.path.read_bytes() == newer
    assert [entry for entry in window.review.pending if isinstance(entry, Step)]


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are Unix's")
def test_a_full_disk_loses_nothing_and_leaves_no_half_line() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    before = window.journal.path.read_bytes()
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 30, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            window.decide(("/photos/b.jpg", EXCLUDE))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert window.journal.path.read_bytes() == before
    assert window.seen()["/photos/b.jpg"] == EXCLUDE
    window.save()
    assert reopened() == {"/photos/a.jpg": KEEP, "/photos/b.jpg": EXCLUDE}


def test_a_journal_that_was_deleted_is_written_again() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    window.journal.path.unlink()
    window.decide(("/photos/b.jpg", EXCLUDE))
    assert reopened() == {"/photos/a.jpg": KEEP, "/photos/b.jpg": EXCLUDE}


# ------------------------------------------------------------------------------------------- two windows


def test_two_windows_see_what_the_other_decided_and_undo_their_own() -> None:
    Window().decide(("/photos/old.jpg", KEEP))
    one, two = Window(), Window()
    one.decide(("/photos/a.jpg", KEEP))
    two.decide(("/photos/b.jpg", EXCLUDE))
    one.decide(("/photos/c.jpg", KEEP))
    two.decide(("/photos/d.jpg", EXCLUDE))
    assert two.seen() == reopened()
    assert len(two.seen()) == 5
    undone = two.review.undo(), two.review.undo(), two.review.undo(), two.review.undo()
    assert [step.changes[0].path if step else None for step in undone] == [
        "/photos/d.jpg",
        "/photos/b.jpg",
        "/photos/old.jpg",
        None,
    ]
    two.save()
    assert reopened() == {"/photos/a.jpg": KEEP, "/photos/c.jpg": KEEP}


def test_undo_leaves_what_another_window_has_changed_since() -> None:
    one, two = Window(), Window()
    one.decide(("/photos/a.jpg", KEEP), ("/photos/b.jpg", KEEP))
    two.decide(("/photos/a.jpg", EXCLUDE))
    one.save()
    assert one.seen()["/photos/a.jpg"] == EXCLUDE
    one.review.undo()
    one.save()
    assert one.seen() == reopened() == {"/photos/a.jpg": EXCLUDE}


@pytest.mark.parametrize("seed", range(3))
def test_many_windows_end_with_what_the_file_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_journal, "_WASTE", 6)
    rng = random.Random(seed)
    windows = [Window() for _ in range(3)]
    for _ in range(150):
        place = rng.randrange(3)
        window = windows[place]
        action = rng.random()
        if action < 0.5:
            window.review.decide([(f"/photos/{rng.randrange(5)}.jpg", "", rng.choice([KEEP, EXCLUDE, Decision()]))])
        elif action < 0.7:
            window.review.undo()
        elif action < 0.8:
            window.review.redo()
        elif action < 0.95:
            window.save()
        else:
            window.save()
            windows[place] = Window()
    for _ in range(2):
        for window in windows:
            window.save()
    assert windows[0].seen() == windows[1].seen() == windows[2].seen() == reopened()


def test_writers_at_the_same_time_lose_nothing() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]\n"
        "from tests.engine.test_review import KEEP, Window\n"
        "window = Window()\n"
        "for number in range(25): window.decide((f'/photos/{sys.argv[2]}-{number}.jpg', KEEP))\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    processes = [subprocess.Popen([sys.executable, "-c", code, root, name]) for name in "ab"]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert len(reopened()) == 50


# ----------------------------------------------------------------------- whose picture, and from elsewhere


def test_the_review_is_named_by_the_folders_whatever_their_order(own_home: Path, tmp_path: Path) -> None:
    one = sources_of(str(tmp_path / "train"), [str(tmp_path / "x" / ".." / "test")])
    assert one == (str(tmp_path / "test"), str(tmp_path / "train"))
    assert journal_path(one) == journal_path(sources_of(str(tmp_path / "test"), [f"{tmp_path}/train/"]))
    assert journal_path(one) != journal_path(sources_of(str(tmp_path / "test")))
    assert own_home in journal_path(one).parents


def test_a_decision_is_about_content_and_follows_it() -> None:
    review = Review()
    review.decide([("/p/a.jpg", "A", EXCLUDE), ("/p/b.jpg", "B", KEEP), ("/p/gone.jpg", "G", KEEP)])
    # a was renamed and another picture took its name; b is as it was.
    found = match(review.records, ["/p/b.jpg", "/p/a.jpg", "/p/c.jpg"], ["B", "new", "A"])
    assert (found.rows, found.changed) == ({"/p/b.jpg": 0, "/p/a.jpg": 2}, (1,))
    assert found.moved == (("/p/a.jpg", 2),)
    assert review.decision("/p/a.jpg", "new") == Decision()
    assert review.decision("/p/a.jpg", "A") == EXCLUDE
    # Without digests paths are all there is to go by.
    assert match(review.records, ["/p/a.jpg"]).rows == {"/p/a.jpg": 0}


def test_of_two_pictures_with_the_same_content_only_the_one_is_excluded() -> None:
    review = Review()
    review.decide([("/p/copy.jpg", "same", EXCLUDE)])
    assert match(review.records, ["/p/a.jpg", "/p/copy.jpg"], ["same", "same"]).rows == {"/p/copy.jpg": 1}
    # Moved, it is the first that nothing is decided about.
    assert match(review.records, ["/q/a.jpg", "/q/b.jpg"], ["same", "same"]).rows == {"/p/copy.jpg": 0}


def test_what_is_not_read_yet_is_not_taken_for_moved(tmp_path: Path) -> None:
    """A part of a dataset is shown while the rest is read: its pictures are not what the missing ones were."""
    (tmp_path / "copy.jpg").write_bytes(b"same")
    review = Review()
    review.decide([(str(tmp_path / "copy.jpg"), "same", EXCLUDE)])
    assert match(review.records, [str(tmp_path / "a.jpg")], ["same"]).rows == {}


def test_a_moved_picture_takes_its_decision_along() -> None:
    window = Window()
    window.review.decide([("/old/a.jpg", "A", EXCLUDE)])
    window.save()
    window.review.move([("/old/a.jpg", "/new/a.jpg")])
    window.save()
    assert Window().seen() == {"/new/a.jpg": EXCLUDE}
    assert window.review.records["/new/a.jpg"].digest == "A"
    window.review.undo()
    assert window.seen() == {"/new/a.jpg": EXCLUDE}


def test_digests_that_come_to_be_known_later_are_kept() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    window.review.learn([("/photos/a.jpg", "A")])
    window.save()
    assert Window().review.records["/photos/a.jpg"].digest == "A"


def test_a_copy_of_a_dataset_takes_its_review_over() -> None:
    review = Review()
    review.decide([("/old/cat/1.jpg", "", EXCLUDE), ("/old/cat/2.jpg", "B", KEEP), ("/old/cat/3.jpg", "C", KEEP)])
    paths = ["/new/cat/1.jpg", "/new/renamed.jpg", "/new/cat/3.jpg"]
    found = adopted(review.records, ("/old",), paths, ["A", "B", "changed"], ("/new",))
    assert found == [("/new/cat/1.jpg", "A", EXCLUDE), ("/new/renamed.jpg", "B", KEEP)]


def test_lines_are_ascii_and_read_back() -> None:
    review = Review()
    step = review.decide([("/p/\u2028ü\n.jpg", "", relabel("café", '"quoted"'))])
    assert step is not None
    line = to_line(step)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert from_line(line) == step


def test_reading_a_journal_changes_nothing() -> None:
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    torn = window.journal.path.read_bytes() + b'{"ste'
    window.journal.path.write_bytes(torn)
    assert len(read_journal(window.journal.path).entries) == 1
    assert window.journal.path.read_bytes() == torn
    assert {path.suffix for path in window.journal.path.parent.iterdir()} == {".jsonl", ".lock"}


def test_half_letters_are_neither_kept_nor_believed() -> None:
    assert KEEP.with_note("a\udcff ").note == "a?"
    window = Window()
    window.decide(("/photos/a.jpg", KEEP))
    with window.journal.path.open("ab") as file:
        change = ["/photos/b.jpg", "", {}, {"verdict": "relabel", "label": "\ud800"}]
        file.write(json.dumps({"step": "1", "by": "x", "at": "y", "do": [change]}).encode() + b"\n")
    assert "put aside" in window.journal.open().remark
    assert len(window.journal.open().entries) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are of POSIX")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_pipe_is_not_imported(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(EngineError, match="not an ordinary file"):
        decisions_from(tmp_path / name, (str(tmp_path),), [])
