"""One tab at work: when it runs what selection and forms ask for, and which results are still about them."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.errors import EngineError, Problem, ProblemKind, problem_from
from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.params import Settings
from convviz_gui.engine.types import MethodInfo, Result, Run
from convviz_gui.gui.look import words
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.method_panel import MethodPanel
from convviz_gui.gui.tabs.result_cache import ResultCache, precise, subject
from convviz_gui.gui.tabs.result_screen import ResultScreen
from convviz_gui.gui.tabs.run_lane import RunLane
from convviz_gui.gui.tabs.subject_watch import SubjectWatch
from convviz_gui.gui.tabs.tab_spec import TabSpec
from convviz_gui.gui.tabs.wanted_run import WantedRun
from convviz_gui.gui.views.base import PayloadView
from convviz_gui.worker.client import EngineClient

SETTLE = 120
"""Milliseconds a live method waits after a parameter changed, so that a held arrow does not run for each value."""


class MethodTab(QObject):
    """Decides when to run: `WantedRun` says what, `RunLane` does it, `ResultScreen` shows it, `ResultCache` keeps it.

    Signals:
        problem: a `Problem` to tell the user.
        settled: whatever was complained about is over.
        view_made: another view exists now (each is made when a method that needs it is first shown).
        demo_folder_wanted: a run needs a folder and none is chosen.
        shown: a `Result` that is on screen now.
    """

    problem = Signal(object)
    settled = Signal()
    view_made = Signal()
    demo_folder_wanted = Signal()
    shown = Signal(object)

    def __init__(
        self, spec: TabSpec, selection: Selection, client: EngineClient, undo: QUndoStack, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.spec = spec
        self.panel = MethodPanel(spec, selection, undo, parent)
        self._lane = RunLane(spec.name, selection, client, self)
        self._screen = ResultScreen(spec, self.panel, self._lane, selection, client, self)
        self.place, self.checker, self.errands = self._screen.place, self._screen.checker, self._screen.errands
        self._wanted = WantedRun(self.panel, selection, self._screen.refined)
        self._results = ResultCache()
        self._selection = selection
        self._active = False
        self._dirty = True
        self._page_waits = ""
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(self._on_subject)
        self._connect()

    def _connect(self) -> None:
        panel, selection, screen, lane = self.panel, self._selection, self._screen, self._lane
        panel.run_bar.run_wanted.connect(self.run)
        panel.run_bar.stop_wanted.connect(self.stop)
        panel.settings_changed.connect(self._on_settings)
        panel.method_changed.connect(self._on_method)
        panel.target.changed.connect(self._on_subject)
        panel.target.demo_folder_wanted.connect(self.demo_folder_wanted)
        selection.model_changed.connect(self._on_model)
        selection.place_changed.connect(self._on_place)
        SubjectWatch(panel, selection, self).changed.connect(self._on_subject)
        screen.view_made.connect(self._on_view)
        screen.shown.connect(self.shown)
        screen.checked.connect(self._results.put)
        screen.problem.connect(self.problem)
        screen.settled.connect(self.settled)
        lane.started.connect(self._on_started)
        lane.progressed.connect(self._on_progressed)
        lane.finished.connect(self._on_finished)
        lane.stopped.connect(self._on_stopped)
        lane.failed.connect(self._on_failed)

    # ------------------------------------------------------------------------------------- from the window

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Take the methods of the tab's category."""
        self.panel.set_methods(methods)
        self._on_method()

    def set_active(self, active: bool) -> None:
        """Tell whether the tab is the one on screen. What became out of date meanwhile is computed now."""
        self._active = active
        if active:
            self._screen.use_view(self.panel.method)
        if active and self._dirty:
            self._on_subject()

    @property
    def name(self) -> str:
        """Its name, and that of its lane."""
        return self.spec.name

    @property
    def title(self) -> str:
        """As written on the tab."""
        return self.spec.title

    @property
    def view(self) -> PayloadView | None:
        """The view on screen; None before the tab was first looked at."""
        return self._screen.view

    @property
    def result(self) -> Result | None:
        """The finished result on screen, or None."""
        return self._screen.result

    @property
    def on_screen(self) -> Result | None:
        """What is to be saved: the result, or what the user has made of it in the view."""
        return self._screen.on_screen

    @property
    def running(self) -> bool:
        """True while a run of this tab, or an errand of its view, is under way or waiting."""
        return self._lane.running is not None or self.errands.busy

    def request(self) -> Run | None:
        """The run that selection and forms ask for, or None while something is missing.

        Raises `EngineError` for channels that cannot be read, and for a method that does not apply to the network.
        """
        return self._wanted.request()

    def run(self) -> None:
        """Run now, with what is chosen now."""
        if self._wanted.lacks_folder():
            self.demo_folder_wanted.emit()
            return
        try:
            request = self.request()
        except EngineError as error:
            self.problem.emit(problem_from(error))
            return
        if request is None:
            self.problem.emit(Problem(ProblemKind.USER, "There is nothing to run on yet", "Open a picture first"))
            return
        self._submit(request)

    def run_page(self) -> None:
        """Make the chosen method's page if there is none, after the run that is under way."""
        info = self.panel.method
        if info is not None and self.result is None:
            self._page_waits = info.name
            self._go_on()

    def _go_on(self) -> None:
        waiting, info = self._page_waits, self.panel.method
        if waiting and self._lane.running is None:
            self._page_waits = ""
            if info is not None and info.name == waiting and self.result is None:
                self.run()

    def stop(self) -> None:
        """Stop the run, what it has made so far is kept; and what the view wanted done."""
        self._lane.stop()
        self.errands.stop()

    def rerun(self) -> None:
        """Compute again what a cancelled lane left undone."""
        self._dirty = True
        if self._active:
            self._on_subject()

    # ----------------------------------------------------------------------------------- what it is about

    def _on_view(self, view: PayloadView) -> None:
        view.run_wanted.connect(self.run)
        view.settings_wanted.connect(self._on_settings_wanted)
        view.layer_wanted.connect(self.panel.target.ask_at)
        self.view_made.emit()

    def _on_method(self) -> None:
        if self._active:
            self._screen.use_view(self.panel.method)
        self._on_subject()

    def _on_model(self) -> None:
        self._abandon()
        # The same network on another device keeps what was computed of it.
        self._results.keep_only(self._selection.model)
        self._screen.forget()
        self._on_subject()

    def _on_place(self) -> None:
        """The same network on another device: what is shown still counts, what the move cancelled is run again."""
        model = self._selection.model
        if self._lane.running is None and (self.result is None or model is None or not precise(self.result, model)):
            self.rerun()

    def _on_settings_wanted(self, settings: Settings) -> None:
        if self.panel.form is not None:
            self.panel.form.set_settings(settings)

    def _on_settings(self) -> None:
        info = self.panel.method
        if info is not None and info.live:
            self._settle.start()
        elif info is not None and info.needs_by is not None:
            # What is asked about may be something else now.
            self._on_subject()

    def _on_subject(self) -> None:
        """What the tab should show may be something else now."""
        self._dirty = True
        info, model, screen = self.panel.method, self._selection.model, self._screen
        screen.refresh_buttons()
        if not self._active:
            # Nobody looks: a live run for the old subject is wasted work, a run that was asked for is not.
            if info is not None and info.live:
                self._abandon()
            return
        if info is None or model is None or self.view is None:
            return
        self._dirty = False
        try:
            wanted = self.request()
        except EngineError as error:
            screen.show_empty(str(error))
            return
        recall = self._results.get if info.live else self._results.similar
        if wanted is None:
            screen.show_empty()
        elif (known := recall(model, wanted)) is not None:
            if info.live:
                self._abandon()
            screen.show_result(known)
        elif info.live:
            screen.show_waiting()
            self._submit(wanted)
        elif self._lane.running is None or subject(self._lane.running) != subject(wanted):
            self._abandon_live()
            screen.show_empty()

    # --------------------------------------------------------------------------------------------- its runs

    def _submit(self, request: Run) -> None:
        self._screen.show_started()
        self._lane.submit(request)

    def _abandon(self) -> None:
        """Drop the run under way, picture so far included."""
        if self._lane.running is not None:
            self._lane.give_up()
            self.panel.run_bar.show_ended("")

    def _abandon_live(self) -> None:
        """Drop the run under way if it is of a method that runs by itself: nobody asked for it."""
        running = self.panel.info_of(self._lane.running.method) if self._lane.running is not None else None
        if running is not None and running.live:
            self._abandon()

    def _on_started(self, run: Run) -> None:
        self._screen.show_begun(wanted=self._wanted.is_about(run))

    def _on_progressed(self, message: Progressed) -> None:
        run = self._lane.running
        self._screen.show_progress(message, wanted=run is not None and self._wanted.is_about(run))

    def _on_finished(self, result: Result, run: Run | None) -> None:
        self._end(result, run, f"Took {words.duration(result.seconds)}")
        self.settled.emit()

    def _on_stopped(self, run: Run, partial: Result | None) -> None:
        if partial is not None:
            self._end(partial, run, "Stopped; this is what there was")
            return
        self._restore()
        self.panel.run_bar.show_ended("Stopped")
        self._go_on()

    def _on_failed(self, run: Run, problem: Problem) -> None:
        wanted = self._wanted.is_about(run)
        self.panel.run_bar.show_ended("")
        self.problem.emit(problem)
        if wanted and self.result is None:
            self._screen.show_empty(str(problem))
        else:
            self._restore()

    def _end(self, result: Result, run: Run | None, note: str) -> None:
        self._results.put(result)
        if self._wanted.is_about(result.run):
            self._page_waits = ""
            self._screen.show_result(result, note)
        else:
            self._screen.show_end_of_other(run, note)
            self._go_on()

    def _restore(self) -> None:
        result = self.result
        self._screen.restore(wanted=result is not None and self._wanted.is_about(result.run))
