"""Has the map of a tab checked by the engine, in a lane of its own, and tells what came of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Progressed
from convviz_gui.engine.payloads import AttributionMap
from convviz_gui.engine.types import Check, Result
from convviz_gui.gui.trust.trust_box import TrustBox
from convviz_gui.worker.client import EngineClient

LANE = "trust"
"""Of a tab's checks: "trust#class map". A check takes seconds, so whoever looks at something else goes first."""


class MapChecker(QObject):
    """Joins a `TrustBox` and a lane. Only a check of the result on screen goes on.

    Signals:
        checked: (the result that was on screen, the same with its `trust`).
        problem: a `Problem`; the map stays as it was.
    """

    checked = Signal(object, object)
    problem = Signal(object)

    def __init__(self, tab: str, box: TrustBox, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lane = f"{LANE}#{tab}"
        self._box = box
        self._client = client
        self._result: Result | None = None
        self._known = ""
        box.check_wanted.connect(self.check)
        box.stop_wanted.connect(self.stop)
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    @property
    def checking(self) -> bool:
        """True while a check is under way or waiting."""
        return self._box.checking

    def set_result(self, result: Result | None, known: str = "") -> None:
        """Tell what is on screen; `known` is what is known of the method. A check of anything else is dropped."""
        if result is self._result:
            return
        if self.checking:
            self._client.cancel(self.lane)
        self._result, self._known = result, known
        if result is None or not isinstance(result.payload, AttributionMap):
            self._box.show_nothing()
        elif result.trust is not None:
            self._box.show_trust(result.trust)
        else:
            self._box.show_question(known)

    def check(self) -> bool:
        """Check the map on screen; False if there is none that was not checked."""
        if self._result is None or self.checking or self.why_not():
            return False
        self._box.show_checking()
        self._client.submit(self.lane, Check(self._result))
        return True

    def why_not(self) -> str:
        """Why there is nothing to check, in a sentence, or ""."""
        if self._result is None or not isinstance(self._result.payload, AttributionMap):
            return "There is no map to check here: class maps, pixel maps and occlusion have one."
        return "The map was checked already: its verdict stands beside it." if self._result.trust else ""

    def stop(self) -> None:
        """Stop the check under way."""
        self._client.cancel(self.lane)

    def _mine(self, message: Progressed | Finished | Failed | Cancelled) -> bool:
        """True of a message about a check of what is on screen."""
        job = message.job
        return (
            job is not None
            and job.lane == self.lane
            and isinstance(job.command, Check)
            and job.command.result is self._result
        )

    def _on_progressed(self, message: Progressed) -> None:
        if self._mine(message):
            self._box.show_progress(message)

    def _on_finished(self, message: Finished) -> None:
        if self._mine(message) and isinstance(message.outcome, Result) and self._result is not None:
            self.checked.emit(self._result, message.outcome)

    def _on_failed(self, message: Failed) -> None:
        if self._mine(message):
            self._box.show_question(self._known)
            self.problem.emit(message.problem)

    def _on_cancelled(self, message: Cancelled) -> None:
        if self._mine(message):
            self._box.show_question(self._known, "Check stopped")
