"""The two boxes: what replaces what, what merges, what is never lost."""

from __future__ import annotations

import threading

import numpy as np

from convviz_gui.engine.jobs import Finished, Job, Progressed, Started
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.types import Exported, Run, Target
from convviz_gui.worker.mailbox import Inbox, Outbox


def job(number: int, lane: str) -> Job:
    return Job(number, lane, Run("activations", Target(str(number))))


def test_a_newer_job_of_a_lane_replaces_the_pending_one_and_cancels_the_running_one() -> None:
    inbox = Inbox()
    first, second, third = (job(i, "a") for i in range(3))
    inbox.put(first)
    assert inbox.take() is first
    assert inbox.put(second) == []
    assert first.cancelled.is_set()
    assert inbox.put(third) == [second]
    assert not third.cancelled.is_set()
    assert inbox.take() is third


def test_other_lanes_are_left_alone_unless_the_job_stands_alone() -> None:
    inbox = Inbox()
    running, pending, other = job(1, "filters"), job(2, "overview"), job(3, "activations")
    inbox.put(running)
    assert inbox.take() is running
    inbox.put(pending)
    inbox.put(other)
    assert not running.cancelled.is_set()
    load = job(4, "session")
    assert {dropped.id for dropped in inbox.put(load, alone=True)} == {2, 3}
    assert running.cancelled.is_set()
    assert inbox.take() is load


def test_exports_survive_a_new_model_and_the_end() -> None:
    inbox = Inbox()
    saves = [job(1, "export#1"), job(2, "export#2"), job(3, "export#3")]
    for save in saves:
        assert inbox.put(save) == []
    assert inbox.take() is saves[0]
    other = job(4, "overview")
    inbox.put(other)
    load = job(5, "session")
    assert inbox.put(load, alone=True) == [other]
    inbox.close()
    assert load.cancelled.is_set()
    assert [inbox.take(), inbox.take(), inbox.take()] == [*saves[1:], None]
    assert not any(save.cancelled.is_set() for save in saves)


def test_urgent_jobs_are_taken_out_of_turn() -> None:
    inbox = Inbox()
    slow, quick = job(1, "filters"), job(2, "activations")
    inbox.put(slow)
    inbox.put(quick)
    assert inbox.take_urgent(lambda job: job.lane == "activations") is quick
    assert inbox.take_urgent(lambda job: job.lane == "activations") is None
    save = job(3, "export#7")
    inbox.put(save)
    assert inbox.take_urgent(lambda job: job.lane == "export#7") is save
    assert inbox.take() is slow


def test_take_waits_and_close_releases_it() -> None:
    inbox = Inbox()
    taken: list[Job | None] = []
    thread = threading.Thread(target=lambda: taken.extend((inbox.take(), inbox.take())))
    thread.start()
    only = job(1, "a")
    inbox.put(only)
    inbox.close()
    thread.join(5)
    assert not thread.is_alive()
    # Closing may come before the job is taken; it is never taken afterwards.
    assert taken in ([only, None], [None, None])
    assert only.cancelled.is_set()


def test_progress_merges_and_the_rest_keeps_its_order() -> None:
    wakes: list[int] = []
    outbox = Outbox(lambda: wakes.append(1))
    one = job(1, "a")
    nothing = np.zeros(0, np.float32)
    picture = Heat("a", 0, False, nothing, nothing, nothing, nothing)
    outbox.send(Started(one))
    outbox.send(Progressed(one, 1, 9, preview=picture))
    assert not outbox.wants_preview()
    outbox.send(Progressed(one, 2, 9))
    outbox.send(Finished(one, Exported("", ())))
    started, progressed, finished = outbox.drain()
    assert isinstance(started, Started)
    assert isinstance(progressed, Progressed)
    assert progressed.done == 2
    assert progressed.preview is picture
    assert isinstance(finished, Finished)
    assert wakes == [1]
    assert outbox.wants_preview()
    assert outbox.drain() == []
    outbox.send(Progressed(one, 3, 9))
    assert wakes == [1, 1]


def test_progress_of_two_jobs_does_not_merge() -> None:
    outbox = Outbox(lambda: None)
    one, two = job(1, "a"), job(2, "b")
    for number in range(50):
        outbox.send(Progressed(one, number, 50))
        outbox.send(Progressed(two, number, 50))
    messages = outbox.drain()
    assert [(message.job.id, message.done) for message in messages if isinstance(message, Progressed)] == [
        (1, 49),
        (2, 49),
    ]


def test_after_a_picture_that_was_dear_to_show_the_box_rests() -> None:
    box = Outbox(lambda: None)
    assert box.wants_preview()
    box.rest(600)
    assert not box.wants_preview()
    box.rest(0)
    assert box.wants_preview()
