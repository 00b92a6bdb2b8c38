"""Small parts: notices, the palette's search, numbers in words."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from convviz_gui.engine.errors import Problem, ProblemKind
from convviz_gui.gui.look import words
from convviz_gui.gui.window.command_palette import Entry, matching
from convviz_gui.gui.window.notices import Notices
from convviz_gui.gui.window.process_memory import resident_bytes


def problem(title: str) -> Problem:
    return Problem(ProblemKind.USER, title, "Do this", f"detail of {title}")


def test_notices_by_topic(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("files", problem("A"), problem("B"))
    notices.tell("filters", problem("C"))
    assert notices.text.text().splitlines() == ["C. Do this", "A. Do this", "… and 1 more"]
    notices.tell("files", problem("D"))
    assert notices.text.text().splitlines() == ["D. Do this", "C. Do this"]
    assert "detail of C" in notices.details()
    notices.settle("files")
    assert notices.text.text() == "C. Do this"
    notices.dismiss()
    assert notices.isHidden()


def test_many_problems_are_counted(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("files", *(problem(str(number)) for number in range(50)))
    assert notices.text.text().splitlines()[-1] == "… and 48 more"
    assert "detail of 49" in notices.details()


def test_a_remedy_is_offered_until_it_is_taken_or_the_problem_is_over(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    done: list[str] = []
    notices.tell("session", problem("A"), remedy=("Try again", lambda: done.append("again")))
    assert notices.remedy.text() == "Try again"
    assert not notices.remedy.isHidden()
    notices.remedy.click()
    assert done == ["again"]
    assert notices.isHidden()
    notices.tell("session", problem("A"), remedy=("Try again", lambda: None))
    notices.tell("session", problem("B"))
    assert notices.remedy.isHidden()


def test_one_cause_is_told_once(qtbot: QtBot) -> None:
    notices = Notices()
    qtbot.addWidget(notices)
    notices.tell("overview", problem("A"))
    notices.tell("activations", problem("A"))
    assert notices.text.text() == "A. Do this"


def test_palette_puts_whole_words_first() -> None:
    entries = [Entry(title, "", list) for title in ("Layer: block4_conv1", "View: b4", "Quit")]
    assert [entry.title for entry in matching("b4", entries)] == ["View: b4", "Layer: block4_conv1"]
    assert [entry.title for entry in matching("LAY conv", entries)] == ["Layer: block4_conv1"]
    assert matching("zz", entries) == []
    assert matching("", entries) == entries


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.count(999), "999"),
        (words.count(1_248_424), "1.25 M"),
        (words.count(14_208), "14.2 k"),
        (words.duration(0.0004), "< 1 ms"),
        (words.duration(0.021), "21 ms"),
        (words.duration(3.44), "3.4 s"),
        (words.duration(75), "1 min 15 s"),
        (words.duration(7300), "2 h 1 min"),
        (words.percent(1.0), "100 %"),
        (words.percent(0.0034), "0.3 %"),
        (words.percent(0.00001), "< 0.1 %"),
        (words.percent(0.0), "0 %"),
        (words.shape((64, 5, 7)), "64×5×7"),
        (words.shape(None), "–"),
        (words.memory(1_340_000_000), "1.3 GB"),
        (words.download(4_940_000), "4.9 MB"),
        (words.download(99_940_000), "100 MB"),
        (words.download(1_340_000_000), "1.3 GB"),
    ],
)
def test_numbers_in_words(written: str, expected: str) -> None:
    assert written == expected


def test_memory_of_this_process_is_told() -> None:
    size = resident_bytes()
    assert size is not None
    assert 10**7 < size < 10**12
