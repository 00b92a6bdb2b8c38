"""What a tab shows: a result or a sentence in one of its views, and beside it how the run goes, went or may go on."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.types import MethodInfo, Outcome, Reproject, Result, Run, Score, Target
from convviz_gui.gui.look import words
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.errands import Errands
from convviz_gui.gui.tabs.method_panel import MethodPanel
from convviz_gui.gui.tabs.run_lane import RunLane
from convviz_gui.gui.tabs.tab_spec import TabSpec
from convviz_gui.gui.trust.map_checker import MapChecker
from convviz_gui.gui.views.base import Errand, PayloadView
from convviz_gui.worker.client import EngineClient


class ResultScreen(QObject):
    """The views of a tab, of which one is on screen, and what may be done about the result there: check it, errands.

    Whether it should still be there is the tab's to say.

    Attributes:
        place: where the views are.
        view: the one on screen; None before the tab was first looked at.
        result: the finished result on screen, or None.

    Signals:
        view_made: another view exists now (each is made when a method that needs it is first shown).
        shown: a `Result` that is on screen now.
        checked: the same result with its check.
        problem: a `Problem` to tell the user.
        settled: whatever was complained about is over.
    """

    view_made = Signal(object)
    shown = Signal(object)
    checked = Signal(object)
    problem = Signal(object)
    settled = Signal()

    def __init__(
        self,
        spec: TabSpec,
        panel: MethodPanel,
        lane: RunLane,
        selection: Selection,
        client: EngineClient,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.place = QStackedWidget(panel.parentWidget())
        self.view: PayloadView | None = None
        self.result: Result | None = None
        self.checker = MapChecker(spec.name, panel.trust, client, self)
        self.errands = Errands(spec.name, client, self)
        self._spec = spec
        self._panel = panel
        self._lane = lane
        self._selection = selection
        self._views: dict[str, PayloadView] = {}
        self._pictured = False
        self.checker.checked.connect(self._on_checked)
        self.checker.problem.connect(self.problem)
        self.errands.began.connect(panel.run_bar.show_started)
        self.errands.progressed.connect(self._on_errand_progressed)
        self.errands.done.connect(self._on_errand_done)
        self.errands.given_up.connect(self._on_errand_given_up)
        self.errands.ended.connect(self._on_errands_ended)

    # -------------------------------------------------------------------------------------------- the view

    def use_view(self, info: MethodInfo | None) -> None:
        """Put the view of a method's results on screen; before the engine is up, the tab's first one."""
        wanted = info.payload if info is not None else next(iter(self._spec.views))
        if wanted not in self._views:
            view = self._views[wanted] = self._spec.views[wanted](self._selection)
            self.place.addWidget(view)
            view.command_wanted.connect(self.errands.send)
            view.problem.connect(self.problem)
            view.screen_changed.connect(self._on_screen_changed)
            self.view = view
            self.view_made.emit(view)
            self.place.setCurrentWidget(view)
            self.show_empty()
        elif self.view is not self._views[wanted]:
            self.view = self._views[wanted]
            self.place.setCurrentWidget(self.view)

    def refined(self, target: Target) -> Target:
        """What the view on screen makes of the target of the next run."""
        return self.view.target(target) if self.view is not None else target

    @property
    def on_screen(self) -> Result | None:
        """What is to be saved: the result, or what the user has made of it in the view."""
        return self.view.on_screen(self.result) if self.result is not None and self.view is not None else self.result

    # ----------------------------------------------------------------------------------- instead of a result

    def forget(self) -> None:
        """The result is of a network that is not open any more."""
        self.errands.stop()
        self.result = None
        self.checker.set_result(None)
        self._panel.run_bar.show_ended("")

    def show_empty(self, sentence: str = "") -> None:
        """Show no result but a sentence; left out, what is waited for, or what to do for one."""
        self.result = None
        self.errands.stop()
        self.checker.set_result(None)
        self.refresh_buttons()
        if self.view is None:
            return
        if self._selection.model is None:
            self.view.show_message("The network is being opened…")
            return
        if self._lane.running is None:
            # How long another method took is no news here.
            self._panel.run_bar.show_ended("")
        elif not sentence and (other := self._other(self._lane.running)):
            self.view.show_message(f"{other} is still at work. Wait for it, or press Stop.")
            return
        layer = self._selection.layer or "the layer"
        invitation, button = self._spec.invitation(self._panel.method.name if self._panel.method is not None else "")
        takes_demo = self._spec.demo_button and "folder" in self._panel.needs and self._selection.folder is None
        button = self._spec.demo_button if takes_demo else button
        self.view.show_message(sentence or invitation.format(layer=layer), "" if sentence else button)

    def refresh_buttons(self) -> None:
        """Offer what can be run and saved now."""
        info, model = self._panel.method, self._selection.model
        ready = info is not None and model is not None and info.name not in dict(model.cannot)
        self._panel.set_enabled(ready=ready, saveable=self.result is not None)

    def _other(self, run: Run | None) -> str:
        """The title of a run's method if another one is chosen, else ""."""
        other = self._panel.info_of(run.method) if run is not None else None
        return other.title if other is not None and other is not self._panel.method else ""

    # --------------------------------------------------------------------------------------- while it runs

    def show_started(self) -> None:
        """A run was asked for. Errands are about what it is going to replace."""
        self.errands.stop()
        self._pictured = False
        self._panel.run_bar.show_started()

    def show_waiting(self) -> None:
        """What is on screen is going to be replaced by itself."""
        if self.view is not None:
            if self.result is None:
                self.view.show_message("One moment…")
            self.view.set_stale(True)

    def show_begun(self, *, wanted: bool) -> None:
        """The engine begins; `wanted` says whether the run is about what the window looks at."""
        if self.view is not None:
            self.view.set_stale(self.result is not None and wanted)

    def show_progress(self, message: Progressed, *, wanted: bool) -> None:
        """Show how far the run is; its picture so far only if it is wanted here."""
        self._panel.run_bar.show_progress(message)
        if self.view is None or not wanted:
            return
        if message.preview is not None:
            self._pictured = True
            self.view.set_stale(False)
            self.view.show_preview(message.preview)
        elif self.result is None and not self._pictured and message.note:
            self.view.show_message(f"{message.note[:1].upper()}{message.note[1:]}…")

    # ------------------------------------------------------------------------------------------ afterwards

    def show_result(self, result: Result, note: str = "") -> None:
        """Show a result; `note` says how its run ended if that was just now."""
        self.result = result
        info = self._panel.method
        self.checker.set_result(result, info.known_to_fail_randomisation if info is not None else "")
        self.refresh_buttons()
        if self.view is not None:
            self.view.set_stale(False)
            self.view.show_result(result)
            self.shown.emit(result)
        if note:
            self._panel.run_bar.show_ended(note, result.scores)
        elif self.view is not None and self._lane.running is None:
            self._panel.run_bar.show_ended(_took(result), self._scores())

    def show_end_of_other(self, run: Run | None, note: str) -> None:
        """A run ended that was about something else than what is on screen."""
        other = self._other(run)
        if other and self.result is None:
            self.show_empty()
        # What is on screen is something else: its own time stands, or none.
        own = _took(self.result) if self.result is not None else ""
        said = f"{other}: {note[:1].lower()}{note[1:]}" if other else own
        self._panel.run_bar.show_ended(said, self.result.scores if self.result is not None else ())

    def restore(self, *, wanted: bool) -> None:
        """After a run that came to nothing, what was on screen counts again if it is still wanted."""
        if self.view is None:
            return
        self.view.set_stale(False)
        if self.result is None or not wanted:
            self.show_empty()
        else:
            self.view.show_result(self.result)

    def _scores(self) -> tuple[Score, ...]:
        """The numbers of what is on screen."""
        return self.on_screen.scores if self.on_screen is not None else ()

    def _on_screen_changed(self) -> None:
        if self._lane.running is None:
            self._panel.run_bar.show_scores(self._scores())

    # ------------------------------------------------------------------------------------ errands and checks

    def _on_errand_progressed(self, message: Progressed) -> None:
        if self._lane.running is None:
            self._panel.run_bar.show_progress(message)
        if message.preview is not None and self.view is not None and isinstance(message.job.command, Reproject):
            self.view.show_working(message.job.command, message.preview)

    def _on_errand_done(self, errand: Errand, outcome: Outcome) -> None:
        if self.view is not None and self.result is not None:
            self.view.show_outcome(errand, outcome)
            # Of pictures dropped together, those that could be placed must not hide what is wrong with the others.
            if isinstance(errand, Reproject):
                self.settled.emit()

    def _on_errand_given_up(self, errand: Errand, problem: Problem | None) -> None:
        if self.view is not None and self.result is not None and self._lane.running is None:
            self.view.show_given_up(errand)
        if problem is not None:
            self.problem.emit(problem)

    def _on_errands_ended(self) -> None:
        if self._lane.running is None:
            self._panel.run_bar.show_ended("", self._scores())

    def _on_checked(self, before: Result, result: Result) -> None:
        self.checked.emit(result)
        if self.result is before:
            self.result = result
            self.checker.set_result(result)
            self.settled.emit()


def _took(result: Result) -> str:
    return f"Took {words.duration(result.seconds)}"
